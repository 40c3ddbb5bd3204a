package detector

import (
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
	Tells   map[string]uint32
	Told    map[string]int
	Members []memberState
	Steps   map[string]*sequence.Delta
	Sample  [features.Week]forest.Reservoir
	Raw     [eventModels][]float64
	Groups  []string
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

func (d *delta) state() deltaState {
	st := deltaState{Peaks: d.peaks, Epochs: d.epochs, Readers: d.readers, Tells: d.tells, Told: d.told, Steps: d.steps, Sample: d.sample, Raw: d.raw, Groups: d.groups}
	for _, o := range d.scores {
		st.Scores = append(st.Scores, scoreState{Group: o.group.key(), Lane: o.lane, Term: o.term, Low: o.low, Bin: o.bin, W: o.w, Again: o.again})
	}
	for _, o := range d.seasons {
		st.Seasons = append(st.Seasons, seasonState{Group: o.group.key(), Class: o.class, Lane: o.lane, Hour: o.hour, Seen: o.seen, Expected: o.expected, Again: o.again})
	}
	for _, o := range d.values {
		st.Values = append(st.Values, valueState{Group: o.group.key(), Category: o.category, Value: o.value, Weight: o.weight, Day: o.day})
	}
	for _, m := range d.members {
		st.Members = append(st.Members, memberState{Group: m.group.key(), Actor: m.actor, Seen: m.seen, Mean: m.mean, Var: m.variance, Events: m.events})
	}
	return st
}

func (st *deltaState) restore(s *shared) delta {
	d := delta{peaks: st.Peaks, epochs: st.Epochs, readers: st.Readers, tells: st.Tells, told: st.Told, steps: st.Steps, sample: st.Sample, raw: st.Raw, groups: st.Groups}
	if d.tells == nil {
		d.tells = map[string]uint32{}
	}
	if d.steps == nil {
		d.steps = map[string]*sequence.Delta{}
	}
	if d.told == nil {
		d.told = map[string]int{}
	}
	for _, m := range st.Members {
		if g := s.group(m.Group); g != nil {
			d.members = append(d.members, memberDay{g, m.Actor, m.Seen, m.Mean, m.Var, m.Events})
		}
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
	return d
}
