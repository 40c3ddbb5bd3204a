package detector

import (
	"cmp"
	"slices"
	"strings"

	"vigil/detector/features"
)

// What is known of actors lies in three tiers. Hot ones are held in full (actor);
// who makes room is held in short (cold); who makes room there leaves a mark of
// eight bytes (marks). An actor that returns is taken up from the highest tier
// that knows it, so neither its evidence nor how long it was away is lost.
//
// Who makes room follows from the log alone, never from free memory. Room is
// segmented (Karedla, Love and Wherry, "Caching strategies to improve disk system
// performance", 1994): actors known for less than a day may hold a quarter of it.
// Where they hold more, they make room for each other, so a flood of new names
// pushes out itself and not those who work here.

// coldFactor is how many cold actors there are room for, for each hot one, where
// the configuration does not say.
const coldFactor = 10

const (
	// probation is how long an actor is young, from its first event to its last.
	probation = 24 * hourNanos
	// youngShare is the part of a tier, one in so many, that young actors may hold.
	youngShare = 4
	// roomShare is the part of a tier, one in so many, that is made free at once.
	roomShare = 16
	// evident is the evidence, as R of any lane, from which an actor makes room after
	// those with less. Where nothing is wrong R is about one.
	evident = 10
)

// standing is how one actor stands in the order in which room is made.
type standing[T any] struct {
	Open, Young, Once, Evident bool
	Seen                       int64
	Key                        string
	It                         T
}

func newStanding[T any](key string, born, seen int64, it T) standing[T] {
	return standing[T]{
		Young: seen-born < probation, Once: features.Quarter.Index(born) == features.Quarter.Index(seen),
		Seen: seen, Key: key, It: it,
	}
}

// leavers picks those of all that make room for one more within limit, and for a
// few behind it. Those with an open finding go last; where the young hold more
// than their share, they go first; those without evidence before those with; and
// then who was seen least lately.
func leavers[T any](all []standing[T], limit int) []standing[T] {
	young := 0
	for i := range all {
		if all[i].Young {
			young++
		}
	}
	over := young > limit/youngShare
	slices.SortFunc(all, func(a, b standing[T]) int {
		if c := last(a.Open, b.Open); c != 0 {
			return c
		}
		if over {
			if c := last(!a.Young, !b.Young); c != 0 {
				return c
			}
		}
		if c := last(a.Evident, b.Evident); c != 0 {
			return c
		}
		if over {
			if c := last(!a.Once, !b.Once); c != 0 {
				return c
			}
		}
		return cmp.Or(cmp.Compare(a.Seen, b.Seen), strings.Compare(a.Key, b.Key))
	})
	return all[:min(len(all), len(all)-limit+max(1, limit/roomShare))]
}

// last orders what holds behind what does not.
func last(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// evict makes room among the hot actors at t. Open spans of those that leave close
// early: what they might still have held is only withheld.
func (sh *shard) evict(t int64) {
	all := make([]standing[*actor], 0, len(sh.actors))
	for _, a := range sh.actors {
		s := newStanding(a.Key, a.Born, a.Seen, a)
		s.Open, s.Evident = a.open != nil, a.suspect(t)
		all = append(all, s)
	}
	for _, s := range leavers(all, sh.limit) {
		a := s.It
		for l := range features.Lane(features.Lanes) {
			sh.cut(a, l)
		}
		if a.open != nil {
			sh.finish(a)
		}
		a.gone = true
		delete(sh.byKey, a.Key)
		sh.evicted++
		sh.freeze(a, t)
	}
	gone := func(a *actor) bool { return a.gone }
	for l := range sh.touched {
		sh.touched[l] = slices.DeleteFunc(sh.touched[l], gone)
	}
	sh.opened = slices.DeleteFunc(sh.opened, gone)
	sh.actors = slices.DeleteFunc(sh.actors, gone)
}

// suspect says whether anything speaks against the actor at t.
func (a *actor) suspect(t int64) bool {
	if a.open != nil || a.past != nil && t-a.past.LastEvidence < reopen {
		return true
	}
	for l := range features.Lane(features.Lanes) {
		la := &a.Lane[l]
		if la.Detector.R*la.decay(l, l.Index(t)) >= evident {
			return true
		}
	}
	return false
}

// cut ends a span before its time. Evidence may come of what only grows, as from
// an open span; but half a day is no day, so neither the actor nor its peers learn
// from it, and what a flood of names does becomes nobody's normal.
func (sh *shard) cut(a *actor, l features.Lane) {
	la := &a.Lane[l]
	if !la.span.Open {
		return
	}
	sh.scratch = sh.scratch[:0]
	all, e := sh.judge(a, l, false, sh.scratch)
	sh.scratch = all
	sh.conclude(a, l, all, e)
	sh.delta.epochs[l]++
	la.span.Open = false
}

// freeze takes a hot actor, all of whose spans are closed, among the cold ones.
func (sh *shard) freeze(a *actor, t int64) {
	if len(sh.cold) >= sh.coldLimit {
		sh.bury(t)
	}
	sh.cold[a.Key] = newCold(a, t)
}

// bury makes room among the cold actors at t.
func (sh *shard) bury(t int64) {
	all := make([]standing[*cold], 0, len(sh.cold))
	for key, c := range sh.cold {
		c.settle(t)
		s := newStanding(key, c.Born, c.Seen, c)
		s.Evident = c.suspect(t)
		all = append(all, s)
	}
	for _, s := range leavers(all, sh.coldLimit) {
		sh.marks.put(s.Key, s.It.mark())
		delete(sh.cold, s.Key)
	}
}

// recall takes the actor back into memory if a lower tier knows it, and leaves a
// new one as it is.
func (sh *shard) recall(a *actor, t int64) {
	if c := sh.cold[a.Key]; c != nil {
		delete(sh.cold, a.Key)
		c.thaw(a, sh.shared)
		return
	}
	if m, ok := sh.marks.take(a.Key); ok {
		m.recall(a, t)
	}
}
