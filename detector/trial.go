package detector

import (
	"encoding/json"
	"fmt"

	"vigil"
	"vigil/detector/reasons"
	"vigil/detector/rules"
)

// Trial runs rules over a log as the engine does, with what feeds told of it, and judges
// nothing else: to see what a rule would have found before it runs. No rule in it is ever
// switched off or held back. Its memory is bounded like the engine's for the same things.
// It is for one goroutine.
type Trial struct {
	opts   TrialOptions
	order  order
	shared *shared
	shards [shardCount]*shard
	hour   int64 // the hour of event time up to which offices are merged; zero for none
	unread int64
}

// TrialOptions is what code passes to NewTrial.
type TrialOptions struct {
	// Each gets every event once its place in time is settled, Hit every rule that fires
	// on one, after Each. For a rule about exceptions the event is that somebody made
	// one. Both are optional; what they get is good until they return.
	Each func(e *vigil.Event)
	Hit  func(e *vigil.Event, h rules.Hit)
}

// NewTrial makes a trial that has seen nothing.
func NewTrial(set *rules.Set, opts TrialOptions) *Trial {
	if opts.Each == nil {
		opts.Each = func(*vigil.Event) {}
	}
	if opts.Hit == nil {
		opts.Hit = func(*vigil.Event, rules.Hit) {}
	}
	return &Trial{opts: opts, shared: &shared{rules: set, book: reasons.New(reasons.Limits{}), Laws: laws{}.ready()}}
}

// Assume takes over what feeds had told by a snapshot of an engine, for a log whose
// beginning is gone.
func (t *Trial) Assume(parts []Part) error {
	book, err := restoreBook(parts)
	if err != nil {
		return err
	}
	t.shared.book = book
	return nil
}

// Fold takes the next entry of the log. The trial owns the entry's events from then on.
func (t *Trial) Fold(entry *vigil.Entry) error {
	switch entry.Kind {
	case vigil.EntryEvents:
		t.order.push(entry.Source, entry.Events)
	case vigil.EntryTick:
		t.order.tick(entry.Tick.Watermark.UnixNano())
	case vigil.EntryControl:
		t.control(&entry.Control)
		return nil
	default:
		return fmt.Errorf("log entry %d has the unknown kind %q", entry.Seq, entry.Kind)
	}
	t.release()
	return nil
}

// Finish runs the rules on what still waits for its place in time.
func (t *Trial) Finish() {
	t.order.flush()
	t.release()
}

// Told lists the kinds of feed that told anything.
func (t *Trial) Told() []vigil.FactKind { return t.shared.book.Told() }

// Unread counts control records that could not be read.
func (t *Trial) Unread() int64 { return t.unread }

// Failures returns the rules whose conditions could not be judged, in the set's order.
func (t *Trial) Failures() (all []rules.Failure) {
	at := map[*rules.Rule]int{}
	for _, sh := range t.shards {
		if sh == nil {
			continue
		}
		for _, f := range sh.watch.Failures() {
			i, ok := at[f.Rule]
			if !ok {
				i, at[f.Rule] = len(all), len(all)
				all = append(all, rules.Failure{Rule: f.Rule, Message: f.Message})
			}
			all[i].Events += f.Events
		}
	}
	return all
}

// control takes a control record, as Engine.control does.
func (t *Trial) control(c *vigil.Control) {
	switch c.Type {
	case vigil.ControlFacts:
		var f vigil.Facts
		if json.Unmarshal(c.Data, &f) != nil {
			t.unread++
			return
		}
		t.shared.book.Apply(f)
	case vigil.ControlException:
		var made vigil.Exception
		if json.Unmarshal(c.Data, &made) != nil || made.ID == "" || made.By == "" || made.Time.IsZero() {
			t.unread++
			return
		}
		if made.Ended {
			return
		}
		x, e := deedOf(&made)
		for _, h := range t.shard(e).watch.CheckException(&x) {
			t.opts.Hit(e, h)
		}
	}
}

// shard is that of an event's actor.
func (t *Trial) shard(e *vigil.Event) *shard {
	h := actorHash(e)
	at := (h ^ h>>32) % shardCount
	if t.shards[at] == nil {
		sh := &shard{shared: t.shared, watch: t.shared.rules.Watch(nil), offices: map[uint64]struct{}{}}
		sh.known.Linked, sh.known.Concerning = sh.linked, sh.concerning
		t.shards[at] = sh
	}
	return t.shards[at]
}

// release runs the rules on the events whose order is settled.
func (t *Trial) release() {
	for _, e := range t.order.pop() {
		if !e.Late {
			t.advance(e.Time.UnixNano() / hourNanos)
		}
		t.apply(e)
	}
	if t.hour != 0 {
		t.advance(t.order.watermark / hourNanos)
	}
}

// advance merges from where people work, as Engine.advance does.
func (t *Trial) advance(hour int64) {
	if t.hour == 0 {
		t.hour = hour
	}
	for h := t.hour + 1; h <= hour; h++ {
		midnight := h%24 == 0
		if h != hour && !(midnight && hour-h < 400*24) {
			continue
		}
		for _, sh := range t.shards {
			if sh != nil {
				t.shared.takeOffices(sh, h*hourNanos)
			}
		}
		if midnight {
			t.shared.Laws.endDay(h * hourNanos)
		}
	}
	t.hour = max(t.hour, hour)
}

func (t *Trial) apply(e *vigil.Event) {
	t.shared.book.Identify(e)
	sh := t.shard(e)
	sh.known.Checked, sh.known.PeopleNetwork = sh.quotas.check(t.shared.book, e), sh.peopleNetwork(e)
	t.opts.Each(e)
	for _, h := range sh.watch.Check(e, &sh.known) {
		t.opts.Hit(e, h)
	}
}
