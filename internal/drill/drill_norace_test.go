//go:build !race

package drill_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/internal/drill"
)

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
