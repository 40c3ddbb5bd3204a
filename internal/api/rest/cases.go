package rest

import (
	"context"
	"time"

	"vigil"
	"vigil/internal/api"
)

func (h *Handler) cases() resource {
	return resource{name: "cases", thing: "case", there: true, endpoints: []endpoint{
		on("GET /api/v1/cases", "listCases", "Lists cases, those first of which most harm is to be expected.", h.listCases),
		on("GET /api/v1/cases/{id}", "getCase", "Gives one case with the end of its timeline. Its ETag is its revision.", h.getCase),
		on("GET /api/v1/cases/{id}/events", "listCaseEvents", "Lists a case's whole timeline, the oldest line first.", h.listCaseEvents),
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
	// Only those that somebody of this pseudonym has.
	Owner string `query:"owner"`
	// Only those that nobody has.
	Unowned bool `query:"unowned"`
	// Only those about such a thing.
	About vigil.About `query:"about" enum:"actor,subject,network,team,source"`
	// Only those of which a finding tells of this store or source.
	Place string `query:"place"`
	// Only those that began then or later.
	OpenedFrom time.Time `query:"opened_from"`
	// Only those that began before.
	OpenedTo time.Time `query:"opened_to"`
}

type listCases struct {
	caseFilter
	page
}

// CaseList is a part of the cases.
type CaseList struct {
	Cases []vigil.Case `json:"cases"`
	// Total is how many fit the filter, -1 where nobody has counted: where more is asked
	// than severity and state.
	Total int64 `json:"total"`
	// Next is the cursor of what follows; not there at the end.
	Next string `json:"next,omitempty"`
}

func (h *Handler) listCases(ctx context.Context, in listCases) (out CaseList, err error) {
	f := api.QueueFilter{
		MinSeverity: in.Min, Owner: in.Owner, Unowned: in.Unowned, About: in.About, Place: in.Place,
		OpenedFrom: in.OpenedFrom, OpenedTo: in.OpenedTo, Limit: in.Limit,
	}
	if in.State == "unresolved" {
		f.Unresolved = true
	} else {
		f.State = vigil.CaseState(in.State)
	}
	if _, bad := readCursor(in.Cursor, "cases", in.caseFilter, &f.After); bad != nil {
		return out, bad
	}
	page, err := h.do.Cases(ctx, f)
	if err != nil {
		return out, err
	}
	out.Cases, out.Total = page.Cases, page.Total
	if page.Next != "" {
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

type listCaseEvents struct {
	caseID
	page
}

// CaseEventList is a part of a case's timeline.
type CaseEventList struct {
	Events []vigil.CaseEvent `json:"events"`
	// Next is the cursor of what follows; not there at the end.
	Next string `json:"next,omitempty"`
}

func (h *Handler) listCaseEvents(ctx context.Context, in listCaseEvents) (out CaseEventList, err error) {
	var after int64 // the number of the last line that was given
	if _, bad := readCursor(in.Cursor, "case events", in.caseID, &after); bad != nil {
		return out, bad
	}
	events, err := h.do.CaseEvents(ctx, in.ID, after, in.Limit+1)
	if err != nil {
		return out, err
	}
	if len(events) > in.Limit { // one more tells whether there are any
		events = events[:in.Limit]
		out.Next, err = cursorOf("case events", in.caseID, events[in.Limit-1].N)
	}
	out.Events = events
	return out, err
}
