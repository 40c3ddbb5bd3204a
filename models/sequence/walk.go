package sequence

import "math"

// minWalk is how many different ids make a walk.
const minWalk = 8

// Walk is the range of numeric ids that were read. How many different ones there
// were the caller knows better (it counts subjects anyway), and says when asking.
type Walk struct {
	Min, Max uint64
	// Known says that there was an id; ids that are not numbers are not fed.
	Known bool
}

// Add feeds one id.
func (w *Walk) Add(id uint64) {
	if !w.Known {
		*w = Walk{id, id, true}
		return
	}
	w.Min, w.Max = min(w.Min, id), max(w.Max, id)
}

// Merge adds the ids of o.
func (w *Walk) Merge(o Walk) {
	if o.Known {
		w.Add(o.Min)
		w.Add(o.Max)
	}
}

// Coverage tells how completely the range was read, given how many different ids
// there were (an estimate will do): the share of the range, above 0 and at most
// 1, and a raw score, -log10 of the share of holes by the rule of succession
// (Laplace): a range of twenty without a hole has 1.3, one of a thousand 3, one
// that is half read .3. Both are unknown for fewer than eight ids.
func (w Walk) Coverage(distinct float64) (share, score float64, known bool) {
	if !w.Known || !(distinct >= minWalk) || math.IsInf(distinct, 1) {
		return 0, 0, false
	}
	size := float64(w.Max-w.Min) + 1
	distinct = math.Min(distinct, size)
	return distinct / size, math.Log10((size + 2) / (size - distinct + 1)), true
}
