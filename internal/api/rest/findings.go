package rest

import (
	"context"
	"time"

	"vigil"
	"vigil/internal/api"
)

func (h *Handler) findings() resource {
	return resource{name: "findings", thing: "finding", there: true, endpoints: []endpoint{
		on("GET /api/v1/findings", "listFindings", "Lists findings, those first that may do most harm.", h.listFindings),
		on("GET /api/v1/findings/{id}", "getFinding", "Gives one finding.", h.getFinding),
		on("GET /api/v1/findings/{id}/timeline", "getFindingTimeline", "Counts the accesses around a finding in equal spans of time.", h.getTimeline),
	}}
}

// findingID names a finding.
type findingID struct {
	// The finding's id.
	ID string `path:"id"`
}

type findingFilter struct {
	// Leaves out milder ones.
	Min vigil.Severity `query:"min" enum:"low,medium,high,critical"`
	// Only those that are open, or closed.
	State vigil.FindingState `query:"state" enum:"open,closed"`
	// Only those that were declared then or later.
	DetectedFrom time.Time `query:"detected_from"`
	// Only those that were declared before.
	DetectedTo time.Time `query:"detected_to"`
}

type listFindings struct {
	findingFilter
	page
}

// FindingList is a part of the findings.
type FindingList struct {
	Findings []vigil.Finding `json:"findings"`
	// Total is how many fit the filter.
	Total int `json:"total"`
	// Next is the cursor of what follows; not there at the end.
	Next string `json:"next,omitempty"`
}

func (h *Handler) listFindings(ctx context.Context, in listFindings) (out FindingList, err error) {
	f := api.FindingFilter{MinSeverity: in.Min, State: in.State, DetectedFrom: in.DetectedFrom, DetectedTo: in.DetectedTo, Limit: in.Limit}
	var after api.FindingKey
	if ok, bad := readCursor(in.Cursor, "findings", in.findingFilter, &after); bad != nil {
		return out, bad
	} else if ok {
		f.After = &after
	}
	page, err := h.do.Findings(ctx, f)
	if err != nil {
		return out, err
	}
	out.Findings, out.Total = page.Findings, page.Total
	if page.Next != nil {
		out.Next, err = cursorOf("findings", in.findingFilter, page.Next)
	}
	return out, err
}

func (h *Handler) getFinding(ctx context.Context, in findingID) (vigil.Finding, error) {
	return h.do.Finding(ctx, in.ID)
}

// Timeline is how many accesses there were in equal spans of time.
type Timeline struct {
	Start time.Time `json:"start"`
	// Bucket is the length of each span, in seconds.
	Bucket float64 `json:"bucket_seconds"`
	// Events counts accesses, Rows the rows that they gave where a source tells, and
	// Subjects the distinct customers, or conversations where no customer is named.
	Events   []float64 `json:"events"`
	Rows     []float64 `json:"rows"`
	Subjects []float64 `json:"subjects"`
}

func (h *Handler) getTimeline(ctx context.Context, in findingID) (Timeline, error) {
	t, err := h.do.FindingTimeline(ctx, in.ID)
	return Timeline{Start: t.Start, Bucket: t.Bucket.Seconds(), Events: t.Events, Rows: t.Rows, Subjects: t.SubjectsNamed}, err
}
