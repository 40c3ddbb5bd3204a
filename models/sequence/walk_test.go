//go:build !race

package sequence_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/go-cmp/cmp"

	"vigil/models/sequence"
)

func TestOrderTellsWalksFromChance(t *testing.T) {
	t.Parallel()
	walk := func(seed uint64, n int, p float64) sequence.Order {
		r := rand.New(rand.NewPCG(seed, 7))
		var o sequence.Order
		for range n {
			last := o.Walking()
			step := sequence.Fell
			if r.Float64() < p {
				step = sequence.Rose
			}
			o.Add(step)
			o.Add(sequence.Unknown)
			o.Add(99)
			if o.Walking() < last {
				t.Fatal("the statistic fell in an open span")
			}
		}
		return o
	}
	// A thousand runs of a hundred steps at random: at most 1e5 * 10^-D may reach D.
	for d, n := 3.0, 0; d <= 6; d, n = d+1, 0 {
		for seed := range uint64(1000) {
			if walk(seed, 100, 0.5).Rising() >= d {
				n++
			}
		}
		if limit := 1e5 * math.Pow(10, -d); float64(n) > limit {
			t.Errorf("%d runs at random reach %g decades, at most %g should", n, d, limit)
		}
	}
	if v := walk(1, 40, 1).Walking(); v < 10 {
		t.Errorf("forty steps upward are worth %g decades", v)
	}
	if o := walk(1, 40, 0); o.Walking() < 10 || o.Rising() != 0 {
		t.Errorf("forty steps downward: %+v", o)
	}
	// One step in twenty goes astray; a walk amid ordinary work is found as well.
	if v := walk(2, 100, 0.95).Rising(); v < 10 {
		t.Errorf("a walk with missteps is worth %g decades", v)
	}
	if v := walk(3, 100_000, 1).Rising(); v > 100 {
		t.Errorf("not bounded: %g", v)
	}
}

func TestNearStepsAreCounted(t *testing.T) {
	t.Parallel()
	var o sequence.Order
	for _, s := range []int{sequence.Near, sequence.Near, sequence.Rose} {
		o.Add(s)
	}
	if _, known := o.NearShare(); known {
		t.Error("three steps suffice")
	}
	o.Add(sequence.Fell)
	if share, known := o.NearShare(); !known || share != 0.5 {
		t.Errorf("near share %g", share)
	}
}

func TestRhythmTellsTimersFromPeople(t *testing.T) {
	t.Parallel()
	const second = 1e9
	steadiness := func(seed uint64, n int, gap func(*rand.Rand) float64) float64 {
		r := rand.New(rand.NewPCG(seed, 8))
		var h sequence.Rhythm
		at := int64(1_790_000_000_000_000_000)
		for range n {
			h.Add(at)
			at += int64(gap(r) * second)
		}
		v, known := h.Steadiness()
		if !known {
			t.Fatalf("%d gaps are not enough", n)
		}
		return v
	}
	timers := map[string]func(*rand.Rand) float64{
		"exact":          func(*rand.Rand) float64 { return 5 },
		"a tenth":        func(r *rand.Rand) float64 { return 30 * (1 + 0.1*r.NormFloat64()) },
		"half":           func(r *rand.Rand) float64 { return 60 * (0.5 + r.Float64()) },
		"whole seconds":  func(r *rand.Rand) float64 { return 3 + float64(r.IntN(2)) },
		"long pauses":    func(r *rand.Rand) float64 { return 2 + 600*float64(r.IntN(40)/39) },
		"with retries":   func(r *rand.Rand) float64 { return 10 + 0.01*r.Float64() - 9.99*float64(r.IntN(3)/2) },
		"far too fast":   func(*rand.Rand) float64 { return 0.001 },
		"pace that ebbs": func(r *rand.Rand) float64 { return 1 + r.Float64()/4 },
	}
	people := map[string]func(*rand.Rand) float64{
		"random moments": func(r *rand.Rand) float64 { return 60 * r.ExpFloat64() },
		"log-normal":     func(r *rand.Rand) float64 { return 40 * math.Exp(1.1*r.NormFloat64()) },
		"bursts":         func(r *rand.Rand) float64 { return 2 + 300*float64(r.IntN(4)/3)*r.Float64() },
	}
	for name, gap := range timers {
		n := 100
		if name == "far too fast" {
			n = 10_000
		}
		if v := steadiness(1, n, gap); v < 0.6 {
			t.Errorf("timer, %s: %.2f", name, v)
		}
	}
	for name, gap := range people {
		for seed := range uint64(50) {
			if v := steadiness(seed, 100, gap); v > 0.5 {
				t.Errorf("people, %s: %.2f", name, v)
			}
		}
	}
}

func TestRhythmIsUnknownWithFewGaps(t *testing.T) {
	t.Parallel()
	var h sequence.Rhythm
	for i := range int64(8) {
		h.Add(1e18 + i*5e9)
	}
	if _, known := h.Steadiness(); known {
		t.Error("seven gaps suffice")
	}
	h.Add(1e18 + 8*5e9)
	if v, known := h.Steadiness(); !known || v < 0.3 {
		t.Errorf("eight gaps: %g", v)
	}
	// Nights, clocks that jump and absurd times are no gaps.
	was := h.Gaps
	for _, at := range []int64{1e18 + 1e17, 5, math.MinInt64, math.MaxInt64, 0, -1} {
		h.Add(at)
	}
	if h.Gaps != was {
		t.Errorf("%d gaps after %d", h.Gaps, was)
	}
}

func TestCoverage(t *testing.T) {
	t.Parallel()
	var w sequence.Walk
	if _, _, known := w.Coverage(100); known {
		t.Error("known without ids")
	}
	var last float64
	for _, c := range []struct {
		from, step uint64
		n          int
		share      float64
	}{{0, 1000, 20, 20.0 / 19001}, {500, 2, 100, 100.0 / 199}, {500, 1, 20, 1}, {math.MaxUint64 - 999, 1, 1000, 1}} {
		var w sequence.Walk
		for i := range uint64(c.n) {
			w.Add(c.from + i*c.step)
		}
		share, score, known := w.Coverage(float64(c.n))
		if !known || math.Abs(share-c.share) > 1e-9 || score <= last {
			t.Errorf("%+v: share %g, score %g after %g", c, share, score, last)
		}
		last = score
	}
	w = sequence.Walk{}
	w.Add(0)
	w.Add(math.MaxUint64)
	for _, n := range []float64{math.NaN(), math.Inf(1), -1, 3} {
		if _, _, known := w.Coverage(n); known {
			t.Errorf("%g different ids", n)
		}
	}
	if share, score, known := w.Coverage(1e30); !known || share != 1 || math.IsNaN(score) || math.IsInf(score, 0) {
		t.Errorf("all there are: %g %g %v", share, score, known)
	}
}

func TestDensityMindsNoDecoys(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(9, 9))
	read := func(n int, id func(i int) uint64) *sequence.Density {
		var d sequence.Density
		for i := range n {
			d.Add(id(i))
		}
		return &d
	}
	scattered := func(int) uint64 { return r.Uint64N(1_000_000) }
	for name, c := range map[string]struct {
		d        *sequence.Density
		from, to float64
	}{
		"complete":        {read(2000, func(i int) uint64 { return 5000 + uint64(i) }), 0.6, 1},
		"in any order":    {read(6000, func(int) uint64 { return 5000 + r.Uint64N(1000) }), 0.6, 1},
		"twenty":          {read(20, func(i int) uint64 { return uint64(i) }), 1, 1},
		"every other":     {read(2000, func(i int) uint64 { return 2 * uint64(i) }), 0.3, 0.7},
		"a third decoys":  {read(3000, func(i int) uint64 { return []uint64{uint64(i), uint64(i), scattered(i)}[i%3] }), 0.35, 1},
		"two ranges":      {read(2000, func(i int) uint64 { return uint64(i)%2*1e9 + uint64(i)/2 }), 0.5, 1},
		"scattered":       {read(2000, scattered), 0, 0.01},
		"twenty at large": {read(20, scattered), 0, 0.001},
		"the whole range": {read(100, func(i int) uint64 { return uint64(i) * (math.MaxUint64 / 99) }), 0, 1e-9},
	} {
		share, score, known := c.d.Coverage()
		if !known || share < c.from || share > c.to || len(c.d.IDs) > 64 {
			t.Errorf("%s: share %.4f, %d ids", name, share, len(c.d.IDs))
		}
		if (c.from > 0.2) != (score > 0.15) || math.IsNaN(score) || score > 1 {
			t.Errorf("%s: score %g", name, score)
		}
	}
	if _, _, known := read(7, func(i int) uint64 { return uint64(i) }).Coverage(); known {
		t.Error("seven ids suffice")
	}
}

func TestDensityCountsAndMerges(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(10, 10))
	for _, n := range []uint64{1, 63, 64, 500, 100_000} {
		var whole sequence.Density
		var parts [3]sequence.Density
		for i := range n {
			for range 2 {
				whole.Add(i * 7919)
				parts[r.IntN(3)].Add(i * 7919)
			}
		}
		if got := whole.Distinct(); math.Abs(got-float64(n)) > 0.45*float64(n) || n < 64 && got != float64(n) {
			t.Errorf("%d different ids counted as %g", n, got)
		}
		parts[2].Merge(&parts[0])
		parts[1].Merge(&parts[2])
		if d := cmp.Diff(whole.IDs, parts[1].IDs); d != "" {
			t.Error(d)
		}
	}
}

func TestStatesSaveAndLoad(t *testing.T) {
	t.Parallel()
	var o sequence.Order
	var h sequence.Rhythm
	var w sequence.Walk
	var d sequence.Density
	var s sequence.Surprise
	var delta sequence.Delta
	for i := range uint64(500) {
		o.Add(int(i%4) - 1)
		h.Add(1e18 + int64(i*i*1e8))
		w.Add(i * i)
		d.Add(i * i)
		s.Add(1 / float64(1+i%9))
		delta.Add(after(i%5), i%7, 1)
	}
	for _, c := range []struct{ is, loaded any }{
		{&o, &sequence.Order{}}, {&h, &sequence.Rhythm{}}, {&w, &sequence.Walk{}}, {&d, &sequence.Density{}},
		{&s, &sequence.Surprise{}}, {&delta, &sequence.Delta{}},
	} {
		b, err := cbor.Marshal(c.is)
		if err != nil {
			t.Fatal(err)
		}
		if err := cbor.Unmarshal(b, c.loaded); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.is, c.loaded); diff != "" {
			t.Error(diff)
		}
	}
}
