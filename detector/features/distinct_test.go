package features_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vigil/detector/features"
)

// TestDistinctIsASet holds it against a plain map, through every size at which its
// memory changes shape.
func TestDistinctIsASet(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	var d features.Distinct
	for _, kinds := range []int{0, 1, 5, 8, 9, 20, 70, 1000, 3} {
		d.Reset()
		want := map[string]bool{}
		for range 3 * kinds {
			id := fmt.Sprintf("customer-%05d", r.IntN(kinds))
			if i := r.IntN(50); i == 0 {
				id = "" // an id all the same
			}
			if added := d.Add(id, features.ExactLimit); added == want[id] {
				t.Fatalf("%q: added %t, known %t", id, added, want[id])
			}
			want[id] = true
		}
		if d.Len() != int64(len(want)) {
			t.Errorf("%d ids, want %d", d.Len(), len(want))
		}
		for _, id := range d.IDs() {
			if !want[id] {
				t.Errorf("%q was never added", id)
			}
		}
		if ids := d.IDs(); !slices.IsSorted(ids) || len(ids) != len(want) {
			t.Errorf("%d ids listed, want %d", len(ids), len(want))
		}
	}
}

func TestDistinctIsBoundedAndGoesOnCounting(t *testing.T) {
	t.Parallel()
	var d features.Distinct
	for i := range 20_000 {
		d.Add(fmt.Sprint("id ", i), features.ExactLimit)
	}
	if n := len(d.IDs()); n != features.ExactLimit {
		t.Errorf("%d ids are held", n)
	}
	if n := d.Len(); n < 19_000 || n > 21_000 {
		t.Errorf("%d counted, of 20,000", n)
	}
}

func TestDistinctMerges(t *testing.T) {
	t.Parallel()
	for _, n := range []int{3, 30, 3000} {
		var a, b, whole features.Distinct
		for i := range n {
			id := fmt.Sprint("id ", i)
			whole.Add(id, features.ExactLimit)
			if i%3 != 0 {
				a.Add(id, features.ExactLimit)
			}
			if i%3 != 1 {
				b.Add(id, features.ExactLimit)
			}
		}
		b.AddUnnamed(7)
		a.Merge(&b, features.ExactLimit)
		if diff := a.Len() - 7 - whole.Len(); diff*50 > int64(n) || diff*50 < -int64(n) {
			t.Errorf("%d ids: merged %d, whole %d", n, a.Len(), whole.Len())
		}
	}
}

func TestDistinctComesBack(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 4, 40, 4000} {
		var d, back features.Distinct
		for i := range n {
			d.Add(fmt.Sprint("id ", i*7919%n), features.ExactLimit)
		}
		d.AddUnnamed(3)
		st, err := d.State()
		if err != nil {
			t.Fatal(err)
		}
		if err := back.Restore(st); err != nil {
			t.Fatal(err)
		}
		if back.Len() != d.Len() || !cmp.Equal(back.IDs(), d.IDs()) {
			t.Errorf("%d ids: %d came back", n, back.Len())
		}
		if d.Add("one more", features.ExactLimit) != back.Add("one more", features.ExactLimit) || back.Len() != d.Len() {
			t.Errorf("%d ids: they go on otherwise", n)
		}
	}
}

// BenchmarkDistinct fills the sets of spans of few and of many.
func BenchmarkDistinct(b *testing.B) {
	for _, n := range []int{2, 8, 60, 500} {
		ids := make([]string, n)
		for i := range ids {
			ids[i] = fmt.Sprintf("customer-%06d", i)
		}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			var d features.Distinct
			for i := 0; b.Loop(); i++ {
				if i%(3*n) == 0 {
					d.Reset()
				}
				d.Add(ids[i*7%n], features.ExactLimit)
			}
		})
	}
}
