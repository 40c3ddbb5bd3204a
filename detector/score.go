package detector

import (
	"math"

	"vigil"
	"vigil/detector/features"
	"vigil/models/calibrate"
	"vigil/models/elementary"
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
	// Hours is how many hours had events in them, as much of them as is not forgotten.
	Hours float64

	hour  [eventModels]calibrate.Sketch // the scores of the hour that ends
	table [eventModels]*calibrate.Table
}

// learn takes in the hour that ended.
func (s *eventScores) learn() {
	told := false
	for m := range s.hour {
		told = told || s.hour[m].N > 0
		s.Sketch[m].Learn(&s.hour[m], s.Hours)
		s.hour[m].Forget(0)
	}
	if told {
		s.Hours++
	}
}

func (s *eventScores) freeze() {
	for m := range s.Sketch {
		s.table[m] = s.Sketch[m].Freeze()
	}
}

// age lets a day pass. In the first days everything is new to everyone, and what was
// odd then says little of what is odd later: while the log is young, its first
// half is always about to be forgotten.
func (s *eventScores) age(days float64) {
	keep := math.Exp2(-1 / math.Min(halfLifeDays, math.Max(1, days/2)))
	s.Hours *= keep
	for m := range s.Sketch {
		s.Sketch[m].Forget(keep)
	}
}

// p is the p-value of a model's raw score, its ties broken by tie.
func (s *eventScores) p(model int, raw, tie float64) float64 {
	switch p := s.table[model].P(raw, tie); {
	case raw <= 0:
		return 1 // nothing to see, however the rank's ties fall
	case raw < 1 && (model == modelVolume || model == modelNovelty || model == modelSequence):
		// These scores are decades: what the model itself expects is no news either.
		return max(p, elementary.Pow10(-raw))
	default:
		return p
	}
}

// score judges one event that has just been counted in its actor's spans.
func (sh *shard) score(a *actor, e *vigil.Event, tr *trace, step float64, values *[features.Categories]features.Value) Score {
	var raw [eventModels]float64
	for m := range raw {
		raw[m] = math.NaN() // until the model has something to judge
	}
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
				raw[modelVolume] = larger(raw[modelVolume], j.Raw)
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
		raw[modelNovelty] = larger(raw[modelNovelty], s)
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
	raw[modelSources] = tr.source
	if !e.Late {
		raw[modelSequence] = max(0, -math.Log10(step))
	}
	var ps, weights [eventModels]float64
	for m := range raw {
		if math.IsNaN(raw[m]) {
			continue
		}
		// What says nothing neither excuses nor accuses.
		if raw[m] > 0 {
			weights[m] = modelWeights[m]
		}
		ps[m] = sh.shared.events.p(m, raw[m], tieBreak(tieSalt(e.ID, features.Lane(m), e.Time.UnixNano()), m))
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
			if math.IsNaN(raw[m]) {
				continue
			}
			out.Models[modelNames[m]] = ModelScore{Score: raw[m], P: ps[m]}
		}
	}
	return out
}

// larger is the larger of two scores, the first of which may be none.
func larger(a, b float64) float64 {
	if a >= b {
		return a
	}
	return b
}

// log10 is the logarithm of evidence, 0 for what is at most one.
func log10(r float64) float64 {
	if r <= 1 {
		return 0
	}
	return math.Log10(r)
}
