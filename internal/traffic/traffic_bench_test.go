//go:build !race

package traffic_test

import (
	"io"
	"testing"

	"vigil/internal/traffic"
)

// BenchmarkGenerate measures a world, plain and with every happening.
func BenchmarkGenerate(b *testing.B) {
	for _, bench := range []struct {
		name string
		cfg  traffic.Config
	}{
		{"plain", traffic.Config{Events: 200_000, Actors: 1_000, Days: 28}},
		{"everything", traffic.Config{Events: 200_000, Actors: 1_000, Days: 28, Happenings: traffic.Everything()}},
		{"crowd", traffic.Config{Events: 1_000, Actors: 20, Days: 1, Crowd: 100_000}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				w, err := traffic.New(bench.cfg)
				if err != nil {
					b.Fatal(err)
				}
				for range w.Events() {
					n++
				}
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

// BenchmarkWrite measures the formats.
func BenchmarkWrite(b *testing.B) {
	for _, f := range traffic.WriteFormats() {
		b.Run(string(f), func(b *testing.B) {
			n := 0
			for b.Loop() {
				w, err := traffic.New(traffic.Config{Events: 100_000, Actors: 500, Days: 28, Happenings: traffic.Everything()})
				if err != nil {
					b.Fatal(err)
				}
				k, err := w.WriteAs(io.Discard, f)
				if err != nil {
					b.Fatal(err)
				}
				n += k
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
