package series

import (
	"math"

	"vigil/models/calibrate"
)

// maxTeach is how many spreads a point may lie off and still teach in full. Beyond it teaches
// only so much: an outlier moves little, while points that stay off widen the
// spread and are followed ever faster.
const maxTeach = 3

// level is a running mean with its spread, both in the unit of the series. The
// first points count alike; from memory points on the old are forgotten.
type level struct {
	mean, spread float64
	n, memory    float64
}

func (l *level) observe(x float64) {
	l.n = math.Min(l.n+1, l.memory)
	d := x - l.mean
	if l.n >= warmUp && l.spread > 0 {
		d = math.Min(math.Max(d, -maxTeach*l.spread), maxTeach*l.spread)
	}
	l.mean += d / l.n
	if l.n > 1 {
		// Of a normal deviate the mean distance is .8 standard deviations.
		l.spread += (1.25*math.Abs(d) - l.spread) / l.n
	}
}

// rankHalf is the half-life of a rank's memory, in points; refresh how many points at
// most pass before the ranks are counted anew.
const (
	rankHalf = 4000
	refresh  = 32
)

// rank turns the distances of one view in one direction into p-values.
type rank struct {
	sketch calibrate.Sketch
	table  calibrate.Table
	n      int
	since  int
}

// p is how rare a distance is among those before it; then it counts among them.
// Ties count in full: a flat line is no news at any point of it.
func (r *rank) p(z float64) float64 {
	p := r.table.P(z, 1)
	r.sketch.Add(z, 1)
	r.n++
	r.since++
	if r.since >= min(refresh, 1+r.n/16) {
		r.sketch.Forget(math.Exp2(-float64(r.since) / rankHalf))
		r.sketch.FreezeInto(&r.table)
		r.since = 0
	}
	return p
}
