package detector

import (
	"math"
	"slices"

	"vigil/detector/features"
	"vigil/models/novelty"
	"vigil/models/volume"
)

// post adds f times what is noted to the actor's baselines and, at the next
// merge, to those of its group.
func (sh *shard) post(a *actor, j *journal, f float64) {
	for l := range a.Lane {
		la := &a.Lane[l]
		if j.Own[l].Updated == 0 {
			continue
		}
		j.Own[l].forget(features.Lane(l), la.Updated)
		before, _ := a.sums(features.Lane(l))
		after := before
		after.add(&j.Own[l], float32(f))
		la.Counts, la.Sizes, la.Level = after.Counts, after.Sizes, after.Level
		if f == -1 {
			// What was taken is what can be put back.
			j.Own[l] = before
			j.Own[l].add(&after, -1)
		}
	}
	for i := range a.Drift.Pace {
		for _, s := range [...][2]*volume.Sum{{&a.Drift.Pace[i].Lately, &j.Pace[i].Lately}, {&a.Drift.Pace[i].Long, &j.Pace[i].Long}} {
			s[0].N, s[0].X = max(0, s[0].N+float32(f)*s[1].N), max(0, s[0].X+float32(f)*s[1].X)
		}
	}
	g := sh.shared.group(j.Group)
	for _, s := range j.Scores {
		sh.delta.scores = append(sh.delta.scores, scoreDelta{group: g, lane: s.Lane, term: s.Term, bin: s.Bin, w: f * float64(s.W), again: true})
	}
	for _, s := range j.Seasons {
		sh.delta.seasons = append(sh.delta.seasons, seasonDelta{group: g, class: s.Class, lane: s.Lane, hour: s.Hour, seen: f * s.Seen, expected: f * s.Expected, again: true})
	}
	for _, v := range j.Values {
		if v.Told > 0 {
			sh.delta.values = append(sh.delta.values, valueDelta{g, v.Category, features.Value{Hash: v.Value.Hash, Label: v.Value.Label.String()}, f * v.Told, v.ToldDay})
		}
	}
	sh.dirty = true
}

// takeOut takes a finding's journal out of the baselines, or puts it back.
func (sh *shard) takeOut(a *actor, j *journal, out bool) {
	if out == j.Out {
		return
	}
	sh.bring(a, j)
	if out {
		j.strike(a)
		sh.post(a, j, -1)
		for l := range a.Lane {
			if r := a.Lane[l].Run; r != nil {
				r.Journal = nil // it holds the same once more
			}
		}
	} else {
		sh.post(a, j, 1)
		j.restore(a)
	}
	j.Out = out
}

// strike takes the values that the actor first met in the journal's time out of its
// own. They are new to it again.
func (j *journal) strike(a *actor) {
	from, to := features.Quarter.Index(j.Since), int64(math.MaxInt32)
	if j.Until != 0 {
		to = features.Quarter.Index(j.Until)
	}
	j.Values = j.Values[:0]
	for c := range a.Values {
		t := &a.Values[c]
		t.Values = slices.DeleteFunc(t.Values, func(v novelty.Value) bool {
			if int64(v.First) < from || int64(v.First) > to || len(j.Values) >= journalValues {
				return false
			}
			n := notedValue{Category: features.Category(c), Value: v}
			if n.ToldDay = int64(v.Told); n.ToldDay != 0 {
				// Once a day, from the day it was met to the last that told it.
				for day := features.Day.Index(features.Quarter.Start(int64(v.First))); day <= n.ToldDay; day++ {
					n.Told += unit(features.Day.Start(day) + 12*hourNanos)
				}
			}
			j.Values = append(j.Values, n)
			t.Total -= v.Weight
			return true
		})
		t.Total = max(0, t.Total)
	}
}

// restore puts them back. One that was met again meanwhile keeps both weights.
func (j *journal) restore(a *actor) {
	var back [features.Categories]novelty.Table
	for _, n := range j.Values {
		back[n.Category].Values = append(back[n.Category].Values, n.Value)
	}
	for c := range back {
		t := &a.Values[c]
		for _, v := range back[c].Values {
			if have := t.Get(v.Hash); have == nil {
				t.Put(v, valueLimit)
				continue
			}
			t.Merge(&novelty.Table{Values: []novelty.Value{v}}, valueLimit)
		}
	}
	j.Values = nil
}
