package features

import "math"

// Measure is a score of a span that is neither a count nor a category: how its
// events follow each other.
type Measure int

// The measures. Those up to Together only grow while a span is open, so they may be
// judged before it closes.
const (
	// Order is the evidence that ids were walked through one after the other.
	Order Measure = iota
	// Burst is the largest burst of accesses to one resource, customer or from one
	// network within minutes.
	Burst
	// Return is how long the actor had been away.
	Return
	// Page is how far one access showed more records than the actor's accesses of the
	// same kind to the same place do.
	Page
	// Together is the sum of what the span's other scores say, one of each family.
	Together
	// Rhythm is how steady the gaps were, Sequence how unusual what follows what.
	Rhythm
	Sequence
	// Combination is how alone the span stands in all its scores together.
	Combination
	// Drift is how far a week outran the pace of months ago.
	Drift
	Measures int = iota
)

var measureNames = [Measures]string{"order", "burst", "return", "page", "together", "rhythm", "sequence", "combination", "drift"}

// String is the measure's name in findings.
func (m Measure) String() string { return measureNames[m] }

// Model names the model that a measure comes from.
func (m Measure) Model() string {
	return [Measures]string{"sequence", "affinity", "novelty", "volume", "together", "sequence", "sequence", "forest", "volume"}[m]
}

// Grows says that the measure can only rise while a span is open.
func (m Measure) Grows() bool { return m <= Together }

// Weight is the measure's part in an epoch's evidence.
func (m Measure) Weight() float64 {
	return [Measures]float64{2, 1.5, 1, 2, 4, 1, 1.5, 1.5, 8}[m]
}

// AwayFrom is the absence, in days, from which a return is told: a long weekend is
// none.
const AwayFrom = 4.0

// returned is the raw score of coming back after an absence.
func returned(days float64) float64 {
	return math.Log2(math.Max(1, days/AwayFrom))
}

// Measure is the span's raw score of m, and whether it tells one. Together and
// Combination are judged from the others, Drift from the actor's past, by the caller.
func (s *Span) Measure(m Measure) (raw float64, ok bool) {
	switch m {
	case Order:
		return s.order.Walking(), s.counts[Events] > 0
	case Burst:
		return s.burst, s.burst >= 0
	case Return:
		return returned(s.Away), true
	case Page:
		return s.page.Raw, s.page.Raw >= 0
	case Rhythm:
		return s.rhythm.Steadiness()
	case Sequence:
		return s.surprise.Mean()
	}
	return 0, false
}
