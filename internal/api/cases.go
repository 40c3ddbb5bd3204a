package api

import (
	"context"

	"vigil"
)

// MaxCaseEvents bounds the timeline that a CaseView shows.
const MaxCaseEvents = 50

// MaxCaseLines bounds the lines of a timeline that are listed at once.
const MaxCaseLines = 1_000

// CaseView is a case and the end of its timeline.
type CaseView struct {
	Case vigil.Case
	// Events are the latest of Total, in order, at most MaxCaseEvents.
	Events []vigil.CaseEvent
	Total  int
}

// CasePage is a part of the cases, in the order of the queue.
type CasePage struct {
	Cases []vigil.Case
	// Total is how many the filter lists, vigil.Unknown where nobody has counted.
	Total int64
	// Next is the place after the last one, empty at the end.
	Next string
}

// CaseReader is what of cases the console reads. Every call is recorded by the
// implementation as a look. The errors wrap ErrNotFound for what is not there.
type CaseReader interface {
	// Cases lists them as the queue does, by themselves. The error is a *Problem for a place
	// that is none.
	Cases(ctx context.Context, f QueueFilter) (CasePage, error)
	Case(ctx context.Context, id string) (CaseView, error)
	// CaseEvents lists what is in a case's timeline after the line of that number, in order:
	// at most limit lines, and no more than MaxCaseLines.
	CaseEvents(ctx context.Context, id string, after int64, limit int) ([]vigil.CaseEvent, error)
	// FindingCase returns the case that a finding belongs to.
	FindingCase(ctx context.Context, id string) (CaseView, error)
	CaseQueue
}
