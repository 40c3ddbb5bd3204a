package peers

import (
	"cmp"
	"math"
	"slices"

	"github.com/cespare/xxhash/v2"
)

const (
	// maxSeeds bounds the small clusters that a fit begins with, tight is how alike
	// their members are, and rounds how often members choose anew.
	maxSeeds = 256
	tight    = 0.8
	rounds   = 4
)

// entry is a word of a vector: its place in the vocabulary, and its weight.
type entry struct {
	word   int
	weight float64
}

// member is one actor of a fit.
type member struct {
	vector  []entry
	cluster int // -1 for none
}

// cluster sums its members' vectors.
type cluster struct {
	sum    []float64 // by word
	square float64   // of the sum's length
	n      int
}

func (c *cluster) add(v []entry) {
	for _, e := range v {
		was := c.sum[e.word]
		now := was + e.weight
		c.sum[e.word] = now
		c.square += float64(now*now) - float64(was*was)
	}
	c.n++
}

// settle measures the sum.
func (c *cluster) settle() {
	c.square = 0
	for _, w := range c.sum {
		c.square += float64(w * w)
	}
}

// like is how far a vector goes in the cluster's direction: their cosine, but for
// what of it is in no vocabulary.
func (c *cluster) like(v []entry) float64 {
	if !(c.square > 0) {
		return 0
	}
	s := 0.0
	for _, e := range v {
		s += float64(e.weight * c.sum[e.word])
	}
	return s / math.Sqrt(c.square)
}

// Fit groups the actors of those profiles, at most MaxSample of them, chosen and
// ordered by a hash of seed and key: the order of profiles does not matter, and of
// several with one key the first counts that has features. Groups that old had
// keep their ids; old may be nil.
func Fit(profiles []Profile, old *Groups, seed uint64) *Groups {
	if old == nil {
		old = &Groups{}
	}
	g := &Groups{Next: max(old.Next, 1)}
	sample := choose(profiles, seed)
	g.learnWords(sample)
	members := g.members(sample)
	clusters := join(seeds(members, len(g.Words)))
	clusters = refine(members, clusters)
	g.name(clusters, inherit(members, sample, len(clusters), old))
	return g
}

// choose returns the sample in its order.
func choose(profiles []Profile, seed uint64) []Profile {
	type ranked struct {
		hash uint64
		Profile
	}
	all := make([]ranked, 0, len(profiles))
	for _, p := range profiles {
		if len(p.Features) == 0 {
			continue
		}
		// A bijection of the sum, so that each seed has an order of its own.
		h := (xxhash.Sum64String(p.Key) + seed) * 0x9e3779b97f4a7c15
		h = (h ^ h>>31) * 0xff51afd7ed558ccd
		all = append(all, ranked{h ^ h>>33, p})
	}
	slices.SortStableFunc(all, func(a, b ranked) int { return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.Key, b.Key)) })
	all = slices.CompactFunc(all, func(a, b ranked) bool { return a.Key == b.Key })
	all = all[:min(len(all), MaxSample)]
	out := make([]Profile, len(all))
	for i := range all {
		out[i] = all[i].Profile
	}
	return out
}

// learnWords makes the vocabulary: what MinMembers actors do, the commonest first,
// weighed by the logarithm of how few they are (Sparck Jones 1972).
func (g *Groups) learnWords(sample []Profile) {
	var all []Feature
	for _, p := range sample {
		for _, f := range p.Features[:min(len(p.Features), MaxFeatures)] {
			if f.Family < families && f.Weight > 0 {
				all = append(all, f)
			}
		}
	}
	slices.SortFunc(all, byName)
	var words []Feature
	for len(all) > 0 {
		n := 1
		for n < len(all) && byName(all[n], all[0]) == 0 {
			n++
		}
		if n >= MinMembers {
			words = append(words, Feature{Family: all[0].Family, Hash: all[0].Hash, Weight: float64(n)})
		}
		all = all[n:]
	}
	if len(words) > maxWords {
		slices.SortStableFunc(words, func(a, b Feature) int { return cmp.Compare(b.Weight, a.Weight) })
		words = words[:maxWords]
		slices.SortFunc(words, byName)
	}
	for i := range words {
		if words[i].Family == Hour {
			// How few work at night is no reason to hold them for a trade of their own.
			words[i].Weight = math.Ln2
			continue
		}
		words[i].Weight = math.Log1p(float64(len(sample)) / words[i].Weight)
	}
	g.Words = words
}

// members turns profiles into vectors.
func (g *Groups) members(sample []Profile) []member {
	out := make([]member, len(sample))
	buffer := make([]Feature, 0, MaxFeatures)
	for i, p := range sample {
		out[i].cluster = -1
		at := 0
		for _, f := range g.weigh(p, buffer) {
			step, _ := slices.BinarySearchFunc(g.Words[at:], f, byName)
			at += step
			out[i].vector = append(out[i].vector, entry{at, f.Weight})
		}
	}
	return out
}

// nearest returns the cluster that v is most like.
func nearest(v []entry, clusters []*cluster) (at int, like float64) {
	at = -1
	for i, c := range clusters {
		if s := c.like(v); s > like {
			at, like = i, s
		}
	}
	return at, like
}

// seeds makes many small clusters: each actor joins one that it is very like, or
// begins its own.
func seeds(members []member, words int) []*cluster {
	var out []*cluster
	for i := range members {
		v := members[i].vector
		if len(v) == 0 {
			continue
		}
		at, like := nearest(v, out)
		if like < tight && len(out) < maxSeeds || at < 0 {
			out = append(out, &cluster{sum: make([]float64, words)})
			at = len(out) - 1
		}
		out[at].add(v)
	}
	return out
}

// choose moves the member to the cluster that it is most like, or to none.
func (m *member) choose(clusters []*cluster) int {
	at, like := nearest(m.vector, clusters)
	if like < floor {
		at = -1
	}
	m.cluster = at
	return at
}

// refine lets members choose among the clusters anew, which then are those of
// their members (spherical k-means; Dhillon and Modha 2001), and drops the small.
func refine(members []member, clusters []*cluster) []*cluster {
	for range rounds {
		slices.SortStableFunc(clusters, func(a, b *cluster) int { return cmp.Compare(b.n, a.n) })
		clusters = clusters[:min(len(clusters), MaxGroups)]
		next := make([]*cluster, len(clusters))
		for i, c := range clusters {
			next[i] = &cluster{sum: make([]float64, len(c.sum))}
		}
		for i := range members {
			if at := members[i].choose(clusters); at >= 0 {
				next[at].add(members[i].vector)
			}
		}
		clusters = slices.DeleteFunc(next, func(c *cluster) bool { return c.n < MinMembers })
		for _, c := range clusters {
			c.settle()
		}
	}
	for i := range members {
		members[i].choose(clusters)
	}
	return clusters
}
