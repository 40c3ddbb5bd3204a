package traffic

import (
	"container/heap"
	"math"
	"math/rand/v2"
	"strconv"
	"time"

	"vigil"
)

// The habits of a ticketing system. A conversation is mostly assigned some minutes
// before it is opened, so that a feed that lags by minutes mostly knows in time;
// one in twenty is worked on without anybody having taken it in the system.
const (
	forgottenPercent = 5
	leadMedian       = 15 * time.Minute
	quietFor         = 72 * time.Hour
)

// Clerk makes the assignments that a ticketing system would tell of the work that
// events show: who answers for which conversation, from when until when. What it
// sees it takes for legitimate.
//
// Its memory is that of the conversations of some days. It is for one goroutine.
type Clerk struct {
	rng    *rand.Rand
	seed   uint64
	open   map[deskKey]*assigned
	quiet  idle
	due    []Told
	serial int
}

type deskKey struct{ tenant, actor, talk string }

// assigned is one assignment that stands.
type assigned struct {
	vigil.Assignment
	key  deskKey
	last time.Time
	n    int // place in the heap
}

// NewClerk returns one whose forgetting follows from the seed.
func NewClerk(seed uint64) *Clerk {
	return &Clerk{rng: stream(seed, 1<<21, streamHappening), seed: seed, open: map[deskKey]*assigned{}}
}

// Takes reports whether somebody's work on conversations is assigned: machines work
// by contract, customers look after themselves.
func Takes(a *vigil.Actor) bool {
	switch a.Kind {
	case vigil.KindHuman, vigil.KindAdmin, vigil.KindUnspecified:
		return a.Role != RoleCustomer
	}
	return false
}

// See takes note of an event.
func (c *Clerk) See(e *vigil.Event) {
	talk := e.Conversation
	if talk == "" {
		talk = e.Ticket
	}
	if talk == "" || !Takes(&e.Actor) || c.forgets(e.Actor.ID, talk) {
		return
	}
	c.close(e.Time)
	key := deskKey{e.Actor.Tenant, e.Actor.ID, talk}
	if x := c.open[key]; x != nil {
		if e.Time.After(x.last) {
			x.last = e.Time
			heap.Fix(&c.quiet, x.n)
		}
		return
	}
	c.serial++
	lead := time.Duration(float64(leadMedian) * math.Exp(c.rng.NormFloat64()))
	x := &assigned{key: key, last: e.Time, Assignment: vigil.Assignment{
		ID: "as-" + strconv.Itoa(c.serial), Who: vigil.Who{Actor: e.Actor.ID}, Conversation: e.Conversation, Period: vigil.Period{From: e.Time.Add(-lead).Truncate(time.Second)},
	}}
	if e.Conversation == "" {
		x.Ticket = e.Ticket
	}
	if e.Purpose == "qa" || e.Purpose == "quality" {
		x.Purpose = e.Purpose
	}
	c.open[key] = x
	heap.Push(&c.quiet, x)
	c.tell(x.From.Add(time.Minute+time.Duration(c.rng.IntN(120))*time.Second), x.Assignment)
}

// forgets decides by whom and about what alone.
func (c *Clerk) forgets(actor, talk string) bool {
	h := mix(c.seed)
	for _, s := range [...]string{actor, talk} {
		for i := range len(s) {
			h = mix(h ^ uint64(s[i]))
		}
	}
	return h%100 < forgottenPercent
}

// close ends what nobody has touched for days.
func (c *Clerk) close(now time.Time) {
	for len(c.quiet) > 0 && now.Sub(c.quiet[0].last) > quietFor {
		x := heap.Pop(&c.quiet).(*assigned)
		delete(c.open, x.key)
		x.To = x.last.Add(quietFor).Truncate(time.Second)
		c.tell(x.To, x.Assignment)
	}
}

func (c *Clerk) tell(at time.Time, a vigil.Assignment) {
	at = polled(at)
	for i := range c.due { // few times are open at once
		if c.due[i].At.Equal(at) {
			c.due[i].Facts.Assignments = append(c.due[i].Facts.Assignments, a)
			return
		}
	}
	c.due = append(c.due, Told{At: at, Facts: vigil.Facts{Feed: FeedName(vigil.FactAssignment), Kind: vigil.FactAssignment, Assignments: []vigil.Assignment{a}}})
}

// Due takes out what is known before a time, in order.
func (c *Clerk) Due(until time.Time) []Told {
	var out, rest []Told
	for _, t := range c.due {
		if t.At.Before(until) {
			out = append(out, t)
		} else {
			rest = append(rest, t)
		}
	}
	c.due = rest
	sortTold(out)
	return out
}

// idle is a heap of assignments, the one quiet for longest on top.
type idle []*assigned

// Len counts them.
func (h idle) Len() int { return len(h) }

// Less puts the one quiet for longer first.
func (h idle) Less(i, j int) bool {
	if c := h[i].last.Compare(h[j].last); c != 0 {
		return c < 0
	}
	return h[i].ID < h[j].ID
}

// Swap changes places.
func (h idle) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].n, h[j].n = i, j
}

// Push is heap.Interface's.
func (h *idle) Push(x any) {
	a := x.(*assigned)
	a.n = len(*h)
	*h = append(*h, a)
}

// Pop is heap.Interface's.
func (h *idle) Pop() any {
	old := *h
	a := old[len(old)-1]
	*h = old[:len(old)-1]
	return a
}
