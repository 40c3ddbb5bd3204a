package detector

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"vigil/detector/features"
)

// tallyOf is what a desk of so many days gives, by model.
func tallyOf(t *testing.T, days int, o TallyOptions) map[string]Tally {
	t.Helper()
	if o.From.IsZero() {
		o.From, o.To = monday(), monday().AddDate(0, 0, days+1)
	}
	out := map[string]Tally{}
	for _, m := range deskOf(t, days, Options{Tally: &o}).Tallies() {
		out[m.Model] = m
	}
	return out
}

// Each answer about a span that is over is counted, at every bound that it lies below.
// Counts grow with the bound, what is left out is missing, and days out of the time are not counted.
func TestTally(t *testing.T) {
	t.Parallel()
	const days = 20
	all := tallyOf(t, days, TallyOptions{})
	for _, name := range []string{"novelty", "sequence", "volume"} {
		m := all[name]
		if m.Answers == 0 || m.Below[0] != m.Answers || m.Scores[0] != m.Scored || m.Scored > m.Answers {
			t.Errorf("%s: %d answers, %d below one, %d of %d scores", name, m.Answers, m.Below[0], m.Scores[0], m.Scored)
		}
		for i := 1; i < TallyBounds; i++ {
			if m.Below[i] > m.Below[i-1] || m.Scores[i] > m.Scores[i-1] {
				t.Errorf("%s: more lie below bound %d than below the one before", name, i)
			}
		}
	}
	// On the last day somebody reads ten times as much, and no rank is so rare without.
	theft := Untaught{Actor: "p-0", From: monday().AddDate(0, 0, days-1), To: monday().AddDate(0, 0, days)}
	quiet := tallyOf(t, days, TallyOptions{From: monday(), To: monday().AddDate(0, 0, days+1), Without: []Untaught{theft}})
	const thousandth = 3 * TallySteps
	if all["volume"].Below[thousandth] == 0 || quiet["volume"].Below[thousandth] != 0 || quiet["volume"].Answers >= all["volume"].Answers {
		t.Errorf("with the theft %v, without %v", all["volume"].Below, quiet["volume"].Below)
	}
	before := tallyOf(t, days, TallyOptions{From: monday(), To: monday().AddDate(0, 0, 1)})
	if len(before) != 0 {
		t.Errorf("while the engine learns, it counts %+v", before)
	}
}

// Counting changes nothing of the engine's state, which says what it has learnt.
func TestTallyChangesNothing(t *testing.T) {
	t.Parallel()
	parts := func(o Options) []Part {
		p, err := deskOf(t, 12, o).Snapshot(true)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	if diff := cmp.Diff(parts(Options{}), parts(Options{Tally: &TallyOptions{From: monday(), To: monday().AddDate(0, 0, 20)}})); diff != "" {
		t.Error("counted or not, the engine learns something else")
	}
}

func TestTallyBounds(t *testing.T) {
	t.Parallel()
	for decades, want := range map[float64]int{-1: 0, 0: 0, .2: 0, .25: 1, 2: 8, 2.1: 8, 6: 24, 300: 24} {
		if got := bound(decades); got != want {
			t.Errorf("%g decades: bound %d, want %d", decades, got, want)
		}
	}
	for m := range features.Measure(features.Measures) {
		if got := tallied[modelOf(measureTerm(m))]; got != m.Model() {
			t.Errorf("%s counts for %s, want %s", m, got, m.Model())
		}
	}
}
