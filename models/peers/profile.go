// Package peers learns who works alike: it clusters actors on what they do, on
// what, by which kinds of query and at which hours, where no directory says so.
//
// A fit takes the profiles of a sample of actors and gives groups; between fits a
// profile is assigned to the group it is most like, and an actor leaves its group
// only where another is likelier by a margin. Ids of groups last: a group that is
// found again keeps the id that it had. Each actor counts once, however loud.
//
// The detector's merges call it. Groups are frozen once fitted, so many may read
// them; nothing here has a clock or does I/O. All is bounded: features of a
// profile, words of the vocabulary, features of a centre, groups, and actors of a
// fit. What is beyond a bound is left out, the lightest first.
package peers

import (
	"cmp"
	"math"
	"slices"
)

// Family is what a feature is of.
type Family uint8

// The families of features.
const (
	Action Family = iota
	Resource
	Shape
	Hour
	families = iota
)

// weight is a family's part in likeness. What is done, and on what, makes a trade;
// how a query is spelt is partly taste; and a night shift does the same work.
func (f Family) weight() float64 { return [families]float64{1, 1, 0.7, 0.35}[f] }

// limit bounds the features of the family that a profile keeps.
func (f Family) limit() int { return [families]int{10, 16, 22, 16}[f] }

// MaxFeatures bounds the features of a profile.
const MaxFeatures = 64

// Feature is one thing done and how much: a family's value by its hash, and its
// weight, in any unit that all features of one family of one actor share.
type Feature struct {
	_      struct{} `cbor:",toarray"`
	Family Family
	Hash   uint64
	Weight float64
}

func byName(a, b Feature) int {
	switch {
	case a.Family != b.Family:
		return int(a.Family) - int(b.Family)
	case a.Hash < b.Hash:
		return -1
	case a.Hash > b.Hash:
		return 1
	}
	return 0
}

// Profile is what one actor does. Its features are sorted by family and hash, and
// each family's weights are the square roots of shares that add up to at most one:
// so the product of two profiles is how much they overlap (Bhattacharyya 1943),
// whatever either's volume.
type Profile struct {
	Key      string
	Features []Feature
}

// NewProfile makes the profile of the actor with that key. Features may come in
// any order and more than once; those whose weight is not a positive number are
// left out, and so are the lightest beyond a family's limit.
func NewProfile(key string, features []Feature) Profile {
	fs := make([]Feature, 0, len(features))
	for _, f := range features {
		if f.Family < families && f.Weight > 0 && !math.IsInf(f.Weight, 1) {
			fs = append(fs, f)
		}
	}
	// Equal names by weight as well, so that their sum is the same in any order.
	slices.SortFunc(fs, func(a, b Feature) int { return cmp.Or(byName(a, b), cmp.Compare(a.Weight, b.Weight)) })
	n := 0
	for _, f := range fs {
		if n > 0 && byName(fs[n-1], f) == 0 {
			fs[n-1].Weight = min(fs[n-1].Weight+f.Weight, math.MaxFloat64)
			continue
		}
		fs[n] = f
		n++
	}
	fs = fs[:n]
	kept := make([]Feature, 0, min(n, MaxFeatures))
	for len(fs) > 0 {
		end := 1
		for end < len(fs) && fs[end].Family == fs[0].Family {
			end++
		}
		kept = append(kept, shares(fs[:end])...)
		fs = fs[end:]
	}
	slices.SortFunc(kept, byName)
	return Profile{Key: key, Features: kept}
}

// shares turns one family's weights into square roots of shares, the heaviest
// first, and keeps as many as the family may have.
func shares(fs []Feature) []Feature {
	slices.SortFunc(fs, func(a, b Feature) int {
		return cmp.Or(cmp.Compare(b.Weight, a.Weight), cmp.Compare(a.Hash, b.Hash))
	})
	// In units of the heaviest, so that no sum overflows.
	top, sum := fs[0].Weight, 0.0
	for i := range fs {
		sum += fs[i].Weight / top
	}
	fs = fs[:min(len(fs), fs[0].Family.limit())]
	for i := range fs {
		fs[i].Weight = math.Sqrt(fs[i].Weight / top / sum)
	}
	return fs
}
