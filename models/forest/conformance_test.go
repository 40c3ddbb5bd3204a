//go:build !race

package forest_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/go-cmp/cmp"

	"vigil/models/forest"
	"vigil/models/modelstest"
)

// grown is a reservoir with the forest that was last built of it.
type grown struct {
	Reservoir forest.Reservoir
	forest    *forest.Forest
}

// row is a session's vector.
type row struct {
	key, owner uint64
	epoch      int64
	values     []float32
}

func TestForestConforms(t *testing.T) {
	t.Parallel()
	quiet := make([]float32, width)
	modelstest.Run(t, modelstest.Model[grown, row]{
		New: func() *grown {
			return &grown{Reservoir: forest.Reservoir{Seed: 3, Width: width, Rows: 1024, HalfLife: 14}}
		},
		Learn: func(g *grown, x row) {
			g.Reservoir.Add(x.key, x.owner, x.epoch, x.values)
			g.forest = nil
		},
		Score: func(g *grown, x row) float64 {
			if g.forest == nil {
				g.forest = forest.Build(&g.Reservoir, 5)
			}
			var out [1]float64
			new(forest.Scorer).Score(g.forest, x.values, out[:])
			return g.forest.Splits(out[0])
		},
		Draw: func(r *rand.Rand) row { return row{r.Uint64(), r.Uint64N(300), r.Int64N(30), usual(r)} },
		Merge: func(dst, src *grown) {
			dst.Reservoir.Merge(&src.Reservoir)
			dst.forest = nil
		},
		Flood:    func(i uint64) row { return row{i, i, 20, quiet} },
		MaxBytes: 1024 * (width*5 + 80),
		Bad: []row{
			{1, 1, 1, []float32{1}},
			{1, 1, 1, nil},
			{1, 1, 1, make([]float32, width+1)},
		},
		Counted: func(g *grown) { g.Reservoir.Refused = 0 },
	})
}

func TestForestsSaveAndLoad(t *testing.T) {
	t.Parallel()
	f := forest.Build(fill(11, 5000), 1)
	b, err := cbor.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	var l forest.Forest
	if err := cbor.Unmarshal(b, &l); err != nil {
		t.Fatal(err)
	}
	if err := l.Check(); err != nil {
		t.Error(err)
	}
	if d := cmp.Diff(f, &l); d != "" {
		t.Error(d)
	}
	if len(b) > 500_000 {
		t.Errorf("%d bytes", len(b))
	}
	// A damaged one is read without harm.
	r := rand.New(rand.NewPCG(1, 1))
	for i := range l.Nodes {
		l.Nodes[i] = r.Uint64()
		l.Paths[i] = float32(math.NaN())
	}
	score(&l, usual(r), odd(r))
}
