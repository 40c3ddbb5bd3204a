package app

import (
	"math"

	"vigil"
)

// finite brings every number of a finding within what JSON can say: a
// probability of nothing has an infinite score.
func finite(f *vigil.Finding) {
	for _, n := range [...]*float64{&f.Evidence, &f.Threshold, &f.Harm} {
		bound(n)
	}
	for i := range f.Contributions {
		FiniteContribution(&f.Contributions[i])
	}
}

// FiniteContribution brings every number of a contribution within what JSON can
// say.
func FiniteContribution(c *vigil.Contribution) {
	for _, n := range [...]*float64{&c.Seen, &c.Expected, &c.Low, &c.High, &c.P, &c.E, &c.Share} {
		bound(n)
	}
}

// Finite returns f, or what JSON can say instead: 0 for what is no number, the
// largest one for what is infinite.
func Finite(f float64) float64 {
	bound(&f)
	return f
}

func bound(n *float64) {
	switch {
	case math.IsNaN(*n):
		*n = 0
	case math.IsInf(*n, 1):
		*n = math.MaxFloat64
	case math.IsInf(*n, -1):
		*n = -math.MaxFloat64
	}
}
