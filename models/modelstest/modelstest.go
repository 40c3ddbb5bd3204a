// Package modelstest is what every model of package models must pass: it is
// deterministic, parts merge into the whole, a flood leaves it bounded, it saves
// and loads, it refuses what is no number, and its scores give uniform p-values
// when nothing is wrong.
//
// A model describes itself in a Model and calls Run from one test. The suite
// knows nothing of a model but those functions.
package modelstest

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"vigil/models/calibrate"
)

// Model describes a model with states of type S that learns from observations of
// type X. New, Learn, Score, Draw and MaxBytes are required; what else is nil or
// zero is not checked, and the test says so.
type Model[S, X any] struct {
	// New makes an empty state. Two empty states are equal.
	New func() *S
	// Learn takes one observation in.
	Learn func(*S, X)
	// Score is the raw score of an observation, high where it is suspicious. It does
	// not write to the state.
	Score func(*S, X) float64
	// Draw draws an observation as it is when nothing is wrong.
	Draw func(*rand.Rand) X

	// Merge adds the second state to the first. The second may be spoilt.
	Merge func(dst, src *S)
	// Tolerance is how far a score after merging may be from the score of one state
	// that learnt all, relative to 1 or to the score where that is larger. Zero means
	// up to rounding, 1e-9.
	Tolerance float64
	// InOrder says that learning depends on the order of observations by promise;
	// otherwise parts may be merged in any order.
	InOrder bool

	// Flood is the i-th observation of a flood, each with keys of its own, and
	// Floods how many there are: Many(1,000,000) unless told otherwise.
	Flood  func(i uint64) X
	Floods uint64
	// MaxBytes is what a state takes at most, as saved.
	MaxBytes int

	// Bad lists observations that are nonsense: the state stays as it was, and their
	// scores are numbers.
	Bad []X
	// Counted takes what a state counts as refused out of a comparison.
	Counted func(*S)

	// Learnt is how many observations are learnt before scores are judged; zero
	// means 5,000.
	Learnt int
	// Ranked says that scores are categories, which have ranks but no tail.
	Ranked bool
}

// Many is n, or a twentieth of it under the race detector, which slows such loops
// tenfold and finds nothing more in their later rounds.
func Many(n uint64) uint64 {
	if raced {
		return n / 20
	}
	return n
}

// Run checks the model.
func Run[S, X any](t *testing.T, m Model[S, X]) {
	t.Helper()
	if m.Tolerance == 0 {
		m.Tolerance = 1e-9
	}
	if m.Floods == 0 {
		m.Floods = Many(1_000_000)
	}
	if m.Learnt == 0 {
		m.Learnt = 5000
	}
	t.Run("deterministic", func(t *testing.T) { t.Parallel(); m.deterministic(t) })
	t.Run("mergeable", func(t *testing.T) { t.Parallel(); m.mergeable(t) })
	t.Run("bounded", func(t *testing.T) { t.Parallel(); m.bounded(t) })
	t.Run("saves and loads", func(t *testing.T) { t.Parallel(); m.saves(t) })
	t.Run("refuses nonsense", func(t *testing.T) { t.Parallel(); m.refuses(t) })
	t.Run("uniform on its null", func(t *testing.T) { t.Parallel(); m.uniform(t) })
}

// draws returns n observations of a seed.
func (m Model[S, X]) draws(seed uint64, n int) []X {
	r := rand.New(rand.NewPCG(seed, 0x6d6f64656c))
	xs := make([]X, n)
	for i := range xs {
		xs[i] = m.Draw(r)
	}
	return xs
}

func (m Model[S, X]) learn(xs []X) *S {
	s := m.New()
	for _, x := range xs {
		m.Learn(s, x)
	}
	return s
}

func (m Model[S, X]) deterministic(t *testing.T) {
	t.Helper()
	if !bytes.Equal(save(t, m.New()), save(t, m.New())) {
		t.Fatal("two empty states differ")
	}
	xs := m.draws(1, m.Learnt)
	a, b := m.learn(xs), m.learn(xs)
	was := save(t, a)
	if !bytes.Equal(was, save(t, b)) {
		t.Fatal("the same observations gave two states")
	}
	for i, x := range m.draws(2, 1000) {
		if p, q := m.Score(a, x), m.Score(b, x); p != q || math.IsNaN(p) {
			t.Fatalf("observation %d has the scores %g and %g", i, p, q)
		}
	}
	if !bytes.Equal(was, save(t, a)) {
		t.Error("scoring writes to the state")
	}
}

func (m Model[S, X]) mergeable(t *testing.T) {
	t.Helper()
	if m.Merge == nil {
		t.Skip("NOT CHECKED: the model has no Merge")
	}
	const parts = 4
	xs := m.draws(3, m.Learnt)
	whole := m.learn(xs)
	part := func(i int) *S { return m.learn(xs[i*len(xs)/parts : (i+1)*len(xs)/parts]) }
	merge := func(of ...*S) *S {
		s := m.New()
		for _, p := range of {
			m.Merge(s, p)
		}
		return s
	}
	groupings := map[string]*S{
		"one by one": merge(part(0), part(1), part(2), part(3)),
		"in pairs":   merge(merge(part(0), part(1)), merge(part(2), part(3))),
		"with none":  merge(m.New(), part(0), m.New(), merge(part(1), merge(part(2), part(3)))),
	}
	if !m.InOrder {
		groupings["backward"] = merge(part(3), part(2), part(1), part(0))
	}
	probes := m.draws(4, 500)
	for name, s := range groupings {
		worst, at := 0.0, 0
		for i, x := range probes {
			want, got := m.Score(whole, x), m.Score(s, x)
			if d := math.Abs(got-want) / math.Max(1, math.Abs(want)); !(d <= worst) {
				worst, at = d, i
			}
		}
		if !(worst <= m.Tolerance) {
			t.Errorf("merged %s, observation %d scores %g, of the whole %g", name, at, m.Score(s, probes[at]), m.Score(whole, probes[at]))
		}
	}
}

func (m Model[S, X]) bounded(t *testing.T) {
	t.Helper()
	if m.Flood == nil {
		t.Skip("NOT CHECKED: the model has no Flood")
	}
	s := m.learn(m.draws(5, m.Learnt))
	for i := range m.Floods {
		m.Learn(s, m.Flood(i))
		// Looked at on the way as well, ever more rarely.
		if i&(i-1) == 0 || i == m.Floods-1 {
			if n := len(save(t, s)); n > m.MaxBytes {
				t.Fatalf("after %d of the flood the state has %d bytes, at most %d", i+1, n, m.MaxBytes)
			}
		}
	}
	for i, x := range m.draws(6, 200) {
		if v := m.Score(s, x); math.IsNaN(v) || math.IsInf(v, 0) {
			t.Fatalf("after the flood observation %d scores %g", i, v)
		}
	}
}

func (m Model[S, X]) saves(t *testing.T) {
	t.Helper()
	for name, n := range map[string]int{"empty": 0, "young": 10, "grown": m.Learnt} {
		s := m.learn(m.draws(7, n))
		was := save(t, s)
		if len(was) > m.MaxBytes {
			t.Errorf("%s: %d bytes, at most %d", name, len(was), m.MaxBytes)
		}
		l := m.New()
		if err := load(was, l); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !bytes.Equal(was, save(t, l)) {
			t.Errorf("%s: saved again, the bytes differ", name)
		}
		// It goes on as if nothing had been.
		more := m.draws(8, 500)
		for i, x := range more {
			if a, b := m.Score(s, x), m.Score(l, x); a != b {
				t.Fatalf("%s: observation %d scores %g, loaded %g", name, i, a, b)
			}
		}
		for _, x := range more {
			m.Learn(s, x)
			m.Learn(l, x)
		}
		if !bytes.Equal(save(t, s), save(t, l)) {
			t.Errorf("%s: loaded, it learns otherwise", name)
		}
	}
}

func (m Model[S, X]) refuses(t *testing.T) {
	t.Helper()
	if len(m.Bad) == 0 {
		t.Skip("NOT CHECKED: the model has no observation that is nonsense")
	}
	for _, n := range []int{0, m.Learnt} {
		s := m.learn(m.draws(9, n))
		was := m.compared(t, s)
		for i, x := range m.Bad {
			if v := m.Score(s, x); math.IsNaN(v) || math.IsInf(v, 0) {
				t.Errorf("nonsense %d scores %g", i, v)
			}
			m.Learn(s, x)
			if !bytes.Equal(was, m.compared(t, s)) {
				t.Errorf("nonsense %d was learnt", i)
				was = m.compared(t, s)
			}
		}
	}
}

// compared is the state without what it counts.
func (m Model[S, X]) compared(t *testing.T, s *S) []byte {
	t.Helper()
	if m.Counted == nil {
		return save(t, s)
	}
	c := m.New()
	if err := load(save(t, s), c); err != nil {
		t.Fatal(err)
	}
	m.Counted(c)
	return save(t, c)
}

// uniform ranks fresh scores among others of the same state: as the detector
// does, by deviations from their mean.
func (m Model[S, X]) uniform(t *testing.T) {
	t.Helper()
	const ranked, judged = 40_000, 60_000
	s := m.learn(m.draws(10, m.Learnt))
	scores := make([]float64, 0, ranked)
	var mean, sd float64
	for _, x := range m.draws(11, ranked) {
		v := m.Score(s, x)
		scores = append(scores, v)
		mean += v / ranked
	}
	for _, v := range scores {
		sd += (v - mean) * (v - mean) / ranked
	}
	if sd = math.Sqrt(sd); !(sd > 0) || math.IsInf(sd, 0) {
		t.Fatalf("scores have the mean %g and deviation %g", mean, sd)
	}
	var sketch calibrate.Sketch
	for _, v := range scores {
		sketch.Add((v-mean)/sd, 1)
	}
	table := sketch.Freeze()
	p := table.P
	if m.Ranked {
		p = table.Rank
	}
	r := rand.New(rand.NewPCG(12, 12))
	var average, hundredth, thousandth float64
	for _, x := range m.draws(12, judged) {
		v := p((m.Score(s, x)-mean)/sd, r.Float64())
		average += v / judged
		if v <= 1e-2 {
			hundredth += 1.0 / judged
		}
		if v <= 1e-3 {
			thousandth += 1.0 / judged
		}
	}
	if math.Abs(average-0.5) > 0.03 {
		t.Errorf("the mean p is %.3f", average)
	}
	if hundredth < 1e-2/3 || hundredth > 3e-2 {
		t.Errorf("p <= 0.01 in %.4f", hundredth)
	}
	if thousandth < 1e-3/3 || thousandth > 3e-3 {
		t.Errorf("p <= 0.001 in %.5f", thousandth)
	}
}

// save encodes a state as the detector's snapshots do.
func save(t *testing.T, s any) []byte {
	t.Helper()
	enc, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		t.Fatal(err)
	}
	b, err := enc.Marshal(s)
	if err != nil {
		t.Fatalf("save: %v", err)
	}
	return b
}

// load decodes into an empty state.
func load(b []byte, s any) error {
	dec, err := cbor.DecOptions{MaxArrayElements: 1 << 24, MaxMapPairs: 1 << 24, MaxNestedLevels: 64}.DecMode()
	if err != nil {
		return err
	}
	return dec.Unmarshal(b, s)
}
