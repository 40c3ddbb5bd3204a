//go:build !race

package detector_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"vigil"
	"vigil/internal/traffic"
)

// agreement is the Rand index of the groups found and the roles of the actors that
// have both, adjusted for chance (Hubert and Arabie 1985).
func agreement(found, role map[string]string) float64 {
	pairs := func(n int) float64 { return float64(n) * float64(n-1) / 2 }
	both, left, right, n := map[[2]string]int{}, map[string]int{}, map[string]int{}, 0
	for id, g := range found {
		both[[2]string{g, role[id]}]++
		left[g]++
		right[role[id]]++
		n++
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
	expected := x * y / pairs(n)
	return (index - expected) / ((x+y)/2 - expected)
}

// TestWhoWorksAlikeIsLearnt withholds who is what, and asks whether the groups
// that the detector forms are the true roles.
func TestWhoWorksAlikeIsLearnt(t *testing.T) {
	t.Parallel()
	for _, seed := range []uint64{3, 17} {
		for name, kind := range map[string]func(vigil.ActorKind) vigil.ActorKind{"no kind": noKind, "all human": allHuman} {
			t.Run(fmt.Sprint(name, seed), func(t *testing.T) {
				t.Parallel()
				d := makeDesk(t, traffic.Config{Events: 30_000, Actors: 120, Days: 14, Seed: seed}, false)
				role := map[string]string{}
				for _, e := range d.events {
					role[e.Actor.ID] = e.Actor.Role
				}
				e := newEngine(t, 2)
				foldBatches(t, e, withheld(d.events, kind))
				found := e.Learned()
				groups := map[string]bool{}
				for _, g := range found {
					groups[g] = true
					if strings.HasPrefix(g, "human|") != (name == "all human") {
						t.Fatalf("a group of the key %q", g)
					}
				}
				index := agreement(found, role)
				t.Logf("%d of %d actors in %d groups, adjusted Rand index %.3f", len(found), len(role), len(groups), index)
				if index < 0.7 || len(found)*10 < len(role)*8 {
					t.Errorf("%d of %d actors have a group, and these agree with roles to %.3f", len(found), len(role), index)
				}
			})
		}
	}
}

// TestWhoIsToldARoleLeavesTheLearnedGroup tells of one actor what it is, late.
func TestWhoIsToldARoleLeavesTheLearnedGroup(t *testing.T) {
	t.Parallel()
	events := stagedDesk().events
	e := newEngine(t, 2)
	foldBatches(t, e, withheld(events[:len(events)/2], noKind))
	found := e.Learned()
	if len(found) < 10 {
		t.Fatalf("%d actors have a learned group", len(found))
	}
	rest := clones(events[len(events)/2:])
	// The first of them that is seen again.
	at := slices.IndexFunc(rest, func(e *vigil.Event) bool { return found[e.Actor.ID] != "" })
	who := rest[at].Actor.ID
	for i := range rest {
		if rest[i].Actor.ID != who {
			rest[i].Actor.Kind, rest[i].Actor.Role, rest[i].Actor.Team = "", "", ""
		}
	}
	foldBatches(t, e, rest)
	if g, ok := e.Learned()[who]; ok {
		t.Errorf("%s is still in %q", who, g)
	}
}
