//go:build !race

package calibrate_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"vigil/models/calibrate"
	"vigil/models/modelstest"
)

func TestSketchConforms(t *testing.T) {
	t.Parallel()
	modelstest.Run(t, modelstest.Model[calibrate.Sketch, float64]{
		New:   func() *calibrate.Sketch { return &calibrate.Sketch{} },
		Learn: func(s *calibrate.Sketch, z float64) { s.Add(z, 1) },
		// Evidence before it is ranked once more.
		Score:    func(s *calibrate.Sketch, z float64) float64 { return -math.Log10(s.Freeze().P(z, 0.5)) },
		Draw:     func(r *rand.Rand) float64 { return r.ExpFloat64() - 1 },
		Merge:    func(dst, src *calibrate.Sketch) { dst.Merge(src, 1) },
		Flood:    func(i uint64) float64 { return math.Exp(float64(i%700)) * float64(1-2*int(i&1)) },
		MaxBytes: 3600,
		Bad:      []float64{math.NaN(), math.Inf(1), math.Inf(-1)},
	})
}

func TestLevelConforms(t *testing.T) {
	t.Parallel()
	spread := calibrate.DefaultSpread()
	modelstest.Run(t, modelstest.Model[calibrate.Level, float64]{
		New:       func() *calibrate.Level { return &calibrate.Level{} },
		Learn:     func(l *calibrate.Level, z float64) { l.Observe(z, spread, 1) },
		Score:     func(l *calibrate.Level, z float64) float64 { return l.Standard(z, spread) },
		Draw:      func(r *rand.Rand) float64 { return 0.6 * r.ExpFloat64() },
		Merge:     func(dst, src *calibrate.Level) { dst.Merge(*src) },
		Tolerance: 0.02,
		Flood:     func(i uint64) float64 { return float64(i) },
		MaxBytes:  40,
		Bad:       []float64{math.NaN(), math.Inf(1), math.Inf(-1)},
	})
}
