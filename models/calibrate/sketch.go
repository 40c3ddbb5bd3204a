package calibrate

import "math"

// The grid of a sketch: a score is turned into 1+8|z|, and each octave of that cut
// into 16 equal parts, so a bin is 1/128 wide near zero and at most 6% of z far
// out. It reaches from -15 to 4,000 standard deviations.
const (
	gridScale  = 8
	gridBits   = 4
	gridSteps  = 1 << gridBits
	gridBelow  = 7 * gridSteps  // bins for scores below zero
	gridAbove  = 15 * gridSteps // and from zero up
	gridBins   = gridBelow + gridAbove
	gridShift  = 52 - gridBits
	gridOffset = 1023 << gridBits
)

// Sketch is a forgetting histogram of standardised scores. Sketches of parts add
// up to the sketch of the whole.
type Sketch struct {
	Bins []float64
	N    float64
}

// bin reads the octave and its part off the float's own bits.
func bin(z float64) int {
	step := int(math.Float64bits(1+gridScale*math.Abs(z))>>gridShift) - gridOffset
	if z < 0 {
		return max(gridBelow-1-step, 0)
	}
	return min(gridBelow+step, gridBins-1)
}

// edge is the lower edge of bin b.
func edge(b int) float64 {
	if b >= gridBelow {
		return unbin(b - gridBelow)
	}
	return -unbin(gridBelow - b)
}

func unbin(step int) float64 {
	part := 1 + float64(step%gridSteps)/gridSteps
	return (math.Ldexp(part, step/gridSteps) - 1) / gridScale
}

// Add counts one score with weight w. What is not a number is refused.
func (s *Sketch) Add(z, w float64) {
	if math.IsNaN(z) || math.IsInf(z, 0) || !(w > 0) || math.IsInf(w, 1) {
		return
	}
	if s.Bins == nil {
		s.Bins = make([]float64, gridBins)
	}
	s.Bins[bin(z)] += w
	s.N += w
}

// Merge adds o with the factor f.
func (s *Sketch) Merge(o *Sketch, f float64) {
	if o == nil || o.Bins == nil || f == 0 {
		return
	}
	if s.Bins == nil {
		s.Bins = make([]float64, gridBins)
	}
	for i, v := range o.Bins {
		s.Bins[i] += f * v
	}
	s.N += f * o.N
}

// Forget keeps the share keep.
func (s *Sketch) Forget(keep float64) {
	for i := range s.Bins {
		s.Bins[i] *= keep
	}
	s.N *= keep
}

// The tail: above which quantile it is fitted, on how many scores at least, and
// the smallest p-value that it may claim.
const (
	tailFrom    = 0.98
	tailMinimum = 25
	// MinP is the smallest p-value ever given.
	MinP = 1e-9
)

// Table is a sketch frozen for reading: ranks below, a generalised Pareto
// distribution above (peaks over threshold; Siffer et al., "Anomaly detection in
// streams with extreme value theory", 2017).
type Table struct {
	// Above is the weight of the bins above each bin; Mass its own.
	Above, Mass []float64
	N           float64
	// U is where the tail begins, PU the share above it; Sigma and Xi its scale
	// and shape. Sigma is zero while there is too little to fit.
	U, PU, Sigma, Xi float64
}

// Freeze makes a table of the sketch.
func (s *Sketch) Freeze() *Table {
	t := &Table{}
	s.FreezeInto(t)
	return t
}

// FreezeInto makes t the table of the sketch, in t's own memory.
func (s *Sketch) FreezeInto(t *Table) {
	*t = Table{N: s.N, Mass: t.Mass, Above: t.Above}
	if s.Bins == nil {
		t.Mass, t.Above = nil, nil
		return
	}
	if t.Mass == nil {
		t.Mass, t.Above = make([]float64, gridBins), make([]float64, gridBins)
	}
	copy(t.Mass, s.Bins)
	above := 0.0
	cut := -1
	for b := gridBins - 1; b >= 0; b-- {
		t.Above[b] = above
		above += s.Bins[b]
		if cut < 0 && above >= (1-tailFrom)*s.N {
			cut = b
		}
	}
	t.fitTail(cut)
}

// Excess describes the scores above the quantile q (0 to 1): u, where they begin;
// n, their weight; and mean, how far above u they lie on average. n is zero when
// there are none.
func (s *Sketch) Excess(q float64) (u, n, mean float64) {
	if s.Bins == nil {
		return 0, 0, 0
	}
	cut := gridBins - 1
	for above := 0.0; cut > 0; cut-- {
		if above += s.Bins[cut]; above >= (1-q)*s.N {
			break
		}
	}
	u = edge(cut + 1)
	for b := cut + 1; b < gridBins; b++ {
		n += s.Bins[b]
		mean += s.Bins[b] * ((edge(b)+edge(b+1))/2 - u)
	}
	if n > 0 {
		mean /= n
	}
	return u, n, mean
}

// fitTail fits the excesses over bin cut's upper edge by probability-weighted
// moments (Hosking and Wallis 1987), the shape shrunk toward a slightly heavy
// tail where excesses are few.
func (t *Table) fitTail(cut int) {
	if cut < 0 || cut >= gridBins-1 {
		return
	}
	n := t.Above[cut]
	if n < tailMinimum {
		// Too few above this quantile: go down until there are enough, but not
		// below the upper tenth.
		for cut > 0 && t.Above[cut] < tailMinimum && t.Above[cut-1] < 0.1*t.N {
			cut--
		}
		if n = t.Above[cut]; n < tailMinimum {
			return
		}
	}
	u := edge(cut + 1)
	var mean, pwm, below float64
	for b := cut + 1; b < gridBins; b++ {
		w := t.Mass[b]
		if w == 0 {
			continue
		}
		x := (edge(b)+edge(b+1))/2 - u
		mean += w * x
		// The mean of x*(1-F), F at the middle of the bin's own mass.
		pwm += w * x * (1 - (below+w/2)/n)
		below += w
	}
	mean /= n
	pwm /= n
	if mean <= 0 {
		return
	}
	xi := 0.0
	if d := mean - 2*pwm; d > 0 {
		xi = 2 - mean/d
	}
	const prior, priorXi = 50, 0.15
	xi = (n*math.Min(math.Max(xi, -0.2), 0.6) + prior*priorXi) / (n + prior)
	xi = math.Max(xi, 0.02)
	t.U, t.PU, t.Xi = u, n/(t.N+1), xi
	t.Sigma = mean * (1 - xi)
}

// P is the p-value of a standardised score: its rank, ties broken by u (0 to 1,
// from a keyed hash: mid-ranks would not be valid), or the tail's probability.
// It lies between MinP and 1.
func (t *Table) P(z, u float64) float64 {
	if math.IsNaN(z) || t == nil || t.Mass == nil {
		return 1
	}
	if t.Sigma > 0 && z > t.U {
		p := t.PU * math.Pow(1+t.Xi*(z-t.U)/t.Sigma, -1/t.Xi)
		return math.Max(p, MinP)
	}
	if t.Sigma > 0 {
		b := bin(z)
		return math.Min(math.Max((t.Above[b]+u*(t.Mass[b]+1))/(t.N+1), MinP), 1)
	}
	return t.Rank(z, u)
}

// Rank is the p-value by rank alone: nothing is rarer than one in all that was
// seen. It is the p-value of scores that have no tail to go by: "never seen
// before" is as far as a category can go, and says nothing of how far.
func (t *Table) Rank(z, u float64) float64 {
	if math.IsNaN(z) || t == nil || t.Mass == nil {
		return 1
	}
	b := bin(z)
	p := (t.Above[b] + u*(t.Mass[b]+1)) / (t.N + 1)
	return math.Min(math.Max(p, 1/(t.N+1)), 1)
}
