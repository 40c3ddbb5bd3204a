package series_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"vigil"
	"vigil/internal/series"
)

var start = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

func event(at time.Time, role string) *vigil.Event {
	e := vigil.NewEvent()
	e.Time, e.Source, e.Store, e.Action = at, "pg", "helpdesk", vigil.ActionRead
	e.Actor = vigil.Actor{ID: "maria", Kind: vigil.KindHuman, Role: role}
	return e
}

func TestRollSumsByMinuteAndKey(t *testing.T) {
	t.Parallel()
	a, b, c, d := event(start, "agent"), event(start.Add(59*time.Second), "agent"), event(start.Add(time.Minute), "agent"), event(start, "admin")
	a.Rows, a.Bytes, a.Subjects = 3, 100, []string{"x", "y"}
	b.Rows, b.SubjectCount, b.Subjects, b.Outcome = 4, 50, []string{"x"}, vigil.OutcomeDenied
	key := series.Key{Source: "pg", Store: "helpdesk", Action: "read", ActorKind: "human", Role: "agent"}
	admin := key
	admin.Role = "admin"
	want := []series.Point{
		{Start: start, Key: admin, Events: 1},
		{Start: start, Key: key, Events: 2, Rows: 7, Bytes: 100, Subjects: 52, Denied: 1},
		{Start: start.Add(time.Minute), Key: key, Events: 1},
	}
	got := series.Roll([]*vigil.Event{a, b, c, d}, series.NewCaps(0, nil))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("points (-want +got):\n%s", diff)
	}
	if got := series.Roll(nil, series.NewCaps(0, nil)); len(got) != 0 {
		t.Errorf("no events gave %v", got)
	}
}

// TestTagsAreBounded gives more roles than there is room for: the first stay,
// the others share one series, and nothing is lost from the sums.
func TestTagsAreBounded(t *testing.T) {
	t.Parallel()
	caps := series.NewCaps(3, nil)
	var events []*vigil.Event
	for i := range 40 {
		events = append(events, event(start, fmt.Sprintf("role-%d", i%10)))
	}
	counts := func(points []series.Point) map[string]int64 {
		m := make(map[string]int64)
		for _, p := range points {
			m[p.Key.Role] += p.Events
		}
		return m
	}
	want := map[string]int64{"role-0": 4, "role-1": 4, "role-2": 4, series.Other: 28}
	points := series.Roll(events, caps)
	if diff := cmp.Diff(want, counts(points)); diff != "" {
		t.Errorf("first batch (-want +got):\n%s", diff)
	}
	// The same after a restart, from the keys that were kept.
	var keys []series.Key
	for _, p := range points {
		keys = append(keys, p.Key)
	}
	for name, c := range map[string]*series.Caps{"going on": caps, "restored": series.NewCaps(3, keys)} {
		if diff := cmp.Diff(want, counts(series.Roll(events, c))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	// Empty values and "other" itself take no room.
	if k := series.NewCaps(1, []series.Key{{}, {Role: series.Other}}).Admit(series.Key{Role: "agent"}); k.Role != "agent" {
		t.Errorf("role became %q", k.Role)
	}
}

// TestRollDoesNotDependOnBatches: however the log is cut into batches, with a
// restart after any of them, the totals are the same.
func TestRollDoesNotDependOnBatches(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 60).Draw(t, "events")
		events := make([]*vigil.Event, n)
		for i := range events {
			at := start.Add(time.Duration(rapid.IntRange(0, 300).Draw(t, "second")) * time.Second)
			events[i] = event(at, fmt.Sprintf("role-%d", rapid.IntRange(0, 8).Draw(t, "role")))
			events[i].Rows = rapid.Int64Range(-1, 100).Draw(t, "rows")
		}
		total := func(batches [][]*vigil.Event, restart bool) map[string]series.Point {
			caps := series.NewCaps(4, nil)
			sums := make(map[string]series.Point)
			var keys []series.Key
			for _, b := range batches {
				for _, p := range series.Roll(b, caps) {
					id := p.Start.String() + fmt.Sprint(p.Key)
					s := sums[id]
					s.Events, s.Rows = s.Events+p.Events, s.Rows+p.Rows
					sums[id] = s
					keys = append(keys, p.Key)
				}
				if restart {
					caps = series.NewCaps(4, keys)
				}
			}
			return sums
		}
		cut := rapid.IntRange(0, n).Draw(t, "cut")
		whole := total([][]*vigil.Event{events}, false)
		for _, restart := range []bool{false, true} {
			if diff := cmp.Diff(whole, total([][]*vigil.Event{events[:cut], events[cut:]}, restart)); diff != "" {
				t.Fatalf("restart %v (-whole +cut):\n%s", restart, diff)
			}
		}
	})
}

func BenchmarkRoll(b *testing.B) {
	events := make([]*vigil.Event, 10_000)
	for i := range events {
		events[i] = event(start.Add(time.Duration(i)*time.Second), "agent")
	}
	caps := series.NewCaps(0, nil)
	for b.Loop() {
		series.Roll(events, caps)
	}
	b.ReportMetric(10_000*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
