package main

import (
	"container/heap"
	"context"
	"fmt"
	"hash"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"time"

	"vigil/internal/demo"
)

// sim plays the story: a queue of things to happen, worked off in the order of
// simulated time by one goroutine.
type sim struct {
	opt        options
	tape       tape
	start, end time.Time
	world      *world
	staff      []member
	// exporter is the agent who exports in mass at the end.
	exporter string

	ctx    context.Context
	queue  events
	serial int
	err    error
	truth  demo.Truth
	// taken collects whose data each breach took.
	taken map[*demo.Breach]map[int64]bool
	// digest is of everything that was sent, and when.
	digest hash.Hash64
}

// event is one thing to happen.
type event struct {
	at     time.Time
	serial int
	do     func(t time.Time)
}

// events is a heap by time, then by when they were planned.
type events []event

func (q events) Len() int { return len(q) }
func (q events) Less(i, j int) bool {
	if q[i].at.Equal(q[j].at) {
		return q[i].serial < q[j].serial
	}
	return q[i].at.Before(q[j].at)
}
func (q events) Swap(i, j int) { q[i], q[j] = q[j], q[i] }

// Push is heap.Interface's.
func (q *events) Push(x any) { *q = append(*q, x.(event)) }

// Pop is heap.Interface's.
func (q *events) Pop() any {
	old := *q
	x := old[len(old)-1]
	*q = old[:len(old)-1]
	return x
}

func newSim(o options, t tape) *sim {
	end := lastDay.AddDate(0, 0, 1)
	s := &sim{opt: o, tape: t, start: end.AddDate(0, 0, -o.days), end: end, taken: map[*demo.Breach]map[int64]bool{}, digest: fnv.New64a()}
	s.world = newWorld(o.seed, s.start)
	s.staff = hire(o.agents)
	s.exporter = "emea.maria"
	if o.agents == 40 {
		s.exporter = "emea.dario"
	}
	s.truth = demo.Truth{Seed: o.seed, Start: s.start, End: end, LastDay: lastDay}
	return s
}

// run plays everything and returns the key of truth. Only the log's length is
// left for the caller to fill in.
func (s *sim) run(ctx context.Context) (demo.Truth, error) {
	s.ctx = ctx
	s.planAgents()
	s.planSupervisors()
	s.planEngineers()
	s.planServices()
	// Pointers into the list stay valid: it is as long as it will ever be.
	s.truth.Breaches = make([]demo.Breach, 3)
	s.planVendorTheft(&s.truth.Breaches[0])
	s.planMassExport(&s.truth.Breaches[1])
	s.planSlowScrape(&s.truth.Breaches[2])
	for len(s.queue) > 0 && s.err == nil {
		if err := ctx.Err(); err != nil {
			return s.truth, err
		}
		e := heap.Pop(&s.queue).(event)
		if !e.at.Before(s.end) {
			break
		}
		e.do(e.at)
	}
	if s.err != nil {
		return s.truth, s.err
	}
	for i := range s.truth.Breaches {
		b := &s.truth.Breaches[i]
		b.Customers = len(s.taken[b])
		b.Bulk = b.Bulk.Truncate(time.Millisecond)
	}
	slices.SortFunc(s.truth.Breaches, func(a, b demo.Breach) int { return a.Start.Compare(b.Start) })
	slices.SortStableFunc(s.truth.Irregularities, func(a, b demo.Irregularity) int { return a.Start.Compare(b.Start) })
	s.truth.Digest = fmt.Sprintf("%016x", s.digest.Sum64())
	s.truth.Customers, s.truth.Conversations, s.truth.Cases = len(s.world.contacts)-1, len(s.world.conversations)-1, len(s.world.cases)-1
	return s.truth, nil
}

// at plans f for t; what lies outside the recording does not happen.
func (s *sim) at(t time.Time, f func(t time.Time)) {
	if t.Before(s.start) || !t.Before(s.end) {
		return
	}
	s.serial++
	heap.Push(&s.queue, event{at: t.UTC().Truncate(time.Millisecond), serial: s.serial, do: f})
}

// sent adds what is about to be sent to the digest.
func (s *sim) sent(t time.Time, what ...any) {
	fmt.Fprintln(s.digest, append([]any{t.UnixNano()}, what...)...)
}

// odd notes a harmless irregularity, if it lies in the recording.
func (s *sim) odd(kind, actor string, start, end time.Time, story string) {
	if end.After(s.start) && start.Before(s.end) {
		s.truth.Irregularities = append(s.truth.Irregularities, demo.Irregularity{Kind: kind, Actor: actor, Start: start.UTC(), End: end.UTC(), Story: story})
	}
}

// days calls f with the midnight of each day of the recording in a time zone,
// one day more at either end, since zones differ.
func (s *sim) days(loc *time.Location, f func(day time.Time)) {
	first := s.start.AddDate(0, 0, -1)
	for i := range s.opt.days + 2 {
		d := first.AddDate(0, 0, i)
		f(time.Date(d.Year(), d.Month(), d.Day(), 0, 0, 0, 0, loc))
	}
}

// client is one program's connection to the store, for one login.
type client struct {
	s    *sim
	l    login
	r    *rand.Rand
	sess session
	// breach, when set, is the theft that this client's statements belong to.
	breach *demo.Breach
	// rows is what the last statement returned.
	rows int64
}

// open connects and returns when the client may go on.
func (c *client) open(t time.Time) time.Time {
	if c.s.err != nil || c.sess != nil {
		return t
	}
	c.s.sent(t, c.l)
	sess, err := c.s.tape.connect(c.s.ctx, t, c.l)
	if err != nil {
		c.s.err = fmt.Errorf("at %s: %w", t.Format(time.DateTime), err)
		return t
	}
	c.sess = sess
	if b := c.breach; b != nil {
		c.mark(t)
		if !slices.Contains(b.Addresses, c.l.addr) {
			b.Addresses = append(b.Addresses, c.l.addr)
		}
	}
	return t.Add(between(c.r, 25*time.Millisecond, 80*time.Millisecond))
}

// ask runs a statement and returns when the next one may follow at once. A
// closed client asks nothing: its shift is over.
func (c *client) ask(t time.Time, st statement) time.Time {
	if c.s.err != nil || c.sess == nil {
		return t
	}
	c.s.sent(t, c.l.user, st)
	rows, err := c.sess.do(c.s.ctx, t, st)
	if err != nil {
		c.s.err = fmt.Errorf("at %s: %w", t.Format(time.DateTime), err)
		return t
	}
	c.rows = rows
	c.s.truth.Statements++
	if b := c.breach; b != nil {
		b.Statements++
		b.Rows += rows
		c.mark(t)
	}
	return t.Add(between(c.r, 4*time.Millisecond, 30*time.Millisecond))
}

// later plans a statement of its own for t.
func (c *client) later(t time.Time, st statement) {
	c.s.at(t, func(t time.Time) { c.ask(t, st) })
}

// close disconnects.
func (c *client) close(t time.Time) {
	if c.s.err != nil || c.sess == nil {
		return
	}
	c.s.sent(t, c.l.user)
	if err := c.sess.close(c.s.ctx, t); err != nil {
		c.s.err = fmt.Errorf("at %s: %w", t.Format(time.DateTime), err)
	}
	c.sess = nil
	if c.breach != nil {
		c.mark(t)
	}
}

// mark stretches the breach to t.
func (c *client) mark(t time.Time) {
	b := c.breach
	if b.Start.IsZero() || t.Before(b.Start) {
		b.Start = t.Truncate(time.Millisecond)
	}
	if t.After(b.End) {
		b.End = t.Truncate(time.Millisecond)
	}
}

// takes notes that the breach took these customers' data.
func (c *client) takes(contacts ...int64) {
	b := c.breach
	if c.s.taken[b] == nil {
		c.s.taken[b] = map[int64]bool{}
	}
	for _, id := range contacts {
		c.s.taken[b][id] = true
	}
}
