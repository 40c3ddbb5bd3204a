//go:build !race

package forest_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"vigil/models/forest"
)

// BenchmarkScore scores batches of 1,024 vectors of twenty features; it reports
// vectors per second.
func BenchmarkScore(b *testing.B) {
	f := forest.Build(fill(1, 20_000), 3)
	r := rand.New(rand.NewPCG(1, 2))
	const n = 1024
	vectors := make([][]float32, n)
	for i := range vectors {
		vectors[i] = usual(r)
	}
	flat := slices.Concat(vectors...)
	out := make([]float64, n)
	var s forest.Scorer
	b.ReportAllocs()
	for b.Loop() {
		s.Score(f, flat, out)
	}
	b.ReportMetric(float64(b.N)*n/b.Elapsed().Seconds(), "vectors/s")
}

func BenchmarkScoreOne(b *testing.B) {
	f := forest.Build(fill(1, 20_000), 3)
	v := usual(rand.New(rand.NewPCG(1, 2)))
	out := make([]float64, 1)
	var s forest.Scorer
	for b.Loop() {
		s.Score(f, v, out)
	}
}

func BenchmarkBuild(b *testing.B) {
	res := fill(1, 20_000)
	for seed := uint64(0); b.Loop(); seed++ {
		forest.Build(res, seed)
	}
}

func BenchmarkReservoir(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	res := &forest.Reservoir{Width: width, HalfLife: 14}
	v := usual(r)
	for i := uint64(0); b.Loop(); i++ {
		res.Add(i, i%997, int64(i/4096), v)
	}
}

// BenchmarkReservoirFlood is one owner that brings everything.
func BenchmarkReservoirFlood(b *testing.B) {
	res := fill(1, 2_000)
	v := usual(rand.New(rand.NewPCG(1, 2)))
	for i := uint64(0); b.Loop(); i++ {
		res.Add(i, 77_777, int64(i/4096), v)
	}
}
