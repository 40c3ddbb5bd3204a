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
	young, once, evident, open bool

	class uint8
	seen  int64
	key   string
	it    T
}

func newStanding[T any](key string, born, seen int64, it T) standing[T] {
	return standing[T]{
		young: seen-born < probation, once: features.Quarter.Index(born) == features.Quarter.Index(seen),
		seen: seen, key: key, it: it,
	}
}

// rank sets the class by which room is made, lowest first, where the young hold
// more than their share (over) or not.
func (s *standing[T]) rank(over bool) {
	for _, stays := range [...]bool{s.open, !over || !s.young, s.evident, !over || !s.once} {
		s.class <<= 1
		if stays {
			s.class++
		}
	}
}

// leavers picks those of all that make room for one more within limit, and for a
// few behind it. Those with an open finding go last; where the young hold more
// than their share, they go first; those without evidence before those with; of the
// too many young, those of a single quarter of an hour; and then who was seen least
// lately.
func leavers[T any](all []standing[T], limit int) []standing[T] {
	young := 0
	for i := range all {
		if all[i].young {
			young++
		}
	}
	for i := range all {
		all[i].rank(young > limit/youngShare)
	}
	slices.SortFunc(all, func(a, b standing[T]) int {
		if a.class != b.class {
			return cmp.Compare(a.class, b.class)
		}
		if a.seen != b.seen {
			return cmp.Compare(a.seen, b.seen)
		}
		return strings.Compare(a.key, b.key)
	})
	return all[:min(len(all), len(all)-limit+max(1, limit/roomShare))]
}

// evict makes room among the hot actors at t. Open spans of those that leave close
// early: what they might still have held is only withheld.
func (sh *shard) evict(t int64) {
	all := make([]standing[*actor], 0, len(sh.actors))
	for _, a := range sh.actors {
		s := newStanding(a.Key, a.Born, a.Seen, a)
		s.open, s.evident = a.open != nil, a.suspect(t)
		all = append(all, s)
	}
	for _, s := range leavers(all, sh.limit) {
		a := s.it
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
		if la.Detector.R >= evident && la.Detector.R*la.decay(l, l.Index(t)) >= evident {
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
	la.span.End()
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
		s.evident = c.suspect(t)
		all = append(all, s)
	}
	for _, s := range leavers(all, sh.coldLimit) {
		sh.marks.put(s.key, s.it.mark())
		delete(sh.cold, s.key)
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
