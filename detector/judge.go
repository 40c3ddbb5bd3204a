package detector

import (
	"math"
	"slices"

	"vigil/detector/features"
	"vigil/models/calibrate"
	"vigil/models/elementary"
	"vigil/models/volume"
)

// judge asks every term of the actor's span in a lane, against what was known
// when the span began. It appends to out and returns the epoch's e-value: the
// weighted arithmetic mean over the terms, which is valid under any dependence. In
// a span that is still open (closing false) only what can merely grow is asked;
// what is not asked counts as nothing to see.
func (sh *shard) judge(a *actor, which features.Lane, closing bool, out []judged) (all []judged, e float64) {
	l := &a.Lane[which]
	s := &l.span
	everyone := sh.shared.everyone
	season := which.Season(s.Index)
	surge := sh.shared.Surge[a.class()].factor(which)
	own := everyone
	if a.group != nil {
		own = a.group
	}
	for k := range features.Kind(features.Kinds) {
		if !s.Told(k) && !sh.shared.tells(a, k) {
			continue
		}
		seen := s.Value(k)
		for f := range frame(frames) {
			g := own
			switch {
			case f == frameEveryone:
				g = everyone
			case f == framePeers && (a.group == nil || a.group.Members < minPeers):
				continue
			}
			out = ask(out, kindTerm(k, f), seen)
			if seen == 0 && k.IsCount() && f != frameSelf {
				continue // none of a kind is no news to anybody, whatever was expected
			}
			j := &out[len(out)-1]
			if k.IsCount() {
				var rate volume.Rate
				exposure := g.profile[which][season] * surge
				if f == frameSelf {
					rate = l.Counts[k]
				}
				j.Counts = rate.Predict(g.Prior[which][k], exposure)
				j.Raw = j.Counts.Surprise(seen)
			} else {
				var size volume.Size
				if f == frameSelf {
					size = l.Sizes[k-features.Rows]
				}
				j.Sizes = size.Predict(g.Sizes[which][k-features.Rows])
				j.Raw = j.Sizes.Surprise(seen)
			}
		}
	}
	if which != features.Week {
		for c := range features.Category(features.Categories) {
			r := &s.Rare[c]
			if r.Values == 0 {
				continue
			}
			// Bonferroni: the smallest of so many.
			p := min(1, r.P*r.Values)
			out = append(out, judged{Term: categoryTerm(c), Raw: -elementary.Log10(p), Rare: *r})
		}
	}
	out = measures(s, which, closing, out)
	if which == features.Week && closing {
		if j, ok := sh.drift(a); ok {
			out = append(out, j)
		}
	}
	var sum, weight float64
	self, none := 0.0, calibrate.E(1)
	salt := tieSalt(a.Key, which, s.Index)
	excused := a.Habit.excused(s)
	for i := range out {
		j := &out[i]
		w := termWeights[j.Term]
		weight += w
		// Doing nothing of a kind is no evidence, however the rank's ties fall, and nor is
		// what is expected.
		if isKind(j.Term) && j.Seen == 0 || sh.expects(a, which, j) {
			self = 1
			j.Alone, j.P, j.E = 1, 1, none
			sum += float64(w * none)
			continue
		}
		j.Alone = sh.ranked(a, which, j.Term, j.Raw, salt)
		if isKind(j.Term) {
			k, f := termKind(j.Term)
			if f == frameSelf {
				self = j.Alone
			} else {
				j.Alone = explained(j.Alone, self, l.known(k))
			}
		}
		if excused < 1 && quantity(j.Term) {
			j.Alone = math.Pow(j.Alone, excused)
		}
		j.P = min(1, j.Alone*sh.shares(a, which, j.Term))
		j.E = calibrate.E(j.P)
		sum += float64(w * j.E)
	}
	if weight == 0 {
		return out, 1
	}
	if which == features.Week {
		return out, sum / weight
	}
	for _, m := range [...]features.Measure{features.Together, features.Combination} {
		w := m.Weight()
		weight += w
		j, ok := sh.all(a, which, m, closing, out)
		if !ok {
			sum += float64(w * none)
			continue
		}
		sum += w * j.E
		out = append(out, j)
	}
	return out, sum / weight
}

// ask appends a term that has no answer yet, in place: answers are long.
func ask(out []judged, term int, seen float64) []judged {
	n := len(out)
	out = slices.Grow(out, 1)[:n+1]
	j := &out[n]
	*j = judged{}
	j.Term, j.Seen = term, seen
	return out
}

// explained is the p-value of a wider frame in the light of the actor's own past:
// what is usual for itself is no news because others do less of it. spans is how
// much of a past there is.
func explained(wide, self, spans float64) float64 {
	const settled = 20 // spans that weigh as much as the wide frame
	if wide >= self {
		return wide
	}
	return wide * elementary.Exp(elementary.Log(self/wide)*(spans/(spans+settled)))
}

// expects reports whether an exception expects the amount that a term tells of the
// open span. Of single accesses that is asked one by one: see page.
func (sh *shard) expects(a *actor, which features.Lane, j *judged) bool {
	if len(sh.shared.exceptions) == 0 {
		return false
	}
	name := features.Drift.String()
	switch {
	case isKind(j.Term):
		k, _ := termKind(j.Term)
		name = k.String()
	case j.Term != measureTerm(features.Drift):
		return false
	}
	return sh.shared.expectsAmount(a, a.Lane[which].span.Last, which, name, j.Seen)
}

// known is how many spans the actor's own past of a kind holds.
func (l *lane) known(k features.Kind) float64 {
	if k.IsCount() {
		return float64(l.Counts[k].W)
	}
	return float64(l.Sizes[k-features.Rows].W)
}

// all asks a measure of all the other answers.
func (sh *shard) all(a *actor, which features.Lane, m features.Measure, closing bool, out []judged) (judged, bool) {
	if m == features.Together {
		return sh.together(a, which, out), true
	}
	if !closing {
		return judged{}, false
	}
	return sh.combination(a, which, out)
}

// measures appends the span's measures.
func measures(s *features.Span, which features.Lane, closing bool, out []judged) []judged {
	if which == features.Week {
		return out
	}
	for m := range features.Combination {
		if !closing && !m.Grows() || m == features.Together {
			continue
		}
		if raw, ok := s.Measure(m); ok {
			out = append(out, judged{Term: measureTerm(m), Raw: raw, Seen: raw})
			if m == features.Page {
				out[len(out)-1].Page = s.Largest()
			}
		}
	}
	return out
}

// calibrated turns a raw score of the actor's open span into a p-value.
func (sh *shard) calibrated(a *actor, which features.Lane, term int, raw float64) float64 {
	return sh.ranked(a, which, term, raw, tieSalt(a.Key, which, a.Lane[which].span.Index))
}

// ranked turns a raw score into a p-value: standardised by the actor's own level,
// then ranked among its peers. salt breaks ties.
func (sh *shard) ranked(a *actor, which features.Lane, term int, raw float64, salt uint64) float64 {
	g := a.group
	if g == nil {
		g = sh.shared.everyone
	}
	level := a.Lane[which].standard(term)
	z := level.Standard(raw, g.Spread[which][term])
	if _, isCategory := termCategory(term); isCategory {
		// Most spans bring nothing new, and their ties must not be broken in favour
		// of suspicion: all of them count as at least as odd. Nor is it news, whatever
		// its rank, where the model itself gave a value one chance in ten.
		if raw < 1 {
			return elementary.Pow10(-raw)
		}
		return g.table[which][term].Rank(z, 1)
	}
	table, tie := &g.table[which][term], tieBreak(salt, tieOf(term))
	p := table.P(z, tie)
	if _, isCount := countTerm(term); isCount {
		// Small counts are few steps, most of them zero, and have no tail to go by: past
		// the end of their ranks the model has to agree.
		p = max(p, min(1/(table.N+1), elementary.Pow10(-raw)))
	}
	switch {
	case !isKind(term) && raw <= 0:
		return 1 // nothing to see, however the rank's ties fall
	case term == measureTerm(features.Burst):
		return table.Rank(z, tie) // bursts have no tail to go by: the next may be any size
	case raw < 1 && probability(term):
		// These scores are decades: what the model itself expects is no news either.
		return max(p, elementary.Pow10(-raw))
	case probability(term) && p <= topRanks/(table.N+1) && table.P(z, 1) <= topRanks/(table.N+1): // whichever way ties fall
		return beyond(p, raw-level.Usual(g.Spread[which][term]), modelReach)
	case term == measureTerm(features.Drift):
		return driftP(table, g.Spread[which][term], a.strayedWeight(), z, tie)
	default:
		return p
	}
}

// standard is the level by which a term's scores are standardised: the actor's own,
// but the group's, to which an empty one is shrunk, where others are the frame. What
// is usual for the actor itself is allowed for by explained, as far as its past goes;
// by its own level, a theft of two weeks would hide from its peers in a few days.
func (l *lane) standard(term int) calibrate.Level {
	if isKind(term) {
		if _, f := termKind(term); f != frameSelf {
			return calibrate.Level{}
		}
	}
	return l.Level[term]
}

// probability says that a term's raw score is a model's probability, in decades.
func probability(term int) bool {
	return isKind(term) || term == measureTerm(features.Order) || term == measureTerm(features.Page)
}

// What lies among the topRanks largest of few scores may be slight or enormous, and
// no rank tells which. There the model's own probability counts too, as a part
// modelTrust of the decades by which it goes beyond the rank and modelDoubt more,
// and for modelReach decades at most; flowReach about customers and networks, of
// which each is one of many alike.
const (
	topRanks   = 3
	modelTrust = 0.2
	modelDoubt = 2
	modelReach = 2
	flowReach  = 4
)

// beyond is the p-value of a score at the end of its ranks, which lies so many of its
// model's decades above its own usual level: what always scores fifty, as a nightly
// job's order does, is no more news for it.
func beyond(p, decades, reach float64) float64 {
	more := modelTrust * (decades + math.Log10(p) - modelDoubt)
	if more <= 0 {
		return p
	}
	return math.Max(p*math.Pow(10, -math.Min(more, reach)), calibrate.MinP)
}

// eWith is the epoch's e-value if kind k had been seen n times instead.
func (sh *shard) eWith(a *actor, which features.Lane, all []judged, k features.Kind, n float64) float64 {
	var sum, weight float64
	for i := range all {
		j := &all[i]
		e := j.E
		if isKind(j.Term) {
			if kind, _ := termKind(j.Term); kind == k {
				e = calibrate.E(1) // none of a kind is no evidence, as in judge
				if n > 0 {
					e = calibrate.E(min(1, sh.calibrated(a, which, j.Term, j.surprise(n))*sh.shares(a, which, j.Term)))
				}
			}
		}
		w := termWeights[j.Term]
		sum += w * e
		weight += w
	}
	return sum / weight
}

// tieSalt is what the ties of one span's terms have in common.
func tieSalt(key string, which features.Lane, epoch int64) uint64 {
	return stir(stir(features.Hash(key), uint64(which)), uint64(epoch))
}

// tieBreak is the conformal rank's U: uniform in (0, 1), from a hash, so that a
// replay breaks ties alike.
func tieBreak(salt uint64, term int) float64 {
	return (float64(stir(salt, uint64(term))>>11) + 0.5) / (1 << 53)
}

func stir(h, v uint64) uint64 {
	h ^= v + 0x9e3779b97f4a7c15 + h<<6 + h>>2
	h *= 0xff51afd7ed558ccd
	return h ^ h>>33
}

// lookFactor is how much a kind must grow before an open span is judged again.
const lookFactor = 1.25

// nextLook is the value of kind k at which the open span is first worth judging:
// beyond four deviations of the actor's own expectation.
func (sh *shard) nextLook(a *actor, which features.Lane, k features.Kind) float64 {
	l := &a.Lane[which]
	g := a.group
	if g == nil {
		g = sh.shared.everyone
	}
	if k.IsCount() {
		d := l.Counts[k].Predict(g.Prior[which][k], g.profile[which][which.Season(l.span.Index)]*sh.shared.Surge[a.class()].factor(which))
		return math.Ceil(d.Mean + 4*d.SD())
	}
	d := l.Sizes[k-features.Rows].Predict(g.Sizes[which][k-features.Rows])
	return math.Expm1(math.Min(600, math.Max(0, d.Loc+4*d.Scale)))
}
