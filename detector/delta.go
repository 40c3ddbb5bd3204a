package detector

import (
	"slices"
	"strings"

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
	// peaksAgain were told before: they are taken out (W below zero) or put back.
	peaksAgain []notedPeak
	readers    int // actors whose day held more than one customer
	// sources are those that told anything, by name; members the closed days of actors.
	sources []sourceDelta
	spare   []stores // room for the stores of further sources
	members []memberDay
	// steps is what followed what, by group; sample are spans for the forests.
	steps  []stepsDelta
	again  []stepAgain
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

// sourceDelta is what one source told: how many events, of which stores, and which
// kinds.
type sourceDelta struct {
	name   string
	events int
	tells  uint32
	stores stores
}

// source is what the source of that name told, nil where there are too many.
func (d *delta) source(name string) *sourceDelta {
	at, ok := slices.BinarySearchFunc(d.sources, name, func(s sourceDelta, name string) int { return strings.Compare(s.name, name) })
	if !ok {
		if len(d.sources) >= maxSources {
			return nil
		}
		told := sourceDelta{name: name}
		if n := len(d.spare); n > 0 {
			told.stores, d.spare = d.spare[n-1], d.spare[:n-1]
		}
		d.sources = slices.Insert(d.sources, at, told)
	}
	return &d.sources[at]
}

// stepsDelta is what one group's members did after what.
type stepsDelta struct {
	group *group
	sequence.Delta
}

// stepAgain is a step that was learnt before and is taken out, with a weight below
// zero, or put back. Group is the key of the group, empty for everyone.
type stepAgain struct {
	Group string
	Step  sequence.Step
}

// chain is where the group's steps are noted, nil where there are too many groups.
func (d *delta) chain(g *group) *sequence.Delta {
	for i := range d.steps {
		if d.steps[i].group == g {
			return &d.steps[i].Delta
		}
	}
	n := len(d.steps)
	if n >= maxChains {
		return nil
	}
	if n < cap(d.steps) {
		d.steps = d.steps[:n+1] // with the room for steps that it had before
	} else {
		d.steps = append(d.steps, stepsDelta{})
	}
	d.steps[n].group = g
	return &d.steps[n].Delta
}

func (d *delta) empty() bool {
	n := len(d.scores) + len(d.seasons) + len(d.values) + len(d.groups) + len(d.sources) + len(d.members) + len(d.steps) + len(d.again) + len(d.peaksAgain)
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
const (
	deltaKept = 1 << 12
	// stepsKept is that of the steps of one group, and spareStores of how many sources
	// the room for their stores is kept.
	stepsKept   = 1 << 6
	spareStores = 8
)

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
	for i := range d.sources {
		if len(d.spare) < spareStores {
			d.spare = append(d.spare, d.sources[i].stores[:0])
		}
	}
	clear(d.sources)
	d.sources = d.sources[:0]
	clear(d.members)
	d.members = d.members[:0]
	for i := range d.steps {
		c := &d.steps[i]
		c.group = nil
		if c.Delta = (sequence.Delta{Steps: c.Steps[:0]}); cap(c.Steps) > stepsKept {
			c.Steps = nil
		}
	}
	d.steps = d.steps[:0]
	d.again, d.peaksAgain = emptied(d.again), emptied(d.peaksAgain)
	for l := range d.sample {
		d.sample[l].Reset()
	}
}

func (s *shared) take(d *delta) {
	for i := range d.members {
		s.takeMember(&d.members[i])
	}
	for _, o := range d.sources {
		s.takeTold(&o, s.heard)
	}
	for _, key := range d.groups {
		s.join(key)
	}
	for l := range s.Due {
		s.Due[l] = s.Due[l] || d.epochs[l] > 0
	}
	slices.SortFunc(d.steps, func(a, b stepsDelta) int { return strings.Compare(a.group.Key, b.group.Key) })
	for i := range d.steps {
		d.steps[i].group.Chain.Take(&d.steps[i].Delta)
	}
	for _, o := range d.again {
		g := s.everyone
		if o.Group != "" {
			if g = s.groups[o.Group]; g == nil {
				continue
			}
		}
		if o.Step.Weight > 0 {
			g.Chain.Learn(o.Step.Context, uint64(o.Step.Symbol), o.Step.Weight)
		} else {
			o.Step.Weight = -o.Step.Weight
			g.Chain.Unlearn(o.Step)
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
	for _, o := range d.sources {
		if have, ok := s.Sources[o.name]; ok && have|o.tells != have || !ok && len(s.Sources) < maxSources {
			s.Sources[o.name] = have | o.tells
		}
	}
	s.budget.Readers += float64(d.readers)
	for l := range d.peaks {
		s.budget.Epochs[l] += float64(d.epochs[l])
		for _, peak := range d.peaks[l] {
			s.budget.observe(l, peak)
		}
	}
	for _, p := range d.peaksAgain {
		s.budget.Peaks[p.Lane].AddBin(p.Bin, p.W)
		s.budget.Peaks[p.Lane].TakeBin(p.Bin, -p.W)
	}
	for m := range d.raw {
		for _, v := range d.raw[m] {
			s.events.hour[m].Add(v, 1)
		}
	}
}

// takeTargets folds in what a shard of targets learnt.
func (s *shared) takeTargets(d *targetDelta) {
	for _, o := range d.scores {
		s.Flows[o.Flow].Sketch.Add(o.Z, 1)
	}
	for _, o := range d.again {
		s.Flows[o.Flow].Sketch.AddBin(o.Bin, o.W)
		s.Flows[o.Flow].Sketch.TakeBin(o.Bin, -o.W)
	}
	for l := range d.peaks {
		s.budget.Epochs[l] += float64(d.epochs[l])
		for _, peak := range d.peaks[l] {
			s.budget.observe(l, peak)
		}
	}
}
