package gcp

import (
	"strings"
	"time"

	"github.com/fxamacker/cbor/v2"

	"vigil"
	"vigil/collectors/formats"
)

// The bounds of what waits.
const (
	maxHeld = 4096
	// holdFor is how long, in log time, the first entry of an operation waits for the last.
	holdFor = 10 * time.Minute
)

// operations joins the first and last entries of operations.
type operations struct {
	// held are events that wait, by operation; begun are operations whose event is out.
	held  *formats.Bounded[string, heldEvent]
	begun *formats.Bounded[string, struct{}]
}

// heldEvent is the event of an operation's first entry. Rows is how many items entries
// between have told of.
type heldEvent struct {
	Event *vigil.Event
	Rows  int64
}

func newOperations() operations {
	return operations{held: formats.NewBounded[string, heldEvent](maxHeld), begun: formats.NewBounded[string, struct{}](maxHeld)}
}

// operation gives the event out, or holds it.
func (o *operations) operation(x *entry, e *vigil.Event, emit func(*vigil.Event)) {
	op := x.v.Get("operation")
	id := formats.Clean(op.Get("id").Str, 256)
	first, last := op.Get("first").Bool(), op.Get("last").Bool()
	streams := x.service == "firestore" || x.service == "datastore"
	switch {
	case id == "" || first && last:
		emit(e)
	case first && streams && e.Outcome == vigil.OutcomeSuccess:
		e.Origin = x.rec.Origin()
		if e.ID == "" {
			e.ID = x.rec.ID()
		}
		o.makeRoom(emit)
		o.held.Put(strings.Clone(id), heldEvent{Event: e})
	case first:
		o.begun.Put(strings.Clone(id), struct{}{})
		emit(e)
	case last:
		if h, ok := o.held.Get(id); ok {
			o.held.Delete(id)
			emit(h.joined(e))
			break
		}
		if _, ok := o.begun.Get(id); ok {
			o.begun.Delete(id)
			if e.Outcome == vigil.OutcomeSuccess {
				break
			}
		}
		emit(e)
	default:
		if h, ok := o.held.Get(id); ok && e.Rows > 0 {
			h.Rows += e.Rows
			o.held.Put(id, h)
		}
		emit(e)
	}
	o.release(e.Time, emit)
}

// joined is the event of the first entry with what the last one tells.
func (h heldEvent) joined(last *vigil.Event) *vigil.Event {
	e := h.Event
	e.Outcome = last.Outcome
	if last.Rows != vigil.Unknown {
		e.Rows = max(0, last.Rows-h.Rows)
	}
	if len(e.Subjects) == 0 {
		e.Subjects, e.SubjectCount = last.Subjects, last.SubjectCount
	}
	if e.Conversation == "" {
		e.Conversation = last.Conversation
	}
	if e.Limit == vigil.Unknown {
		e.Limit = last.Limit
	}
	return e
}

// release gives out what has waited too long.
func (o *operations) release(now time.Time, emit func(*vigil.Event)) {
	for {
		id, h, ok := o.longest()
		if !ok || now.Sub(h.Event.Time) < holdFor {
			return
		}
		o.held.Delete(id)
		emit(h.Event)
	}
}

// longest is what waits the longest.
func (o *operations) longest() (id string, h heldEvent, ok bool) {
	for id, h := range o.held.All() {
		return id, h, true
	}
	return "", heldEvent{}, false
}

// makeRoom gives out the longest waiting when there is no room.
func (o *operations) makeRoom(emit func(*vigil.Event)) {
	if id, h, ok := o.longest(); ok && o.held.Len() >= maxHeld {
		o.held.Delete(id)
		emit(h.Event)
	}
}

// Flush gives out all that waits.
func (o *operations) Flush(emit func(*vigil.Event)) error {
	for _, h := range o.held.All() {
		emit(h.Event)
	}
	o.held.Clear()
	return nil
}

type state struct {
	Held  []heldState
	Begun []string
}

type heldState struct {
	ID string
	heldEvent
}

// State is what waits, and which operations have begun.
func (o *operations) State() ([]byte, error) {
	var st state
	for id, h := range o.held.All() {
		st.Held = append(st.Held, heldState{id, h})
	}
	for id := range o.begun.All() {
		st.Begun = append(st.Begun, id)
	}
	return cbor.Marshal(st)
}

// Restore takes it back.
func (o *operations) Restore(data []byte) error {
	var st state
	if err := cbor.Unmarshal(data, &st); err != nil {
		return err
	}
	for _, h := range st.Held {
		if h.Event != nil {
			o.held.Put(h.ID, h.heldEvent)
		}
	}
	for _, id := range st.Begun {
		o.begun.Put(id, struct{}{})
	}
	return nil
}
