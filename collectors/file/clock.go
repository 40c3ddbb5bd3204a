package file

import (
	"fmt"
	"time"

	"vigil"
)

// The clock filter's settings: how far an event may stand from its neighbours,
// and how many of those are asked.
const (
	clockLeap  = 24 * time.Hour
	clockAhead = 64
	// clockVotes is how many more of those must go on from before.
	clockVotes = 3
	// clockOld is how far before all others a stream's first event may be: a log
	// may begin slowly, yet not from a machine that has just forgotten the year.
	clockOld = 365 * 24 * time.Hour
)

// clockFilter sets aside events whose clock was wrong: they stand more than a
// day from the event before them, and the following ones go on from before. A
// gap in a log is no such case, because after it the following ones agree with
// the new time. Only an event in doubt waits for those that follow; all others
// pass at once.
type clockFilter struct {
	// backwards says that the stream runs from new to old.
	backwards bool
	pass      func(*vigil.Event)
	refuse    func(e *vigil.Event, reason string)
	// off lets everything pass.
	off bool

	ref  time.Time
	held []*vigil.Event
}

func apart(a, b time.Time) time.Duration { return a.Sub(b).Abs() }

func (c *clockFilter) add(e *vigil.Event) {
	if c.off {
		c.pass(e)
		return
	}
	if len(c.held) == 0 && !c.ref.IsZero() && apart(e.Time, c.ref) <= clockLeap {
		c.ref = e.Time
		c.pass(e)
		return
	}
	c.held = append(c.held, e)
	if len(c.held) > clockAhead {
		c.decide()
	}
}

// flush decides about what is held with the neighbours there are.
func (c *clockFilter) flush() {
	for len(c.held) > 0 {
		c.decide()
	}
}

// reset forgets the past, for an input that has nothing to do with it.
func (c *clockFilter) reset() { c.ref = time.Time{} }

// decide judges the first held event and passes on what is then no longer in
// doubt.
func (c *clockFilter) decide() {
	e := c.held[0]
	if reason := c.wrong(e, c.held[1:]); reason != "" {
		c.refuse(e, reason)
	} else {
		c.ref = e.Time
		c.pass(e)
	}
	n := 1
	for n < len(c.held) && !c.ref.IsZero() && apart(c.held[n].Time, c.ref) <= clockLeap {
		c.ref = c.held[n].Time
		c.pass(c.held[n])
		n++
	}
	c.held = append(c.held[:0], c.held[n:]...)
}

// wrong says why e's time can't be, seen the events that follow, or "".
func (c *clockFilter) wrong(e *vigil.Event, follow []*vigil.Event) string {
	if c.ref.IsZero() {
		return c.wrongStart(e, follow)
	}
	with, back := 0, 0
	for _, f := range follow {
		if apart(f.Time, e.Time) <= clockLeap {
			with++
		}
		if apart(f.Time, c.ref) <= clockLeap {
			back++
		}
	}
	// A plain majority is not enough: in a short log of far-apart times everything
	// stands alone, and nothing is wrong.
	if back < 3*with+clockVotes {
		return ""
	}
	return clockReason(e.Time, c.ref)
}

// wrongStart judges the stream's first event, which has none before it.
func (c *clockFilter) wrongStart(e *vigil.Event, follow []*vigil.Event) string {
	if len(follow) < 2 {
		return ""
	}
	agree := 0
	for _, f := range follow {
		if apart(f.Time, e.Time) <= clockLeap {
			return ""
		}
		if apart(f.Time, follow[0].Time) <= clockLeap {
			agree++
		}
	}
	if agree*2 < len(follow) {
		return ""
	}
	ahead := e.Time.After(follow[0].Time) != c.backwards
	if !ahead && apart(e.Time, follow[0].Time) <= clockOld {
		return ""
	}
	return clockReason(e.Time, follow[0].Time)
}

func clockReason(got, around time.Time) string {
	const layout = "2006-01-02 15:04:05"
	return fmt.Sprintf("the time %s is more than a day away from the events around it (%s): the clock was wrong",
		got.UTC().Format(layout), around.UTC().Format(layout))
}
