//go:build !race

package peers_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"vigil/detector/features"
	"vigil/internal/traffic"
	"vigil/models/peers"
)

// world returns the profiles of a world's actors, as a detector would see them:
// by how many quarters of an hour each value was met in; and their true
// roles. days, if given, is how many of the world's days are looked at.
func world(tb testing.TB, cfg traffic.Config, days ...int) (profiles []peers.Profile, role map[string]string) {
	tb.Helper()
	w, err := traffic.New(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	role = map[string]string{}
	type name struct {
		family peers.Family
		hash   uint64
	}
	type seen struct{ weight, last float64 }
	actors := map[string]map[name]*seen{}
	start, end := w.Span()
	if len(days) > 0 {
		end = start.AddDate(0, 0, days[0])
	}
	for e := range w.Events() {
		if !e.Time.Before(end) {
			break
		}
		a := actors[e.Actor.ID]
		if a == nil {
			a = map[name]*seen{}
			actors[e.Actor.ID] = a
			role[e.Actor.ID] = e.Actor.Role
		}
		q := float64(e.Time.Unix() / 900)
		for f, v := range map[peers.Family]string{
			peers.Action: string(e.Action), peers.Resource: e.Store + "/" + e.Resource, peers.Shape: e.Shape, peers.Hour: fmt.Sprint(e.Time.UTC().Hour()),
		} {
			if v == "" {
				continue
			}
			n := name{f, features.Hash(v)}
			s := a[n]
			if s == nil {
				s = &seen{}
				a[n] = s
			}
			if s.last != q {
				s.last = q
				s.weight++
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(actors)) {
		a := actors[id]
		var fs []peers.Feature
		for n, s := range a {
			fs = append(fs, peers.Feature{Family: n.family, Hash: n.hash, Weight: s.weight})
		}
		profiles = append(profiles, peers.NewProfile(id, fs))
	}
	return profiles, role
}

// adjustedRand is the Rand index of two partitions, adjusted for chance (Hubert and Arabie 1985).
func adjustedRand(a, b []string) float64 {
	pairs := func(n int) float64 { return float64(n) * float64(n-1) / 2 }
	both, left, right := map[[2]string]int{}, map[string]int{}, map[string]int{}
	for i := range a {
		both[[2]string{a[i], b[i]}]++
		left[a[i]]++
		right[b[i]]++
	}
	var index, x, y float64
	for _, n := range both {
		index += pairs(n)
	}
	for _, n := range left {
		x += pairs(n)
	}
	for _, n := range right {
		y += pairs(n)
	}
	expected := x * y / pairs(len(a))
	return (index - expected) / ((x+y)/2 - expected)
}

// partition names the true and the found group of each actor.
func partition(g *peers.Groups, profiles []peers.Profile, role map[string]string) (truth, found []string) {
	for _, p := range profiles {
		truth = append(truth, role[p.Key])
		found = append(found, fmt.Sprint(g.Assign(p, 0)))
	}
	return truth, found
}

// TestRolesAreFoundAgain withholds who is what, in worlds of several sizes, lengths
// and loads. Where little is known of each, chance may cut a large group in two:
// it is the mean that must be high.
func TestRolesAreFoundAgain(t *testing.T) {
	t.Parallel()
	worlds := []traffic.Config{
		{Events: 20_000, Actors: 100, Days: 7, Seed: 21},
		{Events: 30_000, Actors: 200, Days: 14, Seed: 22},
		{Events: 40_000, Actors: 400, Days: 14, Seed: 23},
		{Events: 60_000, Actors: 700, Days: 21, Seed: 24},
		{Events: 60_000, Actors: 1000, Days: 7, Seed: 25},
	}
	sum := 0.0
	for _, cfg := range worlds {
		profiles, role := world(t, cfg)
		g := peers.Fit(profiles, nil, 1)
		truth, found := partition(g, profiles, role)
		index := adjustedRand(truth, found)
		sum += index
		t.Logf("%d actors: %d groups, adjusted Rand index %.3f", cfg.Actors, len(g.List), index)
		if index < 0.5 {
			t.Errorf("%d actors: the groups agree with roles to %.3f", cfg.Actors, index)
		}
		for _, x := range g.List {
			if x.Members < peers.MinMembers {
				t.Errorf("a group of %d", x.Members)
			}
		}
	}
	if mean := sum / float64(len(worlds)); mean < 0.8 {
		t.Errorf("the groups agree with roles to %.3f on average", mean)
	}
}

// TestNewcomersJoinTheirTrade fits without every fifth actor, and looks where those
// go by the events of a first day.
func TestNewcomersJoinTheirTrade(t *testing.T) {
	t.Parallel()
	profiles, role := world(t, traffic.Config{Events: 50_000, Actors: 500, Days: 7, Seed: 31})
	first, _ := world(t, traffic.Config{Events: 50_000, Actors: 500, Days: 7, Seed: 31}, 1)
	var old []peers.Profile
	isNew := map[string]bool{}
	for i, p := range profiles {
		if i%5 == 4 {
			isNew[p.Key] = true
			continue
		}
		old = append(old, p)
	}
	g := peers.Fit(old, nil, 1)
	votes := map[int]map[string]int{}
	for _, p := range old {
		id := g.Assign(p, 0)
		if votes[id] == nil {
			votes[id] = map[string]int{}
		}
		votes[id][role[p.Key]]++
	}
	// The group that holds most of each role.
	home := map[string]int{}
	for _, id := range slices.Sorted(maps.Keys(votes)) {
		for r, n := range votes[id] {
			if n > votes[home[r]][r] {
				home[r] = id
			}
		}
	}
	right, all := map[bool]int{}, map[bool]int{} // agents, who are most, and others
	for _, p := range first {
		if !isNew[p.Key] {
			continue
		}
		agent := role[p.Key] == "agent"
		all[agent]++
		if id := g.Assign(p, 0); id != 0 && id == home[role[p.Key]] {
			right[agent]++
		}
	}
	t.Logf("%v of %v", right, all)
	for agent, n := range all {
		if right[agent]*10 < n*7 {
			t.Errorf("of %d newcomers (agents: %t) %d join their trade", n, agent, right[agent])
		}
	}
	if all[false] < 5 {
		t.Errorf("%d newcomers are no agents: nothing was tested", all[false])
	}
}

// TestIdsLast fits again on later weeks, with another seed, and with a tenth of the
// actors gone.
func TestIdsLast(t *testing.T) {
	t.Parallel()
	cfg := traffic.Config{Events: 60_000, Actors: 400, Days: 14, Seed: 41}
	early, _ := world(t, cfg, 7)
	late, _ := world(t, cfg)
	first := peers.Fit(early, nil, 1)
	second := peers.Fit(late[len(late)/10:], first, 2)
	if second.Next < first.Next {
		t.Errorf("the next id went from %d back to %d", first.Next, second.Next)
	}
	moved, all := 0, 0
	for _, p := range late {
		before := first.Assign(p, 0)
		if before == 0 {
			continue
		}
		all++
		if second.Assign(p, before) != before {
			moved++
		}
	}
	if t.Logf("%d of %d moved; %d groups, then %d", moved, all, len(first.List), len(second.List)); moved*20 > all {
		t.Errorf("%d of %d actors moved by a fit", moved, all)
	}
}
