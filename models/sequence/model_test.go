//go:build !race

package sequence_test

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
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

// TestAScriptDoesNotBecomeTheGroup has one actor take the same odd step ten
// thousand times among twenty who each go their usual way.
func TestAScriptDoesNotBecomeTheGroup(t *testing.T) {
	t.Parallel()
	var m sequence.Model
	for n := uint32(1); n <= 10_000; n++ {
		m.Learn(after(1, 2), 9, sequence.Weight(n))
	}
	for range 20 {
		for n := uint32(1); n <= 100; n++ {
			m.Learn(after(1, 2), 3, sequence.Weight(n))
		}
	}
	if usual, script := m.Predict(after(1, 2), 3), m.Predict(after(1, 2), 9); usual < 0.7 || script > 0.25 {
		t.Errorf("the usual step has %g, the script's %g", usual, script)
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

// TestScoreIsFairToLength asks that among usual sessions neither the short nor the
// long ones have more than their share of the highest scores.
func TestScoreIsFairToLength(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(11, 11))
	draw := func(n int, more float64) sequence.Surprise {
		var s sequence.Surprise
		for range n {
			s.Add(math.Exp(-r.ExpFloat64() * (1 + more)))
		}
		return s
	}
	var group sequence.Surprise
	for range 1000 {
		group.Merge(draw(20, 0))
	}
	usual := group.Sum / float64(group.N)
	variance := group.Squares/float64(group.N) - usual*usual
	type scored struct {
		v    float64
		long bool
	}
	var all []scored
	for i := range 40_000 {
		n := []int{6, 200}[i%2]
		v, known := draw(n, 0).Score(usual, variance)
		if !known {
			t.Fatal("unknown")
		}
		all = append(all, scored{v, n == 200})
	}
	slices.SortFunc(all, func(a, b scored) int { return -cmp.Compare(a.v, b.v) })
	long := 0
	for _, s := range all[:400] {
		if s.long {
			long++
		}
	}
	if long < 100 || long > 300 {
		t.Errorf("%d of the 400 highest are long", long)
	}
	// Long sessions that are a third more surprising throughout mostly stand out,
	// though many a short one has a higher mean.
	found := 0
	for range 200 {
		if v, _ := draw(200, 0.34).Score(usual, variance); v > all[80].v {
			found++
		}
	}
	if found < 160 {
		t.Errorf("of 200 odd long sessions %d are above one usual one in 500", found)
	}
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		if _, known := group.Score(bad, 1); known {
			t.Error("a usual that is no number")
		}
		if _, known := group.Score(1, bad); known {
			t.Error("a variance that is no number")
		}
	}
}

// What is unlearnt leaves the model as if it had never been learnt, as far as it is
// there, and a step that is not known takes nothing.
func TestUnlearnTakesBackWhatWasLearnt(t *testing.T) {
	t.Parallel()
	walk := func(m *sequence.Model, symbols []uint64, each func(ctx sequence.Context, s uint64)) {
		var ctx sequence.Context
		for _, s := range symbols {
			each(ctx, s)
			ctx.Push(s)
		}
	}
	var m, plain sequence.Model
	usual := []uint64{1, 2, 3, 1, 2, 3, 1, 2, 4}
	for _, into := range []*sequence.Model{&m, &plain} {
		walk(into, usual, func(ctx sequence.Context, s uint64) { into.Learn(ctx, s, 1) })
	}
	odd := []uint64{2, 3, 9, 9, 9, 1 << 40}
	walk(&m, odd, func(ctx sequence.Context, s uint64) { m.Learn(ctx, s, 0.5) })
	walk(&m, odd, func(ctx sequence.Context, s uint64) { m.Unlearn(sequence.NewStep(ctx, s, 0.5)) })
	if len(m.Contexts) != len(plain.Contexts) || m.Entries != plain.Entries {
		t.Errorf("%d contexts and %d symbols are left, not %d and %d", len(m.Contexts), m.Entries, len(plain.Contexts), plain.Entries)
	}
	same := func(ctx sequence.Context, s uint64) {
		if got, want := m.Predict(ctx, s), plain.Predict(ctx, s); math.Abs(got-want) > 1e-12 {
			t.Errorf("%d after %v has the probability %v, not %v", s, ctx, got, want)
		}
	}
	walk(&m, usual, same)
	walk(&m, odd, same)
	// More than is there empties it, and what is not a weight changes nothing.
	walk(&m, usual, func(ctx sequence.Context, s uint64) {
		m.Unlearn(sequence.NewStep(ctx, s, math.NaN()))
		m.Unlearn(sequence.NewStep(ctx, s, 100))
	})
	if len(m.Contexts) != 0 || m.Entries != 0 {
		t.Errorf("%d contexts and %d symbols are left of nothing", len(m.Contexts), m.Entries)
	}
}
