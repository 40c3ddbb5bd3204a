//go:build !race

package sequence_test

import (
	"math/rand/v2"
	"testing"

	"vigil/models/sequence"
)

// desk is a model that learnt 100,000 steps of runs over sixty symbols, used by
// Zipf's law, four in five after the same one as usual, and some of those steps.
func desk() (*sequence.Model, []sequence.Step) {
	r := rand.New(rand.NewPCG(1, 2))
	zipf := rand.NewZipf(r, 1.3, 3, 59)
	var m sequence.Model
	var ctx sequence.Context
	now := uint64(0)
	steps := make([]sequence.Step, 0, 4096)
	for i := range 100_000 {
		if i%40 == 0 {
			ctx = sequence.Context{}
		}
		if r.IntN(5) == 0 {
			now = zipf.Uint64()
		} else {
			now = (now*7 + 3) % 20
		}
		s := now*0x9e3779b97f4a7c15 ^ 0x5bd1e995
		m.Learn(ctx, s, 1)
		if len(steps) < cap(steps) {
			steps = append(steps, sequence.Step{Context: ctx, Symbol: uint32(s) ^ uint32(s>>32)})
		}
		ctx.Push(s)
	}
	return &m, steps
}

func BenchmarkPredict(b *testing.B) {
	m, steps := desk()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		s := &steps[i%len(steps)]
		m.Predict(s.Context, uint64(s.Symbol))
	}
}

func BenchmarkLearn(b *testing.B) {
	m, steps := desk()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		s := &steps[i%len(steps)]
		m.Learn(s.Context, uint64(s.Symbol), 1)
	}
}

func BenchmarkDelta(b *testing.B) {
	_, steps := desk()
	var d sequence.Delta
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		s := &steps[i%len(steps)]
		d.Add(s.Context, uint64(s.Symbol), 1)
	}
}

func BenchmarkFlood(b *testing.B) {
	r := rand.New(rand.NewPCG(3, 4))
	var m sequence.Model
	var ctx sequence.Context
	for b.Loop() {
		s := r.Uint64()
		m.Learn(ctx, s, 1)
		ctx.Push(s)
	}
}

func BenchmarkOrder(b *testing.B) {
	var o sequence.Order
	for i := 0; b.Loop(); i++ {
		o.Add(i&3 - 1)
	}
}

func BenchmarkRhythm(b *testing.B) {
	var h sequence.Rhythm
	for i := int64(1); b.Loop(); i++ {
		h.Add(i * (1e9 + i&7))
	}
}

func BenchmarkDensity(b *testing.B) {
	r := rand.New(rand.NewPCG(3, 4))
	var d sequence.Density
	b.ReportAllocs()
	for b.Loop() {
		d.Add(r.Uint64N(100_000))
	}
}
