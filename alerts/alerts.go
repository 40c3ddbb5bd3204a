// Package alerts is the pipeline from finding to message: it turns a finding
// into a message, hands it to a notifier, and says what became of it. The
// outbox that makes it at-least-once is the ledger's.
package alerts

import (
	"context"
	"time"

	"vigil"
)

// Message is one thing to tell people: a finding's card, or a digest.
type Message struct {
	// ID is unique and stable: the same message offered twice has the same one.
	ID string
	// Kind is "finding" or "digest".
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

// Digest is a day in short.
type Digest struct {
	From, To            time.Time
	Events, Quarantined int64
	Findings            []vigil.Finding
	Budget              float64
	// Note holds what the operator should know (a source silent, a lane warming up).
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

func (e *RetryError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *RetryError) Unwrap() error { return e.Err }
