//go:build !race

package drill_test

import (
	"context"
	"testing"
	"time"

	"vigil"
	"vigil/internal/drill"
	"vigil/internal/traffic"
)

// TestCleanWeeksCountWhatIsFound hides a theft in what is called clean: its finding
// counts in its own week, and makes that week exceed the budget.
func TestCleanWeeksCountWhatIsFound(t *testing.T) {
	t.Parallel()
	world := func() (*traffic.World, traffic.Breach) {
		w, err := traffic.New(traffic.Config{Events: 30_000, Actors: 24, Days: 28, Seed: 7})
		if err != nil {
			t.Fatal(err)
		}
		b, err := w.Stage(traffic.Stage{Threat: traffic.MassExport})
		if err != nil {
			t.Fatal(err)
		}
		w.Inject(b.Events...)
		return w, b
	}
	source := func(_ context.Context, use func([]*vigil.Event) error) error {
		w, _ := world()
		for e := range w.Events() {
			if err := use([]*vigil.Event{e}); err != nil {
				return err
			}
		}
		return nil
	}
	got, err := drill.RunClean(t.Context(), func(uint64) drill.Source { return source }, drill.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, breach := world()
	first := time.Date(2026, 10, 5, 0, 0, 0, 0, time.UTC)
	at := int(breach.Start.Sub(first).Hours()) / (7 * 24)
	if len(got.Worlds) != 1 || got.Weeks != 4 || len(got.Worlds[0].Weeks) != 4 {
		t.Fatalf("%+v", got)
	}
	w := got.Worlds[0]
	findings := 0
	for i, k := range w.Weeks {
		if !k.Start.Equal(first.AddDate(0, 0, 7*i)) || k.Days > 7 || k.Days < 6.5 || len(k.Sentences) != k.Findings {
			t.Errorf("week %d: %+v", i+1, k)
		}
		if i != at && k.Findings >= w.Weeks[at].Findings {
			t.Errorf("week %d has %d findings, the theft's %d", i+1, k.Findings, w.Weeks[at].Findings)
		}
		findings += k.Findings
	}
	if w.Weeks[at].Findings < 1 || findings != w.Findings || got.Within > 3 {
		t.Errorf("the theft of week %d counts as nothing: %+v", at+1, w)
	}
	if _, err := drill.RunClean(t.Context(), func(uint64) drill.Source {
		return func(context.Context, func([]*vigil.Event) error) error { return nil }
	}, drill.Options{}); err == nil {
		t.Error("no traffic is judged")
	}
}
