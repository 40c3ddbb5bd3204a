package app

import (
	"fmt"
	"log/slog"
	"os"
	"testing"
	"time"

	"vigil/internal/api"
)

// What a budget left below the line is what the newest back-test of a larger one found, of
// several the nearest.
func TestBelow(t *testing.T) {
	t.Parallel()
	b, err := newBacktests(t.Context(), nil, t.TempDir(), slog.New(slog.DiscardHandler), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	ids := 0
	keep := func(r api.Replay, budgets ...float64) {
		t.Helper()
		ids++
		r.ID = fmt.Sprintf("r-%d", ids)
		for _, n := range budgets {
			r.Reports = append(r.Reports, api.ReplayReport{Budget: n, All: api.ReplayCounts{New: ids*100 + int(n)}})
		}
		if err := b.write(&r); err != nil {
			t.Fatal(err)
		}
	}
	want := func(budget float64, replay string, n int, counts string) {
		t.Helper()
		found, counting, err := b.below(budget)
		if err != nil || counting != counts {
			t.Errorf("below %g: counting %q, want %q, %v", budget, counting, counts, err)
		}
		if found == nil && replay != "" || found != nil && (found.Replay != replay || found.New != n) {
			t.Errorf("below %g: %+v, want %d of %q", budget, found, n, replay)
		}
	}
	want(5, "", 0, "")
	keep(api.Replay{State: api.ReplayDone}, 2.5, 5, 20, 10)
	want(5, "r-1", 110, "")
	want(10, "r-1", 120, "")
	want(20, "", 0, "")
	// These tell nothing of it.
	keep(api.Replay{State: api.ReplayStopped}, 10)
	keep(api.Replay{State: api.ReplayRunning}, 10) // of a service that has stopped
	keep(api.Replay{State: api.ReplayDone, Ask: api.ReplayAsk{Without: []string{"honey-record"}}}, 10)
	keep(api.Replay{State: api.ReplayDone, Ask: api.ReplayAsk{Proposal: "p-1"}}, 10) // its rules may be others
	keep(api.Replay{State: api.ReplayDone}, 4)
	if err := os.WriteFile(b.file("r-7"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	ids++
	want(5, "r-1", 110, "")
	keep(api.Replay{State: api.ReplayDone}, 10)
	want(5, "r-8", 810, "")
	b.running = &api.Replay{ID: "r-9", State: api.ReplayRunning, Ask: api.ReplayAsk{Budgets: []float64{10}}}
	want(5, "r-8", 810, "r-9")
	want(10, "r-1", 120, "")
	b.running = nil
	if err := os.Remove(b.file("r-8")); err != nil {
		t.Fatal(err)
	}
	want(5, "r-1", 110, "")
}
