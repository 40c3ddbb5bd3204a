//go:build !race

package detector_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"vigil"
	"vigil/internal/traffic"
)

func newDesk(tb testing.TB, seed uint64, staged bool) desk {
	tb.Helper()
	return makeDesk(tb, traffic.Config{Events: 90_000, Actors: 40, Days: 35, Seed: seed}, staged)
}

func TestStagedBreachesAreFound(t *testing.T) {
	t.Parallel()
	d := newDesk(t, 7, true)
	found := latest(judge(t, newEngine(t, 2), d.events, always(4096)))
	other := len(found)
	for _, b := range d.breaches {
		if b.Threat == traffic.TableDump {
			// An engineer's whole-table reads are found in most worlds only: engineers
			// are few and erratic. The benchmarks say how often.
			continue
		}
		hit := false
		for _, f := range found {
			if f.Actor != b.Actor || f.End.Before(b.Start) || f.Start.After(b.End) {
				continue
			}
			hit = true
			other--
			if f.Start.Before(b.Start.Add(-24 * time.Hour)) {
				t.Errorf("%s: the finding begins %s, the breach %s", b.Threat, f.Start, b.Start)
			}
			if f.Sentence == "" || f.Counterfactual == "" || len(f.Contributions) == 0 {
				t.Errorf("%s: the finding does not explain itself: %+v", b.Threat, f)
			}
			touched, shown := classesOf(d.events, &f)
			if f.Rule != "" {
				shown = f.Classes // a rule's hits alone are the finding
			}
			if len(f.Classes) == 0 || !subset(shown, f.Classes) || !subset(f.Classes, touched) || !slices.IsSorted(f.Classes) {
				t.Errorf("%s: classes %q, its accesses showed %q and touched %q", b.Threat, f.Classes, shown, touched)
			}
		}
		if !hit {
			t.Errorf("%s by %s from %s was not found", b.Threat, b.Actor, b.Start)
		}
	}
	if other > 2 {
		t.Errorf("%d findings besides the breaches, at most 2", other)
	}
}

// classesOf are the classes of what the finding's actor touched, and of what it was
// shown of that, from the quarter of an hour of the finding's begin to its end.
func classesOf(events []*vigil.Event, f *vigil.Finding) (touched, shown []string) {
	for _, e := range events {
		if e.Actor.ID != f.Actor || e.ResourceClass == "" || e.Time.Before(f.Start.Truncate(15*time.Minute)) || e.Time.After(f.End) {
			continue
		}
		touched = append(touched, e.ResourceClass)
		if e.Action.Discloses() {
			shown = append(shown, e.ResourceClass)
		}
	}
	return touched, shown
}

func subset(part, whole []string) bool {
	return !slices.ContainsFunc(part, func(s string) bool { return !slices.Contains(whole, s) })
}

func TestCleanTrafficStaysWithinTheBudget(t *testing.T) {
	t.Parallel()
	d := newDesk(t, 11, false)
	found := latest(judge(t, newEngine(t, 2), d.events, always(4096)))
	// The default budget is one false finding a month for so small a desk; five
	// weeks may bring two by chance.
	if len(found) > 2 {
		for _, f := range found {
			t.Logf("%s %s", f.Lane, f.Sentence)
		}
		t.Errorf("%d findings in clean traffic, at most 2", len(found))
	}
}

func TestWarmingUpIsSaid(t *testing.T) {
	t.Parallel()
	e := newEngine(t, 1)
	for _, l := range e.Status().Lanes {
		if l.Ready || l.Why == "" {
			t.Errorf("a new engine's lane %q: ready %v, why %q", l.Name, l.Ready, l.Why)
		}
	}
	judge(t, e, stagedDesk().events, always(4096))
	lanes := e.Status().Lanes
	if !lanes[0].Ready || !lanes[1].Ready {
		t.Errorf("after five weeks: %+v", lanes)
	}
}

// TestTheUsualIsNeverNews holds that a small, steady team brings no findings:
// with one network and one table there is nothing that could be new.
func TestTheUsualIsNeverNews(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(21, 22))
	start := time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	var events []*vigil.Event
	for day := range 40 {
		for hour := 8; hour < 17; hour++ {
			for minute := range 60 {
				for a := range 12 {
					if r.IntN(20) != 0 {
						continue
					}
					e := vigil.NewEvent()
					e.Time = start.Add(time.Duration(day)*24*time.Hour + time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute + time.Duration(a)*time.Second)
					e.Actor = vigil.Actor{ID: fmt.Sprintf("agent-%02d", a), Kind: vigil.KindHuman, Role: "agent"}
					e.Action, e.Store, e.Resource, e.Network = vigil.ActionRead, "desk", "messages", "192.0.2.0/24"
					e.Subjects = []string{fmt.Sprintf("cust-%d", r.IntN(2000))}
					e.Rows = int64(1 + r.IntN(20))
					events = append(events, e)
				}
			}
		}
	}
	for _, f := range judge(t, newEngine(t, 2), events, always(4096)) {
		t.Errorf("%s %s", f.Lane, f.Sentence)
		for _, c := range f.Contributions {
			t.Logf("%.2f p=%.2g %s", c.Share, c.P, c.Text)
		}
	}
}

// TestWhoOnlyWritesIsNotSaidToRead adds a program that only writes, and one night
// writes what nobody ever wrote, from where nobody ever was.
func TestWhoOnlyWritesIsNotSaidToRead(t *testing.T) {
	t.Parallel()
	events := clones(stagedDesk().events)
	start := events[0].Time.Truncate(24 * time.Hour)
	write := func(at time.Time, resource, network string) {
		e := vigil.NewEvent()
		e.ID, e.Time, e.Source, e.Action = fmt.Sprint("w", len(events)), at, "desk", vigil.ActionWrite
		e.Actor = vigil.Actor{ID: "inbound", Kind: vigil.KindService, Role: "inbound"}
		e.Store, e.Resource, e.Network, e.Shape = "helpdesk", resource, network, "insert "+resource
		events = append(events, e)
	}
	for h := range 24 * 27 {
		for m := range 4 {
			write(start.Add(time.Duration(h)*time.Hour+time.Duration(15*m+1)*time.Minute), "messages", "10.9.9.0/24")
		}
	}
	for h := range 6 {
		for i := range 40 {
			write(start.AddDate(0, 0, 26).Add(time.Duration(h)*time.Hour+time.Duration(80*i)*time.Second), fmt.Sprint("odd-", h, "-", i), fmt.Sprintf("203.0.113.%d/32", i))
		}
	}
	slices.SortStableFunc(events, func(a, b *vigil.Event) int { return a.Time.Compare(b.Time) })
	said := 0
	for _, f := range judge(t, newEngine(t, 2), events, always(4096)) {
		if f.Actor != "inbound" {
			continue
		}
		said++
		if f.Events != 0 || strings.Contains(f.Sentence, " 0 ") || !strings.Contains(f.Sentence, "read nothing, but did ") {
			t.Errorf("%d events: %s", f.Events, f.Sentence)
		}
	}
	if said == 0 {
		t.Error("nothing was found: nothing is tested")
	}
}
