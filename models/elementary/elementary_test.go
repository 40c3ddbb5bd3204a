//go:build !race

package elementary_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"vigil/models/elementary"
)

func TestLogIsTheLogarithm(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	check := func(x float64) {
		want := math.Log(x)
		if got := elementary.Log(x); math.Abs(got-want) > 1e-12+4e-16*math.Abs(want) {
			t.Fatalf("log %g is %g, want %g", x, got, want)
		}
	}
	for range 200_000 {
		check(math.Exp(700 * (2*r.Float64() - 1)))
		check(0.9 + 0.2*r.Float64())
	}
	for _, x := range []float64{1, 2, math.MaxFloat64, math.SmallestNonzeroFloat64, 0x1p-1022, math.Nextafter(1, 0), math.Nextafter(2, 0)} {
		check(x)
	}
}

func TestExpIsTheExponential(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	for range 200_000 {
		x := 745 * (2*r.Float64() - 1)
		if r.IntN(2) == 0 {
			x /= 1000
		}
		want := math.Exp(x)
		if got := elementary.Exp(x); math.Abs(got-want) > (1e-13+1e-15*math.Abs(x))*want {
			t.Fatalf("exp %g is %g, want %g", x, got, want)
		}
	}
	if got := elementary.Pow10(-3); math.Abs(got-1e-3) > 1e-15 {
		t.Errorf("ten to the -3 is %g", got)
	}
}

func TestOddArguments(t *testing.T) {
	t.Parallel()
	for _, x := range []float64{0, -1, math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), 5e-324} {
		if got, want := elementary.Log(x), math.Log(x); got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Errorf("log %g is %g, want %g", x, got, want)
		}
		if got, want := elementary.Exp(x), math.Exp(x); got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Errorf("exp %g is %g, want %g", x, got, want)
		}
	}
}
