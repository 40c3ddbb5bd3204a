package detector

import (
	"maps"
	"math"
	"slices"

	"vigil"
	"vigil/detector/features"
	"vigil/models/calibrate"
	"vigil/models/forest"
	"vigil/models/peers"
	"vigil/models/sequence"
)

const (
	// minPeers is how many members a group needs to be a frame of its own.
	minPeers = 5
	// maxGroups bounds the groups; actors of further ones have no peers' frame.
	maxGroups = 512
	// fitSample bounds how many actors a fit looks at.
	fitSample = 4096
	// maxSources bounds the sources whose telling is remembered.
	maxSources = 4096
)

// shared is what all shards read and none writes: frozen between merges, which
// happen at fixed event times.
type shared struct {
	everyone *group
	groups   map[string]*group
	keys     []string // of groups, sorted

	// Sources holds, for each source, which kinds it has ever told.
	Sources map[string]uint32
	// Merges counts merges; Started is the event time of the first event.
	Merges  int64
	Started int64

	// Due marks the lanes in which something was learnt or forgotten since the last
	// fit: a day is not fitted again for each hour of it.
	Due [features.Lanes]bool

	// Surge is how busy the whole desk is: its people, and its machines.
	Surge [2]surge

	// Flows are the models of what is counted about things other than actors.
	Flows [flows]flowModel
	teams map[string]*team
	told  map[string]*teller
	found []vigil.Finding
	// Forests judge combinations of scores.
	Forests forests
	// Peers are the learned groups, nil before the first fit.
	Peers *peers.Groups
	// heard is the hour up to which sources were judged.
	heard int64

	budget budget
	events eventScores
	fitter fitter
}

func newShared(b budget) *shared {
	s := &shared{
		everyone: newGroup(""), groups: map[string]*group{}, Sources: map[string]uint32{}, budget: b,
		teams: map[string]*team{}, told: map[string]*teller{}, Forests: forests{Sample: newReservoirs(forestRows)},
	}
	for f := range s.Flows {
		s.Flows[f] = newFlowModel()
	}
	return s
}

// judged is the weight of the epochs that a line of the budget has judged.
func (s *shared) judged(line int) float64 {
	switch line {
	case lineSubject:
		return s.Flows[flowReaders].Sketch.N
	case lineNetwork:
		return s.Flows[flowNewcomers].Sketch.N
	case lineTeam:
		return s.Flows[flowTeam].Sketch.N
	case lineSource:
		return s.Flows[flowSilence].Sketch.N
	}
	return s.everyone.total(line, kindTerm(features.Events, frameEveryone)).N
}

// group returns the group of that key, nil when there is none that was fitted.
func (s *shared) group(key string) *group {
	if g := s.groups[key]; g != nil && g.Fitted {
		return g
	}
	return nil
}

// tells says whether a kind's absence means "none" for this actor: its source has
// told that kind before.
func (s *shared) tells(a *actor, k features.Kind) bool {
	switch k {
	case features.Silent:
		return false // only a day's own events tell
	case features.Strangers:
		return s.tells(a, features.Subjects)
	case features.Subjects, features.Conversations, features.Denied:
		return s.Sources[a.Source]&(1<<k) != 0
	}
	return false
}

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
}

type seasonDelta struct {
	group          *group
	class          int
	lane           features.Lane
	hour           int
	seen, expected float64
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

// merge folds the shards' deltas in, in shard order, and fits and freezes anew
// when it is due. now is the event time of the merge, a full hour.
func (s *shared) merge(shards []*shard, targets []*targets, now int64) {
	s.heard = max(s.heard, s.Started/hourNanos)
	for _, t := range targets {
		s.takeTargets(&t.delta)
		t.dirty = t.dirty || !t.delta.empty()
		t.delta.reset()
	}
	for _, sh := range shards {
		s.take(&sh.delta)
		// What was merged must not be merged again after a restart.
		sh.dirty = sh.dirty || !sh.delta.empty()
		sh.delta.reset()
	}
	hour := now / hourNanos
	for h := max(s.heard, hour-silentHours); h < hour; h++ {
		s.closeHour(h)
	}
	s.heard = hour
	for i := range s.Surge {
		s.Surge[i].settle()
	}
	s.settleCommon()
	s.Merges++
	if hour%24 == 0 {
		s.closeTeams(hour/24 - 1)
		s.age()
		s.budget.endDay()
	}
	if hour%refit(now-s.Started) != 0 {
		s.share()
		return
	}
	if hour%24 == 0 || s.Peers == nil {
		s.learnPeers(shards, now)
	}
	s.fit(shards)
	s.share()
	s.fitFlows(targets)
	s.Forests.grow(hour%24 == 0)
	s.addUp()
	s.everyone.freeze(nil, s.Due)
	s.down(func(g, _ *group) {
		g.freeze(s.everyone, s.due(g))
		g.Fitted = true
	})
	s.Due = [features.Lanes]bool{}
	s.events.freeze()
	s.budget.fit(s, now)
	for _, sh := range shards {
		sh.regroup()
	}
}

// refit is how many hours lie between two fits: few while what is known is young.
func refit(age int64) int64 {
	switch days := age / (24 * hourNanos); {
	case days < 3:
		return 1
	case days < 14:
		return 6
	}
	return 24
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
		if o.lane == uint8(features.Quarter) {
			g.Common.observe(int(o.term), o.low, o.w)
		}
	}
	for _, o := range d.seasons {
		if o.lane == features.Quarter {
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
			if v := t.Get(o.value.Hash); v != nil {
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

// age lets a day pass over the sums.
func (s *shared) age() {
	keep := math.Exp2(-1 / halfLifeDays)
	s.Due = allLanes
	s.everyone.forget(keep)
	for _, key := range s.keys {
		s.groups[key].forget(keep)
	}
	s.events.forget(keep)
	for f := range s.Flows {
		s.Flows[f].Sketch.Forget(keep)
	}
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

// join makes a group, and those around it, when they are new.
func (s *shared) join(key string) *group {
	if key == "" {
		return nil
	}
	if g := s.groups[key]; g != nil {
		return g
	}
	if len(s.groups) >= maxGroups {
		return nil
	}
	g := newGroup(key)
	g.within(s.join(wider(key)))
	s.groups[key] = g
	at, _ := slices.BinarySearch(s.keys, key)
	s.keys = slices.Insert(s.keys, at, key)
	return g
}

// depths is how many groups lie within each other at most.
const depths = 3

// up visits the groups, each before the one around it.
func (s *shared) up(visit func(g, around *group)) {
	for depth := depths - 1; depth >= 0; depth-- {
		s.level(depth, visit)
	}
}

// down visits the groups, each after the one around it.
func (s *shared) down(visit func(g, around *group)) {
	for depth := range depths {
		s.level(depth, visit)
	}
}

func (s *shared) level(depth int, visit func(g, around *group)) {
	for _, key := range s.keys {
		g := s.groups[key]
		if g.depth() != depth {
			continue
		}
		if g.parent != nil {
			visit(g, g.parent)
		} else {
			visit(g, s.everyone)
		}
	}
}

var allLanes = [features.Lanes]bool{true, true, true}

// due says which lanes of a group are to be fitted: all of one that never was.
func (s *shared) due(g *group) [features.Lanes]bool {
	if !g.Fitted {
		return allLanes
	}
	return s.Due
}

// mostVoices is as how many actors a group of many speaks among everyone: a
// portal's customers are not to be what the staff is held against.
const mostVoices = 100

// voice is the weight with which the group's sums go into those around it.
func (g *group) voice(around *group) float64 {
	if around.Key == "" {
		return g.voices()
	}
	return 1
}

// voices is the weight with which one member speaks among everyone.
func (g *group) voices() float64 {
	if g == nil || g.Members <= mostVoices {
		return 1
	}
	return mostVoices / float64(g.Members)
}
