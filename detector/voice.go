package detector

import (
	"vigil/detector/features"
	"vigil/models/sequence"
)

// voice counts what an actor has taught its group today, so that none outweighs
// the others by being there all the time.
type voice struct {
	Day          int64
	Spans, Steps uint32
}

// fullSpans is how many quarters of an hour of one actor count in full on a day: a
// shift's. A service that runs day and night has 96.
const fullSpans = 32

func (v *voice) at(day int64) {
	if day != v.Day {
		*v = voice{Day: day}
	}
}

// span is the weight with which the group learns the actor's next closed span.
func (v *voice) span(l features.Lane, epoch int64) float64 {
	if l != features.Quarter {
		return 1 // days and weeks come as often to everybody
	}
	v.at(features.Day.Index(l.Start(epoch)))
	v.Spans++
	return fullSpans / max(fullSpans, float64(v.Spans))
}

// step is the weight with which the group learns the actor's next step.
func (v *voice) step(t int64) float64 {
	v.at(features.Day.Index(t))
	v.Steps++
	return sequence.Weight(v.Steps)
}

// loud is how many times the group's usual rate an actor may have and still teach
// its season in full.
const loud = 2

// seasonal is what a span of events tells of the season: a loud actor no more than
// one of twice the usual rate, or the hours of one would be the hours of all.
func (g *group) seasonal(a *actor, l features.Lane, hour int, seen, expected float64) seasonDelta {
	p := &g.Prior[l][features.Events]
	if most := loud * p.Alpha / p.Beta; expected > most {
		seen, expected = seen*most/expected, most
	}
	return seasonDelta{group: a.home, class: a.class(), lane: l, hour: hour, seen: seen, expected: expected}
}
