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

// Table holds the decayed weights of values, named by a hash.
type Table struct {
	// Values are sorted by their hash, and short: an actor remembers dozens.
	Values []Value
	// Total is the sum of the values' weights.
	Total float64

	// latest is where the value last found or added is: the likeliest to be asked for
	// next.
	// Reading leaves it alone, so that many may read.
	latest int
}

// Value is one known value.
type Value struct {
	_      struct{} `cbor:",toarray"`
	Hash   uint64
	Weight float64
	// Label is kept for the explanation.
	Label Label
	// Span is the last span in which it was counted, so that a span counts once.
	Span int32
	// First is the span in which it was first counted.
	First int32
	// Told is the last span in which the wider frame was told of it.
	Told int32
	// P and Frame are how it was judged when that span first met it, for the
	// events that follow in the same span.
	P     float32
	Frame Frame
	// Last is the weight with which that span counted it, in units of the span's start;
	// Spoke says that the wider frame was told of it in that span.
	Last  float32
	Spoke bool
}

// Len is the number of values.
func (t *Table) Len() int { return len(t.Values) }

// place returns where x is, or where it would stand.
func (t *Table) place(x uint64) (at int, ok bool) {
	n := len(t.Values)
	if n == 0 {
		return 0, false
	}
	if i := t.latest; i < n && t.Values[i].Hash == x {
		return i, true
	}
	// Halving without a branch to foretell: the first of what is left never lies
	// beyond x, unless all do.
	for n > 1 {
		half := n / 2
		if t.Values[at+half].Hash <= x {
			at += half
		}
		n -= half
	}
	switch h := t.Values[at].Hash; {
	case h == x:
		return at, true
	case h < x:
		at++
	}
	return at, false
}

// Get returns value x, nil when it is not known. It is good until the table next
// changes.
func (t *Table) Get(x uint64) *Value {
	if at, ok := t.place(x); ok {
		return &t.Values[at]
	}
	return nil
}

// Find is where value x is in Values, and whether it is known. The table's owner
// asks; who shares it with others uses Get.
func (t *Table) Find(x uint64) (at int, ok bool) {
	if at, ok = t.place(x); ok {
		t.latest = at
	}
	return at, ok
}

// Count gives the value that Find found at that place the weight w in the given
// span, which has not counted it yet: Add, without the search. A w that is not a
// positive number is refused.
func (t *Table) Count(at int, w float64, span int64) {
	v := &t.Values[at]
	if !(w > 0) || math.IsInf(w, 1) || int64(v.Span) == span {
		return
	}
	v.Weight += w
	v.Span = int32(span)
	t.Total += w
}

// Add gives value x the weight w in the given span (an epoch's number, of
// which 32 bits are kept). It reports false when the span counted it already. When the table holds
// limit values the lightest are forgotten, one in 64. A w that is not a positive
// number is refused.
func (t *Table) Add(x uint64, label string, w float64, span int64, limit int) bool {
	if !(w > 0) || math.IsInf(w, 1) {
		return false
	}
	when := int32(span) // no lane has that many epochs
	at, ok := t.Find(x)
	if ok {
		if t.Values[at].Span == when {
			return false
		}
		t.Count(at, w, span)
		return true
	}
	t.insert(at, Value{Hash: x, Weight: w, Span: when, First: when, Label: Intern(label)}, limit)
	return true
}

// insert puts a new value in its place.
func (t *Table) insert(at int, v Value, limit int) {
	n := len(t.Values)
	if n > 0 && n >= limit {
		t.forgetLightest(max(1, limit/64))
		at, _ = t.place(v.Hash)
		n = len(t.Values)
	}
	if n == cap(t.Values) {
		// A quarter of slack: there are many tables, and each is full soon.
		grown := make([]Value, n, n+max(2, n/4))
		copy(grown, t.Values)
		t.Values = grown
	}
	t.Values = slices.Insert(t.Values, at, v)
	t.latest = at
	t.Total += v.Weight
}

// lighter orders values by weight, ties by hash.
func lighter(a, b *Value) int {
	return cmp.Or(cmp.Compare(a.Weight, b.Weight), cmp.Compare(a.Hash, b.Hash))
}

// forgetLightest makes room for n values at once, so that a flood of values that
// are all new does not search the table for each.
func (t *Table) forgetLightest(n int) {
	// The n lightest so far, in order; few values get in once it is full.
	light := make([]*Value, 0, n+1)
	for i := range t.Values {
		v := &t.Values[i]
		if len(light) == n && lighter(v, light[n-1]) > 0 {
			continue
		}
		at, _ := slices.BinarySearchFunc(light, v, lighter)
		light = slices.Insert(light, at, v)
		light = light[:min(len(light), n)]
	}
	if len(light) == 0 {
		return
	}
	for _, v := range light {
		t.Total -= v.Weight
	}
	last := *light[len(light)-1]
	t.Values = slices.DeleteFunc(t.Values, func(v Value) bool { return lighter(&v, &last) <= 0 })
}

// Put puts a whole value in that the table does not hold.
func (t *Table) Put(v Value, limit int) {
	if at, ok := t.place(v.Hash); !ok {
		t.insert(at, v, limit)
	}
}

// Take takes weight w of value x out again, as far as it is there, and returns how
// much that was. A value of which less than least is left is forgotten.
func (t *Table) Take(x uint64, w, least float64) (taken float64) {
	at, ok := t.place(x)
	if !ok || !(w > 0) {
		return 0
	}
	v := &t.Values[at]
	if taken = w; v.Weight-w < least {
		taken = v.Weight
		t.Values = slices.Delete(t.Values, at, at+1)
	} else {
		v.Weight -= w
	}
	t.Total = max(0, t.Total-taken)
	return taken
}

// Merge adds the weights of o; limit bounds the result.
func (t *Table) Merge(o *Table, limit int) {
	for i := range o.Values {
		v := o.Values[i]
		at, ok := t.place(v.Hash)
		if !ok {
			t.insert(at, Value{Hash: v.Hash, Weight: v.Weight, Span: v.Span, First: v.First, Label: v.Label}, limit)
			continue
		}
		have := &t.Values[at]
		have.Weight += v.Weight
		have.Span, have.First = max(have.Span, v.Span), min(have.First, v.First)
		t.Total += v.Weight
	}
}

// Frame says how widely a value is unknown.
type Frame uint8

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
	var known *Value
	if self != nil {
		known = self.Get(x)
	}
	return PredictKnown(self, known, peers, everyone, x, unit)
}

// PredictKnown is Predict where value x of the actor's own table was looked up
// already: known, or nil.
func PredictKnown(self *Table, known *Value, peers, everyone *Table, x uint64, unit float64) (p float64, frame Frame) {
	p = unseen
	p, inAll := back(everyone, x, unit, p)
	p, inPeers := back(peers, x, unit, p)
	inSelf := false
	if self != nil {
		p, inSelf = self.back(known, unit, p)
	}
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
	if t == nil {
		return wider, false
	}
	return t.back(t.Get(x), unit, wider)
}

func (t *Table) back(v *Value, unit, wider float64) (p float64, known bool) {
	if len(t.Values) == 0 {
		return wider, false
	}
	total := math.Max(t.Total, 0) / unit
	c := 0.0
	if v != nil {
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
	rows := make([]*Value, len(t.Values))
	for i := range t.Values {
		rows[i] = &t.Values[i]
	}
	slices.SortFunc(rows, func(a, b *Value) int {
		return cmp.Or(cmp.Compare(b.Weight, a.Weight), cmp.Compare(a.Hash, b.Hash))
	})
	for _, v := range rows[:min(n, len(rows))] {
		labels = append(labels, v.Label.String())
		share += v.Weight
	}
	if t.Total > 0 {
		share /= t.Total
	}
	return labels, share
}
