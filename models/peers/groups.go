package peers

import (
	"cmp"
	"math"
	"slices"
)

const (
	// MaxGroups bounds the groups of a fit.
	MaxGroups = 64
	// MaxSample bounds the actors that a fit looks at.
	MaxSample = 4096
	// MinMembers is how many actors make a group.
	MinMembers = 3
	// maxWords bounds the vocabulary, maxCentre the features of a centre.
	maxWords  = 8192
	maxCentre = 192
	// floor is how alike an actor and its group's centre are at least. Below, it has
	// no group.
	floor = 0.3
	// margin is by how much another group must be more like an actor than its own
	// for it to move.
	margin = 0.08
)

// Groups are groups of actors that work alike. The zero value has none.
type Groups struct {
	// List is sorted by id.
	List []Group
	// Next is the id of the next group that is new; ids are never used again.
	Next int
	// Words is the vocabulary, sorted: what at least MinMembers actors do, weighed
	// by how few those are.
	Words []Feature
}

// Group is one of them.
type Group struct {
	// ID names the group for good; from one.
	ID int
	// Members is how many actors of the sample it had.
	Members int
	// Centre is the direction of its members' mean, of length one.
	Centre []Feature
}

// weigh returns the profile in the vocabulary's weights: of length one, less what
// the vocabulary does not know of it. It is empty where that is all.
func (g *Groups) weigh(p Profile, out []Feature) []Feature {
	out = out[:0]
	square := 0.0
	at := 0
	for _, f := range p.Features[:min(len(p.Features), MaxFeatures)] {
		if !(f.Weight > 0) || f.Family >= families {
			continue
		}
		f.Weight *= f.Family.weight()
		step, ok := slices.BinarySearchFunc(g.Words[at:], f, byName)
		at += step
		if !ok {
			square += float64(f.Weight * f.Weight)
			continue
		}
		f.Weight *= g.Words[at].Weight
		square += float64(f.Weight * f.Weight)
		out = append(out, f)
	}
	if !(square > 0) || math.IsInf(square, 1) {
		return out[:0]
	}
	scale := 1 / math.Sqrt(square)
	for i := range out {
		out[i].Weight *= scale
	}
	return out
}

// dot is the cosine of two directions.
func dot(a, b []Feature) (sum float64) {
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch c := byName(a[i], b[j]); {
		case c < 0:
			i++
		case c > 0:
			j++
		default:
			sum += float64(a[i].Weight * b[j].Weight)
			i++
			j++
		}
	}
	return sum
}

// Nearest returns the group that the profile is most like, how alike they are (0
// to 1), and by how much more than the second. It is group 0, none, where nothing
// is like it.
func (g *Groups) Nearest(p Profile) (group int, alike, lead float64) {
	v := g.weigh(p, make([]Feature, 0, MaxFeatures))
	second := 0.0
	for i := range g.List {
		s := dot(v, g.List[i].Centre)
		if s > alike {
			second, group, alike = alike, g.List[i].ID, s
		} else {
			second = max(second, s)
		}
	}
	if alike < floor {
		return 0, alike, 0
	}
	return group, alike, alike - second
}

// Assign returns the group of an actor that is in group current, or in none with
// 0: the nearest one, or its own where the nearest is not nearer by a margin.
func (g *Groups) Assign(p Profile, current int) int {
	nearest, alike, _ := g.Nearest(p)
	own := g.find(current)
	if nearest == current || own == nil {
		return nearest
	}
	v := g.weigh(p, make([]Feature, 0, MaxFeatures))
	s := dot(v, own.Centre)
	if nearest == 0 {
		alike = floor
	}
	if alike-s < margin {
		return current
	}
	return nearest
}

// Has says whether there is a group of that id.
func (g *Groups) Has(id int) bool { return g != nil && g.find(id) != nil }

func (g *Groups) find(id int) *Group {
	at, ok := slices.BinarySearchFunc(g.List, id, func(a Group, id int) int { return cmp.Compare(a.ID, id) })
	if !ok {
		return nil
	}
	return &g.List[at]
}
