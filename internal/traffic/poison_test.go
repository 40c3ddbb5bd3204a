//go:build !race

package traffic_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/internal/traffic"
)

// poison stages one in a world of its own, and holds it to what all promise.
func poison(t *testing.T, cfg traffic.Config, s traffic.PoisonStage) traffic.Poisoned {
	t.Helper()
	w, err := traffic.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	p, err := w.Poison(s)
	if err != nil {
		t.Fatal(err)
	}
	again, err := w.Poison(s)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(p, again); diff != "" {
		t.Fatalf("staged twice, it differs:\n%.1000s", diff)
	}
	start, end := w.Span()
	if len(p.Events) == 0 || p.Subjects < 20 || p.Start.Before(start) || !p.End.Before(end) || p.Theft.Before(p.Start.Add(-24*time.Hour)) || p.Theft.After(p.End) {
		t.Errorf("%d events, %d customers, %s to %s, theft from %s", len(p.Events), p.Subjects, p.Start, p.End, p.Theft)
	}
	last, ids := p.Start, map[string]bool{}
	for _, e := range p.Events {
		if err := e.Validate(); err != nil {
			t.Fatalf("%s: %v", e.ID, err)
		}
		if e.Time.Before(last) || ids[e.ID] || e.Actor.ID != p.Actor && e.Actor.ID != p.Loud {
			t.Fatalf("%s of %s at %s, after %s", e.ID, e.Actor.ID, e.Time, last)
		}
		last, ids[e.ID] = e.Time, true
	}
	w.Inject(p.Events...)
	n := 0
	for range w.Events() {
		n++
	}
	if n != cfg.Events+len(p.Events) {
		t.Errorf("%d events with a poisoning of %d", n, len(p.Events))
	}
	return p
}

func TestSlowRampGrowsByTwoPercent(t *testing.T) {
	t.Parallel()
	cfg := traffic.Config{Events: 60_000, Actors: 30, Days: 120}
	p := poison(t, cfg, traffic.PoisonStage{Poison: traffic.SlowRamp})
	w, err := traffic.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	weeks, own := make([]float64, 13), 0.0
	for e := range w.Events() {
		if e.Actor.ID == p.Actor {
			own += 7.0 / float64(cfg.Days)
		}
	}
	for _, e := range p.Events {
		if k := int(e.Time.Sub(p.Theft) / (7 * 24 * time.Hour)); k < len(weeks) {
			weeks[k]++
		}
	}
	if weeks[0] > own/2 || weeks[12] < 2*own || weeks[12] > 8*own {
		t.Errorf("%.0f a week without it, %v with", own, weeks)
	}
	if d := p.End.Sub(p.Theft); d < 80*24*time.Hour || d > 90*24*time.Hour {
		t.Errorf("it lasts %s", d)
	}
}

func TestChaffWidensWhatIsNormal(t *testing.T) {
	t.Parallel()
	p := poison(t, traffic.Config{Events: 20_000, Actors: 40, Days: 28}, traffic.PoisonStage{Poison: traffic.Chaff})
	resources, networks, hours := map[string]bool{}, map[string]bool{}, map[int]bool{}
	theft := 0
	for _, e := range p.Events {
		if !e.Time.Before(p.Theft) {
			theft++
			continue
		}
		resources[e.Resource], networks[vigil.NetworkOf(e.IP)], hours[e.Time.Hour()] = true, true, true
	}
	if len(resources) < 12 || len(networks) < 20 || len(hours) < 24 || theft != 400 {
		t.Errorf("%d resources, %d networks, %d hours, then %d accesses", len(resources), len(networks), len(hours), theft)
	}
}

func TestLoudMemberHasItsShare(t *testing.T) {
	t.Parallel()
	cfg := traffic.Config{Events: 20_000, Actors: 60, Days: 28}
	p := poison(t, cfg, traffic.PoisonStage{Poison: traffic.LoudMember})
	w, err := traffic.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w.Inject(p.Events...)
	loud, all := 0, 0
	for e := range w.Events() {
		if e.Time.Before(p.Theft.Truncate(24*time.Hour)) && slices.Contains(p.Group, e.Actor.ID) {
			if all++; e.Actor.ID == p.Loud {
				loud++
			}
		}
	}
	if share := float64(loud) / float64(all); len(p.Group) != traffic.LoudGroup || share < 0.78 || share > 0.83 || p.Loud == p.Actor {
		t.Errorf("%s makes %.2f of the accesses of %q", p.Loud, share, p.Group)
	}
}

func TestOpenFindingGoesOn(t *testing.T) {
	t.Parallel()
	p := poison(t, traffic.Config{Events: 20_000, Actors: 40, Days: 56}, traffic.PoisonStage{Poison: traffic.OpenFinding})
	weeks := make([]int, 4)
	for _, e := range p.Events {
		if k := int(e.Time.Sub(p.Theft) / (7 * 24 * time.Hour)); k < len(weeks) {
			weeks[k]++
		}
	}
	if slices.Min(weeks) < 100 || p.End.Sub(p.Start) < 21*24*time.Hour {
		t.Errorf("%v accesses a week, %s to %s", weeks, p.Start, p.End)
	}
}

func TestPoisonRefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	w, err := traffic.New(traffic.Config{Events: 100, Actors: 20, Days: 4})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []traffic.PoisonStage{
		{Poison: "arsenic"}, {Poison: traffic.Chaff, Actor: "nobody"}, {Poison: traffic.Chaff, Actor: "bot-001"},
		{Poison: traffic.Chaff, Intensity: -1}, {Poison: traffic.Chaff, Intensity: 1e9},
	} {
		if _, err := w.Poison(s); err == nil {
			t.Errorf("%+v was staged", s)
		}
	}
	if len(traffic.Poisons()) != 4 {
		t.Errorf("%q", traffic.Poisons())
	}
}
