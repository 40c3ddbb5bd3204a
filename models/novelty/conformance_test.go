//go:build !race

package novelty_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"vigil/models/modelstest"
	"vigil/models/novelty"
)

// met is a value met in a span.
type met struct {
	x    uint64
	w    float64
	span int64
}

func TestTableConforms(t *testing.T) {
	t.Parallel()
	const limit = 512
	modelstest.Run(t, modelstest.Model[novelty.Table, met]{
		New:   func() *novelty.Table { return &novelty.Table{} },
		Learn: func(tb *novelty.Table, m met) { tb.Add(m.x, "value", m.w, m.span, limit) },
		Score: func(tb *novelty.Table, m met) float64 {
			p, _ := novelty.Predict(tb, nil, nil, m.x, 1)
			return -math.Log10(p)
		},
		// Spans of their own, so that each counts.
		Draw: func(r *rand.Rand) met {
			return met{uint64(r.ExpFloat64() * 20), 1, r.Int64()}
		},
		Merge:    func(dst, src *novelty.Table) { dst.Merge(src, limit) },
		Flood:    func(i uint64) met { return met{1e6 + i, 1, int64(i)} },
		Floods:   1_000_000,
		MaxBytes: limit * 120,
		Bad:      []met{{1, math.NaN(), 1}, {2, math.Inf(1), 1}, {3, -1, 1}},
		Ranked:   true,
	})
}
