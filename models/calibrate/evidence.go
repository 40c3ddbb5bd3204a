package calibrate

import (
	"math"

	"vigil/models/elementary"
)

// E turns a p-value into an e-value: at most one on average when nothing is
// wrong, large when p is small (Vovk and Wang, "E-values: calibration,
// combination and applications", 2021: the mixture of all kappa*p^(kappa-1)).
func E(p float64) float64 {
	if !(p <= 0.999) {
		return 0.5 // the limit at one, where the formula is 0/0; and NaN says nothing
	}
	p = max(p, MinP)
	l := elementary.Log(p)
	return (1 - p + p*l) / (p * l * l)
}

// Merge is the weighted Cauchy combination of p-values, clipped at .99 so that
// one confident "usual" can't outweigh the rest (Liu and Xie, "Cauchy combination
// test", 2020). Weights need not sum to one; no p-values give 1.
func Merge(ps, weights []float64) float64 {
	var sum, total float64
	for i, p := range ps {
		w := weights[i]
		if !(w > 0) || math.IsNaN(p) {
			continue
		}
		p = math.Min(math.Max(p, MinP), 0.99)
		if p < 1e-5 {
			sum += w / (p * math.Pi) // tan(pi(1/2-p)) for small p, without cancellation
		} else {
			sum += w * math.Tan(math.Pi*(0.5-p))
		}
		total += w
	}
	if total == 0 {
		return 1
	}
	t := sum / total
	if t > 1e5 {
		return math.Max(1/(t*math.Pi), MinP)
	}
	return math.Min(math.Max(0.5-math.Atan(t)/math.Pi, MinP), 1)
}

// MaxLogR bounds the accumulated evidence, in decades.
const MaxLogR = 15

// Detector is the Shiryaev-Roberts e-detector: R <- (decay*R + 1) * e (Shin,
// Ramdas and Rinaldo, "E-detectors", 2022).
type Detector struct {
	R float64
}

// Peek is what R would be after an epoch with e-value e that came decay after the
// last one.
func (d Detector) Peek(decay, e float64) float64 {
	return math.Min((decay*d.R+1)*e, 1e15)
}

// Step closes an epoch.
func (d *Detector) Step(decay, e float64) { d.R = d.Peek(decay, e) }
