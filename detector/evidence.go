package detector

import (
	"math"

	"vigil/detector/features"
)

// look judges the actor's open spans early when a count crossed its next look or
// something new was met. Only what can merely grow may speak before the close.
func (sh *shard) look(a *actor, t int64, met bool) {
	for l := range features.Lane(features.Lanes) {
		if !sh.shared.budget.Ready[l] {
			continue
		}
		la := &a.Lane[l]
		due := met && l != features.Week
		for k := range features.Kind(features.Kinds) {
			v := la.span.Value(k)
			if v == 0 {
				continue
			}
			if math.IsNaN(float64(la.next[k])) {
				la.next[k] = float32(sh.nextLook(a, l, k))
			}
			if v > float64(la.next[k]) {
				due = true
				la.next[k] = float32(math.Max(v*lookFactor, v+1))
			}
		}
		if !due {
			continue
		}
		sh.scratch = sh.scratch[:0]
		all, e := sh.judge(a, l, false, sh.scratch)
		sh.scratch = all
		decay := la.decay(l, la.span.Index)
		sh.weigh(a, l, t, all, e, log10(la.Detector.Peek(decay, e)))
	}
}

// telling is the e-value of a span that counts as further evidence for a finding
// that is open already.
const telling = 10

// weigh decides what a span's evidence means: a new finding, more of an open
// one, or nothing. r is log10 of the detector's value with it.
func (sh *shard) weigh(a *actor, l features.Lane, t int64, all []judged, e, r float64) {
	switch {
	case a.open != nil && e >= telling:
		again, own := sh.renewed(a, l, all, e)
		if own {
			sh.finish(a)
			a.past = nil
			sh.declare(a, l, t, all, e, again)
			return
		}
		a.open.grow(a, l, all, e)
		a.open.confirm(t, r)
		sh.confirmed(a)
		if again > 0 {
			a.open.aggravate()
		}
		sh.tell(a, again > 0)
		if again > 0 {
			a.open.New.tell(t, e, a.open.breadth())
		}
	case a.open == nil && r >= sh.shared.budget.Line[l] && e > 1:
		sh.declare(a, l, t, all, e, r)
	}
}

// close judges a span that ended, moves the evidence and learns.
func (sh *shard) close(a *actor, l features.Lane) {
	la := &a.Lane[l]
	if !la.span.Open {
		return
	}
	sh.scratch = sh.scratch[:0]
	all, e := sh.judge(a, l, true, sh.scratch)
	sh.scratch = all
	if sh.tally != nil && sh.shared.budget.Ready[l] {
		sh.tally.take(a, &la.span, all)
	}
	sh.conclude(a, l, all, e)
	sh.learn(a, l, all, e)
	if l == features.Day {
		if !la.span.Told(features.Subjects) || la.span.Value(features.Subjects) > 1 {
			sh.delta.readers++
		}
		sh.member(a, all)
	}
	sh.delta.epochs[l]++
	la.span.End()
}

// conclude moves the actor's evidence by a span that is over.
func (sh *shard) conclude(a *actor, l features.Lane, all []judged, e float64) {
	la := &a.Lane[l]
	i := la.span.Index
	if sh.shared.budget.Ready[l] {
		decay := la.decay(l, i)
		r := log10(la.Detector.Peek(decay, e))
		sh.weigh(a, l, la.span.Last, all, e, r)
		la.Detector.Step(decay, e)
		la.Path.note(i, r)
		if a.open != nil {
			a.open.New.step(l, la.span.First, decay, e)
		}
		if la.rise(decay, e) {
			if la.Since == 0 {
				la.Since = la.span.First
			}
			if la.Run == nil {
				la.Run = sh.newRun()
			}
			if la.Run.Journal == nil && a.open == nil {
				la.Run.begin(la.Since)
			}
			la.Run.add(&la.span)
			la.Run.learn(a, l, all, e)
			la.Run.Peak = max(la.Run.Peak, r)
		} else if la.Since != 0 {
			sh.endRun(a, l)
		}
	}
	la.Judged = i
}

// crossedOnce is how long after a run that crossed the line the same actor's
// further runs tell nothing new about how often the line is crossed.
const crossedOnce = 30 * 24 * hourNanos

// endRun notes how far a run of evidence got, and forgets the run.
func (sh *shard) endRun(a *actor, l features.Lane) {
	la := &a.Lane[l]
	end, peak := la.span.Last, 0.0
	if la.Run != nil {
		peak = la.Run.Peak
	}
	switch {
	case a.trust() < 1 && peak < sh.shared.budget.Line[l]:
		// Who is suspected anyway must not move the line for all.
	case peak < sh.shared.budget.Line[l]:
		sh.delta.peaks[l] = append(sh.delta.peaks[l], peak)
	case la.Crossed == 0 || end-la.Crossed > crossedOnce:
		sh.peak(a, l, peak)
		la.Crossed = end
	}
	la.Rise, la.Since = 0, 0
	sh.spare(la.Run)
	la.Run = nil
}
