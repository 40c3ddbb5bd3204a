package feeds_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/detector/reasons"
	"vigil/internal/feeds"
)

// some are random assignments, of which two sets share many.
func some(r *rand.Rand, n int) vigil.Facts {
	f := vigil.Facts{Feed: "desk", Kind: vigil.FactAssignment}
	used := map[int]bool{}
	for range n {
		id := r.IntN(2 * n)
		if used[id] {
			continue
		}
		used[id] = true
		a := vigil.Assignment{ID: fmt.Sprint("id-", id), Who: vigil.Who{Actor: fmt.Sprint("a", r.IntN(3))}, Ticket: fmt.Sprint("t", id)}
		if r.IntN(2) == 0 {
			a.ID = ""
			a.To = time.Date(2026, 1, 1+r.IntN(3), 0, 0, 0, 0, time.UTC)
		}
		f.Assignments = append(f.Assignments, a)
	}
	return f
}

// Whoever knows the one set and is told the difference knows the other.
func TestDifferenceLeadsToTheNext(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for round := range 300 {
		before, after := some(r, 1+r.IntN(40)), some(r, r.IntN(40))
		base, err := feeds.NewBase(before)
		if err != nil {
			t.Fatal(err)
		}
		pieces, err := feeds.Diff(base, &after, false)
		if err != nil {
			t.Fatal(err)
		}
		told, want := reasons.New(reasons.Limits{}), reasons.New(reasons.Limits{})
		told.Apply(before)
		for _, p := range pieces {
			told.Apply(p)
		}
		want.Apply(after)
		if diff := cmp.Diff(want.Facts(vigil.FactAssignment), told.Facts(vigil.FactAssignment)); diff != "" {
			t.Fatalf("round %d:\n%s", round, diff)
		}
		// Nothing is told twice, and what is known from the book is what is known.
		known, err := feeds.NewBase(told.Facts(vigil.FactAssignment)...)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := feeds.Diff(known, &after, false); err != nil || len(again) != 0 {
			t.Fatalf("round %d: told again: %v, %v", round, again, err)
		}
	}
}

func TestPiecesAreBounded(t *testing.T) {
	t.Parallel()
	f := vigil.Facts{Feed: "crm", Kind: vigil.FactHoney}
	for i := range 2*feeds.Piece + 1 {
		f.Honey = append(f.Honey, vigil.Honey{Subject: fmt.Sprint("s", i)})
	}
	pieces, err := feeds.Diff(nil, &f, false)
	if err != nil || len(pieces) != 3 {
		t.Fatalf("%d pieces, %v", len(pieces), err)
	}
	base, err := feeds.NewBase(pieces...)
	if err != nil {
		t.Fatal(err)
	}
	none := vigil.Facts{Feed: "crm", Kind: vigil.FactHoney}
	if pieces, err = feeds.Diff(base, &none, false); err != nil || len(pieces) != 3 || len(pieces[0].Removed) != feeds.Piece {
		t.Errorf("removing: %d pieces, %v", len(pieces), err)
	}
	if pieces, err = feeds.Diff(base, &none, true); err != nil || len(pieces) != 0 {
		t.Errorf("a part removes: %d pieces, %v", len(pieces), err)
	}
}
