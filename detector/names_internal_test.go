package detector

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestNamesAreASet holds it against a plain map, through more than it keeps room for.
func TestNamesAreASet(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	var n names
	for round := range 3 {
		want := map[uint64]string{}
		for range 400 {
			hash := uint64(r.IntN(40))
			_, known := want[hash]
			if n.has(hash) != known {
				t.Fatalf("round %d: %d is there: %t, want %t", round, hash, !known, known)
			}
			if r.IntN(3) == 0 {
				if n.remove(hash) != known {
					t.Fatalf("round %d: %d was taken out: %t, want %t", round, hash, !known, known)
				}
				delete(want, hash)
				continue
			}
			if n.add(hash, string(rune('a'+hash))) == known {
				t.Fatalf("round %d: %d was put in: %t, want %t", round, hash, known, !known)
			}
			want[hash] = string(rune('a' + hash))
		}
		for i, h := range slices.Sorted(maps.Keys(want)) {
			if n[i].Hash != h || n[i].ID != want[h] {
				t.Errorf("round %d: place %d holds %d, want %d", round, i, n[i].Hash, h)
			}
		}
		if len(n) != len(want) {
			t.Errorf("round %d: %d are there, want %d", round, len(n), len(want))
		}
		if n.reset(); len(n) != 0 {
			t.Errorf("round %d: %d are left", round, len(n))
		}
	}
}
