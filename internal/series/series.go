// Package series turns events into time series: bounded rollups by the minute,
// kept in the ledger and, when it is configured, in InfluxDB.
package series

import (
	"context"
	"time"
)

// Window is the length of one point's span.
const Window = time.Minute

// Key is what a series is told apart by. Every field comes from a bounded set:
// no actor, subject, session or conversation is ever a tag.
type Key struct {
	Source, Store, Action, ActorKind, Role, Tenant string
}

// Point is one window of one series. Counts are totals of the window, so a
// point written again replaces the earlier one.
type Point struct {
	// Start is the window's start, UTC, a multiple of Window.
	Start time.Time
	Key   Key
	// Events, Rows, Bytes and Denied are sums; rows and bytes over the events
	// whose source tells them. Subjects sums the subjects named per event.
	Events, Rows, Bytes, Subjects, Denied int64
}

// FindingKey is what counts of findings are told apart by. Severity, Lane, About
// and ActorKind are the finding's own words, all of closed sets; ActorKind is empty
// where no actor is meant.
type FindingKey struct {
	Severity, Lane, About, ActorKind string
}

// FindingPoint is one window's findings of one key. Counts are totals, as a Point's
// are.
type FindingPoint struct {
	// Start is the window's start, UTC, a multiple of Window.
	Start time.Time
	Key   FindingKey
	// Opened counts findings that were declared in the window, or whose evidence went
	// on after they had closed; Closed those whose last evidence lies in it and that
	// have closed since. The severity is the one that each had then.
	Opened, Closed int64
}

// CaseKey is what counts of cases are told apart by: the case's own words, of closed
// sets.
type CaseKey struct {
	Severity, About string
}

// CasePoint is one window's work on the cases of one key. Counts are totals, as a
// Point's are.
type CasePoint struct {
	// Start is the window's start, UTC, a multiple of Window.
	Start time.Time
	Key   CaseKey
	// Opened counts cases that began in the window, Acknowledged those that somebody
	// took note of in it, each time anew where one opened again, and Resolved those
	// that were over.
	Opened, Acknowledged, Resolved int64
	// Waited is how long the acknowledged ones had waited since they began, summed, in
	// seconds.
	Waited int64
}

// Writer takes points to a home outside of the ledger. Writing the same point
// again must be harmless. An error means that none may be counted as written.
type Writer interface {
	Write(ctx context.Context, points []Point) error
	WriteFindings(ctx context.Context, points []FindingPoint) error
	WriteCases(ctx context.Context, points []CasePoint) error
	WriteReadings(ctx context.Context, readings []Reading) error
}
