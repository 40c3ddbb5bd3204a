//go:build !race

package detector_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"vigil"
	"vigil/detector"
	"vigil/internal/traffic"
)

// TestAWaveIsNoTailToTheNext tries passwords from unknown networks in one hour of
// every third day, until a third of all logins is attack.
func TestAWaveIsNoTailToTheNext(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	start := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	var events []*vigil.Event
	add := func(at time.Time, actor, network, id string, denied bool) {
		e := vigil.NewEvent()
		e.ID, e.Time, e.Action, e.Network = id, at, vigil.ActionLogin, network
		e.Actor = vigil.Actor{ID: actor}
		e.Outcome = vigil.OutcomeSuccess
		if denied {
			e.Outcome = vigil.OutcomeDenied
		}
		events = append(events, e)
	}
	const days = 45
	for day := range days {
		at := start.AddDate(0, 0, day)
		for u := range 30 {
			for range 1 + r.IntN(3) {
				add(at.Add(time.Duration(7*3600+r.IntN(11*3600))*time.Second), fmt.Sprint("user", u), fmt.Sprintf("10.0.%d.0/24", u/2), "own", r.IntN(12) == 0)
			}
		}
		if day%3 == 2 {
			for i := range 100 {
				add(at.Add(14*time.Hour+time.Duration(r.IntN(3600))*time.Second), fmt.Sprint("user", r.IntN(60)),
					fmt.Sprintf("203.%d.%d.0/24", day, i/2), "wave", r.IntN(6) > 0)
			}
		}
	}
	slices.SortStableFunc(events, func(a, b *vigil.Event) int { return a.Time.Compare(b.Time) })
	got := map[string][]float64{}
	e, err := detector.New(detector.Config{}, detector.Options{Models: true, Score: func(s detector.Score) {
		if s.Event.Time.After(start.AddDate(0, 0, 20)) {
			got[s.Event.ID] = append(got[s.Event.ID], s.P)
			got[s.Event.ID+" sources"] = append(got[s.Event.ID+" sources"], s.Models["sources"].P)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	judge(t, e, events, always(500))
	at := func(name string, q float64) float64 {
		slices.Sort(got[name])
		return got[name][int(q*float64(len(got[name])-1))]
	}
	for _, model := range []string{"", " sources"} {
		wave, own := at("wave"+model, 0.9), at("own"+model, 0.05)
		if wave > 0.05 || wave > own {
			t.Errorf("%q: nine in ten of a wave have a p of at most %.4f, where nineteen in twenty usual ones have more than %.4f", model, wave, own)
		}
	}
}

// TestPValuesOfEventsAreCalibrated counts small p-values on clean traffic.
func TestPValuesOfEventsAreCalibrated(t *testing.T) {
	t.Parallel()
	below, all := map[string]float64{}, map[string]float64{}
	d := makeDesk(t, traffic.Config{Events: 30_000, Actors: 60, Days: 28, Seed: 301}, false)
	for i, ev := range d.events {
		// Whoever works with others shares an office with them.
		ev.Network = fmt.Sprintf("10.%d.0.0/24", len(ev.Actor.Team))
		if i%50 == 0 && ev.Actor.Kind != vigil.KindService {
			ev.Network = fmt.Sprintf("192.0.%d.0/24", i/50%7)
		}
	}
	half := d.events[len(d.events)/2].Time
	e, err := detector.New(detector.Config{}, detector.Options{Models: true, Score: func(s detector.Score) {
		if s.Event.Time.Before(half) {
			return
		}
		note := func(name string, p float64) {
			all[name]++
			if p < 1e-2 {
				below[name]++
			}
		}
		note("merged", s.P)
		for name, m := range s.Models {
			note(name, m.P)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	judge(t, e, d.events, always(1000))
	if len(all) != 6 {
		t.Fatalf("models: %v", all)
	}
	for name, n := range all {
		if share := below[name] / n; share < 0.3e-2 || share > 3e-2 {
			t.Errorf("%s: p < 1e-2 in %.4f of %.0f", name, share, n)
		}
	}
}

// TestScoresOutliveARestart takes what is known from one engine to another in the
// middle of an hour: both go on alike.
func TestScoresOutliveARestart(t *testing.T) {
	t.Parallel()
	events := stagedDesk().events
	events = events[:len(events)*2/5]
	at := len(events)*7/12 + 1
	var whole, parts []float64
	first, err := detector.New(detector.Config{}, detector.Options{Workers: 2, Score: func(s detector.Score) { whole = append(whole, s.P) }})
	if err != nil {
		t.Fatal(err)
	}
	foldAll(t, first, events[:at])
	second := restoredWith(t, first, detector.Config{}, func(s detector.Score) { parts = append(parts, s.P) })
	whole = nil
	foldAll(t, first, events[at:])
	foldAll(t, second, events[at:])
	if len(whole) == 0 || !slices.Equal(whole, parts) {
		t.Fatalf("%d scores without a restart, %d with one, and they differ", len(whole), len(parts))
	}
}
