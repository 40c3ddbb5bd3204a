package file

import (
	"slices"
	"time"

	"vigil"
)

// The reorder buffer's bounds: how long, in event time, and how many events.
const (
	reorderWindow = time.Minute
	reorderMax    = 4096
)

// reorderer puts events that come a little out of order into order. It holds at
// most reorderMax events; one that comes later than that passes on as it is,
// and is counted.
type reorderer struct {
	out  func(*vigil.Event)
	buf  []*vigil.Event
	head int
	// last is the time of the newest event given out; late counts those that
	// came after it had passed.
	last time.Time
	late int64
}

func (r *reorderer) add(e *vigil.Event) {
	n := len(r.buf)
	if n == r.head || !e.Time.Before(r.buf[n-1].Time) {
		r.buf = append(r.buf, e)
	} else {
		i, _ := slices.BinarySearchFunc(r.buf[r.head:], e, func(have, e *vigil.Event) int {
			if have.Time.After(e.Time) {
				return 1
			}
			// An equal time stays before the newcomer.
			return -1
		})
		r.buf = slices.Insert(r.buf, r.head+i, e)
	}
	for newest := r.buf[len(r.buf)-1].Time; len(r.buf)-r.head > reorderMax || newest.Sub(r.buf[r.head].Time) > reorderWindow; {
		r.pop()
	}
}

func (r *reorderer) pop() {
	e := r.buf[r.head]
	r.buf[r.head] = nil
	r.head++
	if r.head >= reorderMax && r.head*2 >= len(r.buf) {
		n := copy(r.buf, r.buf[r.head:])
		clear(r.buf[n:])
		r.buf, r.head = r.buf[:n], 0
	}
	if e.Time.Before(r.last) {
		r.late++
	} else {
		r.last = e.Time
	}
	r.out(e)
}

func (r *reorderer) flush() {
	for len(r.buf) > r.head {
		r.pop()
	}
	r.buf, r.head = r.buf[:0], 0
}
