package detector_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/detector"
	"vigil/internal/traffic"
)

// desk is some weeks of a help desk, with staged breaches or without.
type desk struct {
	events   []*vigil.Event
	breaches []traffic.Breach
}

func makeDesk(tb testing.TB, cfg traffic.Config, staged bool) desk {
	tb.Helper()
	w, err := traffic.New(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	var d desk
	if staged {
		for _, threat := range traffic.Threats() {
			b, err := w.Stage(traffic.Stage{Threat: threat})
			if err != nil {
				tb.Fatal(err)
			}
			w.Inject(b.Events...)
			d.breaches = append(d.breaches, b)
		}
	}
	for e := range w.Events() {
		d.events = append(d.events, e)
	}
	return d
}

// stagedDesk is shared by the tests that only read it: small, for they read it
// often.
var stagedDesk = sync.OnceValue(func() desk {
	return makeDesk(panicker{}, stagedConfig, true)
})

// panicker lets a fixture be made outside of a test.
type panicker struct{ testing.TB }

func (panicker) Helper()           {}
func (panicker) Fatal(args ...any) { panic(fmt.Sprint(args...)) }

func entry(events []*vigil.Event) *vigil.Entry {
	return &vigil.Entry{Kind: vigil.EntryEvents, Source: "desk", Events: events}
}

// judge folds the events in batches whose sizes next gives.
func judge(tb testing.TB, e *detector.Engine, events []*vigil.Event, next func() int) []vigil.Finding {
	tb.Helper()
	var all []vigil.Finding
	for len(events) > 0 {
		n := min(next(), len(events))
		found, err := e.Fold(entry(events[:n]))
		if err != nil {
			tb.Fatal(err)
		}
		all = append(all, found...)
		events = events[n:]
	}
	found, err := e.Finish()
	if err != nil {
		tb.Fatal(err)
	}
	return append(all, found...)
}

func always(n int) func() int { return func() int { return n } }

func newEngine(tb testing.TB, workers int) *detector.Engine {
	tb.Helper()
	e, err := detector.New(detector.Config{}, detector.Options{Workers: workers})
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

// latest keeps each finding's last word.
func latest(all []vigil.Finding) map[string]vigil.Finding {
	out := map[string]vigil.Finding{}
	for _, f := range all {
		out[f.ID] = f
	}
	return out
}

func TestResultDoesNotDependOnWorkersOrBatches(t *testing.T) {
	t.Parallel()
	d := stagedDesk()
	found := judge(t, newEngine(t, 1), d.events, always(4096))
	if n := len(latest(found)); n < 3 {
		t.Fatalf("%d findings: nothing is tested", n)
	}
	want := encode(t, found)
	for name, run := range map[string]func() []vigil.Finding{
		"four workers": func() []vigil.Finding { return judge(t, newEngine(t, 4), d.events, always(4096)) },
		"uneven batches": func() []vigil.Finding {
			r := rand.New(rand.NewPCG(1, 2))
			return judge(t, newEngine(t, 3), d.events, func() int { return 1 + r.IntN(9000) })
		},
		"everything once": func() []vigil.Finding { return judge(t, newEngine(t, 2), d.events, always(1<<30)) },
	} {
		if diff := cmp.Diff(want, encode(t, run())); diff != "" {
			t.Errorf("%s: findings differ (-want +got):\n%.2000s", name, diff)
		}
	}
}

// encode writes each finding's last word, in the order of their ids.
func encode(tb testing.TB, all []vigil.Finding) string {
	tb.Helper()
	b, err := json.MarshalIndent(latest(all), "", " ")
	if err != nil {
		tb.Fatal(err)
	}
	return string(b)
}

func TestRestoredEngineGoesOnAlike(t *testing.T) {
	t.Parallel()
	d := stagedDesk()
	want := encode(t, judge(t, newEngine(t, 2), d.events, always(4096)))

	e := newEngine(t, 2)
	r := rand.New(rand.NewPCG(3, 4))
	parts := map[string]detector.Part{}
	var all []vigil.Finding
	events := d.events
	for len(events) > 0 {
		n := min(4096, len(events))
		found, err := e.Fold(entry(events[:n]))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, found...)
		events = events[n:]
		if r.IntN(4) != 0 {
			continue
		}
		// Only what changed is taken; the rest stands from before.
		changed, err := e.Snapshot(len(parts) == 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range changed {
			parts[p.Name] = p
		}
		e = newEngine(t, 2)
		var have []detector.Part
		for _, p := range parts {
			have = append(have, p)
		}
		if err := e.Restore(have); err != nil {
			t.Fatal(err)
		}
	}
	found, err := e.Finish()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, encode(t, append(all, found...))); diff != "" {
		t.Errorf("findings differ (-want +got):\n%.2000s", diff)
	}
}

func TestDamagedStateIsRefused(t *testing.T) {
	t.Parallel()
	e := newEngine(t, 1)
	if _, err := e.Fold(entry(stagedDesk().events[:2000])); err != nil {
		t.Fatal(err)
	}
	parts, err := e.Snapshot(true)
	if err != nil {
		t.Fatal(err)
	}
	if err := newEngine(t, 1).Restore(parts[1:]); err == nil || !strings.Contains(err.Error(), "missing") {
		t.Errorf("a missing part: got %v", err)
	}
	cut := append([]detector.Part(nil), parts...)
	cut[0].Data = cut[0].Data[:len(cut[0].Data)/2]
	if err := newEngine(t, 1).Restore(cut); err == nil {
		t.Error("a cut part was taken")
	}
}

func TestOneConversationOneCustomer(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	read := func(kind vigil.ActorKind, conversation string, subjects ...string) *vigil.Event {
		e := vigil.NewEvent()
		at = at.Add(time.Second)
		e.Time, e.Action, e.Conversation, e.Subjects = at, vigil.ActionRead, conversation, subjects
		e.Actor = vigil.Actor{ID: "x-" + string(kind), Kind: kind}
		return e
	}
	found := judge(t, newEngine(t, 1), []*vigil.Event{
		read(vigil.KindBot, "c-1", "cust-1"),
		read(vigil.KindBot, "c-2", "cust-2"),
		read(vigil.KindBot, "c-1", "cust-1"),
		read(vigil.KindHuman, "c-3", "cust-1"),
		read(vigil.KindHuman, "c-3", "cust-2"),
		read(vigil.KindBot, "c-1", "cust-9"),
		read(vigil.KindBot, "c-1", "cust-9"),
	}, always(2))
	// The second look at the same customer is told at the end alone.
	if len(found) != 2 || found[0].ID != found[1].ID {
		t.Fatalf("%d findings, want one in two revisions: %+v", len(found), found)
	}
	f := found[1]
	if f.Actor != "x-bot" || f.Subjects != 2 || f.Events != 2 || f.Rule == "" || f.Severity.Rank() < vigil.SeverityHigh.Rank() {
		t.Errorf("got %+v", f)
	}
}

func TestScoresComeInOrder(t *testing.T) {
	t.Parallel()
	d := stagedDesk()
	var scores []detector.Score
	e, err := detector.New(detector.Config{}, detector.Options{Workers: 3, Models: true, Score: func(s detector.Score) { scores = append(scores, s) }})
	if err != nil {
		t.Fatal(err)
	}
	first := d.events[:len(d.events)/3]
	judge(t, e, first, always(1000))
	if len(scores) != len(first) {
		t.Fatalf("%d scores", len(scores))
	}
	for i, s := range scores {
		if s.Event != d.events[i] {
			t.Fatalf("score %d is of another event", i)
		}
		if _, edge := s.Models["affinity"]; edge != (s.Event.Resource != "" || len(s.Event.Subjects) > 0) {
			t.Fatalf("score %d: affinity judges %+v: %v", i, s.Event, edge)
		}
		if !(s.P > 0 && s.P <= 1) || len(s.Models) < 3 {
			t.Fatalf("score %d: %+v", i, s)
		}
		for name, m := range s.Models {
			if math.IsInf(m.Score, 0) || math.IsNaN(m.Score) || !(m.P > 0 && m.P <= 1) {
				t.Fatalf("score %d: %s says %+v", i, name, m)
			}
		}
	}
}

func TestLateEventsAreMarkedAndTicksMoveTime(t *testing.T) {
	t.Parallel()
	base := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	at := func(d time.Duration) *vigil.Event {
		e := vigil.NewEvent()
		e.Time, e.Action, e.Actor.ID = base.Add(d), vigil.ActionRead, "a"
		return e
	}
	e := newEngine(t, 1)
	fold := func(en *vigil.Entry) {
		t.Helper()
		if _, err := e.Fold(en); err != nil {
			t.Fatal(err)
		}
	}
	fold(entry([]*vigil.Event{at(0), at(20 * time.Second), at(10 * time.Second)}))
	if got := e.Status(); got.Events != 0 {
		t.Errorf("events were judged before their order was settled: %+v", got)
	}
	fold(entry([]*vigil.Event{at(2 * time.Minute)}))
	late := at(time.Minute)
	fold(entry([]*vigil.Event{late}))
	if !late.Late {
		t.Error("an event a minute behind is not marked late")
	}
	for range 2 {
		fold(&vigil.Entry{Kind: vigil.EntryTick, Tick: vigil.Tick{Watermark: base.Add(time.Hour)}})
	}
	if got := e.Status(); got.Events != 5 || got.Late != 1 || !got.Watermark.Equal(base.Add(time.Hour-30*time.Second)) {
		t.Errorf("after the ticks: %+v", got)
	}
}
