package metrics_test

import (
	"errors"
	"math"
	"testing"

	"vigil/internal/metrics"
)

func TestMeasureAgainstFiguresByHand(t *testing.T) {
	t.Parallel()
	inf := math.Inf(1)
	for _, c := range []struct {
		name    string
		scores  []float64
		labels  []bool
		auc, ap float64
	}{
		{"perfect", []float64{.9, .8, .2, .1}, []bool{true, true, false, false}, 1, 1},
		// Precision is 1/3 at the first positive and 2/4 at the second.
		{"upside down", []float64{.9, .8, .2, .1}, []bool{false, false, true, true}, 0, (1./3 + 2./4) / 2},
		// Pairs won: .8 beats both, .35 beats .1 alone. Precision: 1, then 2/3.
		{"mixed", []float64{.1, .4, .35, .8}, []bool{false, false, true, true}, .75, (1 + 2./3) / 2},
		{"all tied", []float64{3, 3, 3, 3}, []bool{true, false, false, false}, .5, .25},
		// One positive above, one tied with a negative, one negative below:
		// (1 + 1 + .5 + 1)/4; precision 1, then 2/3.
		{"some tied", []float64{2, 1, 1, 0}, []bool{true, false, true, false}, .875, (1 + 2./3) / 2},
		{"infinite", []float64{inf, -inf, 0, inf}, []bool{true, false, false, true}, 1, 1},
		// Negative and positive zero are one score.
		{"zeros", []float64{0, math.Copysign(0, -1)}, []bool{true, false}, .5, .5},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			q, err := metrics.Measure(c.scores, c.labels)
			if err != nil {
				t.Fatal(err)
			}
			if math.Abs(q.AUC-c.auc) > 1e-12 || math.Abs(q.AP-c.ap) > 1e-12 {
				t.Errorf("AUC %v, AP %v; want %v, %v", q.AUC, q.AP, c.auc, c.ap)
			}
		})
	}
}

// TestOrderOfTiesDoesNotShow turns the events round: ties must not profit from
// where they stand.
func TestOrderOfTiesDoesNotShow(t *testing.T) {
	t.Parallel()
	var scores, back []float64
	var labels, kcab []bool
	for i := range 1000 {
		scores, labels = append(scores, float64(i*7919%13)), append(labels, i*31%7 < 2)
	}
	for i := range scores {
		back, kcab = append(back, scores[len(scores)-1-i]), append(kcab, labels[len(labels)-1-i])
	}
	a, err := metrics.Measure(scores, labels)
	if err != nil {
		t.Fatal(err)
	}
	b, err := metrics.Measure(back, kcab)
	if err != nil {
		t.Fatal(err)
	}
	if a != b {
		t.Errorf("forwards %+v, backwards %+v", a, b)
	}
}

func TestMeasureRefuses(t *testing.T) {
	t.Parallel()
	if _, err := metrics.Measure([]float64{1}, nil); err == nil {
		t.Error("took one score for no label")
	}
	if _, err := metrics.Measure([]float64{math.NaN(), 1}, []bool{true, false}); err == nil {
		t.Error("took a NaN")
	}
	for _, labels := range [][]bool{{}, {true, true}, {false, false}} {
		if _, err := metrics.Measure(make([]float64, len(labels)), labels); !errors.Is(err, metrics.ErrOneClass) {
			t.Errorf("%v: %v, want ErrOneClass", labels, err)
		}
	}
}

func TestBestF1(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		scores []float64
		labels []bool
		want   float64
	}{
		{[]float64{.9, .8, .2, .1}, []bool{true, true, false, false}, 1},
		// With all four reported: precision .5, recall 1.
		{[]float64{.9, .8, .2, .1}, []bool{false, false, true, true}, 2. / 3},
		{[]float64{3, 3, 3, 3}, []bool{true, false, false, false}, .4},
		{[]float64{1, 2}, []bool{true, true}, 0},
	} {
		if got := metrics.BestF1(c.scores, c.labels); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%v: %g, want %g", c.scores, got, c.want)
		}
	}
}
