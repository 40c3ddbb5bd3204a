package detector_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/detector"
)

var hostileStart = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

// hostileNames are ids and labels that nobody should choose.
var hostileNames = []string{"", "a", "b", "a\x00b", "\x00", "\xff\xfe", "|", "||", "a/b", "\u202eabc", "\n", "'--", "0"}

// hostileEvent draws an event that a source may send, at most an hour before or
// a week after at.
func hostileEvent(r *rand.Rand, at *time.Time) *vigil.Event {
	name := func() string { return hostileNames[r.IntN(len(hostileNames))] }
	count := func() int64 {
		return [...]int64{-1, 0, 1, 7, 1000, math.MaxInt64}[min(r.IntN(12), 5)]
	}
	switch r.IntN(400) {
	case 0:
		*at = at.Add(time.Duration(r.IntN(24*7)) * time.Hour)
	case 1:
		*at = at.Add(-time.Duration(r.IntN(3600)) * time.Second)
	default:
		*at = at.Add(time.Duration(r.IntN(240)) * time.Second)
	}
	e := vigil.NewEvent()
	e.ID, e.Time, e.Source = fmt.Sprint(r.Uint64()), *at, name()
	e.Actor = vigil.Actor{ID: fmt.Sprint("p", r.IntN(12)), Tenant: name(), Role: hostileNames[r.IntN(3)]}
	e.Actor.Kind = [...]vigil.ActorKind{"", vigil.KindHuman, vigil.KindBot, vigil.KindVendor}[r.IntN(4)]
	e.Action = vigil.Actions()[r.IntN(len(vigil.Actions()))]
	e.Outcome = [...]vigil.Outcome{"", vigil.OutcomeSuccess, vigil.OutcomeDenied}[r.IntN(3)]
	e.Store, e.Resource, e.Shape, e.Network, e.UserAgent = name(), name(), name(), name(), name()
	e.Conversation, e.Principal = name(), name()
	for range r.IntN(3) {
		e.Subjects = append(e.Subjects, name())
	}
	e.Rows, e.Bytes, e.SubjectCount = count(), count(), count()
	return e
}

// hostileDesk is weeks of a few actors, with floods by some of them, between events
// that nobody should send.
func hostileDesk(seed uint64, n int) []*vigil.Event {
	r := rand.New(rand.NewPCG(seed, 9))
	at := hostileStart
	events := make([]*vigil.Event, 0, n)
	thief := ""
	for i := range n {
		e := hostileEvent(r, &at)
		if i%200 == 0 {
			thief = ""
			if r.IntN(4) == 0 {
				thief = e.Actor.ID
			}
		}
		if r.IntN(3) != 0 {
			// Most of the traffic is of a plain desk, so that the engine learns.
			e.Actor = vigil.Actor{ID: e.Actor.ID, Kind: vigil.KindHuman, Role: "agent"}
			e.Action, e.Store, e.Resource, e.Network = vigil.ActionRead, "desk", "messages", "198.51.100.0/24"
			e.Rows, e.Bytes, e.SubjectCount, e.Shape, e.UserAgent = int64(r.IntN(9)), -1, -1, "s", "web"
			e.Subjects = []string{fmt.Sprint("cust-", r.IntN(500))}
			if thief != "" {
				at = at.Add(-100 * time.Second)
				e.Actor.ID, e.Rows, e.Network = thief, 100_000, "203.0.113.0/24"
				e.Subjects = nil
				for range 400 {
					e.Subjects = append(e.Subjects, fmt.Sprint("cust-", r.IntN(100_000)))
				}
			}
		}
		events = append(events, e)
	}
	return events
}

// clones lets a run have its own events: folding marks late ones.
func clones(events []*vigil.Event) []*vigil.Event {
	out := make([]*vigil.Event, len(events))
	for i, e := range events {
		c := *e
		out[i] = &c
	}
	return out
}

func checkSane(tb testing.TB, all []vigil.Finding) {
	tb.Helper()
	for _, f := range all {
		if _, err := json.Marshal(f); err != nil {
			tb.Fatalf("finding %s: %v", f.ID, err)
		}
		if f.Subjects < -1 || f.Rows < -1 || f.Conversations < -1 || f.Events < 0 || f.End.Before(f.Start) {
			tb.Errorf("impossible counts or times: %+v", f)
		}
		sum := 0.0
		for _, c := range f.Contributions {
			sum += c.Share
			if c.Share < 0 || c.P <= 0 || c.P > 1 {
				tb.Errorf("finding %s: share %v, p %v", f.ID, c.Share, c.P)
			}
		}
		if len(f.Contributions) == 0 || sum > 1+1e-9 || sum < 0.6 {
			tb.Errorf("finding %s: %d shares sum to %v", f.ID, len(f.Contributions), sum)
		}
	}
}

// foldHostile folds the events in batches of up to 300 from three sources, ticks
// between them, and with restarts on takes and restores snapshots at random.
func foldHostile(tb testing.TB, seed uint64, events []*vigil.Event, workers int, restarts bool) []vigil.Finding {
	tb.Helper()
	newOne := func() *detector.Engine {
		e, err := detector.New(detector.Config{MaxActors: 256}, detector.Options{Workers: workers})
		if err != nil {
			tb.Fatal(err)
		}
		return e
	}
	e := newOne()
	r, dice := rand.New(rand.NewPCG(seed, 1)), rand.New(rand.NewPCG(seed, 2))
	parts := map[string]detector.Part{}
	var all []vigil.Finding
	fold := func(en *vigil.Entry) {
		found, err := e.Fold(en)
		if err != nil {
			tb.Fatal(err)
		}
		all = append(all, found...)
	}
	events = clones(events)
	for len(events) > 0 {
		n := min(1+r.IntN(300), len(events))
		fold(&vigil.Entry{Kind: vigil.EntryEvents, Source: fmt.Sprint("s", r.IntN(3)), Events: events[:n]})
		last := events[n-1].Time
		events = events[n:]
		for range r.IntN(4) {
			fold(&vigil.Entry{Kind: vigil.EntryTick, Tick: vigil.Tick{Watermark: last.Add(time.Duration(r.IntN(60)) * time.Second)}})
		}
		if !restarts || dice.IntN(6) != 0 {
			continue
		}
		changed, err := e.Snapshot(len(parts) == 0)
		if err != nil {
			tb.Fatal(err)
		}
		for _, p := range changed {
			parts[p.Name] = p
		}
		have := make([]detector.Part, 0, len(parts))
		for _, p := range parts {
			have = append(have, p)
		}
		e = newOne()
		if err := e.Restore(have); err != nil {
			tb.Fatal(err)
		}
	}
	found, err := e.Finish()
	if err != nil {
		tb.Fatal(err)
	}
	return append(all, found...)
}

func TestHostileTrafficIsJudgedAlike(t *testing.T) {
	t.Parallel()
	for seed := range uint64(hostileWorlds) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			events := hostileDesk(seed, hostileEvents)
			want := foldHostile(t, seed, events, 1, false)
			checkSane(t, want)
			learnt := slices.ContainsFunc(want, func(f vigil.Finding) bool { return f.Rule == "" })
			t.Logf("%d findings, learnt evidence among them: %v", len(latest(want)), learnt)
			for name, run := range map[string]func() []vigil.Finding{
				"four workers": func() []vigil.Finding { return foldHostile(t, seed, events, 4, false) },
				"restarted":    func() []vigil.Finding { return foldHostile(t, seed, events, 2, true) },
			} {
				a, _ := json.MarshalIndent(want, "", " ")
				b, _ := json.MarshalIndent(run(), "", " ")
				if diff := cmp.Diff(string(a), string(b)); diff != "" {
					t.Errorf("%s: findings differ (-want +got):\n%.3000s", name, diff)
				}
			}
		})
	}
}

func TestALateEventMayComeFirst(t *testing.T) {
	t.Parallel()
	e := newEngine(t, 1)
	at := hostileStart
	r := rand.New(rand.NewPCG(1, 1))
	first := hostileEvent(r, &at)
	early := *first
	early.Time = first.Time.Add(-time.Hour)
	found := judge(t, e, []*vigil.Event{first, &early}, always(1))
	if got := e.Status(); got.Events != 2 || got.Late != 1 {
		t.Errorf("%+v, %d findings", got, len(found))
	}
}

func TestAFloodOfActorsStaysBounded(t *testing.T) {
	t.Parallel()
	e, err := detector.New(detector.Config{MaxActors: 512}, detector.Options{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	var batch []*vigil.Event
	for i := range 12_000 {
		ev := vigil.NewEvent()
		ev.Time, ev.Action = hostileStart.Add(time.Duration(i)*50*time.Millisecond), vigil.ActionRead
		ev.Actor = vigil.Actor{ID: fmt.Sprint("flood-", i), Kind: vigil.KindAnonymous, Role: fmt.Sprint("r", i)}
		ev.Conversation, ev.Shape, ev.Subjects = ev.Actor.ID, ev.Actor.ID, []string{ev.Actor.ID}
		if batch = append(batch, ev); len(batch) == 4000 {
			if _, err := e.Fold(entry(batch)); err != nil {
				t.Fatal(err)
			}
			if got := e.Status(); got.Hot > 512 || got.Cold > 5120 {
				t.Fatalf("%d actors held in full, at most 512; %d in short, at most 5120", got.Hot, got.Cold)
			}
			batch = nil
		}
	}
	if _, err := e.Finish(); err != nil {
		t.Fatal(err)
	}
}

func TestActorsOfOddTenantsAreApart(t *testing.T) {
	t.Parallel()
	e := newEngine(t, 1)
	var events []*vigil.Event
	for i, a := range []vigil.Actor{{Tenant: "a", ID: "b\x00c"}, {Tenant: "a\x00b", ID: "c"}, {Tenant: "", ID: "a\x00b\x00c"}, {Tenant: "a\x00b\x00c", ID: "x"}} {
		ev := vigil.NewEvent()
		ev.Time, ev.Action, ev.Actor = hostileStart.Add(time.Duration(i)*time.Second), vigil.ActionRead, a
		events = append(events, ev)
	}
	judge(t, e, events, always(9))
	if got := e.Status().Actors; got != 4 {
		t.Errorf("%d actors, want 4", got)
	}
}
