package detector

import (
	"slices"

	"vigil/detector/features"
	"vigil/models/calibrate"
	"vigil/models/volume"
)

// fitter fits priors and spreads, in memory that it keeps from fit to fit.
type fitter struct {
	volume volume.Fitter
	rates  [features.Counts][]volume.Rate
	sizes  [features.Sizes][]volume.Size
	all    []*actor
	growth []float64
	lowest []uint64
}

// members are the actors that a group is fitted to: every step-th of it. Between
// fits they are empty, and keep their memory.
type members struct {
	seen, step int
	spoke      int // how many had their turn to speak among everyone
	sample     []*actor
	passed     bool // the last one was passed over
	pools      [features.Lanes][terms]calibrate.Pool
}

// fit fits the groups' priors to their members, the widest first.
func (s *shared) fit(shards []*shard) {
	f := &s.fitter
	all := f.all[:0]
	for _, g := range s.groups {
		g.Members = 0
	}
	for _, sh := range shards {
		for _, a := range sh.actors {
			all = append(all, a)
			for g := s.narrowest(a); g != nil; g = g.parent {
				g.Members++
			}
		}
	}
	s.everyone.Members = len(all)
	s.everyone.gather()
	for _, g := range s.groups {
		g.gather()
	}
	for _, a := range all {
		narrowest := s.narrowest(a)
		s.everyone.heard(a, narrowest.speaks())
		for g := narrowest; g != nil; g = g.parent {
			g.offer(a)
		}
		for l := range features.Lanes {
			if s.Due[l] || narrowest != nil && !narrowest.Fitted {
				s.pool(a, narrowest, l)
			}
		}
	}
	f.fit(s.everyone, nil, s.Due)
	s.down(func(g, around *group) { f.fit(g, around, s.due(g)) })
	for _, g := range s.groups {
		clear(g.members.sample)
	}
	clear(s.everyone.members.sample)
	clear(all)
	f.all = all[:0]
}

// narrowest is the actor's own group, whether it was fitted or not.
func (s *shared) narrowest(a *actor) *group {
	return s.groups[a.Group]
}

// gather begins the sample of a group whose members were counted.
func (g *group) gather() {
	step := max(1, (g.Members+fitSample-1)/fitSample)
	if g.members == nil {
		g.members = &members{}
	}
	*g.members = members{step: step, sample: slices.Grow(g.members.sample[:0], g.Members/step+1)}
}

// speaks says whether the next of the group's members has a voice among everyone.
func (g *group) speaks() bool {
	if g == nil {
		return true
	}
	g.members.spoke++
	return g.members.spoke <= mostVoices
}

// offer takes the actor into the sample when it is its turn.
func (g *group) offer(a *actor) {
	m := g.members
	if m.seen%m.step == 0 {
		m.sample = append(m.sample, a)
	}
	m.seen++
}

// heard offers the actor, or passes it over: of a group of many only so many speak
// among everyone.
func (g *group) heard(a *actor, speaks bool) {
	g.members.passed = !speaks
	if speaks {
		g.offer(a)
	}
}

// took says that the actor last offered was taken.
func (m *members) took() bool { return !m.passed && (m.seen-1)%m.step == 0 }

// pool adds the actor's levels to the pools of the groups that it is in: a level is
// read once, however many groups there are.
func (s *shared) pool(a *actor, narrowest *group, l int) {
	var into [4]*[terms]calibrate.Pool // groups nest three deep
	n := 0
	if m := s.everyone.members; m.took() {
		into[n] = &m.pools[l]
		n++
	}
	for g := narrowest; g != nil && n < len(into); g = g.parent {
		if m := g.members; m.took() {
			into[n] = &m.pools[l]
			n++
		}
	}
	if n == 0 {
		return
	}
	for t := range terms {
		level := &a.Lane[l].Level[t]
		if level.W <= 0 {
			continue
		}
		var p calibrate.Pool
		p.Add(*level)
		for _, to := range into[:n] {
			to[t].Merge(p)
		}
	}
}

// fit fits what is due of a group to its members.
func (f *fitter) fit(g, wider *group, due [features.Lanes]bool) {
	sample := g.members.sample
	if len(sample) == 0 {
		return
	}
	for l := range features.Lanes {
		if !due[l] {
			continue
		}
		for k := range f.rates {
			f.rates[k] = slices.Grow(f.rates[k][:0], len(sample))[:len(sample)]
		}
		for k := range f.sizes {
			f.sizes[k] = slices.Grow(f.sizes[k][:0], len(sample))[:len(sample)]
		}
		for i, a := range sample {
			la := &a.Lane[l]
			for k := range f.rates {
				f.rates[k][i] = la.Counts[k]
			}
			for k := range f.sizes {
				f.sizes[k][i] = la.Sizes[k]
			}
		}
		for k := range f.rates {
			prior := volume.DefaultPrior()
			if wider != nil {
				prior = wider.Prior[l][k]
			}
			g.Prior[l][k] = f.volume.Prior(f.rates[k], prior)
		}
		for k := range f.sizes {
			prior := volume.DefaultSizePrior()
			if wider != nil {
				prior = wider.Sizes[l][k]
			}
			g.Sizes[l][k] = f.volume.SizePrior(f.sizes[k], prior)
		}
		for t := range terms {
			spread := calibrate.DefaultSpread()
			if wider != nil {
				spread = wider.Spread[l][t]
			}
			g.Spread[l][t] = g.members.pools[l][t].Spread(spread)
		}
	}
	f.growth = g.fitGrowth(sample, wider, f.growth)
}

// fitFlows fits the priors of readers and networks to a sample of them.
func (s *shared) fitFlows(targets []*targets) {
	var sample [flows][]*stream
	add := func(f flow, st *stream) {
		if len(sample[f]) < fitSample && st.Rate.W > 0 {
			sample[f] = append(sample[f], st)
		}
	}
	const each = fitSample / shardCount
	lowest := s.fitter.lowest
	for _, t := range targets {
		lowest = lowestKeys(lowest, t.subjects.known, each)
		for _, h := range lowest {
			add(flowReaders, &t.subjects.known[h].Past)
		}
		lowest = lowestKeys(lowest, t.networks.known, 2*each-len(lowest))
		for _, h := range lowest {
			add(flowNewcomers, &t.networks.known[h].Newcomers)
			add(flowRefused, &t.networks.known[h].Refused)
		}
	}
	s.fitter.lowest = lowest
	for f := range s.Flows {
		m := &s.Flows[f]
		if len(sample[f]) > 0 {
			rates := s.fitter.rates[0][:0]
			var levels calibrate.Pool
			for _, st := range sample[f] {
				rates = append(rates, st.Rate)
				levels.Add(st.Level)
			}
			s.fitter.rates[0] = rates
			m.Prior = s.fitter.volume.Prior(rates, volume.DefaultPrior())
			m.Spread = levels.Spread(calibrate.DefaultSpread())
		}
		m.freeze()
	}
}

// lowestKeys writes the n lowest keys to into, in order: hashes, of which the lowest
// are as good a sample as any, found without sorting all.
func lowestKeys[V any](into []uint64, m map[uint64]V, n int) []uint64 {
	into = into[:0]
	if n <= 0 {
		return into
	}
	for k := range m {
		if len(into) == n {
			if k > into[n-1] {
				continue
			}
			into = into[:n-1]
		}
		at, _ := slices.BinarySearch(into, k)
		into = slices.Insert(into, at, k)
	}
	return into
}
