package triage

import (
	"context"
	"fmt"
	"math"

	"github.com/sjwhitworth/golearn/evaluation"
)

// Report is how good the model is on examples that it has not seen: five parts,
// each judged by what was learnt from the other four.
type Report struct {
	Counts
	// P is each example's probability, in the order of the examples.
	P []float64
	// Confusion counts, of those that are not bad and those that are, how many were
	// taken to be (more likely bad than not): [is][taken].
	Confusion [2][2]int
	// Precision and Recall are those of breaches, 0 to 1, by golearn's evaluation; so
	// is Accuracy.
	Precision, Recall, Accuracy float64
	// Bins are the reliability: of what was said to be so likely, how much was.
	Bins []Bin
	// Error is the mean distance of what was said from what was, over the bins by
	// their numbers; Brier the mean squared error of the probabilities.
	Error, Brier float64
}

// Bin is a part of the probabilities, Low to High.
type Bin struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
	N    int     `json:"n"`
	// Said is their mean, Was the share that was bad.
	Said float64 `json:"said"`
	Was  float64 `json:"was"`
}

// bins is into how many parts probabilities are dealt.
const bins = 10

// Evaluate cross-validates. The curve, too, is fitted without the part that it
// judges.
func Evaluate(ctx context.Context, examples []Example) (Report, error) {
	r := Report{Counts: Count(examples)}
	if ok, why := r.Suffice(); !ok {
		return r, fmt.Errorf("%w: %s", errTooFew, why)
	}
	examples = examples[:min(len(examples), maxExamples)]
	scores, err := unseen(ctx, examples)
	if err != nil {
		return r, err
	}
	of := deal(examples)
	weights := Weights(examples)
	r.P = make([]float64, len(examples))
	for k := range folds {
		var s, w []float64
		var rest []Example
		for i := range examples {
			if of[i] != k {
				s, w, rest = append(s, scores[i]), append(w, weights[i]), append(rest, examples[i])
			}
		}
		c := fitCurve(s, rest, w)
		for i := range examples {
			if of[i] == k {
				r.P[i] = c.p(scores[i])
			}
		}
	}
	r.reliability(examples)
	err = r.confusion(ctx, examples)
	return r, err
}

func (r *Report) reliability(examples []Example) {
	r.Bins = make([]Bin, bins)
	for b := range r.Bins {
		r.Bins[b].Low, r.Bins[b].High = float64(b)/bins, float64(b+1)/bins
	}
	for i, p := range r.P {
		b := &r.Bins[min(int(p*bins), bins-1)]
		was := float64(kind(examples[i].Bad))
		b.N++
		b.Said, b.Was = b.Said+p, b.Was+was
		r.Brier += (p - was) * (p - was) / float64(len(r.P))
	}
	for i := range r.Bins {
		if b := &r.Bins[i]; b.N > 0 {
			b.Said, b.Was = b.Said/float64(b.N), b.Was/float64(b.N)
			r.Error += math.Abs(b.Said-b.Was) * float64(b.N) / float64(len(r.P))
		}
	}
}

// confusion has golearn compare what was said with what was.
func (r *Report) confusion(ctx context.Context, examples []Example) error {
	m, err := guarded(ctx, func() (evaluation.ConfusionMatrix, error) {
		was, said := make([]row, len(examples)), make([]row, len(examples))
		for i := range examples {
			was[i].bad, said[i].bad = examples[i].Bad, r.P[i] >= 0.5
		}
		reference, err := instances(was, 0)
		if err != nil {
			return nil, err
		}
		given, err := instances(said, 0)
		if err != nil {
			return nil, err
		}
		return evaluation.GetConfusionMatrix(reference, given)
	})
	if err != nil {
		return fmt.Errorf("count confusion: %w", err)
	}
	total := 0
	for is, a := range [...]string{classGood, classBad} {
		for taken, b := range [...]string{classGood, classBad} {
			r.Confusion[is][taken] = m[a][b]
			total += m[a][b]
		}
	}
	if total != len(examples) {
		return fmt.Errorf("golearn counts %d of %d examples", total, len(examples))
	}
	r.Precision, r.Recall, r.Accuracy = orZero(evaluation.GetPrecision(classBad, m)), orZero(evaluation.GetRecall(classBad, m)), orZero(evaluation.GetAccuracy(m))
	return nil
}

// orZero stands in for golearn's share of nothing.
func orZero(x float64) float64 {
	if finite(x) {
		return x
	}
	return 0
}
