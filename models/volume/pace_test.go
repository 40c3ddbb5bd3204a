//go:build !race

package volume_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"vigil/models/modelstest"
	"vigil/models/volume"
)

var pacePrior = volume.Prior{Alpha: 4, Beta: 0.2, Phi: 2}

// live lets days of work pass at a rate that may depend on the day.
func live(p *volume.Pace, days int, rate func(day int) float64) {
	for d := range days {
		p.Forget(1)
		p.Lately.Add(rate(d), 1, 1)
	}
}

func TestPaceConforms(t *testing.T) {
	t.Parallel()
	modelstest.Run(t, modelstest.Model[volume.Pace, float64]{
		New:   func() *volume.Pace { return &volume.Pace{} },
		Learn: func(p *volume.Pace, n float64) { p.Lately.Add(n, 1, 1) },
		Score: func(p *volume.Pace, n float64) float64 {
			q := *p
			q.Forget(14)
			return q.Predict(pacePrior, 7, 1, 0).Surprise(7 * n)
		},
		// A gamma variable with the spread that an honest week has, by the cube of a
		// normal one (Wilson and Hilferty 1931).
		Draw: func(r *rand.Rand) float64 {
			const shape = 13
			c := 1 - 1.0/(9*shape) + r.NormFloat64()/(3*math.Sqrt(shape))
			return math.Round(20 * math.Max(0, c*c*c))
		},
		Merge:     func(dst, src *volume.Pace) { dst.Merge(*src) },
		Tolerance: 0.1,
		Flood:     func(i uint64) float64 { return float64(i) * 1e6 },
		MaxBytes:  40,
		Bad:       []float64{math.NaN(), math.Inf(1), math.Inf(-1), -1},
	})
}

// TestSmallStepsOutrunTheReference grows by 2% a day: the recent past keeps up, the
// reference does not.
func TestSmallStepsOutrunTheReference(t *testing.T) {
	t.Parallel()
	var p volume.Pace
	live(&p, 40, func(int) float64 { return 20 })
	for day, least := range map[int]float64{15: 1.1, 30: 1.5, 60: 2, 90: 2.5} {
		q := p
		live(&q, day, func(d int) float64 { return 20 * math.Pow(1.02, float64(d+1)) })
		now := 7 * 20 * math.Pow(1.02, float64(day))
		c := q.Predict(pacePrior, 7, 1, 0)
		if now/c.Mean < least || now/c.Mean > 5 {
			t.Errorf("after %d days a week of %.0f is held against %.0f", day, now, c.Mean)
		}
		if log, ok := q.Growth(); !ok || log < 0.05 {
			t.Errorf("after %d days it has grown by e^%.2f, %v", day, log, ok)
		}
	}
}

// TestALastingChangeIsLearntInTheEnd doubles once: news for months, not for ever.
func TestALastingChangeIsLearntInTheEnd(t *testing.T) {
	t.Parallel()
	var p volume.Pace
	live(&p, 90, func(int) float64 { return 20 })
	live(&p, 14, func(int) float64 { return 40 })
	soon := p.Predict(pacePrior, 7, 1, 0)
	live(&p, 400, func(int) float64 { return 40 })
	late := p.Predict(pacePrior, 7, 1, 0)
	if soon.Mean > 1.2*140 || late.Mean < 0.9*280 {
		t.Errorf("a week of 280 is held against %.0f after two weeks, %.0f after a year", soon.Mean, late.Mean)
	}
	if s, l := soon.Surprise(280), late.Surprise(280); s < 1.5 || l > 0.6 {
		t.Errorf("surprise %.1f after two weeks, %.1f after a year", s, l)
	}
}

func TestPaceAllowsForPeersAndNewcomers(t *testing.T) {
	t.Parallel()
	var p volume.Pace
	if p.Settled() {
		t.Error("nothing was seen, and there is a reference")
	}
	live(&p, 90, func(int) float64 { return 10 })
	if !p.Settled() {
		t.Error("ninety days give no reference")
	}
	alone, along, least := p.Predict(pacePrior, 7, 1, 0), p.Predict(pacePrior, 7, 2, 0), p.Predict(pacePrior, 7, 1, 20)
	if r := along.Mean / alone.Mean; r < 1.6 || r > 2 {
		t.Errorf("where all do twice as much, %.2f times as much is expected", r)
	}
	if least.Mean < 140 {
		t.Errorf("a newcomer's week is held against %.0f, its peers' is 140", least.Mean)
	}
	p.Forget(math.NaN())
	p.Forget(-1)
	if q := p.Predict(pacePrior, 7, 1, 0); q != alone {
		t.Errorf("no time passed, and %+v became %+v", alone, q)
	}
}

// TestErraticMembersDoNotWidenAGroup fits a group of which one in ten is wild.
func TestErraticMembersDoNotWidenAGroup(t *testing.T) {
	t.Parallel()
	var rates []volume.Rate
	for i := range 40 {
		r := volume.Rate{N: 400, X: 20, R: 60, W: 20}
		if i%10 == 0 {
			r.R = 1e6
		}
		rates = append(rates, r)
	}
	if p := volume.FitPrior(rates, volume.DefaultPrior()); p.Phi > 12 {
		t.Errorf("an overdispersion of %.0f, that of most is 3", p.Phi)
	}
	narrow := volume.FitPrior(rates[1:10], volume.Prior{Alpha: 4, Beta: 0.2, Phi: 50_000})
	if narrow.Phi > 10 {
		t.Errorf("an overdispersion of %.0f in a group of 3, because everyone's is wild", narrow.Phi)
	}
}
