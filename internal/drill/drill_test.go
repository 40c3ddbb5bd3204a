package drill_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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

func TestEachScenarioIsStaged(t *testing.T) {
	t.Parallel()
	clean := map[string]bool{}
	stores, countries := map[string]bool{}, map[string]bool{}
	for _, e := range desk() {
		clean[e.ID] = true
		countries[e.Country] = true
		stores[e.Store] = true
	}
	src := source(desk(), nil)
	scene := survey(t, src)
	for _, sc := range drill.Scenarios() {
		t.Run(sc.ID, func(t *testing.T) {
			t.Parallel()
			plain := perform(t, src, scene, sc, 1, 1)
			b := plain.Breach
			if b.Events < 3 || b.Start.IsZero() || b.Since.Before(b.Start) || !b.End.After(b.Since) || len(b.Actors) == 0 || len(b.EventIDs) != b.Events {
				t.Fatalf("%d events from %s, taking since %s, to %s, by %d actors", b.Events, b.Start, b.Since, b.End, len(b.Actors))
			}
			if b.Subjects < 1 && sc.ID != "T24" {
				t.Errorf("the breach shows %d customers", b.Subjects)
			}
			if plain.Trap.Events == 0 || len(plain.Trap.Actors) == 0 {
				t.Errorf("the trap has %d events by %d actors", plain.Trap.Events, len(plain.Trap.Actors))
			}
			for _, a := range b.Actors {
				if slices.Contains(plain.Trap.Actors, a) {
					t.Errorf("%s plays both the breach and the trap", a)
				}
			}
			ids := map[string]bool{}
			last := time.Time{}
			for _, e := range plain.events {
				if err := e.Validate(); err != nil {
					t.Fatalf("%s: %v", e.ID, err)
				}
				if ids[e.ID] || e.Time.Before(last) {
					t.Fatalf("%s comes twice or after its time", e.ID)
				}
				// Another country alone must not give a thief away, save where that is the story.
				if !countries[e.Country] && sc.ID != "T19" {
					t.Fatalf("%s comes from %q, where nobody works", e.ID, e.Country)
				}
				ids[e.ID], last = true, e.Time
				if !stores[e.Store] || e.Late || e.Conversation == "" && e.Ticket == "-" {
					t.Fatalf("%s is of a store that nobody has: %q", e.ID, e.Store)
				}
			}
			for _, id := range b.EventIDs {
				if !ids[id] {
					t.Fatalf("the truth names %s, which is not there", id)
				}
			}
			if again := restage(t, src, scene, sc, 1, 1); cmp.Diff(plain.Breach, again.Breach)+cmp.Diff(plain.Trap, again.Trap) != "" {
				t.Error("the same seed staged something else")
			}
			quarter := restage(t, src, scene, sc, 1, 0.25)
			if sc.ID != "T14" && quarter.Breach.Subjects >= b.Subjects && quarter.Breach.Events >= b.Events {
				t.Errorf("a quarter takes %d customers in %d events, the whole %d in %d", quarter.Breach.Subjects, quarter.Breach.Events, b.Subjects, b.Events)
			}
			if sc.ID == "T14" && len(quarter.Breach.Actors) >= len(b.Actors) {
				t.Errorf("a quarter of the snoopers are %d of %d", len(quarter.Breach.Actors), len(b.Actors))
			}
			if diff := cmp.Diff(plain.Trap, quarter.Trap); diff != "" {
				t.Errorf("the intensity changed the trap:\n%s", diff)
			}
			if other := restage(t, src, scene, sc, 2, 1); cmp.Equal(plain.Breach, other.Breach) {
				t.Error("another seed staged the same")
			}
		})
	}
}

// Recorded traffic often tells less: no kinds, no roles, no logins, ids without
// numbers.
func TestPoorTrafficWillDo(t *testing.T) {
	t.Parallel()
	poor := source(slices.DeleteFunc(slices.Clone(desk()), func(e *vigil.Event) bool { return e.Action == vigil.ActionLogin }), func(e *vigil.Event) {
		e.Actor = vigil.Actor{ID: e.Actor.ID}
		e.Session, e.Ticket, e.Conversation, e.Shape, e.IP, e.Network, e.UserAgent = "", "", "", "", "", "", ""
		for i, s := range e.Subjects {
			e.Subjects[i] = "subject-" + strings.Map(func(r rune) rune { return 'a' + r%26 }, s)
		}
		e.Rows, e.Bytes, e.Limit = vigil.Unknown, vigil.Unknown, vigil.Unknown
	})
	scene := survey(t, poor)
	for _, sc := range drill.Scenarios() {
		t.Run(sc.ID, func(t *testing.T) {
			t.Parallel()
			s := perform(t, poor, scene, sc, 1, 1)
			if s.Breach.Events < 3 || s.Trap.Events == 0 {
				t.Errorf("the breach has %d events, the trap %d", s.Breach.Events, s.Trap.Events)
			}
			for _, e := range s.events {
				if e.IP != "" || e.Network != "" || e.Rows > 0 {
					t.Fatalf("%s tells more than this traffic does: %+v", e.ID, e)
				}
			}
		})
	}
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

// A scene is bounded, whatever comes.
func TestSceneIsBounded(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 10, 5, 0, 0, 0, 0, time.UTC)
	src := func(_ context.Context, use func([]*vigil.Event) error) error {
		for i := range 60_000 {
			e := vigil.NewEvent()
			e.ID, e.Time, e.Action = fmt.Sprint(i), start.Add(time.Duration(i)*time.Second), vigil.ActionRead
			e.Actor.ID = fmt.Sprintf("flood-%d", i/2)
			if i%10 == 0 {
				e.Actor.ID = "regular"
			}
			e.Resource, e.IP = fmt.Sprintf("table-%d", i), fmt.Sprintf("10.%d.%d.1", i>>8&255, i&255)
			e.Subjects, e.SubjectCount = []string{fmt.Sprintf("c-%d", i*7)}, 1
			if err := use([]*vigil.Event{e}); err != nil {
				return err
			}
		}
		return nil
	}
	scene := survey(t, src)
	if len(scene.People) > 5_000 || scene.Events != 60_000 {
		t.Errorf("%d people of %d events", len(scene.People), scene.Events)
	}
	i := slices.IndexFunc(scene.People, func(p *drill.Person) bool { return p.Actor.ID == "regular" })
	if i < 0 || scene.People[i].Events != 6_000 || len(scene.People[i].Forms) > 32 || len(scene.People[i].Places) > 12 {
		t.Fatalf("the regular one was lost in the flood")
	}
	if d := scene.Customers.Distinct; d < 57_000 || d > 63_000 {
		t.Errorf("%d customers, not about 60,000", d)
	}
	if scene.Customers.Len() > 50_000 || scene.Customers.At(-1) == "" || scene.Customers.At(scene.Customers.Len()) != scene.Customers.At(0) {
		t.Errorf("%d customers can be had", scene.Customers.Len())
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
