package detector

import (
	"maps"
	"slices"

	"vigil/detector/features"
	"vigil/models/calibrate"
	"vigil/models/forest"
	"vigil/models/sequence"
)

// deltaState is what a shard learnt since the last merge, as it is kept.
type deltaState struct {
	Scores  []scoreState
	Seasons []seasonState
	Values  []valueState
	Peaks   [lines][]float64
	Epochs  [lines]int
	Readers int
	Sources []sourceState
	Members []memberState
	Steps   map[string]*sequence.Delta
	Again   []stepAgain
	// PeaksAgain are those that are taken out or put back.
	PeaksAgain []notedPeak
	Sample     [features.Week]forest.Reservoir
	Raw        [eventModels][]float64
	Groups     []string
}

type sourceState struct {
	_      struct{} `cbor:",toarray"`
	Name   string
	Events int
	Tells  uint32
	Stores stores
}

type scoreState struct {
	_     struct{} `cbor:",toarray"`
	Group string
	Lane  uint8
	Term  uint8
	Low   bool
	Bin   calibrate.Bin
	W     float64
	Again bool
}

type memberState struct {
	_               struct{} `cbor:",toarray"`
	Group, Actor    string
	Seen, Mean, Var float64
	Events          int64
	Subjects        features.DistinctState
}

type seasonState struct {
	_              struct{} `cbor:",toarray"`
	Group          string
	Class          int
	Lane           features.Lane
	Hour           int
	Seen, Expected float64
	Again          bool
}

type valueState struct {
	_        struct{} `cbor:",toarray"`
	Group    string
	Category features.Category
	Value    features.Value
	Weight   float64
	Day      int64
}

func (d *delta) state() (deltaState, error) {
	st := deltaState{Peaks: d.peaks, Epochs: d.epochs, Readers: d.readers, Sample: d.sample, Raw: d.raw, Groups: d.groups, Again: d.again, PeaksAgain: d.peaksAgain}
	for _, o := range d.sources {
		st.Sources = append(st.Sources, sourceState{Name: o.name, Events: o.events, Tells: o.tells, Stores: o.stores})
	}
	st.Steps = make(map[string]*sequence.Delta, len(d.steps))
	for i := range d.steps {
		st.Steps[d.steps[i].group.Key] = &d.steps[i].Delta
	}
	for _, o := range d.scores {
		st.Scores = append(st.Scores, scoreState{Group: o.group.key(), Lane: o.lane, Term: o.term, Low: o.low, Bin: o.bin, W: o.w, Again: o.again})
	}
	for _, o := range d.seasons {
		st.Seasons = append(st.Seasons, seasonState{Group: o.group.key(), Class: o.class, Lane: o.lane, Hour: o.hour, Seen: o.seen, Expected: o.expected, Again: o.again})
	}
	for _, o := range d.values {
		st.Values = append(st.Values, valueState{Group: o.group.key(), Category: o.category, Value: o.value, Weight: o.weight, Day: o.day})
	}
	for i := range d.members {
		m := &d.members[i]
		subjects, err := m.subjects.State()
		if err != nil {
			return st, err
		}
		st.Members = append(st.Members, memberState{
			Group: m.group.key(), Actor: m.actor, Seen: m.seen, Mean: m.mean, Var: m.variance, Events: m.events, Subjects: subjects,
		})
	}
	return st, nil
}

func (st *deltaState) restore(s *shared) (delta, error) {
	d := delta{peaks: st.Peaks, epochs: st.Epochs, readers: st.Readers, sample: st.Sample, raw: st.Raw, groups: st.Groups, again: st.Again, peaksAgain: st.PeaksAgain}
	for _, o := range st.Sources {
		if have := d.source(o.Name); have != nil {
			have.events, have.tells, have.stores = o.Events, o.Tells, o.Stores
		}
	}
	for _, key := range slices.Sorted(maps.Keys(st.Steps)) {
		g := s.groups[key]
		if g == nil {
			g = s.everyone
		}
		if steps := st.Steps[key]; steps != nil {
			d.steps = append(d.steps, stepsDelta{g, *steps})
		}
	}
	for i := range st.Members {
		m := &st.Members[i]
		g := s.group(m.Group)
		if g == nil {
			continue
		}
		day := memberDay{group: g, actor: m.Actor, seen: m.Seen, mean: m.Mean, variance: m.Var, events: m.Events}
		if err := day.subjects.Restore(m.Subjects); err != nil {
			return d, err
		}
		d.members = append(d.members, day)
	}
	for _, o := range st.Scores {
		d.scores = append(d.scores, scoreDelta{s.group(o.Group), o.Lane, o.Term, o.Low, o.Bin, o.W, o.Again})
	}
	for _, o := range st.Seasons {
		d.seasons = append(d.seasons, seasonDelta{s.group(o.Group), o.Class, o.Lane, o.Hour, o.Seen, o.Expected, o.Again})
	}
	for _, o := range st.Values {
		d.values = append(d.values, valueDelta{s.group(o.Group), o.Category, o.Value, o.Weight, o.Day})
	}
	return d, nil
}
