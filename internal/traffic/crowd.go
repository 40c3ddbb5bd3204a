package traffic

import (
	"math/rand/v2"
	"time"

	"vigil"
)

// FirstOfCrowd is the number of a crowd's first customer: it is Customer(FirstOfCrowd).
const FirstOfCrowd = 1_000_000

// MaxCrowd bounds Config.Crowd.
const MaxCrowd = 5_000_000

// crowdSource is very many customers with little to do each. Each of them comes
// once in the span, in an order that looks random; the active ones among them
// come about daily besides. Nothing is kept per head.
type crowdSource struct {
	rng    *rand.Rand
	n      uint64
	step   uint64 // coprime to n: k*step mod n runs through everybody
	active uint64
}

// newCrowd readies the crowd of a world.
func newCrowd(w *World) *crowdSource {
	c := &crowdSource{rng: stream(w.cfg.Seed, 1<<20, streamHappening), n: uint64(w.cfg.Crowd)}
	c.active = uint64(float64(c.n) * w.cfg.CrowdActive)
	c.step = c.n*618/1000 | 1
	for gcd(c.step, c.n) != 1 {
		c.step += 2
	}
	return c
}

func (c *crowdSource) hour(w *World, h int, out []*vigil.Event) []*vigil.Event {
	from := w.cfg.Start.Add(time.Duration(h) * time.Hour)
	hours := uint64(w.cfg.Days) * 24
	at := func() time.Time { return from.Add(time.Duration(c.rng.Float64() * float64(time.Hour))) }
	for k := c.n * uint64(h) / hours; k < c.n*(uint64(h)+1)/hours; k++ {
		out = c.once(w, int(k*c.step%c.n), at(), out)
	}
	for range c.active*(uint64(h)%24+1)/24 - c.active*(uint64(h)%24)/24 {
		who := int(c.rng.Uint64N(c.active) * c.step % c.n)
		when := at()
		v := w.visit(c.rng, "crowd", FirstOfCrowd+who, when, w.DeviceOf(who, when), out)
		v.signIn()
		v.own(1)
		out = v.out
	}
	return out
}

// once is a single look at one's own history, by a link in a mail.
func (c *crowdSource) once(w *World, who int, at time.Time, out []*vigil.Event) []*vigil.Event {
	v := w.visit(c.rng, "crowd", FirstOfCrowd+who, at, w.DeviceOf(who, at), out)
	e := v.event(0.1, vigil.ActionRead, "messages", "content", 0)
	about(e, v.customer, Conversation(v.customer, 0), "", "")
	e.Rows, e.Limit, e.Bytes = 4, 50, 1_360
	return v.out
}

func gcd(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
