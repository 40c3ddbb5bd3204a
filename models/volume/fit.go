package volume

import (
	"math"
	"slices"

	"vigil/models/elementary"
)

// The weight, in actors, with which a wider group stands behind a narrower one.
const groupPrior = 3

// minWeight is how many spans an actor must be remembered by to count in a fit.
const minWeight = 0.5

// Fitter fits priors, in memory that it keeps. The zero Fitter is ready for use.
type Fitter struct {
	means []float64
}

// FitPrior is Fitter.Prior for who fits but once.
func FitPrior(rates []Rate, wider Prior) Prior { return new(Fitter).Prior(rates, wider) }

// FitSizePrior is Fitter.SizePrior for who fits but once.
func FitSizePrior(sizes []Size, wider SizePrior) SizePrior {
	return new(Fitter).SizePrior(sizes, wider)
}

// Prior fits a group's prior to its actors' rates by the method of moments,
// each actor counting once and the extreme twentieth on both sides drawn in, so
// that no actor outweighs its group. wider is the prior of the frame around it.
func (f *Fitter) Prior(rates []Rate, wider Prior) Prior {
	mus := f.means[:0]
	var within, logPhi, weight float64
	var exposure, largest float64
	for _, r := range rates {
		// What is nearly forgotten says how uncertain it is, not how actors differ.
		if r.X <= 0 || r.W < minWeight {
			continue
		}
		mu := float64(r.N) / float64(r.X)
		mus = append(mus, mu)
		largest = max(largest, mu)
		exposure += float64(r.X)
		within += mu / float64(r.X)
		// An actor that is seen all the time has no louder voice here either.
		w := min(float64(r.W), 50)
		logPhi += w * elementary.Log(max(float64(r.R)/float64(r.W), 0.1))
		weight += w
	}
	f.means = mus
	if len(mus) == 0 {
		return wider
	}
	// The geometric mean: an indexer that reads fifty thousand customers on some days
	// has an overdispersion of as much, and would make its group's, and that of every
	// group which shrinks toward it, so wide that nothing is unusual.
	phi := math.Max(1, math.Exp((logPhi+dispersionPrior*math.Log(wider.Phi))/(weight+dispersionPrior)))
	n := float64(len(mus))
	within *= phi / n
	mean, variance := 0.0, 0.0
	if largest > 0 { // most kinds are never used by most groups
		mean, variance = winsorised(mus)
	}
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

// SizePrior fits a group's size prior likewise.
func (f *Fitter) SizePrior(sizes []Size, wider SizePrior) SizePrior {
	means := f.means[:0]
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
	f.means = means
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
	k := len(v) / 20
	if len(v) >= 5 && k == 0 {
		k = 1
	}
	lo, hi := ends(v, k)
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

// ends returns the values with k smaller and with k larger ones (0 <= 2k < len(v)),
// without sorting those between; it reorders v. NaN has no place here.
func ends(v []float64, k int) (lo, hi float64) {
	if len(v) < 64 {
		slices.Sort(v)
		return v[k], v[len(v)-1-k]
	}
	choose(v, k)
	lo = v[k]
	rest := v[k:]
	at := len(rest) - 1 - k
	choose(rest, at)
	return lo, rest[at]
}

// choose moves v's k-th smallest to place k, what is smaller before it and what is
// larger behind (Hoare, "Algorithm 65: find", 1961, with the median of three; a
// range that halves too slowly is sorted, so that no order of values is costly).
func choose(v []float64, k int) {
	for tries := 0; len(v) > 32; tries++ {
		if tries == 40 {
			break
		}
		a, b, c := v[0], v[len(v)/2], v[len(v)-1]
		pivot := max(min(a, b), min(max(a, b), c))
		i, j := 0, len(v)-1
		for i <= j {
			for v[i] < pivot {
				i++
			}
			for v[j] > pivot {
				j--
			}
			if i <= j {
				v[i], v[j] = v[j], v[i]
				i++
				j--
			}
		}
		switch {
		case k <= j:
			v = v[:j+1]
		case k >= i:
			v, k = v[i:], k-i
		default:
			return
		}
	}
	slices.Sort(v)
}

func clamp(x, lo, hi float64) float64 { return min(max(x, lo), hi) }
