package rest

import (
	"context"

	"vigil"
	"vigil/internal/api"
)

func (h *Handler) cases() resource {
	return resource{name: "cases", thing: "case", there: true, endpoints: []endpoint{
		on("GET /api/v1/cases", "listCases", "Lists cases, those first that may do most harm.", h.listCases),
		on("GET /api/v1/cases/{id}", "getCase", "Gives one case with the end of its timeline. Its ETag is its revision.", h.getCase),
	}}
}

// caseID names a case.
type caseID struct {
	// The case's id.
	ID string `path:"id"`
}

type caseFilter struct {
	// Leaves out milder ones.
	Min vigil.Severity `query:"min" enum:"low,medium,high,critical"`
	// Only those that are in this state; unresolved are those that are not resolved.
	State string `query:"state" enum:"new,acknowledged,resolved,unresolved"`
}

type listCases struct {
	caseFilter
	page
}

// CaseList is a part of the cases.
type CaseList struct {
	Cases []vigil.Case `json:"cases"`
	// Total is how many fit the filter.
	Total int `json:"total"`
	// Next is the cursor of what follows; not there at the end.
	Next string `json:"next,omitempty"`
}

func (h *Handler) listCases(ctx context.Context, in listCases) (out CaseList, err error) {
	f := api.CaseFilter{MinSeverity: in.Min, Limit: in.Limit}
	if in.State == "unresolved" {
		f.Unresolved = true
	} else {
		f.State = vigil.CaseState(in.State)
	}
	var after api.CaseKey
	if ok, bad := readCursor(in.Cursor, "cases", in.caseFilter, &after); bad != nil {
		return out, bad
	} else if ok {
		f.After = &after
	}
	page, err := h.do.Cases(ctx, f)
	if err != nil {
		return out, err
	}
	out.Cases, out.Total = page.Cases, page.Total
	if page.Next != nil {
		out.Next, err = cursorOf("cases", in.caseFilter, page.Next)
	}
	return out, err
}

// CaseWhole is a case and the end of its timeline.
type CaseWhole struct {
	vigil.Case
	// Events are the latest of EventsTotal, in order.
	Events      []vigil.CaseEvent `json:"events"`
	EventsTotal int               `json:"events_total"`
}

func (c CaseWhole) revision() int { return c.Revision }

func (h *Handler) getCase(ctx context.Context, in caseID) (CaseWhole, error) {
	v, err := h.do.Case(ctx, in.ID)
	return CaseWhole{Case: v.Case, Events: v.Events, EventsTotal: v.Total}, err
}
