package volume

import (
	"math"

	"vigil/models/elementary"
)

// SizePrior is a group's normal-inverse-gamma prior of log1p sizes.
type SizePrior struct {
	// Mean is the group's mean of log1p(size); Kappa how many observations it
	// is worth; A and B shape the variance.
	Mean, Kappa, A, B float64
	Actors            float64
}

// DefaultSizePrior is what is believed before anything was seen.
func DefaultSizePrior() SizePrior { return SizePrior{Mean: 3, Kappa: 0.2, A: 2, B: 4} }

// Size is what one actor's sizes have taught, with forgetting: the weight, sum
// and sum of squares of log1p(size).
type Size struct {
	W, S1, S2 float64
}

// Forget keeps the share keep (0 to 1) of what was learnt.
func (s *Size) Forget(keep float64) {
	s.W *= keep
	s.S1 *= keep
	s.S2 *= keep
}

// Merge adds what o has learnt.
func (s *Size) Merge(o Size) {
	s.W += o.W
	s.S1 += o.S1
	s.S2 += o.S2
}

// Predict gives the distribution of the next size: Student-t on its log1p
// (Murphy 2007, "Conjugate Bayesian analysis of the Gaussian distribution").
func (s Size) Predict(p SizePrior) Sizes {
	kn := p.Kappa + s.W
	mn := (p.Kappa*p.Mean + s.S1) / kn
	an := p.A + s.W/2
	bn := p.B
	if s.W > 0 {
		mean := s.S1 / s.W
		ss := max(0, s.S2-s.S1*mean)
		bn += ss/2 + p.Kappa*s.W*(mean-p.Mean)*(mean-p.Mean)/(2*kn)
	}
	scale := math.Sqrt(bn * (kn + 1) / (an * kn))
	return Sizes{Loc: mn, Scale: max(scale, 0.05), DF: 2 * an}
}

// Observe learns a closed span's size (at least 0) with weight w. What lies far
// above the expectation teaches only as much as a barely surprising one. What is
// not a number, or negative, is refused.
func (s *Size) Observe(size float64, p SizePrior, w float64) {
	if !(finite(size) && size >= 0 && finite(w)) {
		return
	}
	d := s.Predict(p)
	y := min(elementary.Log(1+size), d.Loc+6*d.Scale)
	s.W += w
	s.S1 += w * y
	s.S2 += w * y * y
}

// Sizes is a Student-t distribution of log1p(size).
type Sizes struct {
	Loc, Scale, DF float64
}

// Surprise is -log10 of the probability of size or more.
func (d Sizes) Surprise(size float64) float64 {
	if math.IsNaN(size) || size < 0 {
		return 0
	}
	return tSurprise((elementary.Log(1+size)-d.Loc)/d.Scale, d.DF)
}

// Median is the size in the middle.
func (d Sizes) Median() float64 { return math.Expm1(math.Max(0, d.Loc)) }

// Quantile is the size below which a share q (0 to 1) lies, to within 1%.
func (d Sizes) Quantile(q float64) float64 {
	target := -math.Log10(1 - q)
	lo, hi := -60.0, 60.0
	for range 60 {
		mid := (lo + hi) / 2
		if tSurprise(mid, d.DF) < target {
			lo = mid
		} else {
			hi = mid
		}
	}
	return math.Expm1(math.Min(60, math.Max(0, d.Loc+hi*d.Scale)))
}

// tSurprise is -log10 P(T >= t) for Student's t with df (at least 2) degrees of
// freedom, to within 3%: t is turned into a normal deviate (Wallace, "Bounds on
// normal approximations to Student's and the chi-square distributions", 1959).
// It rises with t throughout, which is what ranking needs.
func tSurprise(t, df float64) float64 {
	if math.IsNaN(t) {
		return 0
	}
	x := t * t / df
	l := x * (1 - x/2)
	if x > 1e-4 {
		l = elementary.Log(1 + x)
	}
	z := (8*df + 1) / (8*df + 3) * math.Sqrt(df*l)
	if t < 0 {
		z = -z
	}
	if z < 30 {
		return max(0, -elementary.Log10(0.5*math.Erfc(z*(1/math.Sqrt2))))
	}
	// The normal tail's first term, where erfc is too small for a float.
	return min(MaxSurprise, (z*z/2+math.Log(z*math.Sqrt(2*math.Pi)))/math.Ln10)
}
