package detector

import (
	"maps"
	"slices"

	"vigil/detector/features"
	"vigil/models/calibrate"
	"vigil/models/forest"
	"vigil/models/sequence"
)

// delta is what one shard learnt since the last merge, in the order learnt.
type delta struct {
	scores  []scoreDelta
	seasons []seasonDelta
	values  []valueDelta
	peaks   [lines][]float64
	epochs  [lines]int
	readers int // actors whose day held more than one customer
	tells   map[string]uint32
	// told counts events by source, members are the closed days of actors.
	told    map[string]int
	members []memberDay
	// steps is what followed what, by group; sample are spans for the forests.
	steps  map[string]*sequence.Delta
	sample [features.Week]forest.Reservoir
	raw    [eventModels][]float64
	groups []string
}

type scoreDelta struct {
	group *group // nil without peers
	lane  uint8
	term  uint8
	// low says that the p-value was below commonP before what is common was
	// allowed for.
	low bool
	bin calibrate.Bin
	w   float64
	// again says that it was told before: it is taken out (w below zero) or put back.
	again bool
}

type seasonDelta struct {
	group          *group
	class          int
	lane           features.Lane
	hour           int
	seen, expected float64
	again          bool // as of scores
}

type valueDelta struct {
	group    *group
	category features.Category
	value    features.Value
	weight   float64
	day      int64
}

func (d *delta) empty() bool {
	n := len(d.scores) + len(d.seasons) + len(d.values) + len(d.groups) + len(d.tells) + len(d.told) + len(d.members) + len(d.steps)
	for l := range d.peaks {
		n += len(d.peaks[l]) + d.epochs[l]
	}
	for m := range d.raw {
		n += len(d.raw[m])
	}
	return n == 0
}

// deltaKept is how many scores, seasons or values a delta keeps room for: where a
// day ends there may be hundreds of times as many as in other hours.
const deltaKept = 1 << 12

// emptied is s with nothing in it, and without its room if that is large.
func emptied[T any](s []T) []T {
	if cap(s) > deltaKept {
		return nil
	}
	return s[:0]
}

func (d *delta) reset() {
	d.scores = emptied(d.scores)
	d.seasons = emptied(d.seasons)
	d.values = emptied(d.values)
	d.groups = d.groups[:0]
	for l := range d.peaks {
		d.peaks[l] = d.peaks[l][:0]
		d.epochs[l] = 0
	}
	d.readers = 0
	for m := range d.raw {
		d.raw[m] = d.raw[m][:0]
	}
	clear(d.tells)
	clear(d.told)
	d.members = d.members[:0]
	clear(d.steps)
	for l := range d.sample {
		d.sample[l].Items = d.sample[l].Items[:0]
	}
}

func (s *shared) take(d *delta) {
	for _, m := range d.members {
		s.takeMember(m)
	}
	for _, source := range slices.Sorted(maps.Keys(d.told)) {
		s.takeTold(source, d.told[source], s.heard)
	}
	for _, key := range d.groups {
		s.join(key)
	}
	for l := range s.Due {
		s.Due[l] = s.Due[l] || d.epochs[l] > 0
	}
	for _, key := range slices.Sorted(maps.Keys(d.steps)) {
		if g := s.groups[key]; g != nil {
			g.Chain.Take(d.steps[key])
		} else {
			s.everyone.Chain.Take(d.steps[key])
		}
	}
	for l := range d.sample {
		s.Forests.Sample[l].Merge(&d.sample[l])
	}
	for i := range d.scores {
		o := &d.scores[i]
		g := o.group
		if g == nil {
			g = s.everyone
		}
		g.Sketch[o.lane][o.term].AddBin(o.bin, o.w)
		if o.again {
			s.Due[o.lane] = true
			g.Sketch[o.lane][o.term].TakeBin(o.bin, -o.w)
			continue
		}
		if o.lane == uint8(features.Quarter) {
			g.Common.observe(int(o.term), o.low, o.w)
		}
	}
	for _, o := range d.seasons {
		if o.lane == features.Quarter && !o.again {
			around := o.group
			if around == nil {
				around = s.everyone
			}
			s.Surge[o.class].observe(o.seen/(o.expected*around.profile[o.lane][o.hour]), o.group.voices())
		}
		s.everyone.Season[o.lane].Observe(o.hour, o.seen, o.expected)
		for g := o.group; g != nil; g = g.parent {
			g.Season[o.lane].Observe(o.hour, o.seen, o.expected)
		}
	}
	for _, o := range d.values {
		// Several actors may bring the same value on the same day: each counts.
		for g := o.group; ; g = g.parent {
			last := g == nil
			if last {
				g = s.everyone
			}
			t := &g.Values[o.category]
			if o.weight < 0 {
				t.Take(o.value.Hash, -o.weight, unit(features.Day.Start(o.day))/4)
			} else if v := t.Get(o.value.Hash); v != nil {
				v.Weight += o.weight
				t.Total += o.weight
			} else {
				t.Add(o.value.Hash, o.value.Label, o.weight, o.day, groupValueLimit)
			}
			if last {
				break
			}
		}
	}
	for _, source := range s.untold(d) {
		mask := d.tells[source]
		if _, ok := s.Sources[source]; ok || len(s.Sources) < maxSources {
			s.Sources[source] |= mask
		}
	}
	s.budget.Readers += float64(d.readers)
	for l := range d.peaks {
		s.budget.Epochs[l] += float64(d.epochs[l])
		for _, peak := range d.peaks[l] {
			s.budget.observe(l, peak)
		}
	}
	for m := range d.raw {
		for _, v := range d.raw[m] {
			s.events.Sketch[m].Add(v, 1)
		}
	}
}

// untold lists the sources that told what they had not told before, in order.
func (s *shared) untold(d *delta) []string {
	var sources []string
	for source, mask := range d.tells {
		if have, ok := s.Sources[source]; !ok || have&mask != mask {
			sources = append(sources, source)
		}
	}
	slices.Sort(sources)
	return sources
}

// takeTargets folds in what a shard of targets learnt.
func (s *shared) takeTargets(d *targetDelta) {
	for _, o := range d.scores {
		s.Flows[o.Flow].Sketch.Add(o.Z, 1)
	}
	for l := range d.peaks {
		s.budget.Epochs[l] += float64(d.epochs[l])
		for _, peak := range d.peaks[l] {
			s.budget.observe(l, peak)
		}
	}
}
