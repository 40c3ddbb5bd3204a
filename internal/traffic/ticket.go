package traffic

import (
	"math/rand/v2"
	"strconv"
	"time"

	"vigil"
)

// ticket is one conversation over its whole life. Its id and its customer never
// change, whoever works on it.
type ticket struct {
	customer int
	talk     string
	number   string // of the ticket; empty for a chat that has none
	owner    int32  // index of the actor who has it
	touched  time.Time
}

// The bounds of a pool and of what one person has on the desk. What is pushed
// out is never worked on again.
const (
	maxSolved = 8192
	maxMoved  = 2048
	maxRecent = 4096
	maxMine   = 12
)

// firstTalk is the number of the first conversation of a pool: they count up in
// order of time, above all that Conversation gives.
const firstTalk = 9_000_000_001

// pool holds the conversations between the people who work on them.
type pool struct {
	serial int
	lives  bool      // tickets are reopened and move
	solved []*ticket // may be reopened
	moved  []*ticket // wait for somebody else
	recent []*ticket // a ring of what was opened of late
	at     int       // where the ring goes on
}

// newTicket opens a conversation.
func (p *pool) newTicket(customer int) *ticket {
	t := &ticket{customer: customer, talk: "c-" + strconv.Itoa(firstTalk+p.serial), owner: -1}
	p.serial++
	return t
}

// remember puts a conversation among the recent ones.
func (p *pool) remember(t *ticket, at time.Time) {
	t.touched = at
	if len(p.recent) < maxRecent {
		p.recent = append(p.recent, t)
		return
	}
	p.recent[p.at] = t
	p.at = (p.at + 1) % maxRecent
}

// some draws a recent conversation, nil when there is none.
func (p *pool) some(rng *rand.Rand) *ticket {
	if p == nil || len(p.recent) == 0 {
		return nil
	}
	return p.recent[rng.IntN(len(p.recent))]
}

// changed lists up to n conversations touched after since and not after now. Actors
// take turns by the hour, so that the ring is only roughly in order of time; it is
// looked through far enough for that.
func (p *pool) changed(since, now time.Time, n int) []*ticket {
	var out []*ticket
	for i := 1; i <= min(len(p.recent), 1024) && len(out) < n; i++ {
		t := p.recent[(p.at-i+2*len(p.recent))%len(p.recent)]
		if t.touched.After(since) && !t.touched.After(now) {
			out = append(out, t)
		}
	}
	return out
}

// solve closes a conversation until its customer writes again.
func (p *pool) solve(rng *rand.Rand, t *ticket) {
	if len(p.solved) < maxSolved {
		p.solved = append(p.solved, t)
		return
	}
	p.solved[rng.IntN(len(p.solved))] = t
}

// reopen takes out a conversation that was closed half a day ago or earlier.
func (p *pool) reopen(rng *rand.Rand, at time.Time) *ticket {
	for range min(4, len(p.solved)) {
		i := rng.IntN(len(p.solved))
		if t := p.solved[i]; at.Sub(t.touched) > 12*time.Hour {
			last := len(p.solved) - 1
			p.solved[i] = p.solved[last]
			p.solved = p.solved[:last]
			return t
		}
	}
	return nil
}

// take gives the oldest conversation that waits for somebody other than a.
func (p *pool) take(a *actor) *ticket {
	for i, t := range p.moved {
		if int(t.owner) != a.index {
			p.moved = append(p.moved[:i], p.moved[i+1:]...)
			return t
		}
		if i == 16 {
			break
		}
	}
	return nil
}

// openTicket takes up a conversation: one's own that goes on, one reopened by
// its customer, one that somebody else handed on, or a new one.
func (a *actor) openTicket(w *World, at time.Time) {
	p, rng := w.pool, a.rng
	a.leaveTicket(p, at)
	human := a.role.pattern == shifts
	u := rng.Float64()
	var t *ticket
	if p.lives && human {
		switch {
		case u < 0.28 && len(a.mine) > 0:
			i := rng.IntN(len(a.mine))
			t = a.mine[i]
			a.mine = append(a.mine[:i], a.mine[i+1:]...)
		case u < 0.42:
			t = p.reopen(rng, at)
		case u < 0.58:
			t = p.take(a)
		}
	}
	if t == nil {
		t = p.newTicket(w.customer(rng, at))
	}
	if human && t.number == "" && rng.Float64() < 0.85 { // some stay a mere chat
		t.number = "T-" + t.talk[2:]
	}
	t.owner = int32(a.index)
	p.remember(t, at)
	a.ticketOf = t
	a.customer, a.talk, a.ticket = t.customer, t.talk, t.number
	a.purpose = a.handover(at)
	a.left = int(rng.ExpFloat64() * a.role.caseLen)
}

// leaveTicket puts down what was worked on: solved, handed on, or waiting for
// the customer's answer.
func (a *actor) leaveTicket(p *pool, at time.Time) {
	t := a.ticketOf
	a.ticketOf = nil
	if t == nil || !p.lives {
		return
	}
	t.touched = at
	solved, moved := 0.6, 0.12
	if a.role.pattern != shifts { // what a bot can't answer, people do
		solved, moved = 0.85, 0.15
	}
	switch u := a.rng.Float64(); {
	case u < solved:
		p.solve(a.rng, t)
	case u < solved+moved && len(p.moved) < maxMoved:
		p.moved = append(p.moved, t)
	case len(a.mine) < maxMine:
		a.mine = append(a.mine, t)
	default:
		p.solve(a.rng, a.mine[0])
		a.mine = append(a.mine[:0], a.mine[1:]...)
		a.mine = append(a.mine, t)
	}
}

// qaCases is what a supervisor looks at when judging a conversation.
var qaCases = []op{
	{vigil.ActionRead, "messages", "content", 70, 14, 0.6, 310, 50, current, 3, []string{"content", "sender_type"}, ""},
	{vigil.ActionRead, "conversations", "metadata", 20, 1, 0, 420, 0, current, 3, nil, ""},
	{vigil.ActionRead, "notes", "content", 10, 2, 0.6, 200, 0, current, 2, nil, ""},
}

// sample takes up somebody else's conversation to judge it. It reports false
// when there is none.
func (a *actor) sample(w *World) bool {
	var t *ticket
	for range 4 {
		if t = w.pool.some(a.rng); t != nil && int(t.owner) != a.index {
			break
		}
	}
	if t == nil || int(t.owner) == a.index {
		return false
	}
	a.leaveTicket(w.pool, t.touched)
	a.customer, a.talk, a.ticket, a.purpose = t.customer, t.talk, "", "qa"
	a.samples, a.left = true, 1+a.rng.IntN(4)
	return true
}
