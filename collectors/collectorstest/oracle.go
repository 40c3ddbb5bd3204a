package collectorstest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"vigil"
	"vigil/collectors"
)

// errRefused is what an oracle that was told to fail answers.
var errRefused = errors.New("the disk is full")

// errKilled is what the sink of a run that was killed answers.
var errKilled = errors.New("killed")

// Oracle is a sink that behaves as the ledger does: a batch and its position are taken
// together or not at all, and an id of a source counts once.
type Oracle struct {
	source string
	number func(e *vigil.Event) int

	mu       sync.Mutex // guards all below
	ids      map[string]int
	events   map[int]*vigil.Event
	twice    []int
	aside    map[string]vigil.Quarantined
	lapses   []vigil.Lapse
	position []byte
	// repeated counts the events that were offered once more.
	repeated int
	refusing bool
	blocked  chan struct{} // closed when it is let go; nil when nothing blocks
	inside   int
	crowd    int
	changed  chan struct{}
}

// NewOracle makes an empty one for a source. number may be nil, as in Way.
func NewOracle(source string, number func(e *vigil.Event) int) *Oracle {
	if number == nil {
		number = numberOf
	}
	return &Oracle{
		source: source, number: number, ids: map[string]int{}, events: map[int]*vigil.Event{}, aside: map[string]vigil.Quarantined{},
		changed: make(chan struct{}),
	}
}

// Accept implements collectors.Sink.
func (o *Oracle) Accept(ctx context.Context, b collectors.Batch) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.inside++
	o.crowd = max(o.crowd, o.inside)
	o.wake()
	defer func() { o.inside-- }()
	for o.blocked != nil {
		gate := o.blocked
		o.mu.Unlock()
		select {
		case <-gate:
		case <-ctx.Done():
		}
		o.mu.Lock()
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	if o.refusing {
		return errRefused
	}
	if b.Source != o.source {
		return fmt.Errorf("the batch is of source %q, not %q", b.Source, o.source)
	}
	for _, e := range b.Events {
		o.take(e)
	}
	for _, q := range b.Quarantined {
		o.aside[fmt.Sprintf("%s:%d:%d:%x", q.File, q.Offset, q.Line, q.Hash)] = q
	}
	o.lapses = append(o.lapses, b.Lapses...)
	if b.Position != nil {
		o.position = slices.Clone(b.Position)
	}
	o.wake()
	return nil
}

func (o *Oracle) take(e *vigil.Event) {
	if _, known := o.ids[e.ID]; known {
		o.repeated++
		return
	}
	n := o.number(e)
	o.ids[e.ID] = n
	if o.events[n] != nil {
		o.twice = append(o.twice, n)
		return
	}
	o.events[n] = e
}

func (o *Oracle) wake() {
	close(o.changed)
	o.changed = make(chan struct{})
}

// Position is what is committed.
func (o *Oracle) Position() []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.position)
}

// Lapses lists what was told of the source.
func (o *Oracle) Lapses() []vigil.Lapse {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.lapses)
}

// Quarantined lists what was set aside, each record once.
func (o *Oracle) Quarantined() []vigil.Quarantined {
	o.mu.Lock()
	defer o.mu.Unlock()
	var out []vigil.Quarantined
	for _, q := range o.aside {
		out = append(out, q)
	}
	return out
}

// Event returns the event of record n, nil when it has not come.
func (o *Oracle) Event(n int) *vigil.Event {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.events[n]
}

// Refuse makes Accept fail, or no longer.
func (o *Oracle) Refuse(on bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.refusing = on
}

// Block makes Accept wait until Unblock.
func (o *Oracle) Block() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.blocked = make(chan struct{})
}

// Unblock lets everybody go on.
func (o *Oracle) Unblock() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.blocked != nil {
		close(o.blocked)
		o.blocked = nil
	}
}

// Await waits until ok, which is called with the oracle's counts, says so.
func (o *Oracle) Await(tb testing.TB, what string, ok func(events, aside, inside int) bool) {
	tb.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for {
		o.mu.Lock()
		events, aside, inside, changed, twice := len(o.events), len(o.aside), o.inside, o.changed, o.twice
		o.mu.Unlock()
		if len(twice) > 0 {
			tb.Fatalf("records came twice under different ids, or can't be told apart: %v", some(twice))
		}
		if ok(events, aside, inside) {
			return
		}
		select {
		case <-changed:
		case <-deadline.C:
			tb.Fatalf("waited in vain for %s: there are %d events and %d set aside", what, events, aside)
		}
	}
}

// AwaitRecords waits until records 1 to n have come.
func (o *Oracle) AwaitRecords(tb testing.TB, n int) {
	tb.Helper()
	o.Await(tb, fmt.Sprintf("%d records", n), func(events, _, _ int) bool { return events >= n })
}

// Check is the ledger check: records 1 to n came, each once, and nothing else did.
func (o *Oracle) Check(tb testing.TB, n int) {
	tb.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	var lost, invented []int
	for i := 1; i <= n; i++ {
		if o.events[i] == nil {
			lost = append(lost, i)
		}
	}
	for i := range o.events {
		if i < 1 || i > n {
			invented = append(invented, i)
		}
	}
	if len(lost)+len(invented)+len(o.twice) > 0 {
		tb.Errorf("of %d records %d are lost (%v), %d doubled (%v), %d invented (%v)",
			n, len(lost), some(lost), len(o.twice), some(o.twice), len(invented), some(invented))
	}
}

func some(list []int) []int { return list[:min(len(list), 10)] }

// mortal is a sink of one run, which can be killed: what it has not taken by then, it
// never takes.
type mortal struct {
	oracle *Oracle
	mu     sync.Mutex
	dead   bool
	// deaf loses the answer: a batch is taken, and the collector is told otherwise. Of
	// one that holds a position alone the answer comes.
	deaf bool
}

// Accept implements collectors.Sink.
func (m *mortal) Accept(ctx context.Context, b collectors.Batch) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dead {
		return errKilled
	}
	err := m.oracle.Accept(ctx, b)
	if err == nil && m.deaf && b.Len() > 0 {
		return errKilled
	}
	return err
}

func (m *mortal) kill() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.dead = true
}
