package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"vigil"
	"vigil/collectors"
	"vigil/internal/ledger"
	"vigil/internal/privacy"
)

// fullWait is how often a source that can wait asks a full ledger for room.
const fullWait = 2 * time.Second

// intake is what every batch passes on its way into the ledger: normalising,
// then privacy, then the durable accept. It is safe for concurrent use and waits
// while the ledger is behind.
type intake struct {
	ledger     *ledger.Ledger
	pseudonyms *privacy.Pseudonymizer
	// sources are those of the configuration in force.
	sources atomic.Pointer[map[string]*normaliser]
	pace    *pace
	legible *legible
	// presence is nil for a replay of the past, which nobody listens to.
	presence *presence
	now      func() time.Time

	// full holds why nothing is taken in, nil when all is well.
	full atomic.Pointer[string]
}

// Accept implements collectors.Sink. A full ledger is an error at once: whoever
// sends can be told to come back.
//
// The caller's events stay as they are: it may offer them again after an error,
// and they must not be made pseudonyms of twice.
func (in *intake) Accept(ctx context.Context, b collectors.Batch) error {
	n := in.all()[b.Source]
	if n == nil {
		return fmt.Errorf("accept batch: no source is called %q", b.Source)
	}
	if err := n.quota.check(b.Source); err != nil {
		return err
	}
	now := in.now().UTC()
	out := collectors.Batch{Source: b.Source, Position: b.Position, Quarantined: slices.Clone(b.Quarantined)}
	out.Events = make([]*vigil.Event, 0, len(b.Events))
	for _, given := range b.Events {
		e := clone(given)
		if e.Received.IsZero() {
			e.Received = now
		}
		if q, ok := n.event(e); !ok {
			out.Quarantined = append(out.Quarantined, q)
			continue
		}
		in.pseudonyms.Event(e, n.tenant)
		out.Events = append(out.Events, e)
	}
	for i := range out.Quarantined {
		out.Quarantined[i].Source = b.Source
		if out.Quarantined[i].Time.IsZero() {
			out.Quarantined[i].Time = now
		}
		in.pseudonyms.Quarantined(&out.Quarantined[i])
	}
	out.Lapses = lapsesAt(b.Lapses, b.Source, now)
	seen, learn := in.legible.look(&out, now)
	out.Lapses = append(seen, out.Lapses...) // ours first: those that are too many are summed up
	fresh, err := in.accept(ctx, out)
	if err != nil {
		return fmt.Errorf("accept batch of %q: %w", b.Source, err)
	}
	// What came before costs nothing again: a sender that must send a request anew, since
	// its end was refused, would else never come to that end.
	if fresh > 0 || len(out.Events) == 0 {
		n.quota.took(fresh + len(out.Quarantined))
	}
	learn()
	in.pace.saw(b.Source, out.Events)
	return nil
}

// all are the sources in force; nil before the first use.
func (in *intake) all() map[string]*normaliser {
	if m := in.sources.Load(); m != nil {
		return *m
	}
	return nil
}

// use puts sources in force.
func (in *intake) use(all map[string]*normaliser) { in.sources.Store(&all) }

// accept makes the batch durable, after the time before in which nobody listened. fresh
// counts the events that had not come before.
func (in *intake) accept(ctx context.Context, b collectors.Batch) (fresh int, err error) {
	if in.presence != nil {
		err = in.presence.listening(ctx)
	}
	if err == nil {
		_, fresh, err = in.ledger.Accept(ctx, b)
	}
	in.note(err)
	return fresh, err
}

// patient is the sink of sources that keep what is not taken: it waits for room
// in a full ledger or spool, and for the source's quota, instead of failing.
func patient(sink collectors.Sink) collectors.Sink {
	return collectors.SinkFunc(func(ctx context.Context, b collectors.Batch) error {
		for {
			err := sink.Accept(ctx, b)
			wait := fullWait
			var full *ledger.FullError
			var later collectors.Later
			switch {
			case errors.As(err, &later):
				wait = later.RetryAfter()
			case !errors.As(err, &full):
				return err
			}
			select {
			case <-ctx.Done():
				return err
			case <-time.After(wait):
			}
		}
	})
}

// note remembers whether the ledger is full.
func (in *intake) note(err error) {
	var full *ledger.FullError
	switch {
	case err == nil:
		in.full.Store(nil)
	case errors.As(err, &full):
		text := full.Error()
		in.full.Store(&text)
	}
}

// clone copies an event as far as the stages after it change it.
func clone(e *vigil.Event) *vigil.Event {
	c := *e
	c.Subjects = slices.Clone(e.Subjects)
	c.Fields = slices.Clone(e.Fields)
	return &c
}

// lapsesAt stamps what a collector saw of its source with the source, and with the time
// of arrival where it could not tell when.
func lapsesAt(given []vigil.Lapse, source string, now time.Time) []vigil.Lapse {
	out := slices.Clone(given)
	for i := range out {
		l := &out[i]
		l.Source = source
		if l.End.IsZero() || l.End.Sub(now) > maxAhead { // of a future it would stay open till then
			l.End = now
		}
		if l.Start.IsZero() || l.Start.After(l.End) {
			l.Start = l.End
		}
	}
	return out
}
