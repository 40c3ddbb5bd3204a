package sequence

import (
	"cmp"
	"math"
	"slices"
)

// Delta is what one shard saw of one group since the last merge. It holds each
// different step once, so its size follows the steps' variety and not their
// number. When it is full, the lightest half makes room.
type Delta struct {
	Steps []Step
	// Limit is how many steps are held at most; zero means 4096.
	Limit int
	// Dropped is the weight of the steps that made room.
	Dropped float64
}

// Step is one symbol after its context, with the weight of all times it was seen.
type Step struct {
	Context Context
	Symbol  uint32
	Weight  float64
}

// NewStep is one time that symbol came after the context, with weight w.
func NewStep(ctx Context, symbol uint64, w float64) Step { return Step{ctx, fold(symbol), w} }

// Same says that both are the same symbol after the same context.
func (s Step) Same(o Step) bool { return s.Symbol == o.Symbol && s.Context == o.Context }

// Add notes a step, as Learn would learn it.
func (d *Delta) Add(ctx Context, symbol uint64, w float64) {
	if !(w > 0) || math.IsInf(w, 1) {
		return
	}
	limit := d.Limit
	if limit <= 0 {
		limit = 4096
	}
	if len(d.Steps) >= limit {
		d.compact()
		// Leave room enough that compacting is rare.
		if most := limit - limit/4; len(d.Steps) > most {
			d.drop(len(d.Steps) - limit/2)
		}
	}
	d.Steps = append(d.Steps, Step{ctx, fold(symbol), w})
}

// Take learns the delta and empties it. The result does not depend on the order
// in which the steps were noted.
func (m *Model) Take(d *Delta) {
	d.compact()
	for _, s := range d.Steps {
		m.Learn(s.Context, uint64(s.Symbol), s.Weight)
	}
	d.Steps = d.Steps[:0]
}

// compact sorts the steps and adds up equal ones.
func (d *Delta) compact() {
	// Equal steps by weight, so that their sum does not depend on who came first.
	slices.SortFunc(d.Steps, func(a, b Step) int {
		if c := compareSteps(a, b); c != 0 {
			return c
		}
		return cmp.Compare(a.Weight, b.Weight)
	})
	at := 0
	for i, s := range d.Steps {
		if i > 0 && compareSteps(d.Steps[at-1], s) == 0 {
			d.Steps[at-1].Weight += s.Weight
			continue
		}
		d.Steps[at] = s
		at++
	}
	d.Steps = d.Steps[:at]
}

func (d *Delta) drop(k int) {
	slices.SortFunc(d.Steps, func(a, b Step) int {
		return cmp.Or(cmp.Compare(a.Weight, b.Weight), compareSteps(a, b))
	})
	for _, s := range d.Steps[:k] {
		d.Dropped += s.Weight
	}
	d.Steps = slices.Delete(d.Steps, 0, k)
}

func compareSteps(a, b Step) int {
	if a.Symbol != b.Symbol {
		return cmp.Compare(a.Symbol, b.Symbol)
	}
	for i, s := range a.Context.Last {
		if t := b.Context.Last[i]; s != t {
			return cmp.Compare(s, t)
		}
	}
	return cmp.Compare(a.Context.N, b.Context.N)
}
