//go:build !race

package peers_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"vigil/models/peers"
)

// trade draws the profile of an actor of the n-th of several trades: each has
// resources of its own beside those that everybody uses, in proportions that differ
// between actors.
func trade(r *rand.Rand, key string, n int, volume float64) peers.Profile {
	var fs []peers.Feature
	add := func(f peers.Family, hash int, w float64) {
		fs = append(fs, peers.Feature{Family: f, Hash: uint64(hash), Weight: volume * w * math.Exp(0.5*r.NormFloat64())})
	}
	add(peers.Action, 1, 5)
	add(peers.Action, 2+n%3, 3)
	for i := range 4 {
		add(peers.Resource, i, 2)
		add(peers.Resource, 100*(n+1)+i, 4)
		add(peers.Shape, 100*(n+1)+i, 3)
	}
	for range 6 {
		add(peers.Hour, 1+r.IntN(24), 1)
	}
	return peers.NewProfile(key, fs)
}

// trades draws actors of several trades, the n-th of sizes[n] actors. The actor
// "n/i" is of trade n.
func trades(seed uint64, sizes ...int) []peers.Profile {
	r := rand.New(rand.NewPCG(seed, 0x7065657273))
	var out []peers.Profile
	for n, size := range sizes {
		for i := range size {
			out = append(out, trade(r, fmt.Sprintf("%d/%d", n, i), n, math.Exp(2*r.NormFloat64())))
		}
	}
	return out
}

// equal compares groups; their blank fields say nothing.
func equal(a, b *peers.Groups) bool {
	return cmp.Equal(a, b, cmpopts.IgnoreUnexported(peers.Feature{}))
}

func TestTradesAreApart(t *testing.T) {
	t.Parallel()
	profiles := trades(1, 60, 12, 5, 3, 2)
	g := peers.Fit(profiles, nil, 1)
	if len(g.List) != 4 {
		t.Fatalf("%d groups of four trades that are large enough", len(g.List))
	}
	of := map[int]byte{}
	for _, p := range profiles {
		id := g.Assign(p, 0)
		switch was := of[id]; {
		case p.Key[0] == '4': // two actors are no group; they may be like another
		case id == 0, was != 0 && was != p.Key[0]:
			t.Errorf("actor %s is in group %d", p.Key, id)
		default:
			of[id] = p.Key[0]
		}
	}
}

func TestWhoIsLikeNobodyHasNoGroup(t *testing.T) {
	t.Parallel()
	profiles := trades(1, 60, 12)
	alien := peers.NewProfile("alien", []peers.Feature{
		{Family: peers.Action, Hash: 7777, Weight: 8}, {Family: peers.Action, Hash: 1, Weight: 1},
		{Family: peers.Resource, Hash: 7777, Weight: 9}, {Family: peers.Resource, Hash: 0, Weight: 1},
		{Family: peers.Shape, Hash: 7777, Weight: 9},
	})
	g := peers.Fit(append(profiles, alien), nil, 1)
	if id, alike, _ := g.Nearest(alien); id != 0 {
		t.Errorf("it is in group %d, %g alike", id, alike)
	}
	// One that left its trade for things that nobody does leaves its group.
	if own := g.Assign(profiles[0], 0); own == 0 || g.Assign(alien, own) != 0 {
		t.Errorf("it stays in group %d", own)
	}
}

func TestOrderSaysNothing(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(2, 3))
	profiles := trades(2, 40, 30, 10, 5)
	old := peers.Fit(profiles[:60], nil, 1)
	want := peers.Fit(profiles, old, 9)
	for range 5 {
		r.Shuffle(len(profiles), func(i, j int) { profiles[i], profiles[j] = profiles[j], profiles[i] })
		if got := peers.Fit(profiles, old, 9); !equal(got, want) {
			t.Fatal("another order gave other groups")
		}
	}
	fs := []peers.Feature{{Family: peers.Shape, Hash: 3, Weight: 0.1}, {Family: peers.Shape, Hash: 3, Weight: 0.2}, {Family: peers.Hour, Hash: 3, Weight: 0.3}, {Family: peers.Shape, Hash: 3, Weight: 0.7}}
	one := peers.NewProfile("a", fs)
	slices.Reverse(fs)
	if two := peers.NewProfile("a", fs); !cmp.Equal(one, two, cmpopts.IgnoreUnexported(peers.Feature{})) || len(one.Features) != 2 {
		t.Errorf("%+v and %+v", one, two)
	}
}

func TestGroupsComeBack(t *testing.T) {
	t.Parallel()
	profiles := trades(3, 40, 10, 5)
	g := peers.Fit(profiles, nil, 1)
	enc, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		t.Fatal(err)
	}
	saved, err := enc.Marshal(g)
	if err != nil {
		t.Fatal(err)
	}
	var back peers.Groups
	if err := cbor.Unmarshal(saved, &back); err != nil {
		t.Fatal(err)
	}
	if !equal(g, &back) {
		t.Error("the groups differ when taken back")
	}
	if a, b := peers.Fit(profiles[5:], g, 2), peers.Fit(profiles[5:], &back, 2); !equal(a, b) {
		t.Error("they go on otherwise")
	}
}

func TestNonsenseIsRefused(t *testing.T) {
	t.Parallel()
	bad := []float64{math.NaN(), math.Inf(1), math.Inf(-1), -1, 0}
	var fs []peers.Feature
	for i, w := range bad {
		fs = append(fs, peers.Feature{Family: peers.Action, Hash: uint64(i), Weight: w})
	}
	fs = append(fs, peers.Feature{Family: 200, Hash: 1, Weight: 1})
	if p := peers.NewProfile("bad", fs); len(p.Features) != 0 {
		t.Errorf("kept %+v", p.Features)
	}
	huge := peers.NewProfile("huge", []peers.Feature{{Hash: 71, Weight: math.MaxFloat64}, {Hash: 72, Weight: math.MaxFloat64}, {Hash: 72, Weight: math.MaxFloat64}, {Hash: 3, Weight: 1e-300}})
	for _, f := range huge.Features {
		if math.IsNaN(f.Weight) || f.Weight > 1 {
			t.Errorf("a share of %g", f.Weight)
		}
	}
	// Profiles that were not made by NewProfile.
	profiles := trades(4, 20, 10)
	want := peers.Fit(profiles, nil, 1)
	for i := range 5 {
		profiles = append(profiles, peers.Profile{Key: fmt.Sprint("bad", i), Features: fs})
	}
	if got := peers.Fit(profiles, nil, 1); len(got.List) != len(want.List) {
		t.Errorf("%d groups with nonsense, %d without", len(got.List), len(want.List))
	}
	for _, g := range []*peers.Groups{{}, want, peers.Fit(nil, nil, 1), peers.Fit(profiles[30:], nil, 1)} {
		for _, p := range append(profiles[30:], peers.Profile{}, huge) {
			if id, alike, lead := g.Nearest(p); id != 0 || math.IsNaN(alike) || math.IsNaN(lead) {
				t.Errorf("%s is in group %d, %g alike, %g ahead", p.Key, id, alike, lead)
			}
		}
	}
}

func TestOneLoudMemberIsOne(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	profiles := trades(5, 30, 10)
	want := peers.Fit(profiles, nil, 1)
	loud := slices.Clone(profiles)
	loud[0] = trade(r, "0/0", 0, 1e9)
	got := peers.Fit(loud, nil, 1)
	for _, p := range profiles[1:] {
		if got.Assign(p, 0) != want.Assign(p, 0) {
			t.Errorf("%s moved from group %d to %d", p.Key, want.Assign(p, 0), got.Assign(p, 0))
		}
	}
}

func TestWhoIsBetweenStays(t *testing.T) {
	t.Parallel()
	profiles := trades(6, 30, 30)
	g := peers.Fit(profiles, nil, 1)
	a, b := g.Assign(profiles[0], 0), g.Assign(profiles[59], 0)
	if a == b || a == 0 || b == 0 {
		t.Fatalf("groups %d and %d", a, b)
	}
	// From one trade to the other, step by step and back.
	moves, now := 0, a
	var at []int
	for step := range 41 {
		part := 1 - math.Abs(float64(step)-20)/20
		var fs []peers.Feature
		for i, p := range []peers.Profile{profiles[0], profiles[59]} {
			for _, f := range p.Features {
				f.Weight *= f.Weight * []float64{1 - part, part}[i]
				fs = append(fs, f)
			}
		}
		p := peers.NewProfile("mixed", fs)
		next := g.Assign(p, now)
		if again := g.Assign(p, next); again != next {
			t.Fatalf("step %d: from %d to %d to %d", step, now, next, again)
		}
		if next != now {
			moves++
			at = append(at, step)
		}
		now = next
	}
	if moves != 2 || now != a {
		t.Errorf("moved at %v, to %d at last", at, now)
	}
	// It goes later than it would if it had no group, both ways.
	if moves == 2 && (at[0] <= 10 || at[1] <= 30) {
		t.Errorf("moved at %v: no margin", at)
	}
	// A group that is gone holds nobody.
	if got := g.Assign(profiles[0], 12345); got != a {
		t.Errorf("from a group that is gone to %d", got)
	}
}

func TestSplitsAndNewTradesKeepIds(t *testing.T) {
	t.Parallel()
	profiles := trades(7, 40, 20, 10)
	first := peers.Fit(profiles[:60], nil, 1)
	second := peers.Fit(profiles, first, 2)
	third := peers.Fit(profiles[:60], second, 3)
	fourth := peers.Fit(profiles, third, 4)
	if len(first.List) != 2 || len(second.List) != 3 || len(third.List) != 2 || len(fourth.List) != 3 {
		t.Fatalf("%d, %d, %d and %d groups", len(first.List), len(second.List), len(third.List), len(fourth.List))
	}
	for _, i := range []int{0, 50} {
		id := first.Assign(profiles[i], 0)
		for n, g := range []*peers.Groups{second, third, fourth} {
			if got := g.Assign(profiles[i], 0); got != id {
				t.Errorf("fit %d: group %d is %d", n+2, id, got)
			}
		}
	}
	// The third trade was gone meanwhile: its id is not used again.
	if a, b := second.Assign(profiles[65], 0), fourth.Assign(profiles[65], 0); a == b || a == 0 || b == 0 {
		t.Errorf("a trade that was gone had id %d and has %d", a, b)
	}
}

// TestFitIsBounded floods a fit with actors that are all different and with more
// trades than there may be groups.
func TestFitIsBounded(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(8, 9))
	var profiles []peers.Profile
	for i := range peers.MaxSample + 500 {
		var fs []peers.Feature
		for range 24 {
			fs = append(fs, peers.Feature{Family: peers.Family(r.IntN(4)), Hash: r.Uint64N(20_000), Weight: r.Float64()})
		}
		p := peers.NewProfile(fmt.Sprint(i), fs)
		if len(p.Features) > peers.MaxFeatures {
			t.Fatalf("a profile of %d features", len(p.Features))
		}
		profiles = append(profiles, p)
	}
	for i := range 600 {
		profiles = append(profiles, trade(r, fmt.Sprint("t", i), i/5, 1))
	}
	g := peers.Fit(profiles, nil, 1)
	saved, err := cbor.Marshal(g)
	if err != nil {
		t.Fatal(err)
	}
	if len(g.List) > peers.MaxGroups || len(saved) > 1<<20 {
		t.Errorf("%d groups in %d bytes", len(g.List), len(saved))
	}
}

func BenchmarkFit(b *testing.B) {
	profiles := trades(9, 3000, 500, 200, 100, 100, 50, 50, 50, 20, 10, 5, 5, 3)
	old := peers.Fit(profiles, nil, 1)
	for b.Loop() {
		peers.Fit(profiles, old, 2)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(profiles)), "ns/actor")
}

func BenchmarkAssign(b *testing.B) {
	profiles := trades(9, 300, 50, 20, 10, 10, 5, 5)
	g := peers.Fit(profiles, nil, 1)
	for i := 0; b.Loop(); i++ {
		g.Assign(profiles[i%len(profiles)], 1)
	}
}
