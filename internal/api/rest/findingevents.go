package rest

import (
	"context"
	"time"

	"vigil"
	"vigil/internal/api"
)

func (h *Handler) findingEvents() resource {
	return resource{name: "findings", thing: "finding", there: h.do.Explorer != nil, endpoints: []endpoint{
		on("GET /api/v1/findings/{id}/events", "listFindingEvents", "Lists the accesses that a finding is about, in order of time.", h.listFindingEvents),
	}}
}

type accessFilter struct {
	// Only what happened then or later, at most eight weeks before the finding begins. Without it the list begins with the finding.
	From time.Time `query:"from"`
	// Only what happened before, at most a day after the finding ends. Without it the list ends with the finding.
	To time.Time `query:"to"`
	// Only accesses to this resource.
	Resource string `query:"resource"`
	// Only accesses from this network.
	Network string `query:"network"`
	// Only accesses of this conversation.
	Conversation string `query:"conversation"`
	// Only accesses of this session.
	Session string `query:"session"`
	// Only accesses that ended so.
	Outcome vigil.Outcome `query:"outcome" enum:"success,denied,error"`
}

type listFindingEvents struct {
	findingID
	accessFilter
	page
}

// AccessList is a part of the accesses of a finding.
type AccessList struct {
	Events []api.Access `json:"events"`
	// Total is how many fit the filter.
	Total int `json:"total"`
	// Damaged counts parts of the log that could not be read: what they hold is missing.
	Damaged int `json:"damaged,omitempty"`
	// Next is the cursor of what follows; not there at the end.
	Next string `json:"next,omitempty"`
}

// accessKey is where a list of accesses goes on: behind the first Skip of those at a time.
// Given is how many came before.
type accessKey struct {
	Time  time.Time `json:"t"`
	Skip  int       `json:"s"`
	Given int       `json:"g"`
}

func (h *Handler) listFindingEvents(ctx context.Context, in listFindingEvents) (out AccessList, err error) {
	f := api.EventFilter{
		From: in.From, To: in.To, Resource: in.Resource, Network: in.Network, Conversation: in.Conversation, Session: in.Session,
		Outcome: in.Outcome, Limit: in.Limit,
	}
	of := struct {
		findingID
		accessFilter
	}{in.findingID, in.accessFilter}
	var at accessKey
	on, bad := readCursor(in.Cursor, "finding events", of, &at)
	switch {
	case bad != nil:
		return out, bad
	case on:
		f.From, f.Offset = at.Time, at.Skip
	}
	page, err := h.do.Explorer.FindingAccesses(ctx, in.ID, f)
	if err != nil {
		return out, err
	}
	out.Events, out.Damaged = accessesOf(page.Events), page.Damaged
	out.Total = max(page.Total-at.Skip, 0) + at.Given
	if n := len(page.Events); page.More && n > 0 {
		next := accessKey{Time: page.Events[n-1].Time, Given: at.Given + n}
		for i := n - 1; i >= 0 && page.Events[i].Time.Equal(next.Time); i-- {
			next.Skip++
		}
		if next.Skip == n && next.Time.Equal(at.Time) {
			next.Skip += at.Skip // all of this page was at the time at which it began
		}
		out.Next, err = cursorOf("finding events", of, next)
	}
	return out, err
}
