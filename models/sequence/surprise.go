package sequence

import "math"

// minSteps is how many steps a session must have before its surprise is told.
const minSteps = 4

// Surprise is how improbable the steps of one session were. The mean stands for a
// whole session that is unlike the group's; it is an average and so waits for the
// session's end.
type Surprise struct {
	// N counts steps. Sum and Max are of -log10 of their probabilities.
	N        uint32
	Sum, Max float64
}

// Add counts a step of probability p (above 0, at most 1; else it is refused).
func (s *Surprise) Add(p float64) {
	if !(p > 0 && p <= 1) {
		return
	}
	v := -math.Log10(p)
	s.N++
	s.Sum += v
	s.Max = math.Max(s.Max, v)
}

// Merge adds the steps of o.
func (s *Surprise) Merge(o Surprise) {
	s.N += o.N
	s.Sum += o.Sum
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
