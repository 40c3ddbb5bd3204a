package view

import (
	"vigil"
	"vigil/dashboards/phrase"
)

// Event is one access ready to print.
type Event struct {
	ISO, Time                                           string
	Action, Outcome, Resource, Subjects, Rows           string
	Network, Conversation, Ticket, Shape, Origin, Agent string
	// Who is the actor, Reason the ticket, or that a purpose was named.
	Who, Reason   string
	Refused, Late bool
}

// NewEvents makes events ready to print.
func NewEvents(events []*vigil.Event) []Event {
	out := make([]Event, 0, len(events))
	for _, e := range events {
		if e == nil {
			continue
		}
		resource := phrase.Text(e.Resource, maxName)
		if e.Store != "" && resource == "" {
			resource = phrase.Text(e.Store, maxName)
		}
		v := Event{
			ISO: phrase.ISO(e.Time), Time: phrase.Second(e.Time),
			Action: phrase.Text(string(e.Action), 40), Outcome: phrase.Text(string(e.Outcome), 40), Resource: resource,
			Subjects: subjects(e), Rows: unknown(e.Rows), Network: phrase.Text(e.Network, 60),
			Conversation: phrase.Text(e.Conversation, 60), Ticket: phrase.Text(e.Ticket, 60), Shape: phrase.Text(e.Shape, maxName),
			Agent: phrase.Text(e.UserAgent, maxName), Origin: phrase.Text(e.Origin.File, maxName),
			Refused: e.Outcome == vigil.OutcomeDenied || e.Outcome == vigil.OutcomeError, Late: e.Late,
		}
		v.Who, v.Reason = phrase.Text(e.Actor.ID, 60), v.Ticket
		if v.Reason == "" {
			v.Reason = phrase.Text(e.Purpose, 60)
		}
		if v.Origin != "" && e.Origin.Line > 0 {
			v.Origin += ", line " + phrase.Count(e.Origin.Line)
		}
		out = append(out, v)
	}
	return out
}

func subjects(e *vigil.Event) string {
	switch n := max(e.SubjectCount, int64(len(e.Subjects))); {
	case n == vigil.Unknown || n == 0:
		return ""
	case len(e.Subjects) == 0:
		return phrase.Plural(n, "customer", "customers")
	case n == 1:
		return phrase.Text(e.Subjects[0], 40)
	default:
		return phrase.Text(e.Subjects[0], 40) + " and " + phrase.Count(n-1) + " more"
	}
}

func unknown(n int64) string {
	if n == vigil.Unknown {
		return ""
	}
	return phrase.Count(n)
}
