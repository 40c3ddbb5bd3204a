// Package alerts is the pipeline from finding to message: it turns a finding
// into a card, hands it to a notifier, and says what became of it.
//
// Findings become rows of an outbox (the ledger's) in the same transaction that
// judges their events. A Deliverer takes due rows, the worst first, gives each
// to its notifier and records the outcome; all that must survive a restart is in
// the outbox. Each notifier has one goroutine and one message in flight. Nothing
// is dropped: what can't be delivered now waits in the outbox, whose size is the
// outbox's business, and is also printed by the fallback once it waits too long.
// When cancelled, the Deliverer lets a message in flight end for a few seconds,
// so that its receipt is kept, and returns.
package alerts

import (
	"context"
	"time"

	"vigil"
)

// The kinds of message.
const (
	KindFinding = "finding"
	KindDigest  = "digest"
)

// Message is one thing to tell people: a finding's card, or a digest.
type Message struct {
	// ID is unique and stable: the same message offered twice has the same one,
	// and another revision of the same finding has another.
	ID string
	// Kind is KindFinding or KindDigest.
	Kind string
	// Finding is set for kind "finding".
	Finding *vigil.Finding
	// Digest is set for kind "digest".
	Digest *Digest
	// Link opens it in the console, empty when there is none.
	Link string
	// Receipt is what the notifier returned for an earlier revision of the same
	// finding, so that the new one edits the old; empty for the first.
	Receipt string
}

// Thread names what the messages that edit each other have in common: the
// finding's ID, or the message's own.
func (m *Message) Thread() string {
	if m.Finding != nil && m.Finding.ID != "" {
		return m.Finding.ID
	}
	return m.ID
}

// Digest is a day in short.
type Digest struct {
	// From and To bound the day, UTC.
	From, To time.Time
	// Events were judged in it, Quarantined records set aside.
	Events, Quarantined int64
	// Findings are its findings, worst first, at most MaxDigestFindings of Total.
	Findings []vigil.Finding
	Total    int
	// Counts says how many of Total there are of each severity.
	Counts map[vigil.Severity]int
	// Budget is the number of false findings a day that people accept.
	Budget float64
	// Notes hold what the operator should know (a source silent, a lane warming up).
	Notes []string
}

// Notifier sends one message. It does not retry: it returns a *RetryError when
// trying again later may help, any other error when it will not.
type Notifier interface {
	// Notify returns a receipt by which the message can be edited later.
	Notify(ctx context.Context, m Message) (receipt string, err error)
	// Name is for logs and the outbox: "slack", "terminal".
	Name() string
}

// RetryError says that the send failed and when to try again.
type RetryError struct {
	Err error
	// After is how long to wait at least; zero leaves it to the caller.
	After time.Duration
}

// Error tells the cause.
func (e *RetryError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *RetryError) Unwrap() error { return e.Err }

// RefusedError says that the send was refused for good.
type RefusedError struct {
	Err error
	// Remedy says what an operator can do, in one sentence.
	Remedy string
	// All says that every message will be refused until something is changed (a
	// bad token, a missing channel), not only this one.
	All bool
}

// Error tells the cause and the remedy.
func (e *RefusedError) Error() string {
	if e.Remedy == "" {
		return e.Err.Error()
	}
	return e.Err.Error() + ": " + e.Remedy
}

// Unwrap returns the cause.
func (e *RefusedError) Unwrap() error { return e.Err }

// Pacer is a Notifier that must not be called more often than it says.
type Pacer interface {
	// Pace is the least time between the starts of two sends; zero means none.
	Pace() time.Duration
}
