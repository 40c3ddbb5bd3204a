// Package collectors is how records come in: the contract that every way in
// keeps. What the bytes mean is the business of collectors/formats.
package collectors

import (
	"context"
	"time"

	"vigil"
)

// Batch is what a collector hands over at once: the events, what could not be
// read, and the position from which to go on after them.
type Batch struct {
	// Source is the configured name of the collector instance.
	Source string
	// Position is opaque to everyone but the collector. It is committed together
	// with the events; nil leaves the last one standing.
	Position []byte
	Events   []*vigil.Event
	// Quarantined are the records set aside, in order.
	Quarantined []vigil.Quarantined
	// Lapses are what was seen of the source itself, such as a hole in its numbers.
	Lapses []vigil.Lapse
}

// Len counts what the batch holds, its position aside.
func (b *Batch) Len() int { return len(b.Events) + len(b.Quarantined) + len(b.Lapses) }

// Sink takes batches. Accept returns nil only when the batch is durable: then,
// and not before, may the collector acknowledge its own source. On an error
// nothing of the batch was taken and the caller may offer it again; offering a
// batch twice counts it once. The sink owns the batch from the call on. Accept is
// safe for concurrent use and blocks while the store is behind.
type Sink interface {
	Accept(ctx context.Context, b Batch) error
}

// SinkFunc lets a function be a Sink.
type SinkFunc func(ctx context.Context, b Batch) error

// Accept calls f.
func (f SinkFunc) Accept(ctx context.Context, b Batch) error { return f(ctx, b) }

// Collector reads one source.
//
// Run blocks until ctx is cancelled, and then returns nil after a last hand-over
// of what it holds whole; it returns an error to be restarted by the supervisor
// with back-off, and never retries inside. position is what the ledger holds for
// this source, nil for a source that was never read. It may be that of another way in, by
// which the source was read before: then the collector begins as if there were none, and
// says so in the log.
//
// A collector whose peers come to it (syslog, OTLP) listens for as long as Run runs. One
// that can't acknowledge, because the way has no such thing (UDP), says so in its
// package comment.
type Collector interface {
	Run(ctx context.Context, position []byte, sink Sink) error
}

// Later is the error of a sink that has no room now and says when to offer the same
// batch again. A collector whose peers can wait tells them; any other returns it, or
// waits itself.
type Later interface {
	error
	// RetryAfter is how long to wait, more than zero.
	RetryAfter() time.Duration
}
