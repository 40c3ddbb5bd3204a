package sequence_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"vigil/models/sequence"
)

// learn feeds one run from its start.
func learn(m *sequence.Model, symbols ...uint64) {
	var ctx sequence.Context
	for _, s := range symbols {
		m.Learn(ctx, s, 1)
		ctx.Push(s)
	}
}

// after is the context that the symbols leave behind.
func after(symbols ...uint64) sequence.Context {
	var ctx sequence.Context
	for _, s := range symbols {
		ctx.Push(s)
	}
	return ctx
}

func TestAnEmptyModelKnowsNothing(t *testing.T) {
	t.Parallel()
	var m sequence.Model
	if p := m.Predict(after(1, 2, 3), 4); !(p > 0) || p > 0.01 {
		t.Errorf("p %g", p)
	}
}

func TestLongerContextsDecide(t *testing.T) {
	t.Parallel()
	var m sequence.Model
	for range 30 {
		learn(&m, 1, 2, 3, 4) // after 1 2: 3
		learn(&m, 5, 2, 6, 4) // after 5 2: 6
	}
	usual, odd := m.Predict(after(1, 2), 3), m.Predict(after(1, 2), 6)
	if usual < 0.9 || odd > 0.05 {
		t.Errorf("after 1 2: 3 with %g, 6 with %g", usual, odd)
	}
	if never := m.Predict(after(1, 2), 99); never >= odd || never > 1e-3 {
		t.Errorf("what nobody ever did has %g, what others do %g", never, odd)
	}
	// A context that nobody was in gives way to the shorter one.
	if p := m.Predict(after(77, 2), 3); p < 0.3 || p > 0.6 {
		t.Errorf("after an unknown symbol and 2: %g", p)
	}
}

func TestProbabilitiesSumToAtMostOne(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	var m sequence.Model
	var ctx sequence.Context
	for range 5000 {
		s := uint64(r.ExpFloat64() * 6)
		m.Learn(ctx, s, 0.3+r.Float64())
		ctx.Push(s)
	}
	m.Forget(0.4)
	for _, ctx := range []sequence.Context{{}, after(0), after(3, 1), after(0, 1, 2), after(90, 0, 0)} {
		sum := 0.0
		for s := range uint64(100) {
			sum += m.Predict(ctx, s)
		}
		if sum > 1+1e-9 || sum < 0.9 {
			t.Errorf("after %v all symbols have %g together", ctx.Last[:ctx.N], sum)
		}
	}
}

func TestForgettingEndsEmpty(t *testing.T) {
	t.Parallel()
	var m sequence.Model
	for range 50 {
		learn(&m, 1, 2, 3)
	}
	was := m.Predict(after(1, 2), 3)
	m.Forget(0.5)
	if is := m.Predict(after(1, 2), 3); is >= was || is < 0.8*was {
		t.Errorf("half forgotten: %g after %g", is, was)
	}
	m.Forget(math.NaN())
	m.Forget(2)
	for range 20 {
		m.Forget(0.4)
	}
	if len(m.Contexts) != 0 || m.Entries != 0 {
		t.Errorf("%d contexts, %d symbols are left", len(m.Contexts), m.Entries)
	}
}

func TestAFullModelKeepsTheHeavy(t *testing.T) {
	t.Parallel()
	m := sequence.Model{Limit: 256}
	for range 200 {
		learn(&m, 1, 2, 3, 4, 5)
	}
	r := rand.New(rand.NewPCG(3, 4))
	var ctx sequence.Context
	for range 50_000 {
		s := r.Uint64()
		m.Learn(ctx, s, 1)
		ctx.Push(s)
	}
	entries := 0
	for _, n := range m.Contexts {
		entries += len(n.Symbols)
	}
	if len(m.Contexts) > 256 || entries != m.Entries || entries > 1024+4*256+64 || m.Evicted == 0 {
		t.Errorf("%d contexts, %d symbols (counted %d), %d evicted", len(m.Contexts), entries, m.Entries, m.Evicted)
	}
	if p := m.Predict(after(2, 3, 4), 5); p < 0.9 {
		t.Errorf("the usual step was lost: %g", p)
	}
}

func TestManySymbolsInFewContextsStayBounded(t *testing.T) {
	t.Parallel()
	m := sequence.Model{Limit: 200}
	for i := range uint64(100) {
		for j := range uint64(100) {
			m.Learn(after(i), j, 1)
		}
	}
	if m.Entries > 1024+4*200+64 {
		t.Errorf("%d symbols", m.Entries)
	}
}

func TestDeltasTeachTheSame(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	var direct, merged sequence.Model
	var shards [3]sequence.Delta
	var ctx sequence.Context
	for i := range 20_000 {
		s := r.Uint64N(5)
		direct.Learn(ctx, s, 1)
		shards[i%3].Add(ctx, s, 1)
		ctx.Push(s)
	}
	for i := range shards {
		if len(shards[i].Steps) > 4096 || shards[i].Dropped != 0 {
			t.Errorf("%d steps, %g dropped", len(shards[i].Steps), shards[i].Dropped)
		}
		merged.Take(&shards[i])
	}
	for s := range uint64(6) {
		for _, c := range []sequence.Context{{}, after(1), after(2, 3), after(4, 0, 1)} {
			if a, b := direct.Predict(c, s), merged.Predict(c, s); a != b {
				t.Errorf("%d after %v: %g, from deltas %g", s, c.Last[:c.N], a, b)
			}
		}
	}
}

func TestAFullDeltaDropsTheLightest(t *testing.T) {
	t.Parallel()
	d := sequence.Delta{Limit: 100}
	for i := range uint64(10_000) {
		d.Add(after(1), 7, 1)
		d.Add(sequence.Context{}, 1000+i, 1)
	}
	var m sequence.Model
	m.Take(&d)
	if p := m.Predict(after(1), 7); p < 0.99 || d.Dropped == 0 || len(d.Steps) != 0 {
		t.Errorf("p %g, %g dropped", p, d.Dropped)
	}
}

func TestSurpriseNeedsSteps(t *testing.T) {
	t.Parallel()
	var s sequence.Surprise
	for _, p := range []float64{0.1, 0.01, math.NaN(), 0, -1, 2, 0.1} {
		s.Add(p)
	}
	if _, known := s.Mean(); known || s.N != 3 {
		t.Errorf("%+v", s)
	}
	s.Add(1)
	if v, known := s.Mean(); !known || v != 1 || s.Max != 2 {
		t.Errorf("mean %g, %+v", v, s)
	}
}

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
