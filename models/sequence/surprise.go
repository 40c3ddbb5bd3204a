package sequence

import "math"

// minSteps is how many steps a session must have before its surprise is told.
const minSteps = 4

// few is the number of steps up to which a session's luck counts less than in
// proportion.
const few = 8

// Surprise is how improbable the steps of one session were. Its mean and score
// stand for a whole session that is unlike the group's; they are averages and so
// wait for the session's end.
type Surprise struct {
	// N counts steps. Sum, Squares and Max are of -log10 of their probabilities.
	N                 uint32
	Sum, Squares, Max float64
}

// Add counts a step of probability p (above 0, at most 1; else it is refused).
func (s *Surprise) Add(p float64) {
	if !(p > 0 && p <= 1) {
		return
	}
	v := -math.Log10(p)
	s.N++
	s.Sum += v
	s.Squares += float64(v * v)
	s.Max = math.Max(s.Max, v)
}

// Merge adds the steps of o.
func (s *Surprise) Merge(o Surprise) {
	s.N += o.N
	s.Sum += o.Sum
	s.Squares += o.Squares
	s.Max = math.Max(s.Max, o.Max)
}

// Mean is the average surprise per step, in decades; it is unknown for fewer than
// four steps.
func (s Surprise) Mean() (v float64, known bool) {
	if s.N < minSteps {
		return 0, false
	}
	return s.Sum / float64(s.N), true
}

// Score is how far the session's surprise lies above the usual one per step, in
// standard deviations of a sum of so many steps: short sessions have extreme
// means by luck alone, long ones do not. usual and variance are those of single
// steps among the peers, which the N, Sum and Squares of their sessions add up to.
// It is unknown for fewer than four steps, or without a usual.
func (s Surprise) Score(usual, variance float64) (v float64, known bool) {
	if s.N < minSteps || math.IsNaN(usual) || math.IsInf(usual, 0) || !(variance > 0) || math.IsInf(variance, 1) {
		return 0, false
	}
	n := float64(s.N)
	return (s.Sum - float64(n*usual)) / math.Sqrt(variance*(n+few)), true
}
