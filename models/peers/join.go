package peers

import "math"

// The range in which the data choose how alike two clusters are at least that
// become one.
const (
	loosest  = 0.4
	tightest = 0.85
)

// tree joins clusters pair by pair, in terms of the products of their sums alone:
// those of a union are sums of its parts'.
type tree struct {
	// product holds the products of the clusters' sums; what was joined to another is
	// no longer live. size is their members.
	product [][]float64
	live    []bool
	size    []int
}

func newTree(seeds []*cluster) *tree {
	k := len(seeds)
	t := &tree{product: make([][]float64, k), live: make([]bool, k), size: make([]int, k)}
	for i := range seeds {
		t.product[i], t.live[i], t.size[i] = make([]float64, k), true, seeds[i].n
	}
	var some []entry // of a's words, those that it has
	for i, a := range seeds {
		some = some[:0]
		for w, x := range a.sum {
			if x != 0 {
				some = append(some, entry{w, x})
			}
		}
		for j, b := range seeds[:i+1] {
			s := 0.0
			for _, e := range some {
				s += float64(e.weight * b.sum[e.word])
			}
			t.product[i][j], t.product[j][i] = s, s
		}
	}
	return t
}

// closest returns the two live clusters that are most alike.
func (t *tree) closest() (a, b int, alike float64) {
	a, b = -1, -1
	for i := range t.live {
		if !t.live[i] {
			continue
		}
		for j := range i {
			if !t.live[j] {
				continue
			}
			if s := t.product[i][j] / math.Sqrt(t.product[i][i]*t.product[j][j]); s > alike {
				a, b, alike = j, i, s
			}
		}
	}
	return a, b, alike
}

// merge joins b to a.
func (t *tree) merge(a, b int) {
	t.live[b] = false
	for i := range t.product {
		t.product[a][i] += t.product[b][i]
	}
	for i := range t.product {
		t.product[i][a] += t.product[i][b]
	}
	t.size[a] += t.size[b]
}

// cut is how alike clusters are at least that become one: in the middle of the
// widest range over which no two groups of MinMembers would (the lifetime
// criterion of Fred and Jain, "Combining multiple clusterings", 2005).
func cut(steps []step) float64 {
	last, widest, at := tightest, 0.0, (tightest+loosest)/2
	consider := func(level float64) {
		if gap := last - level; gap > widest {
			widest, at = gap, (last+level)/2
		}
		last = level
	}
	level := 1.0
	for _, s := range steps {
		// What is joined after is joined no earlier, though centres may come closer.
		level = min(level, s.alike)
		if s.groups && level < last && level > loosest {
			consider(level)
		}
	}
	consider(loosest)
	return at
}

// step is one join of a and b; groups says that both were large enough to be
// groups of their own.
type step struct {
	a, b   int
	alike  float64
	groups bool
}

// join joins the seeds that are most alike, one pair after the other, down to the
// level at which the groups are most clearly apart.
func join(seeds []*cluster) []*cluster {
	t := newTree(seeds)
	var steps []step
	for {
		a, b, alike := t.closest()
		if a < 0 {
			break
		}
		steps = append(steps, step{a, b, alike, t.size[a] >= MinMembers && t.size[b] >= MinMembers})
		t.merge(a, b)
	}
	least := cut(steps)
	gone := make([]bool, len(seeds))
	level := 1.0
	for _, s := range steps {
		if level = min(level, s.alike); level < least {
			break
		}
		into, from := seeds[s.a], seeds[s.b]
		for w, x := range from.sum {
			into.sum[w] += x
		}
		into.n += from.n
		gone[s.b] = true
	}
	var out []*cluster
	for i, c := range seeds {
		if !gone[i] {
			c.settle()
			out = append(out, c)
		}
	}
	return out
}
