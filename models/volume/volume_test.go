//go:build !race

package volume_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"vigil/models/volume"
)

func TestSurpriseMatchesTheDistribution(t *testing.T) {
	t.Parallel()
	// Against a plain sum of the negative binomial's terms.
	for _, c := range []volume.Counts{{Mean: 3, Var: 9}, {Mean: 0.2, Var: 0.5}, {Mean: 40, Var: 44}, {Mean: 5, Var: 5}} {
		size := c.Mean * c.Mean / math.Max(c.Var-c.Mean, 1e-9)
		for n := 1; n < 60; n += 7 {
			below := 0.0
			for k := range n {
				var log float64
				if c.Var > c.Mean {
					a, _ := math.Lgamma(float64(k) + size)
					b, _ := math.Lgamma(float64(k) + 1)
					d, _ := math.Lgamma(size)
					log = a - b - d + size*math.Log(size/(size+c.Mean)) + float64(k)*math.Log(c.Mean/(size+c.Mean))
				} else {
					log = distuv.Poisson{Lambda: c.Mean}.LogProb(float64(k))
				}
				below += math.Exp(log)
			}
			if below > 1-1e-9 {
				break
			}
			want := -math.Log10(1 - below)
			if got := c.Surprise(float64(n)); math.Abs(got-want) > 0.01*want+1e-3 {
				t.Errorf("%+v: surprise of %d is %g, want %g", c, n, got, want)
			}
		}
	}
}

func TestSurpriseRisesAndIsBounded(t *testing.T) {
	t.Parallel()
	for _, c := range []volume.Counts{{Mean: 1e-6, Var: 2e-6}, {Mean: 4, Var: 20}, {Mean: 1e6, Var: 1e9}} {
		last := 0.0
		for n := 1.0; n < 1e9; n *= 1.7 {
			s := c.Surprise(math.Floor(n))
			if math.IsNaN(s) || s < last-1e-6 || s > volume.MaxSurprise {
				t.Fatalf("%+v: surprise of %g is %g after %g", c, n, s, last)
			}
			last = s
		}
	}
	if s := (volume.Counts{Mean: 1, Var: 2}).Surprise(math.NaN()); s != 0 {
		t.Errorf("NaN gives %g", s)
	}
}

func TestSizesMatchStudentsT(t *testing.T) {
	t.Parallel()
	for _, df := range []float64{4, 10, 60} {
		exact := distuv.StudentsT{Mu: 5, Sigma: 0.7, Nu: df}
		d := volume.Sizes{Loc: 5, Scale: 0.7, DF: df}
		for y := 3.0; y < 9; y += 0.5 {
			want := -math.Log10(exact.Survival(y))
			if got := d.Surprise(math.Expm1(y)); math.Abs(got-want) > 0.03*want+0.01 {
				t.Errorf("df %g: surprise of e^%g is %g, want %g", df, y, got, want)
			}
		}
		last := -1.0
		for y := 0.0; y < 600; y += 0.25 {
			s := volume.Sizes{Loc: 5, Scale: 0.7, DF: df}.Surprise(math.Expm1(y))
			if s < last-1e-9 || math.IsNaN(s) {
				t.Fatalf("df %g: surprise falls from %g to %g", df, last, s)
			}
			last = s
		}
	}
}

func TestQuantileHoldsItsShare(t *testing.T) {
	t.Parallel()
	c := volume.Counts{Mean: 7, Var: 25}
	q := c.Quantile(0.99)
	if above := math.Pow(10, -c.Surprise(q+1)); above > 0.01 {
		t.Errorf("%g lies above the 99th percentile %g", above, q)
	}
	if above := math.Pow(10, -c.Surprise(q)); above < 0.01 {
		t.Errorf("%g is no longer the smallest", q)
	}
}

// TestUniformOnItsOwnNull feeds counts that are as the model believes, and looks
// whether the p-values are as rare as they say.
func TestUniformOnItsOwnNull(t *testing.T) {
	t.Parallel()
	src := rand.New(rand.NewPCG(1, 2))
	prior := volume.Prior{Alpha: 4, Beta: 0.5, Phi: 2}
	const n = 20_000
	var beyond [3]int
	levels := [3]float64{1, 2, 3}
	for range n {
		mu := distuv.Gamma{Alpha: prior.Alpha, Beta: prior.Beta, Src: src}.Rand()
		// Overdispersed around its own rate, as phi says.
		lambda := distuv.Gamma{Alpha: mu / (prior.Phi - 1), Beta: 1 / (prior.Phi - 1), Src: src}.Rand()
		count := distuv.Poisson{Lambda: lambda, Src: src}.Rand()
		s := volume.Rate{}.Predict(prior, 1).Surprise(count)
		for i, l := range levels {
			if s >= l {
				beyond[i]++
			}
		}
	}
	for i, l := range levels {
		share, want := float64(beyond[i])/n, math.Pow(10, -l)
		if share > 2*want || share < want/4 {
			t.Errorf("p <= %g in a share of %g", want, share)
		}
	}
}

func TestNewcomerInheritsTheGroup(t *testing.T) {
	t.Parallel()
	src := rand.New(rand.NewPCG(3, 4))
	var rates []volume.Rate
	for range 30 {
		var r volume.Rate
		mu := 10 + 4*src.Float64()
		for range 100 {
			r.Observe(distuv.Poisson{Lambda: mu, Src: src}.Rand(), volume.DefaultPrior(), 1, 1)
		}
		rates = append(rates, r)
	}
	prior := volume.FitPrior(rates, volume.DefaultPrior())
	fresh := volume.Rate{}.Predict(prior, 1)
	if fresh.Mean < 9 || fresh.Mean > 15 {
		t.Errorf("a newcomer is expected to do %g, the group does 10 to 14", fresh.Mean)
	}
	// One loud member hardly moves the group.
	loud := append([]volume.Rate(nil), rates...)
	loud = append(loud, volume.Rate{N: 1e6, X: 100, W: 100, R: 100})
	if got := volume.FitPrior(loud, volume.DefaultPrior()); got.Alpha/got.Beta > 1.2*prior.Alpha/prior.Beta {
		t.Errorf("one member moved the mean from %g to %g", prior.Alpha/prior.Beta, got.Alpha/got.Beta)
	}
}

func TestMergeIsTheWhole(t *testing.T) {
	t.Parallel()
	prior := volume.DefaultPrior()
	var whole, a, b volume.Size
	for i := range 40 {
		v := float64(i%7) * 10
		whole.Observe(v, volume.DefaultSizePrior(), 1)
		if i%2 == 0 {
			a.Observe(v, volume.DefaultSizePrior(), 1)
		} else {
			b.Observe(v, volume.DefaultSizePrior(), 1)
		}
	}
	a.Merge(b)
	if math.Abs(a.W-whole.W) > 1e-9 || math.Abs(a.S1-whole.S1) > 1e-6 {
		t.Errorf("merged %+v, whole %+v", a, whole)
	}
	r, q := volume.Rate{N: 3, X: 2, R: 1, W: 1}, volume.Rate{N: 4, X: 1, R: 2, W: 1}
	r.Merge(q)
	if r != (volume.Rate{N: 7, X: 3, R: 3, W: 2}) {
		t.Errorf("merged %+v", r)
	}
	if d := r.Predict(prior, 1); math.IsNaN(d.Mean) || d.Var < d.Mean {
		t.Errorf("predicts %+v", d)
	}
}

func TestProfileSumsToAWeek(t *testing.T) {
	t.Parallel()
	var s volume.Season
	for range 200 {
		for h := 9; h < 17; h++ {
			s.Observe(h, 20, 10)
		}
	}
	p := s.Profile()
	sum := 0.0
	for _, f := range p {
		sum += f
		if f < 0.05 {
			t.Errorf("a factor of %g", f)
		}
	}
	if math.Abs(sum-volume.Hours) > 1e-6 || p[12] < p[3] {
		t.Errorf("sum %g, noon %g, night %g", sum, p[12], p[3])
	}
}

func TestOneBurstTeachesLittle(t *testing.T) {
	t.Parallel()
	prior := volume.Prior{Alpha: 2, Beta: 0.2, Phi: 2}
	var r volume.Rate
	for range 50 {
		r.Observe(10, prior, 1, 1)
	}
	before := r.Predict(prior, 1).Mean
	r.Observe(1e6, prior, 1, 1)
	if after := r.Predict(prior, 1).Mean; after > 1.2*before {
		t.Errorf("a burst moved the expectation from %g to %g", before, after)
	}
}

func BenchmarkSurprise(b *testing.B) {
	c := volume.Counts{Mean: 7, Var: 25}
	for i := 0; b.Loop(); i++ {
		c.Surprise(float64(i%100 + 1))
	}
}

// TestDaysOfBurstsAreNotTheUsualSpread lets a quiet count burst for two weeks, a
// little more each day, as a leaver does who takes customers along.
func TestDaysOfBurstsAreNotTheUsualSpread(t *testing.T) {
	t.Parallel()
	prior := volume.Prior{Alpha: 2, Beta: 3, Phi: 1.2, Actors: 30}
	var r volume.Rate
	for i := range 30 {
		r.Observe(float64(i%2), prior, 1, 1)
	}
	for i := range 10 {
		r.Observe(float64(3*(i+1)), prior, 1, 1)
	}
	if s := r.Predict(prior, 1).Surprise(33); s < 3 {
		t.Errorf("after ten days of bursts 33 are %.1f decades out of the ordinary, where 1 is usual", s)
	}
}
