package sequence

import "math"

// What each step adds to a sum, in decades: an id rises (or falls) with probability
// .95 when ids are walked through in order, with one half when they come in any
// order. with is log10(.95/.5), against log10(.05/.5).
const (
	with    = 0.2787536
	against = -1
)

// maxDecades bounds what an order can say, in decades.
const maxDecades = 100

// Steps between one id and the next, as fed to Order. Near says that the id rose
// by at most 16.
const (
	Fell    = -1
	Unknown = 0
	Near    = 1
	Rose    = 2
)

// Order watches whether ordered ids (numbers, times, names in sorted order) come
// one after the other: a cumulative sum of log-likelihood ratios for each
// direction (Page, "Continuous inspection schemes", 1954), of which the largest
// value so far is kept. It only ever grows, so it may be judged in an open span.
//
// When ids come in any order, a sum reaches D decades at some step with a
// probability of at most 10^-D per step; people who work through a sorted list do
// reach some, which is what ranking among peers is for.
type Order struct {
	// Falls, Rises and Nears count steps; Nears are among Rises.
	Falls, Rises, Nears uint32
	// Up and Down are the running sums, MaxUp and MaxDown their largest values, in
	// decades.
	Up, Down, MaxUp, MaxDown float32
}

// Add feeds one step: Fell, Unknown (the same id, or ids that can't be compared),
// Near or Rose. An unknown step says nothing; neither does any other number.
func (o *Order) Add(step int) {
	switch step {
	case Fell:
		o.Falls = up(o.Falls)
		o.Down = min(o.Down+with, maxDecades)
		o.Up = max(o.Up+against, 0)
		o.MaxDown = max(o.MaxDown, o.Down)
	case Near, Rose:
		o.Rises = up(o.Rises)
		if step == Near {
			o.Nears = up(o.Nears)
		}
		o.Up = min(o.Up+with, maxDecades)
		o.Down = max(o.Down+against, 0)
		o.MaxUp = max(o.MaxUp, o.Up)
	}
}

// Steps is how many steps are known.
func (o Order) Steps() int64 { return int64(o.Falls) + int64(o.Rises) }

func up(n uint32) uint32 { return n + min(1, math.MaxUint32-n) }

// Rising is the evidence for a walk upward, in decades, 0 to 100.
func (o Order) Rising() float64 { return float64(o.MaxUp) }

// Falling is the evidence for a walk downward, newest first, in decades.
func (o Order) Falling() float64 { return float64(o.MaxDown) }

// Walking is the stronger of both, less log10(2) for having looked twice.
func (o Order) Walking() float64 {
	return math.Max(0, math.Max(o.Rising(), o.Falling())-math.Log10(2))
}

// NearShare is the share of known steps that went to a near higher id, from 0 to
// 1; it is unknown for fewer than four.
func (o Order) NearShare() (share float64, known bool) {
	n := float64(o.Falls) + float64(o.Rises)
	if n < minSteps {
		return 0, false
	}
	return float64(o.Nears) / n, true
}

// Merge adds the steps of o, seen apart: a run does not go on from one part into
// the other.
func (o *Order) Merge(b Order) {
	o.Falls = add(o.Falls, b.Falls)
	o.Rises = add(o.Rises, b.Rises)
	o.Nears = add(o.Nears, b.Nears)
	o.Up, o.Down = max(o.Up, b.Up), max(o.Down, b.Down)
	o.MaxUp, o.MaxDown = max(o.MaxUp, b.MaxUp), max(o.MaxDown, b.MaxDown)
}

func add(a, b uint32) uint32 { return a + min(b, math.MaxUint32-a) }
