package detector

import (
	"vigil/detector/features"
	"vigil/models/calibrate"
	"vigil/models/elementary"
	"vigil/models/forest"
)

// combinationWidth is how many scores of a span the forest sees together: each
// kind against the actor's own past, each category, each measure.
// The later kinds are not among them: few sources tell of reasons, or of ids that count up.
const (
	combinationWidth = forestKinds + features.Categories + int(features.Combination)
	forestKinds      = int(laterKinds) + features.Sizes
)

// forests holds, for the lanes of quarters and days, the sample of usual spans and
// the forest grown from it.
type forests struct {
	Sample [features.Week]forest.Reservoir
	Grown  [features.Week]*forest.Forest
}

// The sample forgets half in two weeks; no actor fills more than its share.
const (
	forestRows = 2048
	forestSeed = 0x76696769
	// deltaRows bounds what one shard brings to the sample between two merges.
	deltaRows = 32
)

func newReservoirs(rows int) (out [features.Week]forest.Reservoir) {
	for l := range out {
		out[l] = forest.Reservoir{Seed: forestSeed, Width: combinationWidth, Rows: rows, HalfLife: halfLifeDays, PerOwner: max(2, rows/64)}
	}
	return out
}

// rowKey names the row of an owner's span, and rowSpan tells the span from it: the
// factor is odd, so it has an inverse.
func rowKey(owner uint64, span int64) uint64 { return owner ^ uint64(span)*0x9e3779b97f4a7c15 }

func rowSpan(owner, key uint64) int64 { return int64((key ^ owner) * 0xf1de83e19937733d) }

// grow builds forests of the sample where there is none yet, and all of them anew
// when a day ends.
func (f *forests) grow(all bool) {
	for l := range f.Sample {
		if !all && f.Grown[l] != nil {
			continue
		}
		if g := forest.Build(&f.Sample[l], forestSeed+uint64(l)); g != nil {
			f.Grown[l] = g
		}
	}
}

// vector lays a span's scores out in decades, for the forest. telling is how many
// tell anything, none where all of it is everyday.
func vector(all []judged, out *[combinationWidth]float32) (telling int) {
	*out = [combinationWidth]float32{}
	odd := false
	for i := range all {
		j := &all[i]
		var at int
		switch {
		case isKind(j.Term):
			k, f := termKind(j.Term)
			if f != frameSelf {
				continue
			}
			if at = int(k); k >= features.Rows {
				at -= int(features.Rows - laterKinds)
			} else if k >= laterKinds {
				continue
			}
		case j.Term < firstMeasure:
			at = forestKinds + j.Term - firstCategory
		default:
			if at = forestKinds + features.Categories + j.Term - firstMeasure; at >= combinationWidth {
				continue
			}
			if j.Term == measureTerm(features.Together) {
				continue // the forest puts them together in its own way
			}
		}
		if j.P > 0.3 {
			continue
		}
		out[at] = float32(-elementary.Log10(j.P))
		telling++
		odd = odd || j.P < commonP
	}
	if !odd {
		return 0
	}
	return telling
}

// combination asks how alone a closing span stands in all its scores together, and
// offers it to the sample. A span that is odd in one thing only is that thing's
// business.
func (sh *shard) combination(a *actor, which features.Lane, all []judged) (judged, bool) {
	if which == features.Week {
		return judged{}, false
	}
	var v [combinationWidth]float32
	telling := vector(all, &v)
	span := &a.Lane[which].span
	owner := features.Hash(a.Key)
	if a.open == nil {
		key, day := rowKey(owner, span.Index), features.Day.Index(span.Last)
		if sh.shared.Forests.Sample[which].Wants(key, day) {
			sh.delta.sample[which].Add(key, owner, day, v[:])
		}
	}
	grown := sh.shared.Forests.Grown[which]
	if grown == nil {
		return judged{}, false
	}
	j := judged{Term: measureTerm(features.Combination)}
	if telling >= 2 {
		var out [1]float64
		sh.scorer.Score(grown, v[:], out[:])
		j.Raw = max(0, grown.Splits(out[0]))
		j.Seen = j.Raw
	}
	j.Alone = sh.calibrated(a, which, j.Term, j.Raw)
	j.P = min(1, j.Alone*sh.shares(a, which, j.Term))
	j.E = calibrate.E(j.P)
	return j, true
}
