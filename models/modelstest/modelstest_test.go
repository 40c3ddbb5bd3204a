package modelstest

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
)

// mean is a model as simple as can be: how far an observation lies above the
// mean of what was learnt.
type mean struct {
	N, Sum float64
	Extra  []float64
	hidden float64
}

func sound() Model[mean, float64] {
	return Model[mean, float64]{
		New: func() *mean { return &mean{} },
		Learn: func(m *mean, x float64) {
			if !math.IsNaN(x) && !math.IsInf(x, 0) {
				m.N++
				m.Sum += x
			}
		},
		Score: func(m *mean, x float64) float64 {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				return 0
			}
			return x - m.Sum/math.Max(m.N, 1)
		},
		Draw: func(r *rand.Rand) float64 { return r.NormFloat64() },
		Merge: func(dst, src *mean) {
			dst.N += src.N
			dst.Sum += src.Sum
		},
		Flood:    func(i uint64) float64 { return float64(i) },
		Floods:   10_000,
		MaxBytes: 100,
		Bad:      []float64{math.NaN(), math.Inf(1)},
	}
}

func TestASoundModelPasses(t *testing.T) {
	t.Parallel()
	Run(t, sound())
}

// TestTheSuiteBites breaks the sound model in one way at a time.
func TestTheSuiteBites(t *testing.T) {
	t.Parallel()
	calls := 0.0
	for name, c := range map[string]struct {
		check string
		spoil func(*Model[mean, float64])
	}{
		"scoring writes": {"deterministic", func(m *Model[mean, float64]) {
			score := m.Score
			m.Score = func(s *mean, x float64) float64 { s.N++; return score(s, x) }
		}},
		"scores draw": {"deterministic", func(m *Model[mean, float64]) {
			m.Score = func(*mean, float64) float64 { calls++; return calls }
		}},
		"scores are no numbers": {"deterministic", func(m *Model[mean, float64]) {
			m.Score = func(*mean, float64) float64 { return math.NaN() }
		}},
		"merging loses": {"mergeable", func(m *Model[mean, float64]) {
			m.Merge = func(dst, src *mean) { *dst = *src }
		}},
		"never full": {"bounded", func(m *Model[mean, float64]) {
			m.Learn = func(s *mean, x float64) { s.Extra = append(s.Extra, x) }
		}},
		"part is not saved": {"saves and loads", func(m *Model[mean, float64]) {
			m.Learn = func(s *mean, x float64) { s.hidden += x }
			m.Score = func(s *mean, x float64) float64 { return x - s.hidden }
		}},
		"nonsense is learnt": {"refuses nonsense", func(m *Model[mean, float64]) {
			m.Learn = func(s *mean, x float64) { s.Sum += x }
		}},
		"nonsense is scored": {"refuses nonsense", func(m *Model[mean, float64]) {
			m.Score = func(_ *mean, x float64) float64 { return x }
		}},
		"scores say nothing": {"uniform on its null", func(m *Model[mean, float64]) {
			m.Score = func(*mean, float64) float64 { return 1 }
		}},
	} {
		m := sound()
		c.spoil(&m)
		for _, k := range m.checks() {
			if k.name == c.check && k.check() == nil {
				t.Errorf("%s: %q let it pass", name, c.check)
			}
		}
	}
}

func TestWhatIsNotToldIsNotChecked(t *testing.T) {
	t.Parallel()
	m := sound()
	m.Merge, m.Flood, m.Bad = nil, nil, nil
	unchecked := 0
	for _, c := range m.checks() {
		if errors.Is(c.check(), errUnchecked) {
			unchecked++
		}
	}
	if unchecked != 3 {
		t.Errorf("%d checks say that they did not check", unchecked)
	}
}
