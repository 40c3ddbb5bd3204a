package detector

import "vigil/detector/features"

// common is what many of a group do more of, or otherwise, at the same time: a
// campaign, a release, the day after a holiday, the end of the month. An oddity
// that many share has a common cause, and is no evidence against one: its p-value
// grows by as much as such p-values are more frequent in the group than they
// usually are. One actor, or a few, hardly move a frequency among many.
type common struct {
	// Low and N count the closed quarters of the present hour, by term: those with a
	// p-value below commonP, and all.
	Low, N [terms]float32
	// Usual is the long-run share of low ones; Now and Today how many times as
	// frequent they are now, and over the last day, at least 1.
	Usual, Now, Today [terms]float32
}

const (
	// commonP is the p-value from which an oddity is counted.
	commonP = 0.05
	// commonPrior is how many usual spans stand behind an hour's share, so that a few
	// can't speak for a group; usualSpans over how many the usual share is learnt.
	commonPrior = 15
	usualSpans  = 3000
	// leastUsual bounds the usual share, mostCommon the factor.
	leastUsual = 0.01
	mostCommon = 30
)

func newCommon() (c common) {
	for t := range terms {
		c.Usual[t], c.Now[t], c.Today[t] = commonP, 1, 1
	}
	return c
}

func (c *common) observe(term int, low bool, w float64) {
	c.N[term] += float32(w)
	if low {
		c.Low[term] += float32(w)
	}
}

// settleCommon moves all groups' factors when an hour ends. A span is counted once,
// in the narrowest group, and added up here.
func (s *shared) settleCommon() {
	s.up(func(g, around *group) {
		c, to := &g.Common, &around.Common
		w := float32(g.voice(around))
		for t := range terms {
			to.N[t] += c.N[t] * w
			to.Low[t] += c.Low[t] * w
		}
		c.settle()
	})
	s.everyone.Common.settle()
}

// settle moves the factors when an hour ends.
func (c *common) settle() {
	for t := range terms {
		now := float32(1)
		if n := c.N[t]; n > 0 {
			usual := max(c.Usual[t], leastUsual)
			now = (c.Low[t] + float32(commonPrior*usual)) / ((n + commonPrior) * usual)
			now = min(max(now, 1), mostCommon)
			c.Usual[t] += (c.Low[t]/n - c.Usual[t]) * n / (n + usualSpans)
		}
		c.Now[t] = max(1, (c.Now[t]+now)/2)
		c.Today[t] = max(1, c.Today[t]+(c.Now[t]-c.Today[t])/24)
	}
	clear(c.N[:])
	clear(c.Low[:])
}

// factor is by how much a term's p-value is to grow in a lane.
func (c *common) factor(l features.Lane, term int) float64 {
	switch l {
	case features.Quarter:
		return float64(c.Now[term])
	case features.Day:
		return float64(c.Today[term])
	}
	return 1
}

// share sets the group's factors, from its own and everyone's.
func (g *group) share(everyone *group) {
	for l := range features.Lanes {
		for t := range terms {
			f := everyone.Common.factor(features.Lane(l), t)
			if g.Members >= minPeers {
				// Of a few, one could excuse itself.
				f = max(f, g.Common.factor(features.Lane(l), t))
			}
			g.shares[l][t] = float32(f)
		}
	}
}

// share sets all groups' factors, after their members were counted.
func (s *shared) share() {
	s.everyone.share(s.everyone)
	for _, g := range s.groups {
		g.share(s.everyone)
	}
}

// shares is the factor in the actor's group, or among everyone where that is
// larger.
func (sh *shard) shares(a *actor, l features.Lane, term int) float64 {
	if a.group != nil {
		return float64(a.group.shares[l][term])
	}
	return float64(sh.shared.everyone.shares[l][term])
}
