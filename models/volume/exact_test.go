//go:build !race

package volume_test

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat/distuv"

	"vigil/models/volume"
)

// TestSurpriseIsTheIncompleteBeta holds the summed terms against the regularised
// incomplete beta function over all the means and spreads that a span may have.
func TestSurpriseIsTheIncompleteBeta(t *testing.T) {
	t.Parallel()
	for mean := 1e-6; mean < 1e5; mean *= 1.7 {
		for _, over := range []float64{1 + 1e-4, 1.01, 1.1, 1.5, 3, 10, 100, 1e4} {
			c := volume.Counts{Mean: mean, Var: mean * over}
			size := mean / (over - 1)
			last := 0.0
			for n := 1.0; n <= 80; n++ {
				p := mathext.RegIncBeta(n, size, mean/(mean+size))
				got := c.Surprise(n)
				// One part in a hundred of p, and no step down.
				if want := -math.Log10(p); p > 1e-200 && math.Abs(got-want) > 0.004 {
					t.Fatalf("%+v: surprise of %g is %g, want %g", c, n, got, want)
				}
				if got < last-1e-9 {
					t.Fatalf("%+v: surprise falls to %g at %g", c, got, n)
				}
				last = got
			}
		}
	}
}

// TestSizeSurpriseRises looks at fine steps, where approximations join.
func TestSizeSurpriseRises(t *testing.T) {
	t.Parallel()
	for _, df := range []float64{4, 17, 900} {
		d := volume.Sizes{Loc: 4, Scale: 0.5, DF: df}
		last := 0.0
		for y := 0.0; y < 40; y += 1e-3 {
			s := d.Surprise(math.Expm1(y))
			if s < last-1e-9 {
				t.Fatalf("df %g: surprise falls from %g to %g at %g", df, last, s, y)
			}
			last = s
		}
	}
}

// TestLoudAndQuietActorsAreDrawnIn fits so many actors that the ends are chosen
// without sorting all.
func TestLoudAndQuietActorsAreDrawnIn(t *testing.T) {
	t.Parallel()
	for _, n := range []int{5, 20, 63, 64, 65, 200, 4096} {
		var rates, loud []volume.Rate
		for i := range n {
			mu := 5 + float64(i*7919%n)/float64(n)
			rates = append(rates, volume.Rate{N: float32(50 * mu), X: 50, R: 50, W: 50})
		}
		loud = append(loud, rates...)
		for i := range n / 20 {
			loud[i].N *= 1e5
		}
		plain, pulled := volume.FitPrior(rates, volume.DefaultPrior()), volume.FitPrior(loud, volume.DefaultPrior())
		if a, b := plain.Alpha/plain.Beta, pulled.Alpha/pulled.Beta; b > 1.2*a || b < a/1.2 || math.IsNaN(b) {
			t.Errorf("%d actors: a loud twentieth moved the mean from %g to %g", n, a, b)
		}
	}
}

// BenchmarkPredictAndSurprise is what one term costs, for few and for many.
func BenchmarkPredictAndSurprise(b *testing.B) {
	prior := volume.Prior{Alpha: 4, Beta: 0.5, Phi: 2}
	for name, n := range map[string]float64{"few": 9, "many": 300} {
		b.Run(name, func(b *testing.B) {
			r := volume.Rate{N: float32(n * 40), X: 40, R: 80, W: 40}
			for i := 0; b.Loop(); i++ {
				r.Predict(prior, 1).Surprise(n/2 + float64(i%int(n)))
			}
		})
	}
}

// BenchmarkSizeSurprise is what one term of sizes costs.
func BenchmarkSizeSurprise(b *testing.B) {
	d := volume.Sizes{Loc: 4, Scale: 0.5, DF: 40}
	for i := 0; b.Loop(); i++ {
		d.Surprise(float64(i % 500))
	}
}

// BenchmarkFitPrior fits a sample of actors.
func BenchmarkFitPrior(b *testing.B) {
	rates := make([]volume.Rate, 1000)
	for i := range rates {
		rates[i] = volume.Rate{N: float32(distuv.Gamma{Alpha: 2, Beta: 0.1}.Quantile((float64(i*7919%1000) + 0.5) / 1000)), X: 20, R: 20, W: 20}
	}
	for b.Loop() {
		volume.FitPrior(rates, volume.DefaultPrior())
	}
}
