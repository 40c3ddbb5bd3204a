package detector

import (
	"cmp"
	"math"
	"slices"

	"vigil"
	"vigil/detector/features"
	"vigil/models/calibrate"
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
	for i := range j.Values {
		v := &j.Values[i]
		sh.retell(j.Group, v.Category, &v.Value, f*v.Told, v.ToldDay)
	}
	sh.postLessons(a, j, f)
	for _, p := range j.Peaks {
		p.W *= f
		sh.delta.peaksAgain = append(sh.delta.peaksAgain, p)
	}
	sh.dirty = true
}

// journalStrangers bounds the customers that one journal makes strangers again.
const journalStrangers = 4096

// estrange lets the customers to whom the actor was a stranger in the journal's time
// forget it and the team that it brought along, or takes that back. It is called
// between entries of the log, when no shard runs.
func (e *Engine) estrange(a *actor, j *journal, out bool) {
	who := reader{actor: actorHash(&vigil.Event{Actor: vigil.Actor{Tenant: a.Tenant, ID: a.ID}}), team: teamHash(a.Kind, a.Role, a.Team)}
	if !out {
		for _, s := range j.Strangers {
			t := e.targets[(s.Hash^s.Hash>>32)%shardCount]
			if have := t.subjects.known[s.Hash]; have != nil {
				putLast(have.Readers[:], who.actor)
				if s.Team {
					putLast(have.Teams[:], who.team)
				}
				if have.Brought == 0 {
					have.Brought, have.BroughtAt = who.actor, s.At
				}
				t.dirty = true
			}
		}
		j.Strangers = nil
		return
	}
	from, to := int32(features.Quarter.Index(j.Since)), int32(math.MaxInt32)
	if j.Until != 0 {
		to = int32(features.Quarter.Index(j.Until))
	}
	for _, t := range e.targets {
		for _, h := range sortedKeys(t.subjects.known) {
			s := t.subjects.known[h]
			if s.Brought != who.actor || s.BroughtAt < from || s.BroughtAt > to || len(j.Strangers) >= journalStrangers {
				continue
			}
			pull(s.Readers[:], who.actor)
			j.Strangers = append(j.Strangers, notedStranger{Hash: h, At: s.BroughtAt, Team: pull(s.Teams[:], who.team)})
			s.Brought, s.BroughtAt = 0, 0
			t.dirty = true
		}
	}
}

// estrangeAll does so, once a day, for what confirmed breaches read since somebody said
// so.
func (e *Engine) estrangeAll(now int64) {
	for _, sh := range e.shards {
		for _, a := range sh.actors {
			for _, j := range a.Journals {
				if j.Out && (j.Until == 0 || now-j.Until < 7*24*hourNanos) {
					e.estrange(a, j, true)
					sh.dirty = true
				}
			}
		}
	}
}

// notedStranger is a customer that was made to forget the actor, and its team.
type notedStranger struct {
	_    struct{} `cbor:",toarray"`
	Hash uint64
	At   int32
	Team bool
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
		j.Rare, a.rare = a.rare, [rareSteps]uint32{} // to take such a step again is news
		for l := range a.Lane {
			if r := a.Lane[l].Run; r != nil {
				r.Journal = nil // it holds the same once more
			}
		}
	} else {
		sh.post(a, j, 1)
		j.restore(a)
		for i, s := range a.rare {
			if s == 0 {
				copy(a.rare[i:], j.Rare[:])
				break
			}
		}
		j.Rare = [rareSteps]uint32{}
	}
	sh.takeRows(a, j, out)
	j.Out = out
}

// takeRows takes the rows that the actor's spans of the journal's time brought to the
// samples of the forests out of them, or offers them again. Forests are grown anew each
// day. It is called between entries of the log, when no shard runs.
func (sh *shard) takeRows(a *actor, j *journal, out bool) {
	owner := features.Hash(a.Key)
	for l := range features.Week {
		sample := &sh.shared.Forests.Sample[l]
		if !out {
			sample.Offer(j.Rows[l])
			j.Rows[l] = nil
			continue
		}
		from, to := l.Index(j.Since), int64(math.MaxInt64)
		if j.Until != 0 {
			to = l.Index(j.Until)
		}
		fits := func(key uint64) bool { i := rowSpan(owner, key); return from <= i && i <= to }
		j.Rows[l] = append(sample.Take(owner, fits), sh.delta.sample[l].Take(owner, fits)...)
	}
}

// notedPeak is a run's largest evidence, as the fit of its lane's line counted it.
type notedPeak struct {
	Lane features.Lane
	Bin  calibrate.Bin
	W    float64
}

// journalPeaks bounds the peaks that one journal notes.
const journalPeaks = 16

// peak hands the peak of a run that ended to the fit of the line, and notes it in the
// journal of the finding to which it belongs. A confirmed breach is no false finding.
func (sh *shard) peak(a *actor, l features.Lane, peak float64) {
	in := cmp.Or(a.open, a.past)
	if in == nil || a.Lane[l].Since > in.LastEvidence {
		sh.delta.peaks[l] = append(sh.delta.peaks[l], peak)
		return
	}
	j := a.journalOf(in.Finding.ID)
	if j == nil || !j.Out {
		sh.delta.peaks[l] = append(sh.delta.peaks[l], peak)
	}
	if j == nil || len(j.Peaks) >= journalPeaks {
		return
	}
	if line := sh.shared.budget.Line[l]; line > 0 {
		peak = min(peak, line) // as it is observed
	}
	sh.bring(a, j)
	if bin, ok := calibrate.BinOf(max(peak, 0)); ok {
		j.Peaks = append(j.Peaks, notedPeak{l, bin, 1})
	}
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
			if n.ToldDay = int64(v.Told); j.unweigh(&n) {
				// It was noted what of it was told.
			} else if n.ToldDay != 0 {
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

// unweigh takes over what was noted of a value that is taken out whole.
func (j *journal) unweigh(n *notedValue) bool {
	k := j.known(n.Category, n.Value.Hash)
	if k == nil {
		return false
	}
	n.Told, n.ToldDay, n.Noted = k.Told, k.ToldDay, k.Value.Weight
	*k = j.Known[len(j.Known)-1]
	j.Known = j.Known[:len(j.Known)-1]
	return true
}

// restore puts them back. One that was met again meanwhile keeps both weights.
func (j *journal) restore(a *actor) {
	for _, n := range j.Values {
		back := notedWeight{n.Category, n.Value, n.Told, n.ToldDay}
		back.putBack(&a.Values[n.Category], n.Value.Weight)
		if back.Value.Weight = n.Noted; n.Noted > 0 {
			j.weigh(back)
		}
	}
	j.Values = nil
}
