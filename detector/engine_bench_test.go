//go:build unix

package detector_test

import (
	"testing"

	"vigil"
	"vigil/detector"
	"vigil/internal/traffic"
)

// BenchmarkFold judges four weeks of a desk of 1,000 actors; one worker, so that
// the figure is per core. It counts the processor's time, collections of garbage
// included, since wall time on a busy machine says little.
func BenchmarkFold(b *testing.B) {
	w, err := traffic.New(traffic.Config{Events: 300_000, Actors: 1000, Days: 28})
	if err != nil {
		b.Fatal(err)
	}
	var events []*vigil.Event
	for e := range w.Events() {
		events = append(events, e)
	}
	b.ReportAllocs()
	before := cpuTime(b)
	for b.Loop() {
		e, err := detector.New(detector.Config{}, detector.Options{Workers: 1})
		if err != nil {
			b.Fatal(err)
		}
		judge(b, e, events, always(4096))
	}
	b.ReportMetric(float64(len(events))*float64(b.N)/(cpuTime(b)-before).Seconds(), "events/cpu-s")
}
