package detector

import (
	"cmp"
	"math"
	"slices"
	"unique"

	"vigil"
	"vigil/detector/features"
	"vigil/models/novelty"
	"vigil/models/volume"
)

// cold is an actor in short, some 300 bytes with its key: how it stands, its
// evidence, its main rates and its heaviest values. What is left out (levels of
// scores, sizes, weeks) it shares with its peers again when it returns.
type cold struct {
	Who        unique.Handle[identity]
	Born, Seen int64 // as an actor's
	// R and Rise are each lane's, as they stand in the epoch of Seen.
	R, Rise [features.Lanes]float32
	Rates   [len(coldLanes)][len(coldKinds)]coldRate
	// Long is the reference of its pace, of each drift kind: a theft that waits until
	// its actor is cold starts from the same pace.
	Long [len(driftKinds)]coldSum
	// Hours has a bit for each hour of the day, those of weekends above those of
	// working days.
	Hours  uint64
	Values []coldValue
	// runs are there where evidence has begun to grow or has crossed the line.
	runs *[features.Lanes]coldRun
	// past is the last finding, while it may open again.
	past *incident
}

// identity is what sources said of an actor. Many share one.
type identity struct {
	Kind               vigil.ActorKind
	Role, Team, Source string
	Learned            int
}

// coldRun is where a lane's growing evidence comes from.
type coldRun struct {
	Since, Crossed     int64
	Events, Rows, Peak float64
	RowsTold           bool
}

// The lanes and kinds whose rates a cold actor keeps.
var (
	coldLanes = [...]features.Lane{features.Quarter, features.Day}
	coldKinds = [...]features.Kind{features.Events, features.Subjects, features.Strangers}
)

// coldRate is a volume.Rate to three digits: the upper halves of its numbers.
type coldRate [4]uint16

func shorten(f float32) uint16 {
	b := uint64(math.Float32bits(f))
	return uint16(min((b+1<<15)>>16, math.MaxUint16))
}

func lengthen(h uint16) float32 { return math.Float32frombits(uint32(h) << 16) }

func newColdRate(r volume.Rate) coldRate {
	return coldRate{shorten(r.N), shorten(r.X), shorten(r.R), shorten(r.W)}
}

func (r coldRate) rate() volume.Rate {
	return volume.Rate{N: lengthen(r[0]), X: lengthen(r[1]), R: lengthen(r[2]), W: lengthen(r[3])}
}

// coldSum is a volume.Sum to three digits.
type coldSum [2]uint16

// coldValue is a value's hash, with what else there is to say of it in Tag: the
// category above the weight, shortened, in observations at the time of Seen.
type coldValue struct {
	Hash uint64
	Tag  uint32
}

// coldValues is how many values of each category a cold actor keeps; hours have
// their own place.
var coldValues = [features.Categories]int{features.Network: 3, features.Resource: 3, features.Action: 2, features.Agent: 2, features.Shape: 3}

// newCold shortens an actor whose spans are closed.
func newCold(a *actor, t int64) *cold {
	c := &cold{
		Who:  unique.Make(identity{a.Kind, a.Role, a.Team, a.Source, a.Learned}),
		Born: a.Born, Seen: a.Seen, past: a.past,
	}
	for l := range features.Lane(features.Lanes) {
		la := &a.Lane[l]
		at := l.Index(a.Seen)
		decay := la.decay(l, at)
		c.R[l], c.Rise[l] = float32(decay*la.Detector.R), float32(decay*la.Rise)
		if la.Since != 0 || la.Crossed != 0 {
			if c.runs == nil {
				c.runs = new([features.Lanes]coldRun)
			}
			c.runs[l] = coldRun{Since: la.Since, Crossed: la.Crossed}
			if r := la.Run; r != nil {
				c.runs[l] = coldRun{la.Since, la.Crossed, r.Events, r.Rows, r.Peak, r.RowsTold}
			}
		}
		// So that the rates are all of one age.
		la.forget(l, at)
	}
	for i, l := range coldLanes {
		for j, k := range coldKinds {
			c.Rates[i][j] = newColdRate(a.Lane[l].Counts[k])
		}
	}
	a.Drift.age(features.Day.Index(a.Seen))
	for i, p := range a.Drift.Pace {
		c.Long[i] = coldSum{shorten(p.Long.N), shorten(p.Long.X)}
	}
	w := unit(a.Seen)
	kept := make([]coldValue, 0, 16)
	for cat := range features.Category(features.Categories) {
		if cat == features.Hour {
			for _, v := range a.Values[cat].Values {
				if v.Hash-1 < 48 {
					c.Hours |= 1 << (v.Hash - 1)
				}
			}
			continue
		}
		kept = heaviest(kept, cat, &a.Values[cat], w)
	}
	c.Values = slices.Clone(kept)
	c.settle(t)
	return c
}

// heaviest appends the heaviest values of a category.
func heaviest(to []coldValue, cat features.Category, t *novelty.Table, unit float64) []coldValue {
	at := len(to)
	for i := range t.Values {
		v := &t.Values[i]
		to = append(to, coldValue{v.Hash, uint32(cat)<<16 | uint32(shorten(float32(v.Weight/unit)))})
	}
	slices.SortFunc(to[at:], func(a, b coldValue) int { return cmp.Or(cmp.Compare(b.Tag, a.Tag), cmp.Compare(a.Hash, b.Hash)) })
	return to[:min(len(to), at+coldValues[cat])]
}

// settle lets go of what no longer matters at t.
func (c *cold) settle(t int64) {
	if c.past != nil && t-c.past.LastEvidence >= reopen {
		c.past = nil
	}
}

// suspect says whether anything speaks against the actor at t.
func (c *cold) suspect(t int64) bool {
	if c.past != nil {
		return true
	}
	for l := range features.Lane(features.Lanes) {
		if c.R[l] >= evident && float64(c.R[l])*evidenceDecay(l, l.Index(c.Seen), l.Index(t)) >= evident {
			return true
		}
	}
	return false
}

// thaw gives a new actor back what the cold one remembers.
func (c *cold) thaw(a *actor, s *shared) {
	who := c.Who.Value()
	a.Kind, a.Role, a.Team, a.Source = who.Kind, who.Role, who.Team, who.Source
	if s.Peers.Has(who.Learned) {
		a.Learned = who.Learned
	}
	a.Group = one(a.placed())
	a.home = s.group(a.Group)
	a.group = a.home.held()
	a.Born, a.Seen, a.past = c.Born, c.Seen, c.past
	for l := range features.Lane(features.Lanes) {
		la := &a.Lane[l]
		la.Updated = l.Index(c.Seen)
		la.Judged = la.Updated
		la.Detector.R, la.Rise = float64(c.R[l]), float64(c.Rise[l])
		if c.runs != nil {
			r := &c.runs[l]
			la.Since, la.Crossed = r.Since, r.Crossed
			if r.Since != 0 {
				la.Run = &run{Events: r.Events, Rows: r.Rows, Peak: r.Peak, RowsTold: r.RowsTold}
			}
		}
	}
	for i, l := range coldLanes {
		for j, k := range coldKinds {
			a.Lane[l].Counts[k] = c.Rates[i][j].rate()
		}
	}
	a.Drift.Day = features.Day.Index(c.Seen)
	for i, k := range driftKinds {
		// What it did lately, its days' rates know as well.
		day := a.Lane[features.Day].Counts[k]
		a.Drift.Pace[i] = volume.Pace{
			Lately: volume.Sum{N: day.N, X: day.X}, Long: volume.Sum{N: lengthen(c.Long[i][0]), X: lengthen(c.Long[i][1])},
		}
	}
	w := unit(c.Seen)
	first, span := features.Quarter.Index(c.Born), features.Quarter.Index(c.Seen)
	know := func(cat features.Category, hash uint64, label string, weight float64) {
		t := &a.Values[cat]
		if t.Add(hash, label, weight, span, valueLimit) {
			if v := t.Get(hash); v != nil {
				v.First = int32(first)
			}
		}
	}
	for _, v := range c.Values {
		cat := features.Category(v.Tag >> 16)
		know(cat, v.Hash, s.label(a.group, cat, v.Hash), w*float64(lengthen(uint16(v.Tag))))
	}
	for h := range uint64(48) {
		if c.Hours&(1<<h) != 0 {
			know(features.Hour, h+1, features.HourLabel(h), w)
		}
	}
}

// label is what a value is called, where anybody knows; the actor's next use of it
// tells.
func (s *shared) label(g *group, cat features.Category, hash uint64) string {
	for _, from := range [...]*group{g, s.everyone} {
		if from == nil {
			continue
		}
		if v := from.Values[cat].Get(hash); v != nil {
			return v.Label.String()
		}
	}
	return ""
}
