// Package metrics measures how well raw scores order labelled events: the area
// under the receiver operating characteristic and the average precision.
//
// Benchmarks and tools call it; the running program doesn't. Both figures depend
// on the order of the scores alone, and count tied scores as tied, whatever order
// they arrive in. Nothing is kept between calls and nothing is changed in place,
// so calls may run side by side.
package metrics

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
)

// ErrOneClass says that the labels are all alike, so that there is no order to
// measure.
var ErrOneClass = errors.New("labels are all of one class")

// Quality is how well scores put positives first.
type Quality struct {
	// AUC is the area under the ROC curve: the chance that a random positive
	// scores higher than a random negative, ties counting half. From 0 to 1; .5 is
	// chance. It equals the Mann-Whitney statistic over the number of pairs.
	AUC float64
	// AP is the average precision: the sum over thresholds of precision times the
	// gain in recall, without interpolation. Events of one score share a threshold.
	// From 0 to 1; chance is the share of positives.
	AP float64
	// Positives and Negatives count the events.
	Positives, Negatives int
}

// Measure compares scores (higher is more suspicious; infinities are fine) with
// labels (true is a positive). It refuses slices of different lengths, a NaN, and
// labels that are all alike (ErrOneClass).
func Measure(scores []float64, labels []bool) (Quality, error) {
	if len(scores) != len(labels) {
		return Quality{}, fmt.Errorf("%d scores for %d labels", len(scores), len(labels))
	}
	events := make([]event, len(scores))
	var q Quality
	for i, s := range scores {
		if math.IsNaN(s) {
			return Quality{}, fmt.Errorf("score %d is not a number", i)
		}
		events[i] = event{s, labels[i]}
		if labels[i] {
			q.Positives++
		} else {
			q.Negatives++
		}
	}
	if q.Positives == 0 || q.Negatives == 0 {
		return Quality{}, ErrOneClass
	}
	slices.SortFunc(events, func(a, b event) int { return cmp.Compare(b.score, a.score) })

	positives, negatives := float64(q.Positives), float64(q.Negatives)
	var hits, misses, pairs, precision float64
	for i := 0; i < len(events); {
		var p, n float64
		for at := events[i].score; i < len(events) && events[i].score == at; i++ {
			if events[i].positive {
				p++
			} else {
				n++
			}
		}
		// Each negative of this score is beaten by the positives above, and by half
		// of those beside it. Sums of halves are exact up to 2^52 pairs.
		pairs += n * (hits + p/2)
		hits, misses = hits+p, misses+n
		precision += float64(p * (hits / (hits + misses)))
	}
	q.AUC = pairs / (positives * negatives)
	q.AP = precision / positives
	return q, nil
}

type event struct {
	score    float64
	positive bool
}
