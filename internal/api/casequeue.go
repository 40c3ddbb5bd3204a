package api

import (
	"context"
	"time"

	"vigil"
)

// QueueFilter narrows the queue of cases. The zero filter lists all.
type QueueFilter struct {
	// State "" lists all states; Unresolved those that are not resolved.
	State       vigil.CaseState
	Unresolved  bool
	MinSeverity vigil.Severity
	// Owner is the pseudonym of who has it; Unowned lists those that nobody has.
	Owner   string
	Unowned bool
	About   vigil.About
	// Place is a store or a source of which a finding of the case tells.
	Place string
	// OpenedFrom and OpenedTo bound when it began, the second excluded; zero for no bound.
	OpenedFrom, OpenedTo time.Time
	// New lists those that hold news for who asks.
	New bool
	// After is the place after which the list goes on, as QueuePage.Next told.
	After string
	// Limit bounds the list; zero means 50.
	Limit int
}

// QueuePage is a part of the queue, those cases first of which most harm is to be
// expected: the lead's harm times how likely a breach it is.
type QueuePage struct {
	Items []QueueItem
	// Next is the place after the last one, empty at the end.
	Next string
	// Total is how many the filter lists, vigil.Unknown where nobody has counted.
	Total int64
	// News counts the cases of the filter that hold news for who asks, on this page or
	// another, up to MaxNews.
	News int
	// Spent is what has come of the alert budget.
	Spent Spent
}

// MaxNews is the count of news beyond which it is not counted further.
const MaxNews = 1_000

// QueueItem is a case in the queue.
type QueueItem struct {
	Case vigil.Case
	// Lead is the finding that speaks for it.
	Lead vigil.Finding
	// New says that it holds news for who asks.
	New bool
}

// Spent is what findings came lately, by lane.
type Spent struct {
	// Until is the end of both spans, in event time.
	Until time.Time
	Lanes []LaneSpent
	// Below is what the budget left below the line, nil where nobody has counted it; Counting
	// is the back-test that counts it just now, empty for none.
	Below    *Below
	Counting string
}

// Below is what would have come besides with a larger alert budget than the one in force, as
// the newest back-test of such a one counted it.
type Below struct {
	// Replay is the back-test, Asked when it was asked for. From and To bound when what it
	// counted would have been declared, the second excluded.
	Replay   string
	Asked    time.Time
	From, To time.Time
	// Budget is what was tried, in false findings a day; New how many findings would have
	// come that did not.
	Budget float64
	New    int
}

// LaneSpent counts the findings of a lane that were declared in the last week and month.
type LaneSpent struct {
	// Lane is as in a finding: of the lane "rule" the budget does not count.
	Lane        string
	Week, Month int64
}

// CaseFile is all that the page of a case shows.
type CaseFile struct {
	CaseView
	Lead vigil.Finding
	// Findings are those of the case, the lead first, at most MaxFileFindings of
	// Case.Total.
	Findings []vigil.Finding
	// Related are other cases about the same person, customer, network or team.
	Related []vigil.Case
}

// The bounds of a CaseFile.
const (
	MaxFileFindings = 50
	MaxRelated      = 12
)

// CaseQueue is what the queue and the page of a case read. Every call is recorded by the
// implementation as a look. The errors wrap ErrNotFound for what is not there, ErrOwnCase
// for a case about who asks, and are a *Problem for a place that is none.
type CaseQueue interface {
	Queue(ctx context.Context, f QueueFilter) (QueuePage, error)
	CaseFile(ctx context.Context, id string) (CaseFile, error)
}
