package calibrate

import (
	"math"

	"vigil/models/elementary"
)

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

	// All weight lies in the bins from lo to hi, of which most sketches use few,
	// once that was looked for: a sketch may be made of its bins.
	lo, hi   int
	windowed bool
}

// window returns the bins that hold all weight.
func (s *Sketch) window() (lo, hi int) {
	if !s.windowed && s.Bins != nil {
		s.windowed = true
		hi = len(s.Bins)
		for lo < hi && s.Bins[lo] == 0 {
			lo++
		}
		for hi > lo && s.Bins[hi-1] == 0 {
			hi--
		}
		s.lo, s.hi = lo, hi
	}
	return s.lo, s.hi
}

// widen makes the window hold the bins from lo to hi.
func (s *Sketch) widen(lo, hi int) {
	if a, b := s.window(); a < b {
		lo, hi = min(lo, a), max(hi, b)
	}
	s.lo, s.hi = lo, hi
}

// bin reads the octave and its part off the float's own bits.
func bin(z float64) int {
	step := int(math.Float64bits(1+gridScale*math.Abs(z))>>gridShift) - gridOffset
	if z < 0 {
		return max(gridBelow-1-step, 0)
	}
	return min(gridBelow+step, gridBins-1)
}

// edges are the lower edges of the bins, and the last one's upper.
var edges = func() (e [gridBins + 1]float64) {
	for b := range e {
		e[b] = edgeOf(b)
	}
	return e
}()

// edge is the lower edge of bin b.
func edge(b int) float64 { return edges[b] }

func edgeOf(b int) float64 {
	if b >= gridBelow {
		return unbin(b - gridBelow)
	}
	return -unbin(gridBelow - b)
}

func unbin(step int) float64 {
	part := 1 + float64(step%gridSteps)/gridSteps
	return (math.Ldexp(part, step/gridSteps) - 1) / gridScale
}

// Bin is a place in the grid of all sketches.
type Bin uint16

// BinOf is the place of a score, and whether it is one: what is not a number has
// none.
func BinOf(z float64) (b Bin, ok bool) {
	if math.IsNaN(z) || math.IsInf(z, 0) {
		return 0, false
	}
	return Bin(bin(z)), true
}

// Add counts one score with weight w. What is not a number is refused.
func (s *Sketch) Add(z, w float64) {
	if b, ok := BinOf(z); ok {
		s.AddBin(b, w)
	}
}

// AddBin counts one score of which only the bin is known.
func (s *Sketch) AddBin(at Bin, w float64) {
	if !(w > 0) || math.IsInf(w, 1) || at >= gridBins {
		return
	}
	if s.Bins == nil {
		s.Bins = make([]float64, gridBins)
	}
	b := int(at)
	if b < s.lo || b >= s.hi {
		s.widen(b, b+1)
	}
	s.Bins[b] += w
	s.N += w
}

// TakeBin takes the weight w of one bin out again, as far as it is there. What is not
// a positive number takes nothing: AddBin is its counterpart.
func (s *Sketch) TakeBin(at Bin, w float64) {
	if !(w > 0) || s.Bins == nil || at >= gridBins {
		return
	}
	w = min(w, s.Bins[at])
	s.Bins[at] -= w
	s.N = max(0, s.N-w)
}

// Merge adds o with the factor f.
func (s *Sketch) Merge(o *Sketch, f float64) {
	if o == nil || o.Bins == nil || f == 0 {
		return
	}
	if s.Bins == nil {
		s.Bins = make([]float64, gridBins)
	}
	lo, hi := o.window()
	if lo < hi {
		s.widen(lo, hi)
	}
	into, from := s.Bins[lo:hi], o.Bins[lo:hi]
	for i, v := range from {
		into[i] += float64(f * v)
	}
	s.N += float64(f * o.N)
}

// Learn adds the scores of one epoch after so many others. What happens at once is
// seldom many independent things: of an epoch's scores, and of those above any
// level, no more count than burst times as many as an epoch usually has, one more
// counted in. So a wave of attacks does not become the tail that the next one is
// ranked in, and what lasts is learnt in the end. (In peaks over threshold, clusters
// are thinned for the same reason: Smith and Weissman, "Estimating the extremal
// index", 1994; the filter in front of the baseline is that of MIDAS-F: Bhatia et
// al., "Real-time anomaly detection in edge streams", TKDD 2022.)
func (s *Sketch) Learn(o *Sketch, epochs float64) {
	lo, hi := o.window()
	if lo == hi {
		return
	}
	if s.Bins == nil {
		s.Bins = make([]float64, gridBins)
	}
	first, last := s.window()
	lowest := min(lo, first)
	usual := 0.0 // how many an epoch has from here up
	each := 1 / math.Max(epochs, 1)
	limit := func() float64 { return burst * (usual + 1) }
	share := math.Min(1, burst*(s.N*each+1)/o.N)
	s.widen(lo, hi)
	var above, taken float64
	for b := max(hi, last) - 1; b >= lowest; b-- {
		usual += float64(s.Bins[b] * each)
		above = math.Min(taken+float64(share*o.Bins[b]), limit())
		s.Bins[b] += above - taken
		taken = above
	}
	s.N += taken
}

// burst is how many times the usual number of scores an epoch may teach.
const burst = 4

// Forget keeps the share keep.
func (s *Sketch) Forget(keep float64) {
	lo, hi := s.window()
	if keep == 0 {
		clear(s.Bins[lo:hi])
		s.lo, s.hi, s.N = 0, 0, 0
		return
	}
	for i := lo; i < hi; i++ {
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
	// Mass is the weight of each bin, as it was in the sketch.
	Mass []float64
	N    float64
	// U is where the tail begins, PU the share above it; Sigma and Xi its scale
	// and shape. Sigma is zero while there is too little to fit.
	U, PU, Sigma, Xi float64

	// ranks are the shares of N+1 in the bins from lo on, the only ones that hold
	// anything, and below those everything is above.
	ranks []rank
	lo    int
	all   float64
	// one is the share of a single score.
	one float64
}

// rank is the share of scores above a bin, and in it the bin's own and the new
// score's: short, since a shard reads from hundreds of tables in turn.
type rank struct{ above, mass float32 }

// Freeze makes a table of the sketch.
func (s *Sketch) Freeze() *Table {
	t := &Table{}
	s.FreezeInto(t)
	return t
}

// FreezeInto makes t the table of the sketch, in t's own memory.
func (s *Sketch) FreezeInto(t *Table) {
	*t = Table{N: s.N, Mass: t.Mass, ranks: t.ranks, lo: t.lo}
	if s.Bins == nil {
		*t = Table{N: s.N}
		return
	}
	if t.Mass == nil {
		t.Mass = make([]float64, gridBins)
	}
	clear(t.Mass[t.lo : t.lo+len(t.ranks)])
	lo, hi := s.window()
	copy(t.Mass[lo:hi], s.Bins[lo:hi])
	if cap(t.ranks) < hi-lo {
		// Room for a window that grows, or each freeze would need more.
		t.ranks = make([]rank, 0, min(hi-lo+gridSteps, gridBins))
	}
	t.ranks = t.ranks[:hi-lo]
	t.lo = lo
	t.one = 1 / (s.N + 1)
	above, one := 0.0, t.one
	cut, beyond, enough := -1, 0.0, (1-tailFrom)*s.N // beyond is the weight above the cut
	bins := s.Bins[lo:hi]
	ranks := t.ranks[:len(bins)]
	for i := len(bins) - 1; i >= 0; i-- {
		n := bins[i]
		ranks[i] = rank{float32(above * one), float32((n + 1) * one)}
		if cut < 0 && above+n >= enough {
			cut, beyond = lo+i, above
		}
		above += n
	}
	t.all = above * one
	t.fitTail(cut, lo, hi, beyond)
}

// share is the score's rank among what was seen, ties broken by u.
func (t *Table) share(z, u float64) float64 {
	b := bin(z) - t.lo
	if uint(b) < uint(len(t.ranks)) {
		r := &t.ranks[b]
		return float64(r.above) + float64(u*float64(r.mass))
	}
	if b < 0 {
		return t.all + float64(u*t.one)
	}
	return u * t.one
}

// Excess describes the scores above the quantile q (0 to 1): u, where they begin;
// n, their weight; and mean, how far above u they lie on average. n is zero when
// there are none.
func (s *Sketch) Excess(q float64) (u, n, mean float64) {
	if s.Bins == nil {
		return 0, 0, 0
	}
	lo, hi := s.window()
	cut := max(hi-1, 0)
	for above := 0.0; cut > lo; cut-- {
		if above += s.Bins[cut]; above >= (1-q)*s.N {
			break
		}
	}
	u = edge(cut + 1)
	for b := cut + 1; b < hi; b++ {
		n += s.Bins[b]
		mean += s.Bins[b] * ((edge(b)+edge(b+1))/2 - u)
	}
	if n > 0 {
		mean /= n
	}
	return u, n, mean
}

// fitTail fits the excesses over bin cut's upper edge, of weight n, by probability-weighted
// moments (Hosking and Wallis 1987), the shape shrunk toward a slightly heavy
// tail where excesses are few.
func (t *Table) fitTail(cut, lo, hi int, n float64) {
	if cut < 0 || cut >= gridBins-1 {
		return
	}
	if n < tailMinimum {
		// Too few above this quantile: go down until there are enough, but not
		// below the upper tenth.
		for cut > lo && n < tailMinimum && n+t.Mass[cut] < 0.1*t.N {
			n += t.Mass[cut]
			cut--
		}
		if n < tailMinimum {
			return
		}
	}
	u := edge(cut + 1)
	var mean, pwm, below float64
	for b := cut + 1; b < hi; b++ {
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
	if !(t.Sigma > 0) {
		return t.Rank(z, u)
	}
	if z > t.U {
		p := t.PU * elementary.Exp(-elementary.Log(1+t.Xi*(z-t.U)/t.Sigma)/t.Xi)
		return max(p, MinP)
	}
	return min(max(t.share(z, u), MinP), 1)
}

// Rank is the p-value by rank alone: nothing is rarer than one in all that was
// seen. It is the p-value of scores that have no tail to go by: "never seen
// before" is as far as a category can go, and says nothing of how far.
func (t *Table) Rank(z, u float64) float64 {
	if math.IsNaN(z) || t == nil || t.Mass == nil {
		return 1
	}
	return min(max(t.share(z, u), t.one), 1)
}
