package detector

import (
	"math"
	"slices"

	"vigil"
	"vigil/detector/features"
	"vigil/detector/reasons"
	"vigil/detector/rules"
	"vigil/models/peers"
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
	// book is what feeds have told. It changes between events only.
	book *reasons.Book
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
	// rhythms are when sources tell, lapses what collectors saw of them.
	rhythms rhythms
	lapses  lapses
	found   []vigil.Finding
	// Forests judge combinations of scores.
	Forests forests
	// Peers are the learned groups, nil before the first fit.
	Peers *peers.Groups
	// rules are those that run, Laws how they stand.
	rules *rules.Set
	Laws  laws
	// heard is the hour up to which sources were judged.
	heard int64

	// exceptions say what is expected of whom, in the order in which they begin.
	exceptions []vigil.Exception
	// untaught are the times in which actors teach nothing, by the actor's key.
	untaught map[string][]stretch

	budget budget
	events eventScores
	fitter fitter
}

func newShared(b budget, set *rules.Set) *shared {
	s := &shared{
		everyone: newGroup(""), groups: map[string]*group{}, Sources: map[string]uint32{}, budget: b, book: reasons.New(reasons.Limits{}),
		teams: map[string]*team{}, told: map[string]*teller{}, rhythms: newRhythms(), rules: set, Laws: laws{}.ready(), Forests: forests{Sample: newReservoirs(forestRows)},
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
		s.takeRules(sh, now)
	}
	s.events.learn()
	hour := now / hourNanos
	for h := max(s.heard, hour-silentHours); h < hour; h++ {
		s.closeRhythms(h)
		s.closeHour(h)
	}
	s.settleLapses(now)
	s.heard = hour
	for i := range s.Surge {
		s.Surge[i].settle()
	}
	s.settleCommon()
	s.Merges++
	if hour%24 == 0 {
		s.closeTeams(hour/24 - 1)
		s.age(float64(now-s.Started) / float64(24*hourNanos))
		s.Laws.endDay(now)
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

// age lets a day pass over the sums. days is how old the log is.
func (s *shared) age(days float64) {
	keep := math.Exp2(-1 / halfLifeDays)
	s.Due = allLanes
	s.everyone.forget(keep)
	for _, key := range s.keys {
		s.groups[key].forget(keep)
	}
	s.events.age(days)
	for f := range s.Flows {
		s.Flows[f].Sketch.Forget(keep)
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
