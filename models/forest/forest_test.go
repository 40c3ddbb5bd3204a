//go:build !race

package forest_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vigil/models/forest"
)

const width = 20

// usual draws a vector as it is when nothing is wrong: -log10 of uniform p-values,
// of which neighbours depend on each other.
func usual(r *rand.Rand) []float32 {
	v := make([]float32, width)
	shared := r.ExpFloat64()
	for i := range v {
		x := r.ExpFloat64()
		if i < 6 {
			x = 0.5*x + 0.5*shared
		}
		v[i] = float32(x * math.Log10E)
	}
	return v
}

// odd is a vector that is moderately high in some features.
func odd(r *rand.Rand) []float32 {
	v := usual(r)
	for range 5 {
		v[r.IntN(width)] = float32(2 + 2*r.Float64())
	}
	return v
}

func fill(seed uint64, n int) *forest.Reservoir {
	r := rand.New(rand.NewPCG(seed, 1))
	res := &forest.Reservoir{Seed: 9, Width: width, HalfLife: 14}
	for i := range n {
		res.Add(uint64(i), uint64(i%500), int64(i/1000), usual(r))
	}
	return res
}

func score(f *forest.Forest, vectors ...[]float32) []float64 {
	out := make([]float64, len(vectors))
	new(forest.Scorer).Score(f, slices.Concat(vectors...), out)
	return out
}

func TestOddSessionsStandAlone(t *testing.T) {
	t.Parallel()
	f := forest.Build(fill(1, 20_000), 3)
	r := rand.New(rand.NewPCG(2, 2))
	const n = 1000
	var quiet, loud [][]float32
	for range n {
		quiet, loud = append(quiet, usual(r)), append(loud, odd(r))
	}
	q, l := score(f, quiet...), score(f, loud...)
	wins := 0.0
	slices.Sort(q)
	for _, s := range l {
		if !(s > 0 && s < 1) {
			t.Fatalf("score %g", s)
		}
		at, _ := slices.BinarySearch(q, s)
		wins += float64(at)
	}
	if auc := wins / n / n; auc < 0.98 {
		t.Errorf("area under the curve %.4f", auc)
	}
	if median := q[n/2]; median < 0.35 || median > 0.5 {
		t.Errorf("what is usual has %.3f", median)
	}
	// Nothing to see is never odd.
	if s := score(f, make([]float32, width))[0]; s > q[n/2] {
		t.Errorf("all zero scores %.3f, half of what is usual %.3f", s, q[n/2])
	}
}

// TestAgainstPlainWalk walks the trees by comparing floats.
func TestAgainstPlainWalk(t *testing.T) {
	t.Parallel()
	for _, n := range []int{40, 256, 3000} {
		f := forest.Build(fill(3, n), 5)
		r := rand.New(rand.NewPCG(4, 4))
		vectors := make([][]float32, 333)
		for i := range vectors {
			vectors[i] = odd(r)
			vectors[i][r.IntN(width)] = float32(math.Inf(1 - 2*r.IntN(2)))
			vectors[i][r.IntN(width)] = -3
		}
		got := score(f, vectors...)
		m := float64(f.Drawn)
		c := 2*(math.Log(m-1)+0.5772156649) - 2*(m-1)/m
		for i, v := range vectors {
			sum := 0.0
			for tree := range forest.Trees {
				at := 1
				for at < 256 {
					node := f.Nodes[256*tree+at]
					x := max(min(v[node&0xff], forest.MaxValue)-0.5, 0)
					at *= 2
					if x >= math.Float32frombits(uint32(node>>32)) {
						at++
					}
				}
				sum += float64(f.Paths[256*tree+at-256])
			}
			if want := math.Pow(2, -sum/forest.Trees/c); math.Abs(got[i]-want) > 1e-9 {
				t.Fatalf("%d vectors: score %g, want %g", n, got[i], want)
			}
		}
	}
}

func TestSameVectorsSameForest(t *testing.T) {
	t.Parallel()
	a, b := forest.Build(fill(1, 3000), 7), forest.Build(fill(1, 3000), 7)
	if d := cmp.Diff(a, b); d != "" {
		t.Error(d)
	}
	if c := forest.Build(fill(1, 3000), 8); cmp.Equal(a, c) {
		t.Error("another seed gives the same forest")
	}
}

func TestPartsKeepWhatTheWholeKeeps(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 5))
	set := func() *forest.Reservoir {
		return &forest.Reservoir{Seed: 4, Width: 1, Rows: 128, HalfLife: 3, PerOwner: 9}
	}
	whole := set()
	parts := []*forest.Reservoir{set(), set(), set(), set()}
	for i := range 20_000 {
		key, owner, epoch := r.Uint64(), uint64(r.ExpFloat64()*4), int64(i/1000)
		v := []float32{float32(r.Float64())}
		whole.Add(key, owner, epoch, v)
		parts[r.IntN(4)].Add(key, owner, epoch, v)
	}
	left, right := set(), set()
	for _, p := range parts {
		left.Merge(p)
	}
	parts[3].Merge(parts[2])
	parts[1].Merge(parts[0])
	right.Merge(parts[3])
	right.Merge(parts[1])
	for _, got := range []*forest.Reservoir{left, right} {
		if d := cmp.Diff(whole.Items, got.Items); d != "" {
			t.Error(d)
		}
	}
	if len(whole.Items) != 128 {
		t.Errorf("%d kept", len(whole.Items))
	}
}

func TestNobodyFillsTheReservoir(t *testing.T) {
	t.Parallel()
	res := fill(6, 2000)
	for i := range 20_000 {
		res.Add(uint64(1e9)+uint64(i), 77_777, 3, make([]float32, width))
	}
	owned := 0
	for _, it := range res.Items {
		if it.Owner == 77_777 {
			owned++
		}
	}
	if owned > forest.DefaultRows/64 || len(res.Items) > forest.DefaultRows {
		t.Errorf("the loudest holds %d of %d", owned, len(res.Items))
	}
	res.Forget(77_777)
	for _, it := range res.Items {
		if it.Owner == 77_777 {
			t.Fatal("still there")
		}
	}
}

func TestAReservoirIsUsedAgain(t *testing.T) {
	t.Parallel()
	fresh := &forest.Reservoir{Width: 1, Rows: 8, PerOwner: 2}
	again := &forest.Reservoir{Width: 1, Rows: 8, PerOwner: 2}
	fill := func(r *forest.Reservoir, from uint64) {
		for i := range uint64(100) {
			r.Add(from+i, i%6, 1, []float32{float32(i)})
		}
	}
	fill(again, 1000)
	again.Reset()
	fill(again, 2000)
	again.Items = again.Items[:0] // so may an owner that knows what it does
	fill(again, 3000)
	fill(fresh, 3000)
	if d := cmp.Diff(fresh.Items, again.Items); d != "" {
		t.Error(d)
	}
}

func TestOldVectorsFade(t *testing.T) {
	t.Parallel()
	res := &forest.Reservoir{Seed: 1, Width: 1, Rows: 4000, HalfLife: 10, PerOwner: 4000}
	for i := range uint64(200_000) {
		epoch := int64(i/100_000) * 20
		res.Add(i, 1, epoch, []float32{float32(epoch)})
	}
	old := 0
	for _, it := range res.Items {
		if it.Values[0] == 0 {
			old++
		}
	}
	// Two half-lives: one old for four new.
	if share := float64(old) / float64(len(res.Items)); math.Abs(share-0.2) > 0.02 {
		t.Errorf("the old are %.3f", share)
	}
}

func TestNonsenseIsRefused(t *testing.T) {
	t.Parallel()
	nan := float32(math.NaN())
	res := &forest.Reservoir{Width: 2}
	res.Add(1, 1, 0, []float32{nan, 99})
	res.Add(2, 1, 0, []float32{1})
	res.Add(3, 1, 0, []float32{-1, float32(math.Inf(-1))})
	if res.Refused != 2 || len(res.Items) != 2 {
		t.Fatalf("refused %d, kept %d", res.Refused, len(res.Items))
	}
	for _, it := range res.Items {
		for _, v := range it.Values {
			if v != 0 && v != forest.MaxValue-0.5 {
				t.Errorf("kept %v", it.Values)
			}
		}
	}
	if forest.Build(res, 1) != nil {
		t.Error("two vectors make a forest")
	}
	f := forest.Build(fill(7, 1000), 1)
	var s forest.Scorer
	out := make([]float64, 2)
	v := slices.Repeat([]float32{nan}, 2*width)
	s.Score(f, v, out)
	if zero := score(f, make([]float32, width))[0]; out[0] != zero || s.Refused != 2*width {
		t.Errorf("NaN scores %g, zero %g; refused %d", out[0], zero, s.Refused)
	}
	for name, f := range map[string]*forest.Forest{
		"none":  nil,
		"empty": {},
		"short": {Width: width, Drawn: 256, Nodes: f.Nodes[1:], Paths: f.Paths},
		"other": {Width: width + 1, Drawn: 256, Nodes: f.Nodes, Paths: f.Paths},
	} {
		s.Score(f, v, out)
		if out[0] != forest.Unknown || f.Splits(out[0]) > 1e-9 {
			t.Errorf("%s: %v", name, out)
		}
	}
}

func TestTheBatchDoesNotMatter(t *testing.T) {
	t.Parallel()
	f := forest.Build(fill(9, 2000), 1)
	r := rand.New(rand.NewPCG(9, 9))
	vectors := make([][]float32, 131)
	for i := range vectors {
		vectors[i] = odd(r)
	}
	whole := score(f, vectors...)
	for size := 1; size < 10; size++ {
		for i := 0; i+size <= len(vectors); i += size {
			if got := score(f, vectors[i:i+size]...); !slices.Equal(got, whole[i:i+size]) {
				t.Fatalf("in batches of %d: %v, all together: %v", size, got, whole[i:i+size])
			}
		}
	}
}

func TestSplitsRiseWithTheScore(t *testing.T) {
	t.Parallel()
	f := forest.Build(fill(8, 1000), 1)
	last := math.Inf(-1)
	for s := 0.05; s < 1; s += 0.05 {
		if v := f.Splits(s); v <= last {
			t.Errorf("splits of %g are %g after %g", s, v, last)
		} else {
			last = v
		}
	}
	if f.Splits(0.5) != 0 || f.Splits(math.NaN()) != 0 {
		t.Error("an average path isn't at zero")
	}
}

func TestAllAlikeIsOneLeaf(t *testing.T) {
	t.Parallel()
	res := &forest.Reservoir{Width: 2, PerOwner: 1000}
	for i := range uint64(1000) {
		res.Add(i, i, 0, []float32{1, 2})
	}
	f := forest.Build(res, 1)
	if got := score(f, []float32{1, 2}, []float32{6, 6}); math.Abs(got[0]-0.5) > 1e-6 || got[0] != got[1] {
		t.Errorf("%v", got)
	}
}
