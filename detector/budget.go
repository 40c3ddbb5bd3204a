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
	// Epochs counts the closed actor-epochs of the present day, PerDay its
	// forgetting mean; ActorDays likewise counts actor-days per lane.
	Epochs, PerDay       [features.Lanes]float64
	ActorDays, DaysOfDay [features.Lanes]float64
	Days                 float64
	// Peaks holds the largest log10 R of each actor's days.
	Peaks [features.Lanes]calibrate.Sketch

	// Line is log10 of each lane's threshold, Theory of its guide.
	Line, Theory [features.Lanes]float64
	Ready        [features.Lanes]bool
	Why          [features.Lanes]string
}

// laneShare is how the budget is split over the lanes.
var laneShare = [features.Lanes]float64{0.5, 0.3, 0.2}

// readyEpochs is how many actor-epochs a lane must have judged, and readyDays how
// long it must have listened, before it speaks.
var (
	readyEpochs = [features.Lanes]float64{300, 60, 60}
	readyDays   = [features.Lanes]float64{3, 7, 28}
)

// fitFrom is how many actor-days a fit of the line needs.
const fitFrom = 200

// The line may be fitted this far below and above theory, in decades. Until
// there is a fit it stands unfitted above: theory holds on average only, and
// evidence that is correlated in time was seen to pass it 13 to 27 times as often
// as promised.
const (
	fitBelow = 0.5
	fitAbove = 3
	unfitted = 1.5
)

func newBudget(asked float64) budget {
	b := budget{Asked: asked}
	for l := range features.Lanes {
		b.Why[l] = "nothing has been seen yet"
	}
	return b
}

// observe notes the largest evidence of an actor's day. It is drawn in to half a
// decade above the line, so that one breach can't raise the line for all.
func (b *budget) observe(l features.Lane, peak float64) {
	b.ActorDays[l]++
	if b.Line[l] > 0 {
		peak = math.Min(peak, b.Line[l]+0.5)
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
	for l := range features.Lanes {
		// The mean over the days so far while they are few, forgetting after.
		w := math.Max(1-keep, 1/b.Days)
		b.PerDay[l] += w * (b.Epochs[l] - b.PerDay[l])
		b.DaysOfDay[l] += w * (b.ActorDays[l] - b.DaysOfDay[l])
		b.Epochs[l], b.ActorDays[l] = 0, 0
		b.Peaks[l].Forget(math.Exp2(-1 / (2 * halfLifeDays)))
	}
}

// perDay is the whole budget, in false findings a day.
func (b *budget) perDay(actors float64) float64 {
	if b.Asked > 0 {
		return b.Asked
	}
	return math.Max(actors/1000, 1.0/30)
}

// fit sets the lines.
func (b *budget) fit(s *shared, now int64) {
	listened := 0.0
	if s.Started != 0 {
		listened = float64(now-s.Started) / (24 * float64(hourNanos))
	}
	for l := range features.Lane(features.Lanes) {
		judgedN := s.everyone.Sketch[l][kindTerm(features.Events, frameEveryone)].N
		b.Ready[l] = judgedN >= readyEpochs[l] && listened >= readyDays[l]
		b.Why[l] = ""
		if !b.Ready[l] {
			b.Why[l] = fmt.Sprintf("learning: %.1f of %.0f days, %.0f of %.0f spans", math.Min(listened, readyDays[l]),
				readyDays[l], math.Min(judgedN, readyEpochs[l]), readyEpochs[l])
		}
		epochs, actorDays := b.PerDay[l], b.DaysOfDay[l]
		if b.Days == 0 {
			epochs, actorDays = math.Max(1, b.Epochs[l]), math.Max(1, b.ActorDays[l])
		}
		daily := b.DaysOfDay[features.Quarter]
		share := b.perDay(daily) * laneShare[l]
		b.Theory[l] = math.Max(1, math.Log10(math.Max(1, epochs)/share))
		b.Line[l] = b.Theory[l] + unfitted
		if b.Peaks[l].N < fitFrom || actorDays <= 0 {
			continue
		}
		table := b.Peaks[l].Freeze()
		if table.Sigma == 0 {
			continue
		}
		lo, hi := b.Theory[l]-fitBelow, b.Theory[l]+fitAbove
		target := share / actorDays
		for range 40 {
			mid := (lo + hi) / 2
			if table.P(mid, 0.5) > target {
				lo = mid
			} else {
				hi = mid
			}
		}
		b.Line[l] = math.Max(1, hi)
	}
}
