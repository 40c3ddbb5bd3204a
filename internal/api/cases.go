package api

import (
	"context"

	"vigil"
)

// MaxCaseEvents bounds the timeline that a CaseView shows.
const MaxCaseEvents = 50

// CaseView is a case and the end of its timeline.
type CaseView struct {
	Case vigil.Case
	// Events are the latest of Total, in order, at most MaxCaseEvents.
	Events []vigil.CaseEvent
	Total  int
}

// CaseFilter narrows a list of cases. The zero filter lists all.
type CaseFilter struct {
	// State "" lists all states; Unresolved those that are not resolved.
	State      vigil.CaseState
	Unresolved bool
	// MinSeverity drops milder ones.
	MinSeverity vigil.Severity
	// Limit bounds the list; zero means 200. Offset skips.
	Limit, Offset int
	// After goes on behind a case of an earlier list; nil begins with the first.
	After *CaseKey
}

// CasePage is a part of the cases, those first that may do most harm.
type CasePage struct {
	Cases []vigil.Case
	Total int
	// Next is where the list goes on, nil at its end.
	Next *CaseKey
}

// CaseReader is what of cases the console reads. Every call is recorded by the
// implementation as a look. The errors wrap ErrNotFound for what is not there.
type CaseReader interface {
	Cases(ctx context.Context, f CaseFilter) (CasePage, error)
	Case(ctx context.Context, id string) (CaseView, error)
	// FindingCase returns the case that a finding belongs to.
	FindingCase(ctx context.Context, id string) (CaseView, error)
	CaseQueue
}
