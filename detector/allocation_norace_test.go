//go:build !race

package detector_test

import (
	"runtime"
	"testing"

	"vigil"
	"vigil/internal/traffic"
)

// TestAnEventAllocatesLittle counts what the second two weeks of a desk allocate,
// when everybody is known. Other tests must not run meanwhile, so it isn't parallel.
func TestAnEventAllocatesLittle(t *testing.T) {
	w, err := traffic.New(traffic.Config{Events: 20_000, Actors: 100, Days: 28})
	if err != nil {
		t.Fatal(err)
	}
	var events []*vigil.Event
	for e := range w.Events() {
		events = append(events, e)
	}
	e := newEngine(t, 1)
	half := len(events) / 2
	for i := 0; i < half; i += 1000 {
		if _, err := e.Fold(entry(events[i:min(i+1000, half)])); err != nil {
			t.Fatal(err)
		}
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for i := half; i < len(events); i += 1000 {
		if _, err := e.Fold(entry(events[i:min(i+1000, len(events))])); err != nil {
			t.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	const most = 3.0 // what is new to the desk: it is two, and was eight when maps were made anew each hour
	got := float64(after.Mallocs-before.Mallocs) / float64(len(events)-half)
	t.Logf("%.2f allocations an event", got)
	if got > most {
		t.Errorf("%.2f allocations an event, want %.0f at most", got, most)
	}
}
