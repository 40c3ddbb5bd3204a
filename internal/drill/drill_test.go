package drill_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"vigil"
	"vigil/internal/drill"
	"vigil/internal/traffic"
)

// desk is six weeks of a small help desk, made once; each reading gets copies,
// since stagings change events.
var desk = sync.OnceValue(func() []*vigil.Event {
	var all []*vigil.Event
	err := drill.Generated(deskConfig)(context.Background(), func(events []*vigil.Event) error {
		all = append(all, events...)
		return nil
	})
	if err != nil {
		panic(err)
	}
	return all
})

func source(events []*vigil.Event, change func(*vigil.Event)) drill.Source {
	return func(_ context.Context, use func([]*vigil.Event) error) error {
		for part := range slices.Chunk(events, 1000) {
			copies := make([]*vigil.Event, len(part))
			room := make([]vigil.Event, len(part))
			for i, e := range part {
				room[i] = *e
				copies[i] = &room[i]
				if change != nil {
					room[i].Subjects = slices.Clone(e.Subjects)
					change(&room[i])
				}
			}
			if err := use(copies); err != nil {
				return err
			}
		}
		return nil
	}
}

func survey(t *testing.T, src drill.Source) *drill.Scene {
	t.Helper()
	scene, err := drill.Survey(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	return scene
}

// staging is what a staging came to.
type staging struct {
	Breach, Trap drill.Truth
	events       []*vigil.Event
	acts         []*drill.Act
}

// restage is perform without keeping the events.
func restage(t *testing.T, src drill.Source, scene *drill.Scene, sc drill.Scenario, seed uint64, intensity float64) staging {
	t.Helper()
	breach, trap, err := drill.Perform(t.Context(), src, scene, sc, seed, intensity, func([]*vigil.Event) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	return staging{Breach: breach.Truth(), Trap: trap.Truth()}
}

func perform(t *testing.T, src drill.Source, scene *drill.Scene, sc drill.Scenario, seed uint64, intensity float64) staging {
	t.Helper()
	var out staging
	breach, trap, err := drill.Perform(t.Context(), src, scene, sc, seed, intensity, func(events []*vigil.Event) error {
		out.events = append(out.events, events...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	out.Breach, out.Trap, out.acts = breach.Truth(), trap.Truth(), []*drill.Act{breach, trap}
	return out
}

func TestTrafficThatDoesNotFitIsToldSo(t *testing.T) {
	t.Parallel()
	short := source(slices.DeleteFunc(slices.Clone(desk()), func(e *vigil.Event) bool { return e.Time.Sub(desk()[0].Time) > 9*24*time.Hour }), nil)
	scene := survey(t, short)
	for _, id := range []string{"T05", "T16", "T30"} {
		list, err := drill.Named([]string{id})
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = drill.Perform(t.Context(), short, scene, list[0], 1, 1, func([]*vigil.Event) error { return nil })
		if !errors.Is(err, drill.ErrUnfit) || !strings.Contains(err.Error(), "days") {
			t.Errorf("%s in nine days: %v", id, err)
		}
	}
	nobody := source([]*vigil.Event{{ID: "1", Time: desk()[0].Time, Actor: vigil.Actor{ID: "a"}, Action: vigil.ActionRead}}, nil)
	result, err := drill.Run(t.Context(), func(uint64) drill.Source { return nobody }, true, drill.Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range result.Scenarios {
		if f.Unfit == "" || f.Of != 0 {
			t.Errorf("%s was staged among nobody: %+v", f.ID, f)
		}
	}
	empty := source(nil, nil)
	if _, err := drill.Run(t.Context(), func(uint64) drill.Source { return empty }, true, drill.Options{Workers: 1}); err == nil {
		t.Error("drills ran in no traffic")
	}
}

func TestFindingsAreHeldAgainstTheTruth(t *testing.T) {
	t.Parallel()
	list, err := drill.Named([]string{"T13"})
	if err != nil {
		t.Fatal(err)
	}
	src := source(desk(), nil)
	s := perform(t, src, survey(t, src), list[0], 1, 1)
	b, trap := s.Breach, s.Trap
	day := 24 * time.Hour
	about := func(about vigil.About, from, to time.Time) vigil.Finding {
		return vigil.Finding{About: about, Start: from, End: to, Detected: to}
	}
	with := func(f vigil.Finding, set func(*vigil.Finding)) vigil.Finding {
		set(&f)
		return f
	}
	during := about(vigil.AboutActor, b.Start, b.End)
	cases := []struct {
		name, want string
		f          vigil.Finding
	}{
		{"its actor", "t13", with(during, func(f *vigil.Finding) { f.Actor = b.Actors[0] })},
		{"a customer who was read", "t13", with(about(vigil.AboutSubject, b.Start, b.End), func(f *vigil.Finding) { f.Subject = b.SubjectIDs[0] })},
		{"an about to come", "t13", with(about("account", b.Start, b.End), func(f *vigil.Finding) { f.Actor = b.Actors[0] })},
		{"somebody else", "", with(during, func(f *vigil.Finding) { f.Actor = "agent-001" })},
		{"its actor, long before", "", with(about(vigil.AboutActor, b.Start.Add(-3*day), b.Start.Add(-2*day)), func(f *vigil.Finding) { f.Actor = b.Actors[0] })},
		{"its actor, told of long before and no graver", "", with(about(vigil.AboutActor, b.Start.Add(-3*day), b.End), func(f *vigil.Finding) { f.Actor, f.Detected = b.Actors[0], b.Start.Add(-2*day) })},
		{"the trap's", "trap", with(about(vigil.AboutActor, trap.Start, trap.End), func(f *vigil.Finding) { f.Actor = trap.Actors[0] })},
	}
	for _, c := range cases {
		if got := drill.Tell(s.acts, c.f); got[0] != c.want {
			t.Errorf("%s: assigned to %q, not %q", c.name, got[0], c.want)
		}
	}
	if n := s.acts[0].Exposed(b.Start.Add(-time.Second)); n != 0 {
		t.Errorf("%d customers exposed before the breach", n)
	}
	if n := s.acts[0].Exposed(b.End); n != b.Subjects {
		t.Errorf("%d customers exposed by its end, not %d", n, b.Subjects)
	}
}

func TestRunGivesTheSameFigures(t *testing.T) {
	t.Parallel()
	list, err := drill.Named([]string{"t09", "T12"})
	if err != nil {
		t.Fatal(err)
	}
	weeks := slices.DeleteFunc(slices.Clone(desk()), func(e *vigil.Event) bool { return e.Time.Sub(desk()[0].Time) > 24*24*time.Hour })
	run := func(workers int) string {
		last := 0
		r, err := drill.Run(t.Context(), func(uint64) drill.Source { return source(weeks, nil) }, true, drill.Options{
			Scenarios: list, Seeds: []uint64{4}, Workers: workers, Curves: true, Progress: func(done, total int) { last = total - done },
		})
		if err != nil {
			t.Fatal(err)
		}
		if last != 0 {
			t.Errorf("progress ended %d worlds early", last)
		}
		if r.Overall.Rows != 2 || len(r.Scenarios) != 3 {
			t.Errorf("%d rows, %d scenarios", r.Overall.Rows, len(r.Scenarios))
		}
		if f := r.Scenarios[0]; f.ID != "T09" || f.Found != 1 || f.Seconds == nil || f.Exposed > 5 || f.Runs[0].Curve == nil {
			t.Errorf("the bot that reads others in one conversation: %+v", f)
		}
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if one, two := run(1), run(2); one != two {
		t.Error("another number of workers gave other figures")
	}
}

func TestRunStopsWhenItIsTold(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := drill.Run(ctx, func(seed uint64) drill.Source {
		return drill.Generated(traffic.Config{Events: 50_000, Actors: 40, Days: 14, Seed: seed})
	}, false, drill.Options{})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled, it says %v", err)
	}
}

func TestVariantsOfARowShareNoWorld(t *testing.T) {
	t.Parallel()
	for _, list := range [][]drill.Scenario{drill.Scenarios(), named(t, "T09"), named(t, "T09", "T01")} {
		n := 0
		for _, group := range drill.Worlds(list) {
			n += len(group)
			if slices.Contains(group, "T09") && slices.Contains(group, "T09b") {
				t.Errorf("%v share a world", group)
			}
		}
		if n != len(list) {
			t.Errorf("%d of %d scenarios are in a world", n, len(list))
		}
	}
	if _, err := drill.Named([]string{"T99"}); err == nil || !strings.Contains(err.Error(), "T22") {
		t.Errorf("an unknown drill: %v", err)
	}
}

func named(t *testing.T, ids ...string) []drill.Scenario {
	t.Helper()
	list, err := drill.Named(ids)
	if err != nil {
		t.Fatal(err)
	}
	return list
}
