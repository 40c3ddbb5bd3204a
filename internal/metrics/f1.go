package metrics

import (
	"cmp"
	"slices"
)

// BestF1 is the largest harmonic mean of precision and recall over all thresholds,
// from 0 to 1: what could be had if the best threshold were known. Events of one
// score share a threshold. It takes what [Measure] accepts; anything else gives 0.
func BestF1(scores []float64, labels []bool) float64 {
	q, err := Measure(scores, labels)
	if err != nil {
		return 0
	}
	events := make([]event, len(scores))
	for i, s := range scores {
		events[i] = event{s, labels[i]}
	}
	slices.SortFunc(events, func(a, b event) int { return cmp.Compare(b.score, a.score) })
	best, hits := 0.0, 0
	for i, e := range events {
		if e.positive {
			hits++
		}
		if i+1 == len(events) || events[i+1].score != e.score {
			best = max(best, 2*float64(hits)/float64(i+1+q.Positives))
		}
	}
	return best
}
