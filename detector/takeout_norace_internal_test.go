//go:build !race

package detector

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/detector/features"
	"vigil/models/novelty"
	"vigil/models/sequence"
)

// The theft that is staged again is found as it would be the first time where the first
// was called a breach, and with less evidence where that was taken back.
func TestTheftAfterConfirmedBreachIsFoundAlike(t *testing.T) {
	t.Parallel()
	_, _, first := heistOn(t, 1, false, false)
	_, _, after := heistOn(t, 1, true, false, vigil.WordBreach)
	_, _, back := heistOn(t, 1, true, false, vigil.WordBreach, "")
	f, a, b := first(), after(), back()
	if f.ID == "" || !a.Detected.Equal(f.Detected) {
		t.Errorf("found at %s, the first time at %s", a.Detected, f.Detected)
	}
	if !b.Detected.After(f.Detected) {
		t.Errorf("taken back it is found at %s, as soon as the first time: this test tells nothing", b.Detected)
	}
	if a.Contributions[0].Observation != f.Contributions[0].Observation || math.Abs(a.Contributions[0].Expected/f.Contributions[0].Expected-1) > 0.01 {
		t.Errorf("most telling is %s, the first time %s", a.Contributions[0].Text, f.Contributions[0].Text)
	}
}

// What a confirmed breach has taught beside counts and ranks is gone, item by item: the
// same theft is as surprising as it was the first time. Taken back, it is not.
func TestConfirmedBreachIsAsSurprisingAgain(t *testing.T) {
	t.Parallel()
	type world struct {
		e *Engine
		a *actor
	}
	var plain, robbed, out, soon, back world
	plain.e, plain.a = heist(t, false, false)
	robbed.e, robbed.a = heist(t, true, false)
	out.e, out.a = heist(t, true, false, vigil.WordBreach)
	soon.e, soon.a = heist(t, true, true, vigil.WordBreach)
	back.e, back.a = heist(t, true, false, vigil.WordMisuse, "")

	var reader features.Reader
	var values [features.Categories]features.Value
	ev := vigil.NewEvent()
	ev.Store, ev.Resource, ev.Network, ev.Action = "pg", "reports", "198.51.100.0/24", vigil.ActionRead
	reader.Categories(ev, &values)
	kind := stir(values[features.Resource].Hash, values[features.Action].Hash)
	decades := func(w world, self, peers *novelty.Table, c features.Category) float64 {
		p, _ := novelty.Predict(self, peers, nil, values[c].Hash, unit(w.a.Seen))
		return -math.Log10(p)
	}
	// chain is how surprising one more report after three is to the group.
	chain := func(w world) float64 {
		symbol := (word(&values[features.Action])*31+features.Hash("reports"))*31 + word(&values[features.Shape])
		var ctx sequence.Context
		for range sequence.Depth {
			ctx.Push(symbol)
		}
		return -math.Log10(w.a.group.Chain.Predict(ctx, symbol))
	}
	for name, c := range map[string]struct {
		surprise func(w world) float64
		// taught is what the theft moves at least.
		taught float64
	}{
		"network":             {func(w world) float64 { return decades(w, &w.a.Values[features.Network], nil, features.Network) }, 0.1},
		"resource":            {func(w world) float64 { return decades(w, &w.a.Values[features.Resource], nil, features.Resource) }, 0.1},
		"network among peers": {func(w world) float64 { return decades(w, nil, &w.a.group.Values[features.Network], features.Network) }, 0.01},
		"size of an access":   {func(w world) float64 { return w.a.Pages[0].Predict(pagePrior).Surprise(300) }, 10},
		"size of its kind":    {func(w world) float64 { return w.a.Pages[kind].Predict(pagePrior).Surprise(300) }, 1},
		"habit":               {func(w world) float64 { return w.a.Habit.share() }, 0.01},
		"steps":               {chain, 0.02},
		"peaks":               {func(w world) float64 { return w.e.shared.budget.Peaks[features.Quarter].N }, 0.5},
	} {
		t.Run(name, func(t *testing.T) {
			want, moved := c.surprise(plain), c.surprise(robbed)
			taught := math.Abs(moved - want)
			if taught < c.taught {
				t.Fatalf("%.4f, and after the theft %.4f: this test tells nothing", want, moved)
			}
			for when, w := range map[string]world{"a day later": out, "in the middle": soon} {
				if got := c.surprise(w); math.Abs(got-want) > taught/20 {
					t.Errorf("called a breach %s: %.4f, without the theft %.4f, with it %.4f", when, got, want, moved)
				}
			}
			if got := c.surprise(back); math.Abs(got-moved) > taught/20 {
				t.Errorf("taken back: %.4f, %.4f before", got, moved)
			}
		})
	}
	// known is how many of the customers of the theft know the thief, or its team.
	known := func(w world) (n int) {
		who := actorHash(&vigil.Event{Actor: vigil.Actor{ID: "p-0"}})
		for i := range 200 {
			h := subjectSalt(ev) + features.Hash(fmt.Sprintf("s-%d", i))
			s := w.e.targets[(h^h>>32)%shardCount].subjects.known[h]
			if s != nil && (slices.Contains(s.Readers[:], who) || s.Teams != [2]uint64{}) {
				n++
			}
		}
		return n
	}
	if p, r, o, s, b := known(plain), known(robbed), known(out), known(soon), known(back); p != 0 || r != 200 || o != 0 || s != 0 || b != 200 {
		t.Errorf("of 200 customers know the thief: %d without the theft, %d with it, %d and %d when called a breach late and soon, %d taken back", p, r, o, s, b)
	}
	if out.a.rare != ([rareSteps]uint32{}) || back.a.rare != robbed.a.rare {
		t.Errorf("rare steps: %x taken out, %x put back, %x before", out.a.rare, back.a.rare, robbed.a.rare)
	}
}

// Rows of a finding's time leave the samples of the forests, no others, and come back.
func TestRowsOfConfirmedBreachLeaveTheSample(t *testing.T) {
	t.Parallel()
	e, a := heist(t, false, false)
	sh, _ := e.known("", "p-0")
	owner := features.Hash(a.Key)
	for l := range features.Week {
		sample := &e.shared.Forests.Sample[l]
		before := slices.Clone(sample.Items)
		var spans []int64
		for _, it := range before {
			if it.Owner == owner {
				spans = append(spans, rowSpan(owner, it.Key))
			}
		}
		slices.Sort(spans)
		if len(spans) < 6 {
			t.Fatalf("%d rows are too few", len(spans))
		}
		from, to := spans[2], spans[4]
		j := &journal{Since: l.Start(from), Until: l.Start(to)}
		sh.takeRows(a, j, true)
		if n := len(before) - len(sample.Items); n != 3 {
			t.Errorf("%d rows of the %s were taken out, not 3", n, l)
		}
		for _, it := range sample.Items {
			if i := rowSpan(owner, it.Key); it.Owner == owner && i >= from && i <= to {
				t.Errorf("the row of %s %d stayed", l, i)
			}
		}
		sh.takeRows(a, j, false)
		if diff := cmp.Diff(before, sample.Items); diff != "" {
			t.Errorf("put back (-before +after):\n%s", diff)
		}
	}
}
