package volume

import (
	"math"
	"slices"
)

// The weight, in actors, with which a wider group stands behind a narrower one.
const groupPrior = 3

// minWeight is how many spans an actor must be remembered by to count in a fit.
const minWeight = 0.5

// FitPrior fits a group's prior to its actors' rates by the method of moments,
// each actor counting once and the extreme twentieth on both sides drawn in, so
// that no actor outweighs its group. wider is the prior of the frame around it.
func FitPrior(rates []Rate, wider Prior) Prior {
	mus := make([]float64, 0, len(rates))
	var within, resid, residW float64
	var exposure float64
	for _, r := range rates {
		// What is nearly forgotten says how uncertain it is, not how actors differ.
		if r.X <= 0 || r.W < minWeight {
			continue
		}
		mus = append(mus, r.N/r.X)
		exposure += r.X
		// An actor that is seen all the time has no louder voice here either.
		w := math.Min(r.W, 50)
		if r.W > 0 {
			resid += w * r.R / r.W
			residW += w
		}
	}
	if len(mus) == 0 {
		return wider
	}
	phi := math.Max(1, (resid+dispersionPrior*wider.Phi)/(residW+dispersionPrior))
	for _, r := range rates {
		if r.X > 0 && r.W >= minWeight {
			within += phi * (r.N / r.X) / r.X
		}
	}
	n := float64(len(mus))
	within /= n
	mean, variance := winsorised(mus)
	// Where nobody did it yet, half a count over all that was watched.
	mean = math.Max(mean, 0.5/(exposure+1))
	between := math.Max(variance-within, 0.05*mean*mean)
	alpha := clamp(mean*mean/between, 0.3, 50)

	w := n / (n + groupPrior)
	wideMean := wider.Alpha / wider.Beta
	mean = math.Exp(w*math.Log(mean) + (1-w)*math.Log(wideMean))
	alpha = math.Exp(w*math.Log(alpha) + (1-w)*math.Log(wider.Alpha))
	return Prior{Alpha: alpha, Beta: alpha / mean, Phi: phi, Actors: n}
}

// FitSizePrior fits a group's size prior likewise.
func FitSizePrior(sizes []Size, wider SizePrior) SizePrior {
	means := make([]float64, 0, len(sizes))
	var ss, dof float64
	for _, s := range sizes {
		if s.W < minWeight {
			continue
		}
		mean := s.S1 / s.W
		means = append(means, mean)
		if s.W > 1 {
			// Each actor counts up to fifty spans.
			scale := math.Min(1, 50/s.W)
			ss += scale * math.Max(0, s.S2-s.S1*mean)
			dof += scale * (s.W - 1)
		}
	}
	if len(means) == 0 {
		return wider
	}
	n := float64(len(means))
	wideVar := wider.B / wider.A
	within := math.Max(0.01, (ss+5*wideVar)/(dof+5))
	mean, variance := winsorised(means)
	between := math.Max(variance, 0.05)
	w := n / (n + groupPrior)
	const a = 3
	return SizePrior{
		Mean:   w*mean + (1-w)*wider.Mean,
		Kappa:  clamp(within/between, 0.05, 5),
		A:      a,
		B:      a * within,
		Actors: n,
	}
}

// winsorised returns mean and variance after drawing the outer twentieths in.
func winsorised(v []float64) (mean, variance float64) {
	slices.Sort(v)
	k := len(v) / 20
	if len(v) >= 5 && k == 0 {
		k = 1
	}
	lo, hi := v[k], v[len(v)-1-k]
	for _, x := range v {
		mean += clamp(x, lo, hi)
	}
	mean /= float64(len(v))
	for _, x := range v {
		d := clamp(x, lo, hi) - mean
		variance += d * d
	}
	if len(v) > 1 {
		variance /= float64(len(v) - 1)
	}
	return mean, variance
}

func clamp(x, lo, hi float64) float64 { return math.Min(math.Max(x, lo), hi) }
