//go:build !race

package detector

import (
	"testing"
	"time"

	"vigil"
)

// What a breach has taught is gone once somebody says what it was, for the actor and
// its peers, and is back once that is taken back.
func TestConfirmedBreachLeavesTheBaselines(t *testing.T) {
	t.Parallel()
	const said, until = 40 * time.Hour, 54 * time.Hour
	plainEngine, plain, _ := course(t, false, until, false)
	robbedEngine, robbed, finding := course(t, true, until, false)
	if finding.ID == "" {
		t.Fatal("the theft was not found")
	}
	outEngine, out, _ := course(t, true, until, true, saying{after: said, word: vigil.WordBreach})
	backEngine, back, _ := course(t, true, until, true, saying{after: said, word: vigil.WordMisuse}, saying{after: said + time.Hour})

	want := believes(plainEngine, plain)
	taught, _ := farApart(want, believes(robbedEngine, robbed))
	left, most := farApart(want, believes(outEngine, out))
	t.Logf("the theft moved beliefs by %.4f decades; %.4f are left, %.3f at most", taught, left, most)
	if taught < 0.005 {
		t.Fatalf("the theft taught nothing (%.4f decades): this test tells nothing", taught)
	}
	if left > taught/3 {
		t.Errorf("of %.4f decades that the theft moved beliefs by %.4f are left", taught, left)
	}
	if mean, most := farApart(believes(robbedEngine, robbed), believes(backEngine, back)); most > 0.05 {
		t.Errorf("taken back, beliefs differ by %.4f decades, %.3f at most", mean, most)
	}

	// What the actor first did then is new again, and known again.
	values := func(a *actor) (n int) {
		for c := range a.Values {
			n += a.Values[c].Len()
		}
		return n
	}
	if p, r, o, k := values(plain), values(robbed), values(out), values(back); r <= p || r-o < (r-p)/2 || o >= r || k != r {
		t.Errorf("values known: %d without the theft, %d with it, %d taken out, %d put back", p, r, o, k)
	}
}
