//go:build !race

package affinity_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"vigil/models/affinity"
	"vigil/models/calibrate"
)

// TestRankedScoresAreUniform ranks raw scores of quiet traffic among those of the
// ticks between, as the engine does with frozen tables: a tenth of the p-values
// must lie in each tenth.
func TestRankedScoresAreUniform(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	m := model(t, affinity.Config{})
	edges, sources := m.Edges(), m.Sources()
	for _, c := range []struct {
		name  string
		score func(a, b uint64, tick int64) float64
	}{
		{"edges", edges.Add},
		{"sources", func(a, b uint64, tick int64) float64 { return sources.Add(a, b, r.IntN(20) == 0, tick) }},
	} {
		var seen calibrate.Sketch
		var rest []float64
		for tick := range int64(30 * day) {
			for range r.IntN(4) {
				a := r.Uint64N(30)
				z := math.Log1p(c.score(a, a/3+r.Uint64N(4), tick))
				if tick < 20*day {
					continue
				}
				if tick/60%2 == 0 {
					seen.Add(z, 1)
				} else {
					rest = append(rest, z)
				}
			}
		}
		table := seen.Freeze()
		var tenths [10]float64
		rare, n := 0.0, float64(len(rest))
		for _, z := range rest {
			p := table.P(z, r.Float64())
			tenths[min(int(p*10), 9)]++
			if p < .01 {
				rare++
			}
		}
		for i, x := range tenths {
			if x/n < .07 || x/n > .13 {
				t.Errorf("%s: %.3f of the p-values lie in tenth %d", c.name, x/n, i)
			}
		}
		if rare/n > .02 || rare/n < .005 {
			t.Errorf("%s: %.4f of the p-values lie below .01", c.name, rare/n)
		}
	}
}
