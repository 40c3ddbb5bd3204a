//go:build !race

package sequence_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"vigil/models/modelstest"
	"vigil/models/sequence"
)

// run is a session's symbols; weight what each step counts.
type run struct {
	symbols []uint64
	weight  float64
}

// session draws a run over forty symbols: mostly on to the usual next one.
func session(r *rand.Rand) run {
	x := run{make([]uint64, 10+r.IntN(30)), 1}
	zipf := rand.NewZipf(r, 1.5, 4, 39)
	now := zipf.Uint64()
	for i := range x.symbols {
		if r.IntN(3) == 0 {
			now = zipf.Uint64()
		} else {
			now = (now*3 + 1) % 40
		}
		x.symbols[i] = now
	}
	return x
}

func TestModelConforms(t *testing.T) {
	t.Parallel()
	modelstest.Run(t, modelstest.Model[sequence.Model, run]{
		New: func() *sequence.Model { return &sequence.Model{Limit: 2048} },
		Learn: func(m *sequence.Model, x run) {
			var ctx sequence.Context
			for _, s := range x.symbols {
				m.Learn(ctx, s, x.weight)
				ctx.Push(s)
			}
		},
		Score: func(m *sequence.Model, x run) float64 {
			var ctx sequence.Context
			var sum sequence.Surprise
			for _, s := range x.symbols {
				sum.Add(m.Predict(ctx, s))
				ctx.Push(s)
			}
			v, _ := sum.Mean()
			return v
		},
		Draw:     session,
		Merge:    func(dst, src *sequence.Model) { dst.Merge(src) },
		Learnt:   60, // more would fill it, and then merging is not exact
		Flood:    func(i uint64) run { return run{[]uint64{4 * i, 4*i + 1, 4*i + 2, 4*i + 3}, 1} },
		Floods:   250_000,
		MaxBytes: 600_000,
		Bad: []run{
			{[]uint64{1, 2}, math.NaN()},
			{[]uint64{1, 2}, math.Inf(1)},
			{[]uint64{1, 2}, -1},
			{[]uint64{1, 2}, 0},
		},
	})
}

// TestAFullModelMergesNearly merges parts that do not fit into one model.
func TestAFullModelMergesNearly(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(21, 22))
	whole := sequence.Model{Limit: 4096}
	parts := [4]sequence.Model{{Limit: 4096}, {Limit: 4096}, {Limit: 4096}, {Limit: 4096}}
	for i := range 4000 {
		x := session(r)
		learn(&whole, x.symbols...)
		learn(&parts[i%4], x.symbols...)
	}
	merged := sequence.Model{Limit: 4096}
	for i := range parts {
		merged.Merge(&parts[i])
	}
	if whole.Evicted == 0 || merged.Evicted == 0 {
		t.Fatal("nothing had to make room")
	}
	for range 200 {
		var ctx sequence.Context
		var a, b sequence.Surprise
		for _, s := range session(r).symbols {
			a.Add(whole.Predict(ctx, s))
			b.Add(merged.Predict(ctx, s))
			ctx.Push(s)
		}
		va, _ := a.Mean()
		vb, _ := b.Mean()
		if math.Abs(va-vb) > 0.1*va {
			t.Fatalf("surprise %g, merged %g", va, vb)
		}
	}
}
