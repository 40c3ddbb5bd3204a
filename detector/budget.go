package detector

import (
	"fmt"
	"math"

	"vigil/detector/features"
	"vigil/models/calibrate"
)

// budget turns "so many false findings a day" into a line for each lane. Theory
// is the guide: with N actor-epochs a day and threshold A there are at most about
// N/A false findings a day. The setting is a fit on what evidence did reach.
type budget struct {
	// Asked is the false findings a day that were asked for, zero for the
	// default.
	Asked float64
	// Said is that the log named it: then the configuration's counts no more.
	Said bool
	// Epochs counts the closed actor-epochs of the present day and Runs its runs
	// of evidence; PerDay and RunsPerDay are their forgetting means.
	Epochs, PerDay   [lines]float64
	Runs, RunsPerDay [lines]float64
	Days             float64
	// Readers counts the actors of the present day that read of more than one
	// customer, or of whom that is not known; ReadersPerDay is its mean.
	Readers, ReadersPerDay float64
	// Peaks holds the largest log10 R of each run: one excursion counts once,
	// however long it lasts.
	Peaks [lines]calibrate.Sketch

	// Line is log10 of each lane's threshold, Theory of its guide.
	Line, Theory [lines]float64
	Ready        [lines]bool
	Why          [lines]string
}

// The budget's lines: one for each lane of actors, and one for each other thing
// that a finding can be about.
const (
	lineSubject = features.Lanes + iota
	lineNetwork
	lineTeam
	lineSource
	lines
)

// lineName names a line as findings and the status do.
func lineName(l int) string {
	if l < features.Lanes {
		return features.Lane(l).String()
	}
	return [...]string{"subject", "network", "team", "source"}[l-features.Lanes]
}

// laneShare is how the budget is split over the lines.
var laneShare = [lines]float64{0.42, 0.24, 0.14, 0.07, 0.07, 0.03, 0.03}

// readyEpochs is how many epochs a line must have judged, and readyDays how
// long it must have listened, before it speaks.
var (
	readyEpochs = [lines]float64{300, 60, 60, 300, 300, 20, 300}
	readyDays   = [lines]float64{7, 7, 28, 7, 7, 14, 14}
)

// The fit of the line. By theory log10 R is exponential above, with the scale
// theoryScale; the fitted scale is shrunk toward it by scalePrior observations,
// and never falls below. caution is how far above, in decades, the line stands
// while nothing has been observed: theory holds on average only, and evidence
// that is correlated in time was seen to pass it 13 to 27 times as often as
// promised. It shrinks as cautionRuns and more runs of evidence are seen. The fit
// weighs as much as theory once fitRuns of the largest twentieth are known, and may
// lie below it: e-values made of p-values are cautious by construction.
const (
	fitFrom     = 0.95
	theoryScale = 0.4343 // 1/ln(10)
	scalePrior  = 10
	caution     = 1.43 // log10(27)
	cautionRuns = 500
	fitAbove    = 3
	fitRuns     = 20
)

func newBudget(asked float64) budget {
	b := budget{Asked: asked}
	for l := range lines {
		b.Why[l] = "nothing has been seen yet"
	}
	return b
}

// say takes the budget that the log names from here on, and sets the lines by it.
func (b *budget) say(s *shared, perDay float64, now int64) {
	b.Asked, b.Said = perDay, true
	if s.Merges > 0 { // or there is nothing to fit to
		b.fit(s, now)
	}
}

// observe notes the largest evidence of a run. It is drawn in to the line, so that
// one breach can't raise the line for all: that it crossed counts, not how far.
func (b *budget) observe(l int, peak float64) {
	b.Runs[l]++
	if b.Line[l] > 0 {
		peak = math.Min(peak, b.Line[l])
	}
	b.Peaks[l].Add(math.Max(peak, 0), 1)
}

// endDay closes the day's counts. Days on which nothing happened do not count.
func (b *budget) endDay() {
	if b.Epochs[features.Quarter] == 0 {
		return
	}
	keep := math.Exp2(-1 / halfLifeDays)
	b.Days++
	b.ReadersPerDay += math.Max(1-keep, 1/b.Days) * (b.Readers - b.ReadersPerDay)
	b.Readers = 0
	for l := range lines {
		// The mean over the days so far while they are few, forgetting after.
		w := math.Max(1-keep, 1/b.Days)
		b.PerDay[l] += w * (b.Epochs[l] - b.PerDay[l])
		b.RunsPerDay[l] += w * (b.Runs[l] - b.RunsPerDay[l])
		b.Epochs[l], b.Runs[l] = 0, 0
		b.Peaks[l].Forget(math.Exp2(-1 / (2 * halfLifeDays)))
	}
}

// perDay is the whole budget, in false findings a day. The default counts those
// who work with others' data: a portal's customers, who each read their own, call
// for no more findings however many they are.
func (b *budget) perDay() float64 {
	if b.Asked > 0 {
		return b.Asked
	}
	return math.Max(b.ReadersPerDay/1000, 1.0/30)
}

// fit sets the lines.
func (b *budget) fit(s *shared, now int64) {
	listened := 0.0
	if s.Started != 0 {
		listened = float64(now-s.Started) / (24 * float64(hourNanos))
	}
	for l := range lines {
		judgedN := s.judged(l)
		b.Ready[l] = judgedN >= readyEpochs[l] && listened >= readyDays[l]
		b.Why[l] = ""
		if !b.Ready[l] {
			b.Why[l] = fmt.Sprintf("learning: %.1f of %.0f days, %.0f of %.0f spans", math.Min(listened, readyDays[l]),
				readyDays[l], math.Min(judgedN, readyEpochs[l]), readyEpochs[l])
		}
		epochs, runs := b.PerDay[l], b.RunsPerDay[l]
		if b.Days == 0 {
			epochs = b.Epochs[l]
		}
		share := b.perDay() * laneShare[l]
		b.Theory[l] = math.Max(1, math.Log10(math.Max(1, epochs)/share))
		b.Line[l] = b.Theory[l] + caution*cautionRuns/(b.Peaks[l].N+cautionRuns)
		u, n, mean := b.Peaks[l].Excess(fitFrom)
		if n == 0 || runs <= 0 {
			continue
		}
		scale := math.Max(theoryScale, (n*mean+scalePrior*theoryScale)/(n+scalePrior))
		fitted := u + scale*math.Max(0, math.Log(n/b.Peaks[l].N*runs/share))
		// Few runs tell little: until there are more, theory and caution weigh in.
		w := n / (n + fitRuns)
		b.Line[l] = w*math.Min(fitted, b.Theory[l]+fitAbove) + (1-w)*b.Line[l]
	}
}
