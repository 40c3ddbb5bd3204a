// Package volume learns how much is usual: counts by a Gamma-Poisson model with
// overdispersion, sizes by a Student-t model on their logarithm, each shrunk
// toward the group by empirical Bayes.
//
// Everything is a plain value without clock or I/O: the caller says how much
// time to forget, and owns the concurrency. A newcomer's empty state predicts
// what its group does, so nobody is ever without an expectation.
package volume

import (
	"math"

	"gonum.org/v1/gonum/mathext"

	"vigil/models/elementary"
)

// MaxSurprise bounds a surprise: -log10 of the smallest probability that is told
// apart from zero.
const MaxSurprise = 300

// The pseudo-observations by which an actor's own overdispersion is shrunk
// toward its group's.
const dispersionPrior = 10

// Prior is a group's distribution of rates: mu ~ Gamma(Alpha, Beta), a rate per
// unit of exposure, and Phi, the overdispersion (variance over mean, at least 1)
// of a count around its actor's own rate.
type Prior struct {
	Alpha, Beta, Phi float64
	// Actors is how many actors the prior was fitted on.
	Actors float64
}

// DefaultPrior is what is believed before anything was seen.
func DefaultPrior() Prior { return Prior{Alpha: 0.5, Beta: 0.05, Phi: 4} }

// Rate is what one actor's counts have taught, with forgetting. Seven digits are
// more than a forgetting sum can know.
type Rate struct {
	// N and X are the forgetting sums of counts and of exposures.
	N, X float32
	// R and W are the forgetting sums of squared Pearson residuals and of
	// their number.
	R, W float32
}

// Forget keeps the share keep (0 to 1) of what was learnt.
func (r *Rate) Forget(keep float64) {
	k := float32(keep)
	r.N *= k
	r.X *= k
	r.R *= k
	r.W *= k
}

// Merge adds what o has learnt.
func (r *Rate) Merge(o Rate) {
	r.N += o.N
	r.X += o.X
	r.R += o.R
	r.W += o.W
}

// phi is the actor's overdispersion, shrunk toward the group's.
func (r Rate) phi(p Prior) float64 {
	return max(1, (float64(r.R)+float64(dispersionPrior*p.Phi))/(float64(r.W)+dispersionPrior))
}

// Predict gives the distribution of a count over the given exposure (> 0).
func (r Rate) Predict(p Prior, exposure float64) Counts {
	phi := r.phi(p)
	alpha := p.Alpha + float64(r.N)/phi
	beta := p.Beta + float64(r.X)/phi
	return newCounts(alpha/beta*exposure, phi, alpha)
}

// newcomer is for how many spans an actor's own rate is learnt as it comes: who
// does a thousand times what others do, as a nightly job does, would else take
// weeks to be known for it.
const newcomer = 5

// Observe learns a closed span's count n over its exposure, with weight w (1 for
// a span that nothing is held against). A count far beyond
// what was expected teaches only as much as a barely surprising one, so that no
// single span can move the baseline far; nor do many such spans make its spread a
// multiple of what the group's would allow. What is not a number, or negative, is
// refused.
func (r *Rate) Observe(n float64, p Prior, exposure, w float64) {
	if !(finite(n) && n >= 0 && finite(exposure) && finite(w)) {
		return
	}
	d := r.Predict(p, exposure)
	if limit := d.Mean + 6*d.SD() + 1; n > limit && r.W >= newcomer {
		n = limit
	}
	mean, most := d.Mean, 25*p.Phi
	if r.W < newcomer {
		// Held against what is known with it: the group's rate says little of it.
		mean = (float64(r.N) + n) / (float64(r.X) + exposure) * exposure
		most = math.MaxFloat32
	}
	r.R += float32(w * min((n-mean)*(n-mean)/max(mean, 0.25), most))
	r.W += float32(w)
	r.N += float32(w * n)
	r.X += float32(w * exposure)
}

// Counts is a negative binomial distribution given by its mean and variance.
type Counts struct {
	Mean, Var float64
}

// newCounts mixes an overdispersed count (variance phi*mean) over a rate that is
// itself uncertain with Gamma shape alpha.
func newCounts(mean, phi, alpha float64) Counts {
	mean = max(mean, 1e-6)
	return Counts{Mean: mean, Var: max(float64(phi*mean)+mean*mean/alpha, mean*(1+1e-6))}
}

// few is how many of a distribution's terms are summed one by one.
const few = 64

var reciprocals = func() (r [few + 1]float64) {
	for k := 1; k <= few; k++ {
		r[k] = 1 / float64(k)
	}
	return r
}()

// logStop is log(1-q): to twelve digits of itself where q is small, since it is
// multiplied by a size that is then large.
func logStop(q float64) float64 {
	if q < 1.0/256 {
		return -q * (1 + float64(q*(0.5+float64(q*(1.0/3+float64(q*(0.25+float64(q*0.2))))))))
	}
	return elementary.Log(1 - q)
}

// SD is the standard deviation.
func (c Counts) SD() float64 { return math.Sqrt(c.Var) }

// Surprise is -log10 of the probability of n or more, at most MaxSurprise.
func (c Counts) Surprise(n float64) float64 {
	if n <= 0 || math.IsNaN(n) {
		return 0
	}
	if math.IsInf(n, 1) {
		return MaxSurprise
	}
	size := c.Mean * c.Mean / (c.Var - c.Mean)
	q := c.Mean / (c.Mean + size) // chance of one more against stopping
	if c.Var <= c.Mean*(1+1e-5) || size > 1e8 {
		size, q = 1e8, c.Mean/(c.Mean+1e8)
	}
	// Few: one minus the terms below n, by their recurrence. Where that would lose
	// digits, P(N >= n) = I_q(n, size), the regularised incomplete beta function.
	tail := 0.0
	if n <= few && size < 1e8 {
		term := elementary.Exp(size * logStop(q))
		below := term
		for k := 1; k < int(math.Ceil(n)); k++ {
			term *= q * (float64(k-1) + size) * reciprocals[k]
			below += term
		}
		if tail = 1 - below; tail > 1e-6 {
			return max(0, -elementary.Log10(tail))
		}
		tail = 0
	}
	if n < 1e7 {
		tail = mathext.RegIncBeta(n, size, q)
	}
	if tail > 1e-280 {
		return max(0, -math.Log10(min(tail, 1)))
	}
	// Too small for a float: the tail's first term, and the geometric series that
	// bounds what follows it.
	lg, _ := math.Lgamma(n + size)
	ln, _ := math.Lgamma(n + 1)
	ls, _ := math.Lgamma(size)
	logPMF := lg - ln - ls + size*math.Log1p(-q) + n*math.Log(q)
	ratio := q * (n + size) / (n + 1)
	if ratio < 1 {
		logPMF -= math.Log1p(-ratio)
	}
	s := -logPMF / math.Ln10
	return math.Min(math.Max(s, 0), MaxSurprise)
}

// Shortfall is -log10 of the probability of n or fewer, at most MaxSurprise: the
// lower tail, for what falls silent.
func (c Counts) Shortfall(n float64) float64 {
	if math.IsNaN(n) {
		return 0
	}
	size := c.Mean * c.Mean / (c.Var - c.Mean)
	q := c.Mean / (c.Mean + size)
	if c.Var <= c.Mean*(1+1e-5) || size > 1e8 {
		size, q = 1e8, c.Mean/(c.Mean+1e8)
	}
	n = math.Max(0, math.Floor(n))
	if n == 0 {
		return math.Min(MaxSurprise, -size*math.Log1p(-q)/math.Ln10)
	}
	// P(N <= n) = I_(1-q)(size, n+1).
	tail := mathext.RegIncBeta(size, n+1, 1-q)
	if tail < 1e-280 {
		return MaxSurprise
	}
	return math.Max(0, -math.Log10(math.Min(tail, 1)))
}

// Quantile is the smallest n whose cumulated probability is at least q (0 to 1).
func (c Counts) Quantile(q float64) float64 {
	target := -math.Log10(1 - q)
	// P(N > n) <= 1-q is Surprise(n+1) >= target; the surprise rises with n.
	hi := math.Ceil(c.Mean + 4*c.SD() + 4)
	for c.Surprise(hi+1) < target && hi < 1e12 {
		hi *= 2
	}
	lo := -1.0
	for hi-lo > 1 {
		mid := math.Floor((lo + hi) / 2)
		if c.Surprise(mid+1) >= target {
			hi = mid
		} else {
			lo = mid
		}
	}
	return math.Max(hi, 0)
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
