package app_test

import (
	"os"
	"path/filepath"
	"testing"

	"vigil/internal/app"
	"vigil/internal/traffic"
)

// The whole way of a file: reading, normalising, judging.
func BenchmarkScan(b *testing.B) {
	const events = 100_000
	path := filepath.Join(b.TempDir(), "traffic.ndjson")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := traffic.Write(f, traffic.Config{Events: events, Actors: 1_000, Days: 28, Seed: 1}); err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := app.Scan(b.Context(), app.Input{Files: []string{path}}, app.ScanOptions{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(events)*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
