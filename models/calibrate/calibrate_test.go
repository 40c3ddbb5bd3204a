//go:build !race

package calibrate_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"vigil/models/calibrate"
)

// TestPIsUniformOnItsOwnNull ranks fresh draws among earlier ones.
func TestPIsUniformOnItsOwnNull(t *testing.T) {
	t.Parallel()
	for name, draw := range map[string]func(*rand.Rand) float64{
		"exponential": func(r *rand.Rand) float64 { return r.ExpFloat64() },
		"normal":      func(r *rand.Rand) float64 { return r.NormFloat64() },
		"heavy":       func(r *rand.Rand) float64 { return math.Pow(r.Float64(), -0.3) },
		"few values":  func(r *rand.Rand) float64 { return float64(r.IntN(4)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(5, 6))
			var s calibrate.Sketch
			for range 20_000 {
				s.Add(draw(r), 1)
			}
			table := s.Freeze()
			const n = 200_000
			sum, below2, below3 := 0.0, 0, 0
			for range n {
				p := table.P(draw(r), r.Float64())
				sum += p
				if p <= 1e-2 {
					below2++
				}
				if p <= 1e-3 {
					below3++
				}
			}
			if mean := sum / n; math.Abs(mean-0.5) > 0.02 {
				t.Errorf("the mean p is %g", mean)
			}
			if share := float64(below2) / n; share > 0.02 || share < 0.003 {
				t.Errorf("p <= 0.01 in %g", share)
			}
			if share := float64(below3) / n; share > 3e-3 || share < 0.3e-3 && name != "few values" {
				t.Errorf("p <= 0.001 in %g", share)
			}
		})
	}
}

func TestPFallsAsScoresRise(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(7, 8))
	var s calibrate.Sketch
	for range 5000 {
		s.Add(r.NormFloat64(), 1)
	}
	table := s.Freeze()
	last := 1.0
	for z := -3.0; z < 1000; z = z*1.1 + 0.5 {
		p := table.P(z, 0.5)
		if p > last || p < calibrate.MinP {
			t.Fatalf("p of %g is %g after %g", z, p, last)
		}
		last = p
	}
	if p := table.P(math.NaN(), 0.5); p != 1 {
		t.Errorf("NaN gives p %g", p)
	}
}

func TestFewScoresClaimLittle(t *testing.T) {
	t.Parallel()
	var s calibrate.Sketch
	for i := range 50 {
		s.Add(float64(i)/10, 1)
	}
	if p := s.Freeze().P(1e6, 0.5); p < 1.0/51-1e-9 {
		t.Errorf("fifty scores claim a p of %g", p)
	}
	if p := (&calibrate.Sketch{}).Freeze().P(5, 0.5); p != 1 {
		t.Errorf("no scores claim a p of %g", p)
	}
}

// TestEIsAtMostOneOnAverage integrates e(p) over uniform p.
func TestEIsAtMostOneOnAverage(t *testing.T) {
	t.Parallel()
	sum := 0.0
	const n = 2_000_000
	for i := range n {
		sum += calibrate.E((float64(i) + 0.5) / n)
	}
	if mean := sum / n; mean > 1.001 || mean < 0.8 {
		t.Errorf("the mean e is %g", mean)
	}
	if calibrate.E(1e-6) < 1000 || calibrate.E(0.5) > 1 {
		t.Errorf("e(1e-6) = %g, e(0.5) = %g", calibrate.E(1e-6), calibrate.E(0.5))
	}
}

func TestMergeOfPValues(t *testing.T) {
	t.Parallel()
	one := []float64{1, 1}
	if p := calibrate.Merge([]float64{1e-8, 0.9}, one); p > 1e-7 || p < 1e-9 {
		t.Errorf("one strong p gives %g", p)
	}
	if p := calibrate.Merge([]float64{0.5, 0.5}, one); math.Abs(p-0.5) > 0.01 {
		t.Errorf("two halves give %g", p)
	}
	if p := calibrate.Merge(nil, nil); p != 1 {
		t.Errorf("none gives %g", p)
	}
	// Uniform and independent in, uniform out.
	r := rand.New(rand.NewPCG(9, 10))
	low := 0
	const n = 100_000
	for range n {
		if calibrate.Merge([]float64{r.Float64(), r.Float64()}, one) <= 0.01 {
			low++
		}
	}
	if share := float64(low) / n; share > 0.012 || share < 0.008 {
		t.Errorf("p <= 0.01 in %g", share)
	}
}

func TestDetectorKeepsItsPromise(t *testing.T) {
	t.Parallel()
	// With uniform p the chance of ever crossing A in a day of N epochs is at most
	// about N/A.
	r := rand.New(rand.NewPCG(11, 12))
	const actors, epochs, line = 400, 500, 1000.0
	crossed := 0
	for range actors {
		var d calibrate.Detector
		for range epochs {
			d.Step(0.999, calibrate.E(r.Float64()))
			if d.R >= line {
				crossed++
				d.R = 0
			}
		}
	}
	if limit := actors * epochs / line; float64(crossed) > limit {
		t.Errorf("%d crossings, at most %g on average", crossed, limit)
	}
}

func TestStandardIsOwnDeviations(t *testing.T) {
	t.Parallel()
	g := calibrate.DefaultSpread()
	var odd calibrate.Level
	for i := range 100 {
		odd.Observe(3+float64(i%3)/10, g, 1)
	}
	if z := odd.Standard(3.1, g); z > 1 {
		t.Errorf("who is always a little odd is news: %g", z)
	}
	if z := (calibrate.Level{}).Standard(3.1, g); z < 3 {
		t.Errorf("a newcomer's oddness is no news: %g", z)
	}
	if z := odd.Standard(math.NaN(), g); z != 0 {
		t.Errorf("NaN gives %g", z)
	}
}

func TestSketchesMerge(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(13, 14))
	var whole, a, b calibrate.Sketch
	for i := range 3000 {
		z := r.NormFloat64()
		whole.Add(z, 1)
		if i%2 == 0 {
			a.Add(z, 1)
		} else {
			b.Add(z, 1)
		}
	}
	a.Merge(&b, 1)
	if w, g := whole.Freeze(), a.Freeze(); w.P(2.5, 0.5) != g.P(2.5, 0.5) || w.N != g.N {
		t.Error("the parts differ from the whole")
	}
}

// TestRanksAreThoseOfTheBins holds the frozen ranks against plain sums, for
// sketches that were added to, merged, aged, refrozen and taken back.
func TestRanksAreThoseOfTheBins(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(15, 16))
	var s calibrate.Sketch
	table := &calibrate.Table{}
	for round := range 12 {
		for range 1 + 400*(round%3) {
			s.Add((r.NormFloat64()+float64(round%4))*math.Exp(3*r.Float64()), 1+float64(round%2))
		}
		switch round % 4 {
		case 1:
			s.Forget(0.7)
		case 2:
			var mixed calibrate.Sketch
			mixed.Merge(&s, 0.5)
			s.Forget(0)
			s.Merge(&mixed, 1)
		case 3:
			s = calibrate.Sketch{Bins: table.Mass, N: table.N} // as from a snapshot
			s.Add(30, 1)
			table = &calibrate.Table{}
		}
		s.FreezeInto(table)
		again := (&calibrate.Sketch{Bins: table.Mass, N: table.N}).Freeze()
		for range 300 {
			z, u := 40*r.NormFloat64(), r.Float64()
			if r.IntN(2) == 0 {
				z /= 20
			}
			if a, b := table.P(z, u), again.P(z, u); a != b {
				t.Fatalf("round %d: p of %g is %g, and %g when taken back", round, z, a, b)
			}
			// The bin that holds z is found by asking what a single score there does.
			var one calibrate.Sketch
			one.Add(z, 1)
			above, own, below := 0.0, 0.0, true
			for b, w := range s.Bins {
				switch {
				case one.Bins[b] > 0:
					own, below = w, false
				case !below:
					above += w
				}
			}
			want := min(max((above+u*(own+1))/(s.N+1), 1/(s.N+1)), 1)
			if got := table.Rank(z, u); math.Abs(got-want) > 1e-6*want {
				t.Fatalf("round %d: rank of %g is %g, want %g", round, z, got, want)
			}
		}
	}
}

func TestLearnIsStandardAndObserve(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(17, 18))
	g := calibrate.DefaultSpread()
	var a, b calibrate.Level
	for range 500 {
		s := r.ExpFloat64()
		want := a.Standard(s, g)
		a.Observe(s, g, 1)
		if z := b.Learn(s, g, 1); z != want || a != b {
			t.Fatalf("learnt %g and %+v, want %g and %+v", z, b, want, a)
		}
	}
	if z := b.Learn(math.NaN(), g, 1); z != 0 || a != b {
		t.Errorf("NaN was learnt: %g", z)
	}
}

func BenchmarkP(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	var s calibrate.Sketch
	for range 10_000 {
		s.Add(r.ExpFloat64(), 1)
	}
	table := s.Freeze()
	for i := 0; b.Loop(); i++ {
		table.P(float64(i%20), 0.5)
	}
}

// epoch is a sketch of n scores that draw gives.
func epoch(n int, draw func() float64) *calibrate.Sketch {
	s := &calibrate.Sketch{}
	for range n {
		s.Add(draw(), 1)
	}
	return s
}

func TestAWaveDoesNotBecomeTheTail(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(11, 12))
	var learnt, plain calibrate.Sketch
	for i := range 500 {
		e := epoch(10+r.IntN(20), r.NormFloat64)
		if i%10 == 9 { // half of all there is
			e.Merge(epoch(200, func() float64 { return 50 + r.NormFloat64() }), 1)
		}
		learnt.Learn(e, float64(i))
		plain.Merge(e, 1)
	}
	if p := plain.Freeze().P(49, 0.5); p < 0.3 {
		t.Fatalf("a wave has p %g even where all of it is learnt", p)
	}
	if p := learnt.Freeze().P(49, 0.5); p > 0.05 {
		t.Errorf("a wave is no news: p %g", p)
	}
	if p := learnt.Freeze().P(0, 0.5); math.Abs(p-0.5) > 0.05 {
		t.Errorf("the usual's median has p %g", p)
	}
	// What lasts is learnt.
	for i := range 500 {
		learnt.Learn(epoch(100, func() float64 { return 50 + r.NormFloat64() }), float64(500+i))
	}
	if p := learnt.Freeze().P(50, 0.5); p < 0.25 {
		t.Errorf("what has long been usual has p %g", p)
	}
}

func TestUsualEpochsAreLearntWhole(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(13, 14))
	var learnt, plain calibrate.Sketch
	for i := range 2000 {
		n := 2 + r.IntN(6)
		if i%24 > 15 { // office hours
			n *= 3
		}
		e := epoch(n, r.ExpFloat64)
		learnt.Learn(e, float64(i))
		plain.Merge(e, 1)
	}
	if share := learnt.N / plain.N; share < 0.99 || share > 1 {
		t.Errorf("%g of what is usual is learnt", share)
	}
	for _, z := range []float64{0.5, 2, 5, 8} {
		if a, b := learnt.Freeze().P(z, 0.5), plain.Freeze().P(z, 0.5); math.Abs(math.Log(a/b)) > 0.1 {
			t.Errorf("%g has p %g, and %g where all is learnt", z, a, b)
		}
	}
	n := learnt.N
	learnt.Learn(&calibrate.Sketch{}, 1)
	var none calibrate.Sketch
	if none.Learn(epoch(3, r.ExpFloat64), 0); learnt.N != n || none.N != 3 {
		t.Errorf("an empty epoch leaves %g of %g; the first one teaches %g of 3", learnt.N, n, none.N)
	}
}
