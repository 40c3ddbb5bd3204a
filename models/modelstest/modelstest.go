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
	"cmp"
	"errors"
	"fmt"
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
	// Floods how many there are: 1,000,000 unless told otherwise.
	Flood  func(i uint64) X
	Floods uint64
	// MaxBytes is what a state takes at most, as saved.
	MaxBytes int

	// Bad lists observations that are nonsense: the state stays as it was, and their
	// scores are numbers.
	Bad []X
	// Counted sets to zero what a state counts as refused, which may grow.
	Counted func(*S)

	// Learnt is how many observations are learnt before scores are judged; zero
	// means 5,000.
	Learnt int
	// Ranked says that scores are categories, which have ranks but no tail.
	Ranked bool
}

// Run checks the model.
func Run[S, X any](t *testing.T, m Model[S, X]) {
	t.Helper()
	for _, c := range m.checks() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			switch err := c.check(); {
			case errors.Is(err, errUnchecked):
				t.Skip(err)
			case err != nil:
				t.Error(err)
			}
		})
	}
}

// errUnchecked says that a model does not tell what a check needs.
var errUnchecked = errors.New("NOT CHECKED")

type check struct {
	name  string
	check func() error
}

// checks returns the suite's checks, each of which says what is wrong first.
func (m Model[S, X]) checks() []check {
	m.Tolerance = cmp.Or(m.Tolerance, 1e-9)
	m.Floods = cmp.Or(m.Floods, 1_000_000)
	m.Learnt = cmp.Or(m.Learnt, 5000)
	return []check{
		{"deterministic", m.deterministic},
		{"mergeable", m.mergeable},
		{"bounded", m.bounded},
		{"saves and loads", m.saves},
		{"refuses nonsense", m.refuses},
		{"uniform on its null", m.uniform},
	}
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

func (m Model[S, X]) deterministic() error {
	if same, err := equal(m.New(), m.New()); err != nil || !same {
		return cmp.Or(err, errors.New("two empty states differ"))
	}
	xs := m.draws(1, m.Learnt)
	a, b := m.learn(xs), m.learn(xs)
	was, err := save(a)
	if err != nil {
		return err
	}
	if same, err := equal(a, b); err != nil || !same {
		return cmp.Or(err, errors.New("the same observations gave two states"))
	}
	for i, x := range m.draws(2, 1000) {
		if p, q := m.Score(a, x), m.Score(b, x); p != q {
			return fmt.Errorf("observation %d has the scores %g and %g", i, p, q)
		}
	}
	if is, err := save(a); err != nil || !bytes.Equal(was, is) {
		return cmp.Or(err, errors.New("scoring writes to the state"))
	}
	return nil
}

func (m Model[S, X]) mergeable() error {
	if m.Merge == nil {
		return fmt.Errorf("%w: the model has no Merge", errUnchecked)
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
	groupings := []struct {
		name string
		s    *S
	}{
		{"one by one", merge(part(0), part(1), part(2), part(3))},
		{"in pairs", merge(merge(part(0), part(1)), merge(part(2), part(3)))},
		{"with none", merge(m.New(), part(0), m.New(), merge(part(1), merge(part(2), part(3))))},
		{"backward", merge(part(3), part(2), part(1), part(0))},
	}
	if m.InOrder {
		groupings = groupings[:3]
	}
	probes := m.draws(4, 500)
	for _, g := range groupings {
		for i, x := range probes {
			want, got := m.Score(whole, x), m.Score(g.s, x)
			if d := math.Abs(got-want) / math.Max(1, math.Abs(want)); !(d <= m.Tolerance) {
				return fmt.Errorf("merged %s, observation %d scores %g, of the whole %g", g.name, i, got, want)
			}
		}
	}
	return nil
}

func (m Model[S, X]) bounded() error {
	if m.Flood == nil {
		return fmt.Errorf("%w: the model has no Flood", errUnchecked)
	}
	s := m.learn(m.draws(5, m.Learnt))
	for i := range m.Floods {
		m.Learn(s, m.Flood(i))
		// Looked at on the way as well, ever more rarely.
		if i&(i-1) != 0 && i != m.Floods-1 {
			continue
		}
		b, err := save(s)
		if err != nil {
			return err
		}
		if len(b) > m.MaxBytes {
			return fmt.Errorf("after %d of the flood the state has %d bytes, at most %d", i+1, len(b), m.MaxBytes)
		}
	}
	for i, x := range m.draws(6, 200) {
		if v := m.Score(s, x); math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("after the flood observation %d scores %g", i, v)
		}
	}
	return nil
}

func (m Model[S, X]) saves() error {
	for _, n := range []int{0, 10, m.Learnt} {
		s := m.learn(m.draws(7, n))
		was, err := save(s)
		if err != nil {
			return err
		}
		if len(was) > m.MaxBytes {
			return fmt.Errorf("after %d observations the state has %d bytes, at most %d", n, len(was), m.MaxBytes)
		}
		l := m.New()
		if err := load(was, l); err != nil {
			return err
		}
		if same, err := equal(s, l); err != nil || !same {
			return cmp.Or(err, fmt.Errorf("after %d observations, saved and loaded, the state differs", n))
		}
		// It goes on as if nothing had been.
		more := m.draws(8, 500)
		for i, x := range more {
			if a, b := m.Score(s, x), m.Score(l, x); a != b {
				return fmt.Errorf("after %d observations, the next but %d scores %g, loaded %g", n, i, a, b)
			}
		}
		for _, x := range more {
			m.Learn(s, x)
			m.Learn(l, x)
		}
		if same, err := equal(s, l); err != nil || !same {
			return cmp.Or(err, fmt.Errorf("after %d observations, loaded, it learns otherwise", n))
		}
	}
	return nil
}

func (m Model[S, X]) refuses() error {
	if len(m.Bad) == 0 {
		return fmt.Errorf("%w: the model has no observation that is nonsense", errUnchecked)
	}
	for _, n := range []int{0, m.Learnt} {
		for i, x := range m.Bad {
			s, was := m.learn(m.draws(9, n)), m.learn(m.draws(9, n))
			if v := m.Score(s, x); math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("nonsense %d scores %g", i, v)
			}
			m.Learn(s, x)
			if m.Counted != nil {
				m.Counted(s)
				m.Counted(was)
			}
			if same, err := equal(s, was); err != nil || !same {
				return cmp.Or(err, fmt.Errorf("nonsense %d was learnt", i))
			}
		}
	}
	return nil
}

// uniform ranks fresh scores among others of the same state: as the detector
// does, by deviations from their mean.
func (m Model[S, X]) uniform() error {
	const ranked, judged = 40_000, 60_000
	s := m.learn(m.draws(10, m.Learnt))
	scores := make([]float64, 0, ranked)
	var mean, sd float64
	for _, x := range m.draws(11, ranked) {
		v := m.Score(s, x)
		scores = append(scores, v)
		mean += v / float64(ranked)
	}
	for _, v := range scores {
		sd += (v - mean) * (v - mean) / float64(ranked)
	}
	if sd = math.Sqrt(sd); !(sd > 1e-9*math.Abs(mean)) || math.IsInf(sd, 0) {
		return fmt.Errorf("scores have the mean %g and deviation %g", mean, sd)
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
	each := 1 / float64(judged)
	for _, x := range m.draws(12, judged) {
		v := p((m.Score(s, x)-mean)/sd, r.Float64())
		average += v * each
		if v <= 1e-2 {
			hundredth += each
		}
		if v <= 1e-3 {
			thousandth += each
		}
	}
	switch {
	case math.Abs(average-0.5) > 0.03:
		return fmt.Errorf("the mean p is %.3f", average)
	case hundredth < 1e-2/3 || hundredth > 3e-2:
		return fmt.Errorf("p <= 0.01 in %.4f", hundredth)
	case thousandth < 1e-3/3 || thousandth > 3e-3:
		return fmt.Errorf("p <= 0.001 in %.5f", thousandth)
	}
	return nil
}

// save encodes a state as the detector's snapshots do.
func save(s any) ([]byte, error) {
	enc, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		return nil, fmt.Errorf("make encoder: %w", err)
	}
	b, err := enc.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("save state: %w", err)
	}
	return b, nil
}

// load decodes into an empty state.
func load(b []byte, s any) error {
	dec, err := cbor.DecOptions{MaxArrayElements: 1 << 24, MaxMapPairs: 1 << 24, MaxNestedLevels: 64}.DecMode()
	if err != nil {
		return fmt.Errorf("make decoder: %w", err)
	}
	if err := dec.Unmarshal(b, s); err != nil {
		return fmt.Errorf("load state: %w", err)
	}
	return nil
}

// equal tells whether two states are saved as the same bytes.
func equal(a, b any) (bool, error) {
	p, err := save(a)
	if err != nil {
		return false, err
	}
	q, err := save(b)
	return bytes.Equal(p, q), err
}
