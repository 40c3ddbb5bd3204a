//go:build !race

package volume_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"vigil/models/modelstest"
	"vigil/models/volume"
)

func TestRateConforms(t *testing.T) {
	t.Parallel()
	prior := volume.Prior{Alpha: 2, Beta: 0.05, Phi: 3, Actors: 40}
	modelstest.Run(t, modelstest.Model[volume.Rate, float64]{
		New:   func() *volume.Rate { return &volume.Rate{} },
		Learn: func(r *volume.Rate, n float64) { r.Observe(n, prior, 1, 1) },
		Score: func(r *volume.Rate, n float64) float64 { return r.Predict(prior, 1).Surprise(n) },
		// Poisson over a gamma factor, by the normal's approach.
		Draw: func(r *rand.Rand) float64 {
			mean := 60 * math.Exp(0.3*r.NormFloat64())
			return math.Max(0, math.Round(mean+math.Sqrt(mean)*r.NormFloat64()))
		},
		Merge: func(dst, src *volume.Rate) { dst.Merge(*src) },
		// How far a burst may teach depends on what was learnt before it.
		Tolerance: 0.1,
		Flood:     func(i uint64) float64 { return float64(i) * 1e6 },
		MaxBytes:  60,
		Bad:       []float64{math.NaN(), math.Inf(1), math.Inf(-1), -1},
	})
}

func TestSizeConforms(t *testing.T) {
	t.Parallel()
	prior := volume.SizePrior{Mean: 5, Kappa: 0.5, A: 3, B: 3}
	modelstest.Run(t, modelstest.Model[volume.Size, float64]{
		New:       func() *volume.Size { return &volume.Size{} },
		Learn:     func(s *volume.Size, x float64) { s.Observe(x, prior, 1) },
		Score:     func(s *volume.Size, x float64) float64 { return s.Predict(prior).Surprise(x) },
		Draw:      func(r *rand.Rand) float64 { return math.Exp(6 + 1.2*r.NormFloat64()) },
		Merge:     func(dst, src *volume.Size) { dst.Merge(*src) },
		Tolerance: 0.02,
		Flood:     func(i uint64) float64 { return float64(i) * 1e9 },
		MaxBytes:  60,
		Bad:       []float64{math.NaN(), math.Inf(1), math.Inf(-1), -1},
	})
}
