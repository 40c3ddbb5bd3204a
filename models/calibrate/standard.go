// Package calibrate makes raw scores comparable: it standardises a score by the
// actor's own level and spread, ranks it among peers into a p-value with a
// fitted tail, turns p-values into e-values, and accumulates those over epochs.
//
// Everything is a plain value without clock or I/O, deterministic and bounded;
// the caller owns concurrency and says how much time to forget.
package calibrate

import "math"

// Level is one actor's running level of a score: the forgetting weight, sum and
// sum of squares. An actor has a hundred of them, so they are kept short: what
// rounding adds to a variance lies far below minSpread.
type Level struct {
	W, S1, S2 float32
}

// Forget keeps the share keep (0 to 1).
func (l *Level) Forget(keep float64) {
	k := float32(keep)
	l.W *= k
	l.S1 *= k
	l.S2 *= k
}

// Merge adds what o has learnt.
func (l *Level) Merge(o Level) {
	l.W += o.W
	l.S1 += o.S1
	l.S2 += o.S2
}

// Spread is a group's usual mean and variance of a score within an actor.
type Spread struct {
	Mean, Var float64
}

// DefaultSpread is that of -log10 of a uniform p-value.
func DefaultSpread() Spread { return Spread{Mean: math.Log10E, Var: math.Log10E * math.Log10E} }

// The pseudo-observations with which the group's mean and variance stand behind
// an actor's own.
const levelPrior = 8

// minSpread keeps a steady actor from turning every trifle into news.
const minSpread = 0.15

// Standard returns the score in the actor's own standard deviations above its own
// level, both shrunk toward the group's. What is not a number
// gives 0.
func (l Level) Standard(s float64, g Spread) float64 {
	if math.IsNaN(s) || math.IsInf(s, 0) {
		return 0
	}
	mean, sd := l.moments(g)
	return (s - mean) / sd
}

func (l Level) moments(g Spread) (mean, sd float64) {
	w, s1 := float64(l.W), float64(l.S1)
	inverse := 1 / (w + levelPrior)
	mean = (s1 + float64(levelPrior*g.Mean)) * inverse
	variance := levelPrior * g.Var
	if w > 0 {
		variance += max(0, float64(l.S2)-s1*s1/w)
	}
	return mean, math.Sqrt(variance*inverse) + minSpread
}

// Usual is the actor's own mean score, the group's counting for one more.
func (l Level) Usual(g Spread) float64 { return (float64(l.S1) + g.Mean) / (float64(l.W) + 1) }

// Above is by how many of the group's deviations the level lies above the group's;
// below it, the number is negative.
func (l Level) Above(g Spread) float64 {
	mean, _ := l.moments(g)
	return (mean - g.Mean) / (math.Sqrt(g.Var) + minSpread)
}

// Newcomer is for how many spans a level is learnt as it comes: who is always far
// from its peers, as a nightly job is, would else take weeks to be known for it.
const Newcomer = 5

// Observe learns the score of a closed span with weight w. What stands far above
// the level teaches only as much as six deviations.
func (l *Level) Observe(s float64, g Spread, w float64) { l.Learn(s, g, w) }

// Learn observes the score and returns what it was by Standard before, for the
// price of one.
func (l *Level) Learn(s float64, g Spread, w float64) (z float64) {
	if math.IsNaN(s) || math.IsInf(s, 0) || math.IsNaN(w) || math.IsInf(w, 0) {
		return 0
	}
	mean, sd := l.moments(g)
	z = (s - mean) / sd
	if l.W >= Newcomer {
		s = min(s, mean+6*sd)
	}
	l.W += float32(w)
	l.S1 += float32(w * s)
	l.S2 += float32(w * s * s)
	return z
}

// Pool sums actors' levels, each counting for at most fifty spans. Pools of parts
// add up to the pool of the whole.
type Pool struct {
	W, Sum, Squares float64
}

// Add counts one actor's level.
func (p *Pool) Add(l Level) {
	if l.W <= 0 {
		return
	}
	w := float64(l.W)
	inverse := 1 / w
	n := min(w, 50)
	mean := float64(l.S1) * inverse
	p.W += n
	p.Sum += float64(n * mean)
	p.Squares += float64(n * max(0, float64(l.S2)*inverse-float64(mean*mean)))
}

// Merge adds another pool.
func (p *Pool) Merge(o Pool) {
	p.W += o.W
	p.Sum += o.Sum
	p.Squares += o.Squares
}

// Spread is that of the pool, with the wider one's behind it.
func (p Pool) Spread(wider Spread) Spread {
	const prior = 20
	w := p.W + prior
	return Spread{Mean: (p.Sum + float64(prior*wider.Mean)) / w, Var: (p.Squares + float64(prior*wider.Var)) / w}
}

// FitSpread pools actors' levels.
func FitSpread(levels []Level, wider Spread) Spread {
	var p Pool
	for _, l := range levels {
		p.Add(l)
	}
	return p.Spread(wider)
}
