package detector

import (
	"encoding/binary"
	"errors"
	"math"
	"math/bits"

	"vigil/detector/features"
)

// marks remembers the long gone in eight bytes each, so that nobody who was pushed
// out comes back clean. It is a fixed table of buckets of four; an actor's key names
// two of them, as in a cuckoo filter (Fan et al., "Cuckoo filter: practically better
// than Bloom", 2014), but nothing moves once it is in. When both buckets are full,
// the mark with the least evidence makes room; of several, one who was known for
// less than a day; then the oldest. That may be the newcomer's own. As in the other
// tiers, those known for less than a day may hold a quarter of the places; where
// they hold more, they make room for each other, whatever speaks against them: a
// crowd of strangers that all look odd must not wash out what is known of others.
//
// A key that was never seen finds another's mark about once in a million.
type marks struct {
	slots []mark // a power of two; none before the first
	size  int
	held  int
}

// bucket is how many marks share a place.
const bucket = 4

func newMarks(limit int) marks {
	return marks{size: bucket << bits.Len(uint(max(limit, 1)-1))}
}

// mark is what is left of an actor: from the highest bits, a fingerprint of its
// key, the day on which it was last seen, how many days it had been known by then,
// the lane of its evidence and that evidence in eighths of a decade. Zero is none.
type mark uint64

const (
	markTail   = 23 // bits of the fingerprint
	markDay    = 16
	markKnown  = 16
	markLane   = 2
	markEighth = 7
)

// newMark makes a mark that has no fingerprint yet.
func newMark(born, seen int64, l features.Lane, r float64) mark {
	day := features.Day.Index(seen)
	known := day - features.Day.Index(born)
	eighths := int64(min(max(0, math.Floor(8*log10(r))), 1<<markEighth-1))
	m := uint64(min(max(0, day), 1<<markDay-1))
	m = m<<markKnown | uint64(min(max(0, known), 1<<markKnown-1))
	m = m<<markLane | uint64(l)
	return mark(m<<markEighth | uint64(eighths))
}

func (m mark) eighths() uint64 { return uint64(m) & (1<<markEighth - 1) }
func (m mark) lane() features.Lane {
	return features.Lane(m >> markEighth & (1<<markLane - 1))
}
func (m mark) known() int64 { return int64(m >> (markEighth + markLane) & (1<<markKnown - 1)) }
func (m mark) day() int64 {
	return int64(m >> (markEighth + markLane + markKnown) & (1<<markDay - 1))
}
func (m mark) tail() uint64 { return uint64(m) >> (64 - markTail) }

// young says that the actor was known for less than a day.
func (m mark) young() bool { return m != 0 && m.known() == 0 }

// before says that m makes room before o, where the young hold more than their
// share of the places (over) or not.
func (m mark) before(o mark, over bool) bool {
	if over && m.young() != o.young() {
		return m.young()
	}
	if a, b := m.eighths(), o.eighths(); a != b {
		return a < b
	}
	if m.young() != o.young() {
		return m.young()
	}
	return m.day() < o.day()
}

// mark shortens a cold actor once more. Of its lanes' evidence the one is kept that
// will be the most a fortnight on.
func (c *cold) mark() mark {
	best, most := features.Quarter, -1.0
	for l := range features.Lane(features.Lanes) {
		i := l.Index(c.Seen)
		ahead := float64(c.R[l]) * evidenceDecay(l, i, l.Index(c.Seen+14*24*hourNanos))
		if ahead > most {
			best, most = l, ahead
		}
	}
	return newMark(c.Born, c.Seen, best, float64(c.R[best]))
}

// recall gives a new actor back what the mark remembers, at t. The day it was last
// seen counts to its end, so no absence is overstated.
func (m mark) recall(a *actor, t int64) {
	a.Seen = min(t, features.Day.Start(m.day()+1)-1)
	a.Born = min(a.Seen, features.Day.Start(m.day()-m.known()))
	if m.eighths() == 0 {
		return
	}
	l := m.lane()
	if int(l) >= features.Lanes {
		return
	}
	la := &a.Lane[l]
	la.Detector.R = math.Pow(10, float64(m.eighths())/8)
	la.Judged = l.Index(a.Seen)
}

// places are where the key's mark may lie, and its fingerprint, never zero.
func (s *marks) places(key string) (first, second int, tail uint64) {
	h := features.Hash(key)
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	g := h * 0xc4ceb9fe1a85ec53
	g ^= g >> 29
	mask := uint64(len(s.slots)/bucket - 1)
	return int(h&mask) * bucket, int(g&mask) * bucket, max(1, h>>(64-markTail))
}

// put notes the mark of a key, in place of an earlier one.
func (s *marks) put(key string, m mark) {
	if s.slots == nil {
		s.slots = make([]mark, s.size)
	}
	first, second, tail := s.places(key)
	m |= mark(tail << (64 - markTail))
	over := s.crowded(first, second, m)
	at := -1
	for _, from := range [...]int{first, second} {
		for i := from; i < from+bucket; i++ {
			switch have := s.slots[i]; {
			case have != 0 && have.tail() == tail:
				s.slots[i] = m
				return
			case at < 0, have == 0 && s.slots[at] != 0, have != 0 && s.slots[at] != 0 && have.before(s.slots[at], over):
				at = i
			}
		}
	}
	switch {
	case s.slots[at] == 0:
		s.held++
	case m.before(s.slots[at], over):
		return
	}
	s.slots[at] = m
}

// crowded says whether the young would hold more than their share of two buckets
// with m among them.
func (s *marks) crowded(first, second int, m mark) bool {
	young := 0
	for _, from := range [...]int{first, second} {
		for _, have := range s.slots[from : from+bucket] {
			if have.young() {
				young++
			}
		}
	}
	places := 2 * bucket
	if first == second {
		young, places = young/2, bucket
	}
	if m.young() {
		young++
	}
	return young*youngShare > places
}

// take removes and returns the mark of a key.
func (s *marks) take(key string) (mark, bool) {
	if s.held == 0 {
		return 0, false
	}
	first, second, tail := s.places(key)
	for _, from := range [...]int{first, second} {
		for i := from; i < from+bucket; i++ {
			if m := s.slots[i]; m != 0 && m.tail() == tail {
				s.slots[i] = 0
				s.held--
				return m, true
			}
		}
	}
	return 0, false
}

// state is the table in the form that is kept, empty while it holds none.
func (s *marks) state() []byte {
	if s.held == 0 {
		return nil
	}
	out := make([]byte, 0, 8*len(s.slots))
	for _, m := range s.slots {
		out = binary.LittleEndian.AppendUint64(out, uint64(m))
	}
	return out
}

// maxMarks bounds a table that is restored: that of ten million cold actors.
const maxMarks = 1 << 24

// restore takes back a table, of whatever size it was.
func (s *marks) restore(b []byte) error {
	s.slots, s.held = nil, 0
	if len(b) == 0 {
		return nil
	}
	n := len(b) / 8
	if len(b)%8 != 0 || n < bucket || n&(n-1) != 0 || n > maxMarks {
		return errors.New("the marks of those long gone are damaged")
	}
	s.slots = make([]mark, n)
	for i := range s.slots {
		s.slots[i] = mark(binary.LittleEndian.Uint64(b[8*i:]))
		if s.slots[i] != 0 {
			s.held++
		}
	}
	return nil
}
