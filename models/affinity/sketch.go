package affinity

import "math"

// window is how many slots a key may lie from its home: one cache line of hashes.
const window = 8

// smallest is how many slots a sketch begins with.
const smallest = 64

// lane counts one kind of event of one key.
type lane struct {
	// quick and slow are the decayed present, in events.
	quick, slow float32
	// tick counts the events of the last tick, which are not past yet.
	tick float32
	// past is the decayed sum of what was learnt.
	past float32
	// quickPeak and slowPeak are of the peaks of the present.
	quickPeak, slowPeak peak
}

// peak follows the largest count of each day.
type peak struct {
	// top is the last day's so far.
	top float32
	// logs is the decayed sum of the days' ln(1 + top).
	logs float32
	// usual is the geometric mean of the tops of all days before the last one, days
	// without events among them. What comes nearly every day raises it, an attack on
	// some days hardly does.
	usual float32
}

// cell is what is kept of one key.
type cell struct {
	last int64
	// all counts every event, fresh those that the caller called fresh.
	all, fresh lane
}

// Sketch keeps bounded, decayed counts of keys and judges each event against
// them. The zero value is not usable; Model.Sketch makes one.
type Sketch struct {
	m *Model
	// hashes and cells are the slots; a zero hash is an empty one.
	hashes []uint64
	cells  []cell
	used   int
	// started tells that start, the tick from which the past counts, is known.
	started bool
	start   int64
	// now is the tick that rate was made for: the events a tick that one unit of
	// past stands for.
	now  int64
	rate float64
	// evicted counts the keys whose past was given up.
	evicted uint64
}

// Sketch makes an empty sketch of 6 KiB.
func (m *Model) Sketch() *Sketch {
	return &Sketch{m: m, hashes: make([]uint64, smallest), cells: make([]cell, smallest)}
}

// Begin says that the sketch watches from that tick on. Without it, the first
// event's tick counts. It only ever moves the beginning back.
func (s *Sketch) Begin(tick int64) {
	if !s.started || tick < s.start {
		s.start, s.started = tick, true
		s.turn(tick)
	}
}

// Len is how many keys have a past.
func (s *Sketch) Len() int { return s.used }

// Slots is how many keys there is room for now, at 96 bytes each.
func (s *Sketch) Slots() int { return len(s.hashes) }

// Evicted is how many keys had to go for want of room.
func (s *Sketch) Evicted() uint64 { return s.evicted }

// Add counts an event of the key at a tick and returns how surprising the key's
// counts are now, in nats, from zero. Ticks should not fall: an event from before
// the key's last tick counts as of that tick, unless it is more than a day
// earlier, which is taken for a clock that was set right.
func (s *Sketch) Add(key uint64, tick int64) float64 {
	score, _ := s.AddFan(key, tick, false)
	return score
}

// AddFan is Add for an end of an edge: fresh says that this edge was never seen
// before, and the score is the larger of that for all events and that for fresh
// ones. first tells that the key itself was not known.
func (s *Sketch) AddFan(key uint64, tick int64, fresh bool) (score float64, first bool) {
	c, first := s.count(key, tick, fresh)
	score = s.judge(&c.all)
	if c.fresh.slow > 0 {
		score = max(score, s.judge(&c.fresh))
	}
	return score, first
}

// count counts an event and returns the key's cell, which stays where it is until
// the next key comes.
func (s *Sketch) count(key uint64, tick int64, fresh bool) (c *cell, first bool) {
	if !s.started {
		s.Begin(tick)
	}
	if tick != s.now {
		s.turn(tick)
	}
	h := s.hash(key)
	i, found := s.find(h)
	if !found {
		i = s.place(h, tick)
	}
	c = &s.cells[i]
	if c.last != tick {
		s.settle(c, tick)
	}
	c.all.add()
	if fresh {
		c.fresh.add()
	}
	return c, !found
}

// hash is never zero, which stands for an empty slot.
func (s *Sketch) hash(key uint64) uint64 {
	if h := mix(key ^ s.m.cfg.Seed); h != 0 {
		return h
	}
	return 1
}

// turn makes the rate for a tick.
func (s *Sketch) turn(tick int64) {
	s.now = tick
	s.rate = 1 / (s.m.span(since(tick, s.start)) + float64(s.m.cfg.Day))
}

// since is the ticks from a to b, zero when b is not later. Unsigned arithmetic
// holds the whole range.
func since(b, a int64) uint64 {
	if b <= a {
		return 0
	}
	return uint64(b) - uint64(a)
}

func (l *lane) add() {
	l.quick++
	l.slow++
	l.tick++
	l.quickPeak.top = max(l.quickPeak.top, l.quick)
	l.slowPeak.top = max(l.slowPeak.top, l.slow)
}

// judge scores a lane's present. Of a burst that comes up to its usual peak, an
// event has met half the peak on average.
func (s *Sketch) judge(l *lane) float64 {
	return s.surprise(l, float64(l.quickPeak.usual)/2, float64(l.slowPeak.usual)/2)
}

// strict scores a lane's present without regard to what its peaks were: for what
// isn't made usual by coming each day.
func (s *Sketch) strict(l *lane) float64 { return s.surprise(l, 0, 0) }

// surprise is the larger of both presents', where no less than quick and slow are
// expected of them.
func (s *Sketch) surprise(l *lane, quick, slow float64) float64 {
	// The prior is one event in a day.
	mu := float64(l.past+1) * s.rate
	return max(
		surprise(float64(l.quick), max(mu*s.m.quickWindow, quick)),
		surprise(float64(l.slow), max(mu*s.m.slowWindow, slow)),
	)
}

// settle makes the last tick's events past, and decays a cell to a later tick.
func (s *Sketch) settle(c *cell, tick int64) {
	if tick < c.last {
		if since(c.last, tick) <= uint64(s.m.cfg.Day) {
			return
		}
		c.last = tick
	}
	dt := since(tick, c.last)
	quick, slow, past := float32(s.m.quick.of(dt)), float32(s.m.slow.of(dt)), s.m.past.of(dt)
	days := since(dayOf(tick, s.m.cfg.Day), dayOf(c.last, s.m.cfg.Day))
	for _, l := range [...]*lane{&c.all, &c.fresh} {
		l.quick *= quick
		l.slow *= slow
		l.past = float32((float64(l.past) + s.learnt(l)) * past)
		l.tick = 0
		if days > 0 {
			s.closeDay(&l.quickPeak, days)
			s.closeDay(&l.slowPeak, days)
		}
	}
	c.last = tick
}

// closeDay ends a peak's last day, some days later.
func (s *Sketch) closeDay(p *peak, days uint64) {
	if p.top == 0 && p.logs == 0 {
		return
	}
	day := uint64(s.m.cfg.Day)
	left := s.m.past.of(min(days, forgotten/day+1) * day)
	p.logs = float32((float64(p.logs) + ln(1+float64(p.top))) * left)
	p.top = 0
	// The weight of all days since the beginning, and of the prior's, which was
	// without events.
	p.usual = float32(min(exp(float64(p.logs)*float64(day)*s.rate)-1, math.MaxFloat32))
}

// dayOf is the day that a tick belongs to.
func dayOf(tick, day int64) int64 {
	d := tick / day
	if tick%day < 0 {
		d--
	}
	return d
}

// learnt is how much of a lane's last tick may become past: twice what was
// expected of it and a calm tick's worth.
func (s *Sketch) learnt(l *lane) float64 {
	if l.tick == 0 {
		return 0
	}
	mu := float64(l.past+1) * s.rate
	return min(float64(l.tick), float64(2*mu)+s.m.cfg.Calm)
}

// find looks for a hash in its window. When it is not there, i is the first empty
// slot, or -1.
func (s *Sketch) find(h uint64) (i int, found bool) {
	mask := uint64(len(s.hashes) - 1)
	for k := range uint64(window) {
		j := (h + k) & mask
		switch s.hashes[j] {
		case h:
			return int(j), true
		case 0:
			return int(j), false
		}
	}
	return -1, false
}

// place makes room for a new hash and returns its slot.
func (s *Sketch) place(h uint64, tick int64) int {
	i, _ := s.find(h)
	// Keys that crowd each other in a table that is nearly empty were chosen to:
	// more room would not help.
	for i < 0 && len(s.hashes) < s.m.cfg.Limit && s.used >= len(s.hashes)/8 {
		s.grow(tick)
		i, _ = s.find(h)
	}
	if i < 0 {
		i = s.lightest(h, tick)
		s.evicted++
	} else {
		s.used++
	}
	s.hashes[i], s.cells[i] = h, cell{last: tick}
	return i
}

// grow doubles the table.
func (s *Sketch) grow(tick int64) {
	hashes, cells := s.hashes, s.cells
	s.hashes, s.cells = make([]uint64, 2*len(hashes)), make([]cell, 2*len(cells))
	s.used = 0
	for i, h := range hashes {
		if h != 0 {
			s.put(h, cells[i], tick)
		}
	}
}

// put sets a cell whose hash is not there yet. Where no slot is free, the
// lightest has to go, which may be the new one.
func (s *Sketch) put(h uint64, c cell, tick int64) {
	i, _ := s.find(h)
	if i < 0 {
		s.evicted++
		if i = s.lightest(h, tick); s.weight(&s.cells[i], tick) > s.weight(&c, tick) {
			return
		}
	} else {
		s.used++
	}
	s.hashes[i], s.cells[i] = h, c
}

// insert is put with growth.
func (s *Sketch) insert(h uint64, c cell, tick int64) {
	for {
		if i, _ := s.find(h); i >= 0 || len(s.hashes) >= s.m.cfg.Limit || s.used < len(s.hashes)/8 {
			s.put(h, c, tick)
			return
		}
		s.grow(tick)
	}
}

// lightest is the slot of a full window whose key has the least weight. Weight,
// not age, decides: a flood of keys that come once would drive out old friends.
func (s *Sketch) lightest(h uint64, tick int64) int {
	mask := uint64(len(s.hashes) - 1)
	best := int(h & mask)
	least := s.weight(&s.cells[best], tick)
	for k := range uint64(window - 1) {
		j := int((h + k + 1) & mask)
		if w := s.weight(&s.cells[j], tick); w < least {
			best, least = j, w
		}
	}
	return best
}

func (s *Sketch) weight(c *cell, tick int64) float64 {
	return float64(c.all.past+c.all.tick) * s.m.past.of(since(tick, c.last))
}
