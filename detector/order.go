package detector

import (
	"cmp"
	"slices"
	"time"

	"vigil"
)

const (
	// patience is how long an event waits for earlier ones to arrive.
	patience = int64(30 * time.Second)
	// maxPending bounds the events that wait; beyond it the earliest go.
	maxPending = 200_000
	// idleTicks is after how many ticks without a batch a source no longer holds
	// time back.
	idleTicks = 2
)

// order puts events in the order of their event time. Time is what the slowest
// active source has reached, less patience; where no source is active, ticks
// carry it on.
type order struct {
	waiting []*vigil.Event // sorted by time, then arrival
	fresh   int            // of waiting, the sorted prefix
	sources map[string]*sourceClock
	ticks   int64
	// watermark is the event time up to which order is settled (Unix
	// nanoseconds).
	watermark int64
	out       []*vigil.Event
}

type sourceClock struct {
	Max, Tick int64
}

// push takes a batch of one source.
func (o *order) push(source string, events []*vigil.Event) {
	if len(events) == 0 {
		return
	}
	if o.sources == nil {
		o.sources = map[string]*sourceClock{}
	}
	c := o.sources[source]
	if c == nil {
		if len(o.sources) >= maxSources {
			o.forgetIdle()
		}
		c = &sourceClock{}
		o.sources[source] = c
	}
	c.Tick = o.ticks
	for _, e := range events {
		t := e.Time.UnixNano()
		c.Max = max(c.Max, t)
		if t < o.watermark {
			e.Late = true
		}
	}
	o.waiting = append(o.waiting, events...)
	o.settle(0)
}

func (o *order) forgetIdle() {
	for name, c := range o.sources {
		if o.ticks-c.Tick > idleTicks {
			delete(o.sources, name)
		}
	}
}

// tick moves time on where nothing arrives: two ticks without any batch.
func (o *order) tick(t int64) {
	o.ticks++
	if len(o.sources) > 0 {
		o.settle(t)
	}
}

// settle advances the watermark.
func (o *order) settle(tick int64) {
	slowest, active := int64(0), false
	for _, c := range o.sources {
		if o.ticks-c.Tick >= idleTicks {
			continue
		}
		if !active || c.Max < slowest {
			slowest, active = c.Max, true
		}
	}
	if !active {
		slowest = tick
	}
	o.watermark = max(o.watermark, slowest-patience)
}

// flush settles all: nothing earlier will come.
func (o *order) flush() {
	for _, c := range o.sources {
		o.watermark = max(o.watermark, c.Max+1)
	}
	// What waits may be of a source that was forgotten since.
	for _, e := range o.waiting {
		o.watermark = max(o.watermark, e.Time.UnixNano()+1)
	}
}

// pop returns the events whose order is settled, late ones first. They are valid
// until the next pop.
func (o *order) pop() []*vigil.Event {
	o.sort()
	if over := len(o.waiting) - maxPending; over > 0 {
		o.watermark = max(o.watermark, o.waiting[over-1].Time.UnixNano()+1)
	}
	n, _ := slices.BinarySearchFunc(o.waiting, o.watermark, func(e *vigil.Event, t int64) int {
		return cmp.Compare(e.Time.UnixNano(), t)
	})
	o.out = append(o.out[:0], o.waiting[:n]...)
	rest := copy(o.waiting, o.waiting[n:])
	clear(o.waiting[rest:])
	o.waiting = o.waiting[:rest]
	o.fresh = rest
	return o.out
}

// sort merges what was pushed since the last pop. Sorting is stable, so arrival
// decides between equal times.
func (o *order) sort() {
	added := o.waiting[o.fresh:]
	byTime := func(a, b *vigil.Event) int { return a.Time.Compare(b.Time) }
	if !slices.IsSortedFunc(added, byTime) {
		slices.SortStableFunc(added, byTime)
	}
	if o.fresh > 0 && len(added) > 0 && added[0].Time.Before(o.waiting[o.fresh-1].Time) {
		slices.SortStableFunc(o.waiting, byTime)
	}
	o.fresh = len(o.waiting)
}
