package detector

import (
	"math"

	"vigil/detector/features"
	"vigil/models/calibrate"
)

// deltaLimit bounds the scores that a shard learns between two merges, an hour's:
// more than all its actors bring, even where a day and a week end in it. Beyond,
// a flood of actors that come and go teaches nothing more.
func (sh *shard) deltaLimit() int { return 1<<14 + 8*terms*sh.limit }

// The p-value below which a span is odd enough to teach less, and the least it
// teaches: what is odd once is not yet usual, and what lasts is learnt in the end.
const (
	oddP        = 0.01
	leastTaught = 0.2
)

// believed is the weight with which an observation of that p-value teaches its
// actor's own baselines.
func believed(p float64, own *calibrate.Level) float64 {
	if own.W < calibrate.Newcomer {
		return 1 // nothing is odd yet for one of whom nothing is known
	}
	return math.Max(leastTaught, math.Min(1, p/oddP))
}

// repeated is the weight with which a rare score speaks in its peers' ranks. The
// first of an actor counts in full; the more its own level has risen above its
// peers', the less, so that nobody's days of theft become the tail that they are
// held against.
func repeated(p float64, own *calibrate.Level, peers calibrate.Spread) float64 {
	if p >= 2*oddP {
		return 1
	}
	return 1 / (1 + 2*math.Max(0, own.Above(peers)))
}

// learn teaches the actor's baselines and the calibration from a closed span, of which
// e is the e-value.
func (sh *shard) learn(a *actor, l features.Lane, all []judged, e float64) {
	la := &a.Lane[l]
	g := a.group
	if g == nil {
		g = sh.shared.everyone
	}
	season := l.Season(la.span.Index)
	exposure := g.profile[l][season] * sh.shared.Surge[a.class()].factor(l)
	w := a.trust()
	var reasoned habit // what the day taught
	if l == features.Day {
		reasoned = a.Habit.learn(&la.span, w)
	}
	if l == features.Quarter {
		defer sh.dropLessons(a)
	}
	voice := w * a.Voice.span(l, la.span.Index)
	limit := sh.deltaLimit()
	if noting := a.noting(l, e); len(noting) > 0 {
		if l == features.Day {
			a.Drift.age(la.span.Index) // before, so that what is noted is what was added
		}
		was, pace := a.sums(l)
		told, seasons := len(sh.delta.scores), len(sh.delta.seasons)
		defer func() {
			sh.enter(a, l, noting, reasoned, was, pace, sh.delta.scores[told:], sh.delta.seasons[seasons:])
		}()
	}
	scores := sh.delta.scores
	for i := range all {
		j := &all[i]
		level := &la.Level[j.Term]
		spread := g.Spread[l][j.Term]
		var z float64
		heard := voice * repeated(j.Alone, level, spread)
		taught := w * believed(j.Alone, level)
		if j.Term == measureTerm(features.Drift) {
			z, heard = level.Standard(j.Raw, spread), a.strayed(j, w)
		} else {
			standard := la.standard(j.Term)
			z = standard.Standard(j.Raw, spread)
			level.Learn(j.Raw, spread, taught)
		}
		if bin, ok := calibrate.BinOf(z); ok && len(scores) < limit {
			scores = append(scores, scoreDelta{group: a.home, lane: uint8(l), term: uint8(j.Term), low: j.Alone < commonP, bin: bin, w: heard})
		}
		if !isKind(j.Term) {
			continue
		}
		k, f := termKind(j.Term)
		if f != frameSelf {
			continue
		}
		if k.IsCount() {
			if l == features.Day {
				a.pace(la.span.Index, j, exposure, w)
			}
			if k == features.Events && l != features.Week && j.Counts.Mean > 0 && w == 1 {
				sh.delta.seasons = append(sh.delta.seasons, g.seasonal(a, l, season, j.Seen, j.Counts.Mean/exposure))
			}
			la.Counts[k].Observe(j.Seen, g.Prior[l][k], exposure, taught)
		} else {
			la.Sizes[k-features.Rows].Observe(j.Seen, g.Sizes[l][k-features.Rows], taught)
		}
	}
	sh.delta.scores = scores
	if l == features.Week {
		a.endWeek(all)
	}
}
