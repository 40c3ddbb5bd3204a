package detector

import (
	"math"

	"vigil/detector/features"
	"vigil/detector/reasons"
	"vigil/models/novelty"
)

// settledDays is how long an actor must have been known before what is new to it
// alone counts as new: to a newcomer everything is.
const settledDays = 7

// calendarDays is how long the hours of the week are only learnt: until each has
// come round.
const calendarDays = 8

// What an actor does again within freshQuarters quarters of an hour, a day, is no
// news a second time, however rare it still is: its probability counts as at least
// repeatedP.
const (
	freshQuarters = 96
	repeatedP     = 0.2
)

// meet judges the values that the present quarter had not met, and learns them. A
// deploy or a campaign brings new things, of which each is half as telling then, but
// for the network: nobody is to come from elsewhere for it.
// It reports whether any was new to the actor.
func (sh *shard) meet(a *actor, t int64, values *[features.Categories]features.Value, found reasons.Reason) (met bool) {
	q := features.Quarter.Index(t)
	day := features.Day.Index(t)
	w, learnt, scale := 0.0, 0.0, 0.0
	for c := range features.Category(features.Categories) {
		v := values[c]
		if v.Label == "" {
			continue
		}
		own := &a.Values[c]
		var known *novelty.Value
		at, ok := own.Find(v.Hash)
		if ok {
			known = &own.Values[at]
		}
		if known != nil && known.Label == (novelty.Label{}) {
			known.Label = novelty.Intern(v.Label) // it was among the cold
		}
		if known != nil && int64(known.Span) >= q {
			continue // met in this quarter, or by a late event's future
		}
		if w == 0 {
			w = unit(t)
			learnt = w * a.trust()
			scale = unit(features.Quarter.Start(q))
		}
		if c == features.Hour && t-sh.shared.Started < calendarDays*24*hourNanos {
			// An hour that has not come round yet is new to the calendar, not to people.
			own.Add(v.Hash, v.Label, learnt, q, valueLimit)
			if known = own.Get(v.Hash); known != nil {
				known.Last, known.Spoke = float32(learnt/scale), false
				sh.pass(a, c, known, v.Hash, w, day)
			}
			continue
		}
		var peers *novelty.Table
		if a.group != nil {
			peers = &a.group.Values[c]
		}
		p, frame := novelty.PredictKnown(own, known, peers, &sh.shared.everyone.Values[c], v.Hash, w)
		weight := learnt
		if sh.shared.expectsValue(a, t, c, v.Label) {
			p, frame, weight = 1, novelty.Known, w
		}
		first := int64(0)
		if known != nil && frame == novelty.Known {
			first = int64(known.First)
			if q-int64(known.Span) <= freshQuarters {
				p = math.Max(p, repeatedP)
			}
		}
		// Half expected: what was announced, and what somebody's work brings.
		expected := found&reasons.Awaited != 0 && c != features.Network || found.Work() && ofWork(c)
		if expected {
			p = math.Sqrt(p)
		}
		for _, l := range [...]features.Lane{features.Quarter, features.Day} {
			if a.Lane[l].span.Open {
				a.Lane[l].span.Meet(c, p, v.Label, frame, first)
			}
		}
		// A new shift brings many new hours at once; they are one thing, not eight.
		if frame != novelty.Known && c != features.Hour && !expected && (t-a.Born >= settledDays*24*hourNanos || frame >= novelty.NewToPeers) {
			met = true
			for l := range features.Lanes {
				if a.Lane[l].span.Open {
					a.Lane[l].span.AddNew()
				}
			}
		}
		if known != nil {
			own.Count(at, weight, q)
		} else {
			own.Add(v.Hash, v.Label, weight, q, valueLimit)
			known = own.Get(v.Hash)
		}
		if known != nil {
			known.P, known.Frame = float32(p), frame
			known.Last, known.Spoke = float32(weight/scale), false
			sh.pass(a, c, known, v.Hash, w, day)
		}
	}
	return met
}

// ofWork says that a category is about what is done rather than by which way: work that
// somebody has put down brings new things of that sort with it.
func ofWork(c features.Category) bool {
	return c == features.Resource || c == features.Action || c == features.Shape
}

// pass tells the wider frames of a value, once a day: an actor counts by days
// there, not by how often it acts.
func (sh *shard) pass(a *actor, c features.Category, v *novelty.Value, hash uint64, w float64, day int64) {
	if v == nil || int64(v.Told) == day || a.open != nil || len(sh.delta.values) >= sh.deltaLimit()/4 {
		return
	}
	v.Told, v.Spoke = int32(day), true
	sh.delta.values = append(sh.delta.values, valueDelta{a.home, c, features.Value{Hash: hash, Label: v.Label.String()}, w * a.trust(), day})
}
