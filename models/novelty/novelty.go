// Package novelty learns which categories are usual (networks, resources, query
// shapes, ...) and how improbable a value is, by a hierarchical Pitman-Yor
// predictive that backs off from the actor to its peers to everyone.
//
// Sources: Teh, "A hierarchical Bayesian language model based on Pitman-Yor
// processes" (2006), in its interpolated Kneser-Ney form; Heard and
// Rubin-Delanchy, "Network-wide anomaly detection via the Dirichlet process"
// (2016), for its use on access logs.
//
// Weights decay forward (Cormode et al., "Forward decay", 2009): the caller
// gives each observation a growing weight and the present one for reading.
// Tables are plain values without clock or I/O, bounded, and not safe for
// concurrent writing.
package novelty

import (
	"cmp"
	"math"
	"slices"
)

const (
	// discount is the Pitman-Yor discount d: how much of each known value's
	// weight is put aside for what was never seen.
	discount = 0.5
	// strength is theta: how many observations the wider frame is worth.
	strength = 1.0
	// unseen is the probability of one particular value that nobody ever used.
	unseen = 1e-3
	// weightless is the weight below which a value counts as forgotten.
	weightless = 1e-3
)

// Table holds the decayed weights of values. Values are named by a hash; the
// label is kept for the explanation.
type Table struct {
	Values map[uint64]*Value
	// Total is the sum of the values' weights.
	Total float64
}

// Value is one known value.
type Value struct {
	Weight float64
	// Span is the last span in which it was counted, so that a span counts once.
	Span int64
	// First is the span in which it was first counted.
	First int64
	// Told is the last span in which the wider frame was told of it.
	Told  int64
	Label string
	// P and Frame are how it was judged when that span first met it, for the
	// events that follow in the same span.
	P     float64
	Frame Frame
}

// Add gives value x the weight w in the given span. It reports false when the
// span counted it already. When the table holds limit values the lightest are
// forgotten, one in 64. A w that is not a positive number is refused.
func (t *Table) Add(x uint64, label string, w float64, span int64, limit int) bool {
	if !(w > 0) || math.IsInf(w, 1) {
		return false
	}
	v := t.Values[x]
	if v != nil {
		if v.Span == span {
			return false
		}
		v.Weight += w
		v.Span = span
		t.Total += w
		return true
	}
	if t.Values == nil {
		t.Values = make(map[uint64]*Value)
	}
	if len(t.Values) >= limit {
		t.forgetLightest(max(1, limit/64))
	}
	t.Values[x] = &Value{Weight: w, Span: span, First: span, Label: label}
	t.Total += w
	return true
}

// forgetLightest makes room for n values at once, so that a flood of values that
// are all new does not search the table for each.
func (t *Table) forgetLightest(n int) {
	type row struct {
		x uint64
		w float64
	}
	compare := func(a, b row) int { return cmp.Or(cmp.Compare(a.w, b.w), cmp.Compare(a.x, b.x)) }
	// The n lightest so far, in order; few values get in once it is full.
	light := make([]row, 0, n+1)
	for x, v := range t.Values {
		r := row{x, v.Weight}
		if len(light) == n && compare(r, light[n-1]) > 0 {
			continue
		}
		at, _ := slices.BinarySearchFunc(light, r, compare)
		light = slices.Insert(light, at, r)
		light = light[:min(len(light), n)]
	}
	for _, r := range light {
		t.Total -= r.w
		delete(t.Values, r.x)
	}
}

// Merge adds the weights of o; limit bounds the result.
func (t *Table) Merge(o *Table, limit int) {
	for _, x := range o.keys() {
		v := o.Values[x]
		if have := t.Values[x]; have != nil {
			have.Weight += v.Weight
			have.Span, have.First = max(have.Span, v.Span), min(have.First, v.First)
			t.Total += v.Weight
			continue
		}
		t.Add(x, v.Label, v.Weight, v.Span, limit)
	}
}

func (t *Table) keys() []uint64 {
	keys := make([]uint64, 0, len(t.Values))
	for x := range t.Values {
		keys = append(keys, x)
	}
	slices.Sort(keys)
	return keys
}

// Frame says how widely a value is unknown.
type Frame int

// The frames, narrow to wide. Known means that the actor itself knows it.
const (
	Known Frame = iota
	NewToSelf
	NewToPeers
	NewToEveryone
)

// Predict gives the probability that the actor's next value is x, and where x is
// new. unit is the present weight of one observation; peers and everyone may be
// nil.
func Predict(self, peers, everyone *Table, x uint64, unit float64) (p float64, frame Frame) {
	p = unseen
	p, inAll := back(everyone, x, unit, p)
	p, inPeers := back(peers, x, unit, p)
	p, inSelf := back(self, x, unit, p)
	switch {
	case inSelf:
		frame = Known
	case inPeers:
		frame = NewToSelf
	case inAll:
		frame = NewToPeers
	default:
		frame = NewToEveryone
	}
	return math.Min(p, 1), frame
}

// back is one level: its own weight of x, discounted, and the rest of the mass
// given to the wider frame's probability.
func back(t *Table, x uint64, unit, wider float64) (p float64, known bool) {
	if t == nil || len(t.Values) == 0 {
		return wider, false
	}
	total := math.Max(t.Total, 0) / unit
	c := 0.0
	if v := t.Values[x]; v != nil {
		c = v.Weight / unit
	}
	// Every known value puts at most d aside, so the sum over values is at most
	// d times their number and at most the total.
	aside := math.Min(discount*float64(len(t.Values)), total)
	p = (math.Max(c-discount, 0) + (strength+aside)*wider) / (strength + total)
	return p, c > weightless
}

// Usual returns the labels of the heaviest values, heaviest first, at most n, and
// the share of all weight that they hold.
func (t *Table) Usual(n int) (labels []string, share float64) {
	type row struct {
		x uint64
		v *Value
	}
	rows := make([]row, 0, len(t.Values))
	for x, v := range t.Values {
		rows = append(rows, row{x, v})
	}
	slices.SortFunc(rows, func(a, b row) int {
		switch {
		case a.v.Weight > b.v.Weight:
			return -1
		case a.v.Weight < b.v.Weight:
			return 1
		case a.x < b.x:
			return -1
		}
		return 1
	})
	for _, r := range rows[:min(n, len(rows))] {
		labels = append(labels, r.v.Label)
		share += r.v.Weight
	}
	if t.Total > 0 {
		share /= t.Total
	}
	return labels, share
}
