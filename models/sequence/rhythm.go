package sequence

import "math"

const (
	// beat and pause bound a gap, in nanoseconds. What follows within 50 ms belongs
	// to the same beat (one action, several statements); what comes after more than
	// half an hour begins anew.
	beat  = 50_000_000
	pause = 30 * 60 * 1_000_000_000
	// minGaps is how many gaps it takes to speak of a rhythm.
	minGaps = 8
	// poisson is the mean of a pair's term when gaps are exponential: events at
	// random moments.
	poisson = 1.0 / 3
	// rhythmPrior is how many pairs at random stand behind the first ones seen.
	rhythmPrior = 4
)

// Rhythm watches whether gaps between events are steady. It compares each gap
// with the one before, by the local variation (Shinomoto, Shima and Tanji,
// "Differences in spiking patterns among cortical neurons", 2003): for gaps g and
// h the term ((g-h)/(g+h))^2, from 0 to 1, is 1/3 on average when events come at
// random moments. Unlike the variance of the gaps, it minds neither a slow change
// of pace nor a few long pauses.
//
// A timer whose gaps vary by a tenth has terms near .005, one that draws them
// evenly from half to one and a half times their mean near .04; people, whose
// gaps are at least as uneven as random ones, .3 and more.
type Rhythm struct {
	// Start is when the present beat began and Gap how long the last one lasted,
	// in nanoseconds; 0 is none.
	Start, Gap int64
	// Gaps counts gaps, Pairs the pairs of neighbouring ones, Sum their terms.
	Gaps, Pairs uint32
	Sum         float64
}

// Add feeds the time of an event, in nanoseconds since 1970. Times that go back
// begin anew.
func (r *Rhythm) Add(at int64) {
	// Differences of absurd times may overflow; they then land outside the bounds
	// or count as any gap would.
	gap := at - r.Start
	switch {
	case r.Start == 0 || gap < 0 || gap > pause:
		r.Start, r.Gap = at, 0
		return
	case gap < beat:
		return
	}
	r.Gaps = up(r.Gaps)
	if r.Gap > 0 {
		g, h := float64(gap), float64(r.Gap)
		d := (g - h) / (g + h)
		r.Pairs = up(r.Pairs)
		r.Sum += float64(d * d)
	}
	r.Start, r.Gap = at, gap
}

// Steadiness is how much steadier than random moments the gaps are: -log10 of
// their local variation, shrunk toward random while gaps are few, and never
// below 0. It is unknown for fewer than eight gaps. It is an average, and so
// waits for the span's end. A perfect timer reaches .5 with eight gaps, 1.4 with
// a hundred, 2.4 with a thousand.
func (r Rhythm) Steadiness() (score float64, known bool) {
	if r.Gaps < minGaps || r.Pairs < minGaps-1 {
		return 0, false
	}
	mean := (r.Sum + rhythmPrior*poisson) / (float64(r.Pairs) + rhythmPrior)
	return math.Max(0, -math.Log10(mean/poisson)), true
}

// Merge adds the gaps of o, seen apart; the later beat goes on.
func (r *Rhythm) Merge(o Rhythm) {
	r.Gaps = add(r.Gaps, o.Gaps)
	r.Pairs = add(r.Pairs, o.Pairs)
	r.Sum += o.Sum
	if o.Start > r.Start {
		r.Start, r.Gap = o.Start, o.Gap
	}
}
