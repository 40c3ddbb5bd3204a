package volume

import "math"

// Half-lives of a Pace, in days: of what it holds lately, and of the reference.
const (
	lateHalfLife = 14.0
	longHalfLife = 90.0
)

// paceTolerance is how far an honest pace wanders within a season, as a share of
// itself (one standard deviation).
const paceTolerance = 0.25

// Sum is a forgetting sum of counts N and of the exposures X in which they came.
type Sum struct {
	N, X float32
}

// Rate is counts per exposure, half a count added so that it is never zero.
func (s Sum) Rate() float64 { return (float64(s.N) + 0.5) / max(float64(s.X), 1e-3) }

// Pace is how fast an actor goes lately beside how fast it went long before. The
// reference learns nothing but what the recent past forgets, so it is frozen
// against the present: today reaches it weeks later, a little at a time. Who does a
// little more each day outruns its reference for as long as it goes on, however
// small the steps: at 2% a day it goes 1.4 times its recent past but, in the end,
// 5 times its reference.
type Pace struct {
	Lately, Long Sum
}

// mostFlow is how many times the reference's own rate it learns at most. A reference
// of months so grows by a quarter within 30 days, and no faster, whatever is done: a
// theft that goes on is held for months against what was before it, and a job that has
// doubled is normal after some four.
const mostFlow = 2.0

// Forget lets days pass: what the recent past loses goes to the reference.
func (p *Pace) Forget(days float64) {
	if !(days > 0) {
		return
	}
	late, long := float32(math.Exp2(-days/lateHalfLife)), float32(math.Exp2(-days/longHalfLife))
	n, x := (1-late)*p.Lately.N, (1-late)*p.Lately.X
	if p.Settled() {
		n = min(n, mostFlow*x*(p.Long.N+1)/p.Long.X)
	}
	// What was lost on the way has aged on the way too, so it fades with the rest.
	p.Long.N = long * (p.Long.N + n)
	p.Long.X = long * (p.Long.X + x)
	p.Lately.N *= late
	p.Lately.X *= late
}

// Merge adds what o has learnt.
func (p *Pace) Merge(o Pace) {
	p.Lately.Add(float64(o.Lately.N), float64(o.Lately.X), 1)
	p.Long.Add(float64(o.Long.N), float64(o.Long.X), 1)
}

// Add counts n over the exposure x with weight w. What is not a number, or
// negative, is refused.
func (s *Sum) Add(n, x, w float64) {
	if !(finite(n) && n >= 0 && finite(x) && x >= 0 && finite(w) && w >= 0) {
		return
	}
	s.N += float32(min(w*n, 1e30))
	s.X += float32(min(w*x, 1e30))
}

// Growth is the logarithm of the recent rate over the reference's, and whether
// both are known well enough to say.
func (p Pace) Growth() (log float64, ok bool) {
	if p.Lately.X < 3 || !p.Settled() {
		return 0, false
	}
	return math.Log(p.Lately.Rate() / p.Long.Rate()), true
}

// settledExposure is how much exposure (days of work) makes a reference.
const settledExposure = 5

// Settled says that there is a reference to be held against.
func (p Pace) Settled() bool { return p.Long.X >= settledExposure }

// Predict gives the distribution of a count over the exposure (> 0) at the pace of
// the reference times growth, which is what all peers do more of since then.
// The prior stands behind a thin reference. least is a rate that counts as honest
// whatever the reference says: 0, or for a newcomer that of its peers.
func (p Pace) Predict(prior Prior, exposure, growth, least float64) Counts {
	alpha := prior.Alpha + float64(p.Long.N)/prior.Phi
	rate := (prior.Alpha + growth*float64(p.Long.N)/prior.Phi) / (prior.Beta + float64(p.Long.X)/prior.Phi)
	mean := max(rate, least) * exposure
	// The wander is a gamma factor on the rate, like the rate's own uncertainty.
	return newCounts(mean, prior.Phi, 1/(1/alpha+float64(paceTolerance*paceTolerance)))
}
