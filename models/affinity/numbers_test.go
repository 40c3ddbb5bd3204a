//go:build !race

package affinity

import (
	"math"
	"testing"
)

func TestLogarithmsAndPowersAreClose(t *testing.T) {
	t.Parallel()
	for _, x := range []float64{1e-30, 1e-9, .1, .999, 1, 1 + 1e-9, 1.5, 2, math.Pi, 1e6, 1e38} {
		if got, want := ln(x), math.Log(x); math.Abs(got-want) > 1e-9 {
			t.Errorf("ln(%v) = %v, want %v", x, got, want)
		}
	}
	for i := range 10_000 {
		if x := 1 + float64(i)/10_000; math.Abs(ln(x)-math.Log(x)) > 1e-9 {
			t.Errorf("ln(%v) = %v, want %v", x, ln(x), math.Log(x))
		}
	}
	for x := 0.0; x < 100; x += .37 {
		if got, want := exp(x), math.Exp(x); math.Abs(got-want) > 1e-9*want {
			t.Errorf("exp(%v) = %v, want %v", x, got, want)
		}
	}
	p := newPowers(halving(20160))
	for _, n := range []uint64{0, 1, 255, 256, 20160, 65_536, 525_600, 1<<24 - 1, 1 << 24, math.MaxUint64} {
		want := math.Exp2(-float64(n) / 20160)
		if got := p.of(n); math.Abs(got-want) > 1e-9 {
			t.Errorf("%d ticks leave %v, want %v", n, got, want)
		}
	}
}

// TestSurpriseGrows holds what the score is built on: none up to what was
// expected, more for more, less where more was expected, no end and no NaN.
func TestSurpriseGrows(t *testing.T) {
	t.Parallel()
	for _, mu := range []float64{1e-9, 1e-3, .5, 1, 30, 1e6, 1e38} {
		if s := surprise(mu, mu); s != 0 {
			t.Errorf("as expected: %v", s)
		}
		last := 0.0
		for n := mu * 1.01; n < 1e38 && n < mu*1e6; n *= 1.5 {
			s := surprise(n, mu)
			// Sums of large terms lose some digits.
			if !(s >= last-1e-6*math.Abs(last)-1e-6) || math.IsInf(s, 0) {
				t.Fatalf("%v where %v was expected: %v after %v", n, mu, s, last)
			}
			if more := surprise(n, mu*1.2); more > s+1e-6+1e-6*s {
				t.Fatalf("%v where more was expected: %v, else %v", n, more, s)
			}
			last = s
		}
	}
}
