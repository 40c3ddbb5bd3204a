package detector

import (
	"math"

	"vigil/detector/features"
	"vigil/models/calibrate"
	"vigil/models/novelty"
	"vigil/models/sequence"
	"vigil/models/volume"
)

// frame is whose normal a volume observation is held against.
type frame int

const (
	frameSelf frame = iota
	framePeers
	frameEveryone
	frames int = iota
)

func (f frame) String() string { return [frames]string{"self", "peers", "everyone"}[f] }

// weight is the frame's part in the evidence: the narrower the sharper.
func (f frame) weight() float64 { return [frames]float64{0.5, 0.3, 0.2}[f] }

// A term is one question asked of each span: a kind in a frame, a category or a
// measure. Terms are numbered 0 to terms-1 in that order.
const (
	firstCategory = features.Kinds * frames
	firstMeasure  = firstCategory + features.Categories
	terms         = firstMeasure + features.Measures
)

func kindTerm(k features.Kind, f frame) int { return int(k)*frames + int(f) }
func categoryTerm(c features.Category) int  { return firstCategory + int(c) }
func measureTerm(m features.Measure) int    { return firstMeasure + int(m) }

// termKind is the kind and frame of a term below firstCategory.
func termKind(t int) (features.Kind, frame) { return features.Kind(t / frames), frame(t % frames) }

func isKind(t int) bool { return t < firstCategory }

func termCategory(t int) (features.Category, bool) {
	return features.Category(t - firstCategory), t >= firstCategory && t < firstMeasure
}

func termMeasure(t int) (features.Measure, bool) {
	return features.Measure(t - firstMeasure), t >= firstMeasure
}

// countTerm says whether a term is that of a count, and of which kind.
func countTerm(t int) (features.Kind, bool) {
	k, _ := termKind(t)
	return k, isKind(t) && k.IsCount()
}

func termWeight(t int) float64 {
	if c, ok := termCategory(t); ok {
		return c.Weight()
	}
	if m, ok := termMeasure(t); ok {
		return m.Weight()
	}
	k, f := termKind(t)
	return k.Weight() * f.weight()
}

// termWeights are all terms' weights.
var termWeights = func() (w [terms]float64) {
	for t := range w {
		w[t] = termWeight(t)
	}
	return w
}()

// tieOf is the number by which a term's ties are broken. Kinds that came later have
// numbers behind all others, so that no tie of an older one falls another way.
func tieOf(term int) int {
	later, after := kindTerm(laterKinds, 0), kindTerm(features.Rows, 0)
	switch {
	case term < later:
		return term
	case term < after:
		return lateTies + term - later
	}
	return term - (after - later)
}

// laterKinds is the first of the counts that came later, lateTies where their ties
// begin.
const (
	laterKinds = features.Unreasoned
	lateTies   = 1 << 12
)

// judged is the answer to one term for one span.
type judged struct {
	Term int
	// Raw is the model's score, -log10 of its own probability; P the calibrated
	// p-value, E its e-value.
	Raw, P, E float64
	// Alone is the p-value before what is common was allowed for.
	Alone float64
	// Seen and the distribution it was held against, for kinds.
	Seen   float64
	Counts volume.Counts
	Sizes  volume.Sizes
	// Rare is the least probable value, for categories.
	Rare features.Rare
	// Page is the access of the most unusual size, for that measure.
	Page features.PageSize
	// Kind is what a drift is of.
	Kind features.Kind
	// Usual is the actor's usual level of a measure.
	Usual float64
}

// surprise is -log10 of the chance that the term's distribution gives n or more.
func (j *judged) surprise(n float64) float64 {
	if k, _ := termKind(j.Term); k.IsCount() {
		return j.Counts.Surprise(n)
	}
	return j.Sizes.Surprise(n)
}

// interval is what 98 of 100 such spans hold, and the middle.
func (j *judged) interval() (expected, low, high float64) {
	if k, _ := termKind(j.Term); k.IsCount() {
		return j.Counts.Mean, j.Counts.Quantile(0.01), j.Counts.Quantile(0.99)
	}
	return j.Sizes.Median(), j.Sizes.Quantile(0.01), j.Sizes.Quantile(0.99)
}

// group is a frame's statistics: those of everyone, or of one set of peers. What
// shards read is frozen between merges.
type group struct {
	Key string

	Prior  [features.Lanes][features.Counts]volume.Prior
	Sizes  [features.Lanes][features.Sizes]volume.SizePrior
	Season [features.Lanes]volume.Season
	Spread [features.Lanes][terms]calibrate.Spread
	// Sketch ranks the scores of those whose narrowest group it is; see total.
	Sketch [features.Lanes][terms]calibrate.Sketch
	Values [features.Categories]novelty.Table
	// Chain is what follows what.
	Chain sequence.Model
	// Growth is, for each drift kind, the logarithm of how many times as fast its
	// members go as they did months ago.
	Growth [len(driftKinds)]float64
	// Members is how many actors were seen in it lately.
	Members int
	// Fitted says that it has been fitted and frozen: before, it knows nothing that
	// an actor could be held against.
	Fitted bool

	// Common is what its members share at present.
	Common common

	// whole ranks the scores of the groups within it as well, where there are any,
	// as of the last fit.
	whole *[features.Lanes][terms]calibrate.Sketch
	// members are who it is being fitted to.
	members *members
	// parent is the group around it, nil for everyone.
	parent  *group
	profile [features.Lanes]volume.Profile
	// shares is by how much p-values of its members grow at present: its own factor,
	// or everyone's where that is larger.
	shares [features.Lanes][terms]float32
	table  [features.Lanes][terms]calibrate.Table
}

func newGroup(key string) *group {
	g := &group{Key: key, Common: newCommon()}
	g.share(g)
	for l := range features.Lanes {
		for k := range g.Prior[l] {
			g.Prior[l][k] = volume.DefaultPrior()
		}
		for k := range g.Sizes[l] {
			g.Sizes[l][k] = volume.DefaultSizePrior()
		}
		for t := range g.Spread[l] {
			g.Spread[l][t] = calibrate.DefaultSpread()
		}
	}
	g.freeze(nil, allLanes)
	return g
}

// within notes the group around it, nil for none but everyone.
func (g *group) within(parent *group) {
	if g.parent = parent; parent != nil && parent.whole == nil {
		parent.whole = new([features.Lanes][terms]calibrate.Sketch)
	}
}

// total ranks the scores of all its members, as of the last fit where there are
// groups within it.
func (g *group) total(l, t int) *calibrate.Sketch {
	if g.whole != nil {
		return &g.whole[l][t]
	}
	return &g.Sketch[l][t]
}

// addUp sums, from the narrowest groups to everyone, what each was told: a score is
// told once, to the narrowest.
func (s *shared) addUp() {
	due := s.Due
	for _, g := range s.groups {
		if !g.Fitted {
			due = allLanes
		}
	}
	if s.everyone.whole == nil {
		due = allLanes
		s.everyone.whole = new([features.Lanes][terms]calibrate.Sketch)
	}
	own := func(g *group) {
		if g.whole == nil {
			return
		}
		for l := range due {
			for t := 0; due[l] && t < terms; t++ {
				w := &g.whole[l][t]
				w.Forget(0)
				w.Merge(&g.Sketch[l][t], 1)
			}
		}
	}
	own(s.everyone)
	for _, g := range s.groups {
		own(g)
	}
	s.up(func(g, around *group) {
		for l := range due {
			for t := 0; due[l] && t < terms; t++ {
				around.whole[l][t].Merge(g.total(l, t), g.voice(around))
			}
		}
	})
}

// held is the narrowest of the group and those around it that has members enough
// to be held against; the group itself when none has.
func (g *group) held() *group {
	for w := g; w != nil; w = w.parent {
		if w.Fitted && w.Members >= minPeers {
			return w
		}
	}
	return g
}

// depth is how many groups are around it.
func (g *group) depth() (n int) {
	for g = g.parent; g != nil; g = g.parent {
		n++
	}
	return n
}

// key is the group's key, empty for none.
func (g *group) key() string {
	if g == nil {
		return ""
	}
	return g.Key
}

// pooled is the weight, in observations, with which everyone's scores stand
// behind a group's own ranks.
const pooled = 300

// freeze makes the tables that shards read. everyone is nil for everyone itself.
func (g *group) freeze(everyone *group, due [features.Lanes]bool) {
	var mixed calibrate.Sketch
	for l := range features.Lanes {
		if !due[l] {
			continue
		}
		g.profile[l] = g.Season[l].Profile()
		for t := range terms {
			sketch := g.total(l, t)
			if everyone != nil {
				mixed.Forget(0)
				mixed.Merge(sketch, 1)
				// The nearest first: what they lack, everyone gives.
				room := float64(pooled)
				for w := g.parent; room > 0; w = w.parent {
					last := w == nil
					if last {
						w = everyone
					}
					wide := w.total(l, t)
					share := min(1, room/max(wide.N, 1))
					mixed.Merge(wide, share)
					if room -= share * wide.N; last {
						break
					}
				}
				sketch = &mixed
			}
			if sketch.N > 0 {
				sketch.FreezeInto(&g.table[l][t])
			}
		}
	}
}

func (g *group) forget(keep float64) {
	g.Chain.Forget(keep)
	for l := range features.Lanes {
		g.Season[l].Forget(keep)
		kept := keep
		if l == int(features.Week) {
			kept = math.Pow(keep, 0.25) // as its baselines: a few weeks' spans have no tail
		}
		for t := range terms {
			g.Sketch[l][t].Forget(kept)
		}
	}
}
