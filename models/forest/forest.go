// Package forest scores whole sessions by an isolation forest (Liu, Ting and
// Zhou, "Isolation forest", 2008): 100 trees, each of 256 vectors drawn from a
// seeded reservoir, each split at random until every vector stands alone. What
// stands alone after few splits is unlike the rest.
//
// The features of a vector must be one-sided: -log10 of tail probabilities,
// clipped to [0, 6], 0 where all is as usual or nothing is known. Then the dense
// region is at the origin, and only what is high in something, or in a
// combination of things, stands apart. On raw counts a burst is itself a dense
// region and would pass for usual.
//
// The detector fills a Reservoir, builds a Forest of it at each epoch and scores
// in batches. A Forest is never changed after Build and may be read by any number
// of goroutines, each with a Scorer of its own; a Reservoir belongs to one. No
// clock, no I/O; the same vectors and seed give the same forest and scores.
// Memory: a forest is about 310 KB, a reservoir its rows times (4 bytes a feature
// and 48), a full one letting go of what has the least priority.
package forest

import (
	"errors"
	"math"
	"math/bits"
	"math/rand/v2"
)

const (
	// Trees is how many trees there are.
	Trees = 100
	// Sample is how many vectors a tree is grown from.
	Sample = 256
	// depth is how far a tree is split: as far as a random binary tree over Sample
	// vectors reaches on average. Beyond, the rest of the path is estimated.
	depth = 8
	// nodes is the number of places of one tree: place 1 is the root, the children
	// of place i are 2i and 2i+1. Leaves come after the last level.
	nodes = 1 << depth
	// minRows is how many vectors it takes to grow a forest.
	minRows = 32
)

// Forest is grown by Build. Its fields are exported to be saved.
type Forest struct {
	Width int
	// Drawn is how many vectors each tree was grown from.
	Drawn int
	// Nodes holds the trees one after the other, each by levels from place 1 on,
	// 256 places. A node is a feature in its low 8 bits and, from bit 32 on, the
	// bits of the float32 from which on a value goes right. A place without a split
	// sends everything left.
	Nodes []uint64
	// Paths holds the length of the path to each of the 256 leaves of each tree.
	Paths []float32
}

// Build grows a forest. It returns nil for a reservoir with fewer than 32
// vectors: too few to say what is usual.
func Build(r *Reservoir, seed uint64) *Forest {
	n := len(r.Items)
	if n < minRows || r.Width < 1 || r.Width > MaxWidth {
		return nil
	}
	f := &Forest{Width: r.Width, Drawn: min(n, Sample), Nodes: make([]uint64, Trees*nodes), Paths: make([]float32, Trees*nodes)}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	items := make([]row, n)
	for i := range items {
		items[i] = newRow(r.Items[i].Values)
	}
	rows := make([]row, f.Drawn)
	var source rand.PCG
	rng := rand.New(&source)
	for t := range Trees {
		source.Seed(seed, uint64(t))
		for i := range rows {
			j := i + rng.IntN(n-i)
			order[i], order[j] = order[j], order[i]
			rows[i] = items[order[i]]
		}
		g := grower{rng: rng, nodes: f.Nodes[t*nodes : (t+1)*nodes], paths: f.Paths[t*nodes : (t+1)*nodes]}
		g.grow(rows, 1, 0)
	}
	return f
}

// row is a vector and, in bits, which of its features are not zero: few are.
type row struct {
	values []float32
	some   uint32
}

func newRow(values []float32) row {
	r := row{values: values}
	for f, x := range values {
		if x != 0 {
			r.some |= 1 << f
		}
	}
	return r
}

// grower grows one tree.
type grower struct {
	rng   *rand.Rand
	nodes []uint64
	paths []float32
}

// grow splits the rows at a place of the given level.
func (g *grower) grow(rows []row, place, level int) {
	if level < depth && len(rows) > 1 {
		if feature, lo, hi, ok := g.feature(rows); ok {
			cut := lo + float32(float32(g.rng.Float64())*(hi-lo))
			if !(cut > lo) {
				cut = hi // so that neither side is empty
			}
			g.nodes[place] = uint64(math.Float32bits(cut))<<32 | uint64(feature)
			at := 0
			for i := range rows {
				if rows[i].values[feature] < cut {
					rows[i], rows[at] = rows[at], rows[i]
					at++
				}
			}
			g.grow(rows[:at], 2*place, level+1)
			g.grow(rows[at:], 2*place+1, level+1)
			return
		}
	}
	// A leaf: the walk goes on to the left down to the last level.
	length := float32(float64(level) + average(len(rows)))
	for ; level < depth; level++ {
		g.nodes[place] = never
		place *= 2
	}
	g.paths[place-nodes] = length
}

// never is a node whose cut no value reaches.
const never = uint64(0x7f800000) << 32

// feature draws one of the features in which the rows differ.
func (g *grower) feature(rows []row) (feature int, lo, hi float32, ok bool) {
	some, all := uint32(0), ^uint32(0)
	for i := range rows {
		some |= rows[i].some
		all &= rows[i].some
	}
	differ := some &^ all // zero in some rows, and in others not
	for left := all; left != 0; left &= left - 1 {
		if lo, hi := extent(rows, bits.TrailingZeros32(left)); hi > lo {
			differ |= left & -left
		}
	}
	if differ == 0 {
		return 0, 0, 0, false
	}
	for range g.rng.IntN(bits.OnesCount32(differ)) {
		differ &= differ - 1
	}
	feature = bits.TrailingZeros32(differ)
	lo, hi = extent(rows, feature)
	return feature, lo, hi, true
}

// extent is a feature's smallest and largest value.
func extent(rows []row, feature int) (lo, hi float32) {
	lo = rows[0].values[feature]
	hi = lo
	for i := range rows {
		x := rows[i].values[feature]
		if x < lo {
			lo = x
		}
		if x > hi {
			hi = x
		}
	}
	return lo, hi
}

// average is the mean path length of an unsuccessful search in a binary search
// tree of n keys (Liu, Ting and Zhou, equation 1).
func average(n int) float64 {
	if n < 2 {
		return 0
	}
	if n == 2 {
		return 1
	}
	const euler = 0.5772156649015329
	m := float64(n)
	return float64(2*(math.Log(m-1)+euler)) - float64(2*(m-1)/m)
}

// Check reports what is wrong with a forest that was loaded.
func (f *Forest) Check() error {
	switch {
	case f == nil:
		return errors.New("there is no forest")
	case f.Width < 1 || f.Width > MaxWidth:
		return errors.New("a forest's width is out of range")
	case f.Drawn < 2 || f.Drawn > Sample:
		return errors.New("a forest's sample is out of range")
	case len(f.Nodes) != Trees*nodes || len(f.Paths) != Trees*nodes:
		return errors.New("a forest has the wrong number of nodes")
	}
	return nil
}
