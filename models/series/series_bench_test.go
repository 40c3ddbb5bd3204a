//go:build !race

package series_test

import (
	"testing"
	"time"

	"vigil/models/series"
)

func BenchmarkObserve(b *testing.B) {
	m, err := series.New(series.Config{})
	if err != nil {
		b.Fatal(err)
	}
	r := noise(1)
	at := start
	b.ReportAllocs()
	for b.Loop() {
		at = at.Add(time.Minute)
		if _, err := m.Observe(at, 100+10*r.NormFloat64()); err != nil {
			b.Fatal(err)
		}
	}
}
