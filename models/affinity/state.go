package affinity

import (
	"errors"
	"fmt"
	"math"
)

// State is a sketch as it is stored. Rows are in the order of slots, which is the
// same for the same events, so equal sketches encode alike.
type State struct {
	// Started tells that Start is known, the tick from which the past counts.
	Started bool
	Start   int64
	// Room is how many slots there are; Slots says which are in use.
	Room    int
	Slots   []uint32
	Hashes  []uint64
	Last    []int64
	Counts  []float32
	Evicted uint64
}

// counts is how many of State's Counts belong to one key: those of a lane of all
// events, then those of fresh ones.
const counts = 2 * laneCounts

// laneCounts is how many numbers a lane has.
const laneCounts = 10

func (l *lane) counts() [laneCounts]float32 {
	q, s := l.quickPeak, l.slowPeak
	return [...]float32{l.quick, l.slow, l.tick, l.past, q.top, q.logs, q.usual, s.top, s.logs, s.usual}
}

func laneOf(v []float32) lane {
	return lane{v[0], v[1], v[2], v[3], peak{v[4], v[5], v[6]}, peak{v[7], v[8], v[9]}}
}

// State returns a copy of what the sketch knows.
func (s *Sketch) State() State {
	st := State{
		Started: s.started, Start: s.start, Room: len(s.hashes), Evicted: s.evicted,
		Slots:  make([]uint32, 0, s.used),
		Hashes: make([]uint64, 0, s.used),
		Last:   make([]int64, 0, s.used),
		Counts: make([]float32, 0, counts*s.used),
	}
	for i, h := range s.hashes {
		if h == 0 {
			continue
		}
		c := &s.cells[i]
		st.Slots, st.Hashes, st.Last = append(st.Slots, uint32(i)), append(st.Hashes, h), append(st.Last, c.last)
		for _, l := range [...]*lane{&c.all, &c.fresh} {
			c := l.counts()
			st.Counts = append(st.Counts, c[:]...)
		}
	}
	return st
}

// ErrState is wrapped by each error about a stored sketch.
var ErrState = errors.New("stored affinity sketch")

// Restore makes the sketch that st was taken of. The model must have the same
// configuration, the seed above all. A state that no sketch can have is refused.
func (m *Model) Restore(st State) (*Sketch, error) {
	n := len(st.Slots)
	switch {
	case st.Room < smallest || st.Room > m.cfg.Limit || st.Room&(st.Room-1) != 0:
		return nil, fmt.Errorf("%w: room for %d keys, want a power of two from %d to %d", ErrState, st.Room, smallest, m.cfg.Limit)
	case n > st.Room || len(st.Hashes) != n || len(st.Last) != n || len(st.Counts) != counts*n:
		return nil, fmt.Errorf("%w: %d slots, %d hashes, %d ticks, %d counts do not belong together", ErrState, n, len(st.Hashes), len(st.Last), len(st.Counts))
	case n > 0 && !st.Started:
		return nil, fmt.Errorf("%w: %d keys before it began", ErrState, n)
	}
	s := &Sketch{m: m, hashes: make([]uint64, st.Room), cells: make([]cell, st.Room), used: n, evicted: st.Evicted}
	for i, slot := range st.Slots {
		h, home := st.Hashes[i], st.Hashes[i]&uint64(st.Room-1)
		if int(slot) >= st.Room || i > 0 && slot <= st.Slots[i-1] {
			return nil, fmt.Errorf("%w: slot %d is out of order", ErrState, slot)
		}
		if h == 0 || (uint64(slot)-home)&uint64(st.Room-1) >= window {
			return nil, fmt.Errorf("%w: slot %d holds a key that belongs elsewhere", ErrState, slot)
		}
		v := st.Counts[counts*i : counts*(i+1)]
		for _, x := range v {
			if !(x >= 0) || x > math.MaxFloat32 {
				return nil, fmt.Errorf("%w: slot %d: a count of %v", ErrState, slot, x)
			}
		}
		s.hashes[slot] = h
		s.cells[slot] = cell{st.Last[i], laneOf(v[:laneCounts]), laneOf(v[laneCounts:])}
	}
	if st.Started {
		s.Begin(st.Start)
	}
	return s, nil
}

// Merge adds what o knows, as if s had met o's events too. For keys that only one
// of them met the result is exact while there is room; for others each side's
// ticks were learnt by its own measure. Both must be of one model.
func (s *Sketch) Merge(o *Sketch) error {
	if s.m.cfg != o.m.cfg {
		return errors.New("merge affinity sketches of different configurations")
	}
	if !o.started {
		return nil
	}
	s.Begin(o.start)
	tick := max(s.now, o.now)
	for i, h := range o.hashes {
		if h == 0 {
			continue
		}
		c := o.cells[i]
		j, found := s.find(h)
		if !found {
			s.insert(h, c, tick)
			continue
		}
		d := &s.cells[j]
		s.turn(max(c.last, d.last))
		s.align(d, s.now)
		s.align(&c, s.now)
		d.all.merge(&c.all)
		d.fresh.merge(&c.fresh)
	}
	s.evicted += o.evicted
	s.turn(tick)
	return nil
}

// align settles a cell even over more than a day.
func (s *Sketch) align(c *cell, tick int64) {
	if c.last != tick {
		s.settle(c, tick)
	}
}

func (l *lane) merge(o *lane) {
	l.quick = plus(l.quick, o.quick)
	l.slow = plus(l.slow, o.slow)
	l.tick = plus(l.tick, o.tick)
	l.past = plus(l.past, o.past)
	l.quickPeak.merge(&o.quickPeak)
	l.slowPeak.merge(&o.slowPeak)
}

// merge takes the larger: whether the peaks fell together isn't known, and the
// smaller expectation is the stricter.
func (p *peak) merge(o *peak) {
	p.top, p.logs, p.usual = max(p.top, o.top), max(p.logs, o.logs), max(p.usual, o.usual)
}

// plus adds without leaving the range.
func plus(a, b float32) float32 { return min(a+b, math.MaxFloat32) }
