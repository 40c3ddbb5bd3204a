//go:build !race

package novelty_test

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"vigil/models/novelty"
)

func table(weights map[uint64]float64) *novelty.Table {
	var t novelty.Table
	for x, w := range weights {
		t.Add(x, "v", w, 0, 1000)
	}
	return &t
}

func TestBackOffOrdersNovelty(t *testing.T) {
	t.Parallel()
	self := table(map[uint64]float64{1: 50, 2: 5})
	peers := table(map[uint64]float64{1: 80, 2: 20, 3: 20})
	all := table(map[uint64]float64{1: 200, 2: 50, 3: 30, 4: 40})
	var last = 2.0
	for x, want := range []novelty.Frame{novelty.Known, novelty.Known, novelty.NewToSelf, novelty.NewToPeers, novelty.NewToEveryone} {
		p, frame := novelty.Predict(self, peers, all, uint64(x+1), 1)
		if frame != want {
			t.Errorf("value %d: frame %d, want %d", x+1, frame, want)
		}
		if p >= last || p <= 0 {
			t.Errorf("value %d: p %g after %g", x+1, p, last)
		}
		last = p
	}
}

func TestProbabilitiesSumToAtMostOne(t *testing.T) {
	t.Parallel()
	self := table(map[uint64]float64{1: 3, 2: 0.4, 3: 7})
	all := table(map[uint64]float64{1: 30, 2: 4, 3: 7, 4: 9, 5: 1})
	sum := 0.0
	for x := uint64(1); x <= 5; x++ {
		p, _ := novelty.Predict(self, nil, all, x, 1)
		sum += p
	}
	if sum > 1+1e-9 || sum < 0.5 {
		t.Errorf("known values have %g of the probability", sum)
	}
}

func TestEmptyTablesKnowNothing(t *testing.T) {
	t.Parallel()
	p, frame := novelty.Predict(nil, nil, nil, 7, 1)
	if frame != novelty.NewToEveryone || !(p > 0) || p > 1 {
		t.Errorf("p %g, frame %d", p, frame)
	}
}

func TestTableIsBoundedAndForgetsTheLightest(t *testing.T) {
	t.Parallel()
	var tb novelty.Table
	for x := range uint64(500) {
		tb.Add(x, "v", 1+float64(x), int64(x), 100)
	}
	if len(tb.Values) != 100 || tb.Get(499) == nil || tb.Get(0) != nil {
		t.Errorf("%d values", len(tb.Values))
	}
	sum := 0.0
	for _, v := range tb.Values {
		sum += v.Weight
	}
	if math.Abs(sum-tb.Total) > 1e-6 {
		t.Errorf("total %g, sum %g", tb.Total, sum)
	}
}

func TestASpanCountsOnce(t *testing.T) {
	t.Parallel()
	var tb novelty.Table
	if !tb.Add(1, "a", 1, 5, 10) || tb.Add(1, "a", 1, 5, 10) || !tb.Add(1, "a", 1, 6, 10) {
		t.Error("a span counted twice, or not at all")
	}
	if tb.Total != 2 {
		t.Errorf("total %g", tb.Total)
	}
}

func TestMergeIsTheWhole(t *testing.T) {
	t.Parallel()
	a, b := table(map[uint64]float64{1: 2, 2: 3}), table(map[uint64]float64{2: 4, 3: 1})
	a.Merge(b, 10)
	if a.Total != 10 || a.Get(2).Weight != 7 || a.Get(3).Weight != 1 {
		t.Errorf("%+v", a)
	}
}

func BenchmarkPredict(b *testing.B) {
	w := map[uint64]float64{}
	for x := range uint64(50) {
		w[x] = float64(x + 1)
	}
	self, peers, all := table(w), table(w), table(w)
	for i := uint64(0); b.Loop(); i++ {
		novelty.Predict(self, peers, all, i%60, 1)
	}
}

func TestAFullTableForgetsTheLightest(t *testing.T) {
	t.Parallel()
	const limit = 640
	var table novelty.Table
	for x := range uint64(10 * limit) {
		weight := 1.0
		if x < 4 {
			weight = 100
		}
		table.Add(x, "v", weight, int64(x), limit)
		if len(table.Values) > limit {
			t.Fatalf("%d values held, at most %d", len(table.Values), limit)
		}
	}
	sum := 0.0
	for _, v := range table.Values {
		sum += v.Weight
	}
	for x := range uint64(4) {
		if table.Get(x) == nil {
			t.Errorf("the heavy value %d was forgotten", x)
		}
	}
	if sum != table.Total {
		t.Errorf("the total is %v, the values' sum %v", table.Total, sum)
	}
}

// TestTableIsAMap holds lookups, order and sums against a plain map.
func TestTableIsAMap(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	var table novelty.Table
	want := map[uint64]float64{}
	for i := range 5000 {
		// Both hashes and small numbers, as hours are.
		x := r.Uint64N(60)
		if i%2 == 0 {
			x = (x + 1) * 0x9e3779b97f4a7c15
		}
		table.Add(x, "v", 1, int64(i), 1000)
		want[x]++
	}
	if table.Len() != len(want) || table.Total != 5000 {
		t.Errorf("%d values of weight %g", table.Len(), table.Total)
	}
	for x, w := range want {
		if v := table.Get(x); v == nil || v.Weight != w || v.Label.String() != "v" {
			t.Errorf("value %d is %+v, want weight %g", x, v, w)
		}
		if table.Get(x+1000) != nil {
			t.Errorf("value %d is known", x+1000)
		}
	}
	if !slices.IsSortedFunc(table.Values, func(a, b novelty.Value) int { return cmp.Compare(a.Hash, b.Hash) }) {
		t.Error("not in order")
	}
}

func TestTableComesBack(t *testing.T) {
	t.Parallel()
	a := table(map[uint64]float64{1: 2, 5: 0.25, math.MaxUint64: 3})
	a.Get(5).P = 0.5
	b, err := cbor.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	var back novelty.Table
	if err := cbor.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(a.Values, back.Values) || a.Total != back.Total {
		t.Errorf("%+v came back, want %+v", back, *a)
	}
}

func TestUsualIsHeaviestFirst(t *testing.T) {
	t.Parallel()
	var a novelty.Table
	for i, name := range []string{"light", "heavy", "middle", "another"} {
		a.Add(uint64(9-i), name, []float64{1, 6, 2, 1}[i], int64(i), 10)
	}
	labels, share := a.Usual(3)
	if !slices.Equal(labels, []string{"heavy", "middle", "another"}) || share != 0.9 {
		t.Errorf("%v hold %g", labels, share)
	}
}
