package detector

import (
	"math"

	"vigil"
	"vigil/detector/features"
	"vigil/models/calibrate"
)

// The models that score single events.
const (
	modelVolume = iota
	modelNovelty
	modelAffinity
	modelSources
	modelSequence
	eventModels
)

var modelNames = [eventModels]string{"volume", "novelty", "affinity", "sources", "sequence"}

var modelWeights = []float64{1, 1, 1, 1, 0.5}

// eventScores ranks single events' raw scores among all that came before.
type eventScores struct {
	Sketch [eventModels]calibrate.Sketch
	table  [eventModels]*calibrate.Table
}

func (s *eventScores) freeze() {
	for m := range s.Sketch {
		s.table[m] = s.Sketch[m].Freeze()
	}
}

func (s *eventScores) forget(keep float64) {
	for m := range s.Sketch {
		s.Sketch[m].Forget(keep)
	}
}

// score judges one event that has just been counted in its actor's spans.
func (sh *shard) score(a *actor, e *vigil.Event, tr *trace, step float64, values *[features.Categories]features.Value) Score {
	var raw [eventModels]float64
	var contributions []vigil.Contribution
	for _, which := range [...]features.Lane{features.Quarter, features.Day} {
		if !a.Lane[which].span.Open {
			continue // a late event, whose span has closed
		}
		sh.scratch = sh.scratch[:0]
		sh.scratch, _ = sh.judge(a, which, false, sh.scratch)
		for i := range sh.scratch {
			j := &sh.scratch[i]
			if !isKind(j.Term) {
				continue
			}
			if k, f := termKind(j.Term); f == frameSelf && k != features.New {
				if j.Raw > raw[modelVolume] {
					raw[modelVolume] = j.Raw
				}
				if j.P < 0.05 {
					contributions = append(contributions, contribution(a, which, a.Lane[which].span.Index, j))
				}
			}
		}
	}
	for c := range features.Categories {
		v := a.Values[c].Get(values[c].Hash)
		if values[c].Label == "" || v == nil || v.P == 0 { // not judged
			continue
		}
		s := -math.Log10(float64(v.P))
		raw[modelNovelty] = max(raw[modelNovelty], s)
		if v.P < 0.05 {
			j := judged{
				Term: categoryTerm(features.Category(c)), Raw: s, P: float64(v.P), E: calibrate.E(float64(v.P)),
				Rare: features.Rare{Values: 1, P: float64(v.P), Label: v.Label.String(), Frame: v.Frame, First: int64(v.First)},
			}
			contributions = append(contributions, contribution(a, features.Quarter, a.Lane[features.Quarter].span.Index, &j))
		}
	}
	if burst, ok := tr.score(); ok {
		raw[modelAffinity] = burst
	}
	if !math.IsNaN(tr.source) {
		raw[modelSources] = tr.source
	}
	raw[modelSequence] = max(0, -math.Log10(step))
	var ps, weights [eventModels]float64
	for m := range raw {
		// What says nothing neither excuses nor accuses.
		if raw[m] > 0 {
			weights[m] = modelWeights[m]
		}
		ps[m] = sh.shared.events.table[m].P(raw[m], tieBreak(tieSalt(e.ID, features.Lane(m), e.Time.UnixNano()), m))
		sh.delta.raw[m] = append(sh.delta.raw[m], raw[m])
	}
	out := Score{Event: e, P: calibrate.Merge(ps[:], weights[:]), Evidence: math.Inf(-1)}
	out.Surprise = -math.Log10(out.P)
	for l := range features.Lanes {
		out.Evidence = max(out.Evidence, log10(a.Lane[l].Detector.R))
	}
	out.Contributions = largest(contributions, 3)
	if sh.models {
		out.Models = make(map[string]ModelScore, eventModels)
		for m := range raw {
			out.Models[modelNames[m]] = ModelScore{Score: raw[m], P: ps[m]}
		}
	}
	return out
}

// log10 is the logarithm of evidence, 0 for what is at most one.
func log10(r float64) float64 {
	if r <= 1 {
		return 0
	}
	return math.Log10(r)
}
