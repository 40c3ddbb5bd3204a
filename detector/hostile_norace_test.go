//go:build !race

package detector_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"vigil"
	"vigil/detector"
)

func TestAnyTimesAndSources(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		e, err := detector.New(detector.Config{MaxActors: 256}, detector.Options{Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		from := time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
		to := time.Date(2099, 12, 31, 0, 0, 0, 0, time.UTC).Unix()
		total := int64(0)
		for range rapid.IntRange(1, 4).Draw(t, "entries") {
			at := time.Unix(rapid.Int64Range(from, to).Draw(t, "at"), 0)
			en := &vigil.Entry{Kind: vigil.EntryTick, Tick: vigil.Tick{Watermark: at}}
			if rapid.IntRange(0, 3).Draw(t, "kind") > 0 {
				r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
				en = &vigil.Entry{Kind: vigil.EntryEvents, Source: rapid.SampledFrom(hostileNames).Draw(t, "source")}
				for range rapid.IntRange(1, 4).Draw(t, "events") {
					en.Events = append(en.Events, hostileEvent(r, &at))
					total++
				}
			}
			found, err := e.Fold(en)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range found {
				if _, err := json.Marshal(f); err != nil {
					t.Fatal(err)
				}
			}
		}
		if _, err := e.Finish(); err != nil {
			t.Fatal(err)
		}
		if got := e.Status().Events; got != total {
			t.Fatalf("%d events judged of %d", got, total)
		}
	})
}

func TestScoresAreFinite(t *testing.T) {
	t.Parallel()
	e, err := detector.New(detector.Config{}, detector.Options{Models: true, Score: func(s detector.Score) {
		for name, m := range s.Models {
			if math.IsInf(m.Score, 0) || math.IsNaN(m.Score) || !(m.P > 0 && m.P <= 1) {
				t.Fatalf("at %s: %s scores %+v", s.Event.Time, name, m)
			}
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	judge(t, e, hostileDesk(5, 4000), always(100))
}
