package peers

import (
	"cmp"
	"math"
	"slices"
)

// same is the share of actors in either that an old and a new group must have in
// common to be one group (Jaccard).
const same = 0.25

// inherit returns, for each cluster, the id of the old group that it goes on as,
// zero for none: of all pairs those with the most members in common first. Who was
// in an old group is asked of the old groups themselves.
func inherit(members []member, sample []Profile, clusters int, old *Groups) []int {
	type pair struct{ cluster, group int }
	both := map[pair]int{}
	size, was := make([]int, clusters), map[int]int{}
	for i := range members {
		at := members[i].cluster
		if at >= 0 {
			size[at]++
		}
		if id, _, _ := old.Nearest(sample[i]); id != 0 {
			was[id]++
			if at >= 0 {
				both[pair{at, id}]++
			}
		}
	}
	type link struct {
		pair
		share float64
	}
	var links []link
	for p, n := range both {
		if share := float64(n) / float64(size[p.cluster]+was[p.group]-n); share >= same {
			links = append(links, link{p, share})
		}
	}
	slices.SortFunc(links, func(a, b link) int {
		return cmp.Or(cmp.Compare(b.share, a.share), cmp.Compare(a.group, b.group), cmp.Compare(a.cluster, b.cluster))
	})
	ids, taken := make([]int, clusters), map[int]bool{}
	for _, l := range links {
		if ids[l.cluster] == 0 && !taken[l.group] {
			ids[l.cluster] = l.group
			taken[l.group] = true
		}
	}
	return ids
}

// name lists the clusters as groups, the new ones under new ids, the largest first.
func (g *Groups) name(clusters []*cluster, ids []int) {
	for i, c := range clusters {
		if ids[i] == 0 {
			ids[i] = g.Next
			g.Next++
		}
		g.Next = max(g.Next, ids[i]+1)
		g.List = append(g.List, Group{ID: ids[i], Members: c.n, Centre: g.centre(c)})
	}
	slices.SortFunc(g.List, func(a, b Group) int { return cmp.Compare(a.ID, b.ID) })
}

// centre is the cluster's direction in its heaviest words.
func (g *Groups) centre(c *cluster) []Feature {
	var out []Feature
	for w, x := range c.sum {
		if x > 0 {
			f := g.Words[w]
			f.Weight = x
			out = append(out, f)
		}
	}
	if len(out) > maxCentre {
		slices.SortStableFunc(out, func(a, b Feature) int { return cmp.Compare(b.Weight, a.Weight) })
		out = slices.Clone(out[:maxCentre])
		slices.SortFunc(out, byName)
	}
	square := 0.0
	for _, f := range out {
		square += float64(f.Weight * f.Weight)
	}
	scale := 1 / math.Sqrt(square)
	for i := range out {
		out[i].Weight *= scale
	}
	return out
}
