package traffic

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"vigil"
)

// Poison names a way to teach a detector that a theft is normal, or to let it
// get used to one.
type Poison string

// The poisons that can be staged.
const (
	// SlowRamp: an agent's daily volume grows by 2% a day for 90 days, by reading
	// customers who are none of its business. What is taken grows with it.
	SlowRamp Poison = "slow-ramp"
	// Chaff: while the detector learns, an agent does random things at random
	// hours from random places, so that its own normal becomes wide; then it takes
	// hundreds of customers in one night.
	Chaff Poison = "chaff"
	// LoudMember: one of a group of 12 makes 80% of the group's accesses, wild
	// ones, so that they look like what the group does; then another of the group
	// does the like, to take data.
	LoudMember Poison = "loud-member"
	// OpenFinding: a theft that nobody stops goes on for weeks at one pace.
	OpenFinding Poison = "open-finding"
)

// Poisons lists what can be staged, in a fixed order.
func Poisons() []Poison { return []Poison{SlowRamp, Chaff, LoudMember, OpenFinding} }

// The figures of the poisons at an intensity of 1.
const (
	// RampGrowth is how much more a SlowRamp does each day, as a share.
	RampGrowth = 0.02
	// RampDays is for how long it grows.
	RampDays = 90
	// LoudGroup is the size of LoudMember's group.
	LoudGroup = 12
	// LoudShare is the loudest member's part in the group's accesses.
	LoudShare = 0.8
	// maxPoison bounds the events of one staging.
	maxPoison = 2_000_000
)

// Poisoned is a staged poisoning: the truth about it.
type Poisoned struct {
	// Breach is the whole of it: its events are those of preparation and theft,
	// its actor is the thief, and its subjects are those of the theft alone.
	Breach
	Poison Poison
	// Theft is when data begins to be taken; events before it only prepare.
	Theft time.Time
	// Loud is the loudest member and Group all members, for LoudMember.
	Loud  string
	Group []string
}

// PoisonStage says who poisons, when, and how hard.
type PoisonStage struct {
	Poison Poison
	// Actor is the ID of the thief; empty picks an agent.
	Actor string
	// At is when the theft begins: for SlowRamp the ramp's first day, which is by
	// default so early that 90 days fit, or two weeks after the start; for
	// OpenFinding after two fifths of the span; else a Tuesday late in the span.
	At time.Time
	// Intensity scales the growth or the number of accesses; 1 by default.
	Intensity float64
	// Seed tells stagings of one poison apart.
	Seed uint64
}

// Poison makes the events of a poisoning without adding them, as Stage does.
func (w *World) Poison(s PoisonStage) (Poisoned, error) {
	i := slices.Index(Poisons(), s.Poison)
	if i < 0 {
		return Poisoned{}, fmt.Errorf("stage poison %q: not one of %q", s.Poison, Poisons())
	}
	if s.Intensity == 0 {
		s.Intensity = 1
	}
	if !(s.Intensity > 0 && s.Intensity <= 100) {
		return Poisoned{}, fmt.Errorf("stage poison %q: intensity %v, must be above 0 and at most 100", s.Poison, s.Intensity)
	}
	rng := rand.New(rand.NewPCG(w.cfg.Seed^s.Seed<<16, uint64(i)<<32|0x9015))
	a, err := w.thief(rng, s)
	if err != nil {
		return Poisoned{}, err
	}
	p := &poisoning{w: w, rng: rng, intensity: s.Intensity, at: s.At.UTC()}
	p.thief = p.hand(a, fmt.Sprintf("%s.%d", s.Poison, s.Seed))
	switch s.Poison {
	case SlowRamp:
		err = p.slowRamp(s.At)
	case Chaff:
		err = p.chaff(s.At)
	case LoudMember:
		err = p.loudMember(s.At)
	case OpenFinding:
		err = p.openFinding(s.At)
	}
	if err != nil {
		return Poisoned{}, fmt.Errorf("stage poison %q: %w", s.Poison, err)
	}
	if len(p.thief.out) == 0 {
		return Poisoned{}, fmt.Errorf("stage poison %q: %s doesn't work from %s on", s.Poison, a.ID, p.at)
	}
	slices.SortStableFunc(p.thief.out, byTime)
	if first := p.thief.out[0].Time; first.After(p.at) {
		p.at = first
	}
	out := Poisoned{Poison: s.Poison, Theft: p.at, Group: p.group}
	out.Actor, out.Events, out.Subjects = a.ID, p.thief.out, p.taken()
	if p.loud != nil {
		out.Loud, out.Events = p.loud.a.ID, append(out.Events, p.loud.out...)
	}
	slices.SortStableFunc(out.Events, byTime)
	if n := len(out.Events); n > 0 {
		out.Start, out.End = out.Events[0].Time, out.Events[n-1].Time
	}
	return out, nil
}

// taken counts the customers whom the thief read once the theft had begun.
func (p *poisoning) taken() int64 {
	seen := make(map[string]bool)
	for _, e := range p.thief.out {
		if !e.Time.Before(p.at) {
			for _, s := range e.Subjects {
				seen[s] = true
			}
		}
	}
	return int64(len(seen))
}

// thief finds who does it: an agent who works in the last week.
func (w *World) thief(rng *rand.Rand, s PoisonStage) (*actor, error) {
	if s.Actor != "" {
		if a := w.byID[s.Actor]; a != nil && a.role.pattern == shifts {
			return a, nil
		}
		return nil, fmt.Errorf("stage poison %q: no person %q in this world", s.Poison, s.Actor)
	}
	var fit []*actor
	for _, a := range w.actors {
		days := 0
		for d := range w.cfg.Days {
			if a.works[min(d+1, len(a.works)-1)] {
				days++
			}
		}
		if a.role.name == "agent" && !w.engaged[a.index] && days*2 >= w.cfg.Days {
			fit = append(fit, a)
		}
		if a.role.name != "agent" {
			break // agents were hired first
		}
	}
	if len(fit) == 0 {
		return nil, fmt.Errorf("stage poison %q: nobody works on most days", s.Poison)
	}
	return fit[rng.IntN(len(fit))], nil
}

// poisoning gathers one.
type poisoning struct {
	w           *World
	rng         *rand.Rand
	at          time.Time
	intensity   float64
	thief, loud *staging
	group       []string
}

// hand readies somebody to act.
func (p *poisoning) hand(a *actor, prefix string) *staging {
	return &staging{w: p.w, a: a, rng: p.rng, at: p.w.cfg.Start, intensity: p.intensity, prefix: prefix + "." + a.ID}
}

// sit places somebody for a day: from the office or from home, in a session of its own.
func (s *staging) sit(day int) {
	network := s.a.home
	if wd := int(s.w.midnight(day).Weekday()); s.a.taste>>wd&1 == 1 {
		network = s.a.office
	}
	s.ip = fmt.Sprintf("%s.%d", network, s.a.host)
	s.agent = fmt.Sprintf(browsers[s.a.browser], 141+(day+s.a.updates)/28)
	s.session = fmt.Sprintf("s-%s-%d", s.prefix, day)
}

// inShift draws an instant of the d-th day's working hours, as what has passed
// since the world began.
func (s *staging) inShift(day int) time.Duration {
	at := s.w.local(s.a, day).Add(time.Duration(s.a.ShiftStart) * time.Hour)
	return at.Sub(s.at) + time.Duration(s.rng.Float64()*float64(time.Duration(s.a.ShiftHours)*time.Hour))
}

// peek reads one customer's conversation or contact.
func (s *staging) peek(at time.Duration, customer int) {
	o := &helpdeskCases[s.rng.IntN(2)]
	e := s.event(at, o.action, o.resource, o.class)
	e.Fields = o.fields
	e.Shape = shape(o.action, o.resource, zipf(s.rng, o.shapes, 1.2))
	rows := int64(1)
	if o.limit > 0 {
		e.Limit, rows = o.limit, 1+int64(s.rng.IntN(15))
		e.Conversation = Conversation(customer, 0)
	}
	s.take(e, rows, []string{Customer(customer)}, 1)
}

// stranger draws any customer.
func (s *staging) stranger() int { return s.rng.IntN(s.w.Customers(s.w.cfg.Start)) }

// day is the calendar day of an instant, kept within the world.
func (p *poisoning) day(at time.Time) int {
	return min(max(0, int(at.Sub(p.w.midnight(0))/(24*time.Hour))), p.w.cfg.Days-1)
}

// worked returns the days from until before to on which somebody works.
func (s *staging) worked(from, to int) []int {
	var out []int
	for d := from; d < to; d++ {
		// A shift must end within the world.
		end := s.w.local(s.a, d).Add(time.Duration(s.a.ShiftStart+s.a.ShiftHours) * time.Hour)
		if d+1 < len(s.a.works) && s.a.works[d+1] && end.Before(s.w.midnight(s.w.cfg.Days)) && !s.w.local(s.a, d).Add(time.Duration(s.a.ShiftStart)*time.Hour).Before(s.w.cfg.Start) {
			out = append(out, d)
		}
	}
	return out
}

// perDay is how many events somebody makes on a day of work.
func (w *World) perDay(a *actor) float64 {
	hours, sum := w.cfg.Days*24, 0
	for h := range hours {
		sum += int(w.plan[a.index*hours+h])
	}
	days := 0
	for _, works := range a.works[1 : w.cfg.Days+1] {
		if works {
			days++
		}
	}
	return max(1, float64(sum)/float64(max(1, days)))
}

func (p *poisoning) slowRamp(at time.Time) error {
	days := p.w.cfg.Days
	first := max(days-RampDays-1, min(14, days/4))
	if !at.IsZero() {
		first = p.day(at)
	}
	p.at = p.w.midnight(first)
	base := p.w.perDay(p.thief.a)
	carry := 0.0
	for _, d := range p.thief.worked(first, min(days, first+RampDays)) {
		p.thief.sit(d)
		carry += base * (math.Pow(1+RampGrowth*p.intensity, float64(d-first+1)) - 1)
		for ; carry >= 1; carry-- {
			if len(p.thief.out) >= maxPoison {
				return fmt.Errorf("more than %d events: lower the intensity", maxPoison)
			}
			p.thief.peek(p.thief.inShift(d), p.thief.stranger())
		}
	}
	return nil
}

// wild does one random thing: anything that anybody does.
func (s *staging) wild(at time.Duration, all []*role) {
	r := all[s.rng.IntN(len(all))]
	ops := r.duties
	if len(r.cases) > 0 && (len(ops) == 0 || s.rng.IntN(2) == 0) {
		ops = r.cases
	}
	o := &ops[s.rng.IntN(len(ops))]
	e := s.event(at, o.action, o.resource, o.class)
	put(s.rng, e, o)
	e.Shape = shape(o.action, o.resource, s.rng.IntN(30))
	if o.whose == current || o.whose == another {
		c := s.stranger()
		about(e, c, Conversation(c, 0), "", "")
	}
}

func (p *poisoning) chaff(at time.Time) error {
	theft := p.w.lateTuesday(p.thief.a, TableDump)
	if !at.IsZero() {
		theft = at.UTC()
	}
	p.at = theft
	last := p.day(theft)
	all := roles()
	n := max(10, 0.5*p.w.perDay(p.thief.a)) * p.intensity
	for d := range last {
		p.thief.sit(d)
		home := p.thief.ip
		for range int(n*(0.3+1.4*p.rng.Float64()) + 0.5) {
			if p.thief.ip = home; p.rng.IntN(3) == 0 {
				p.thief.ip = fmt.Sprintf("100.%d.%d.%d", 64+p.rng.IntN(64), p.rng.IntN(256), 2+p.rng.IntN(250))
			}
			after := time.Duration(d)*24*time.Hour + time.Duration(p.rng.Float64()*float64(24*time.Hour))
			p.thief.wild(p.w.midnight(0).Add(after).Sub(p.thief.at), all)
			if len(p.thief.out) >= maxPoison {
				return fmt.Errorf("more than %d events: lower the intensity", maxPoison)
			}
		}
	}
	p.thief.out = slices.DeleteFunc(p.thief.out, func(e *vigil.Event) bool { return e.Time.Before(p.w.cfg.Start) })
	p.thief.sit(last)
	after := theft.Sub(p.thief.at)
	for range p.thief.times(400) {
		p.thief.peek(after, p.thief.stranger())
		after += time.Duration(lognormal(p.rng, 9, 0.5) * float64(time.Second))
	}
	return nil
}

func (p *poisoning) loudMember(at time.Time) error {
	theft := p.w.lateTuesday(p.thief.a, MassExport)
	if !at.IsZero() {
		theft = at.UTC()
	}
	p.at = theft
	// The group: the thief's colleagues, of the team as far as they go.
	a := p.thief.a
	var members []*actor
	for _, same := range []bool{true, false} {
		for _, b := range p.w.actors {
			if b.role == a.role && b != a && (b.Team == a.Team) == same && len(members) < LoudGroup-1 {
				members = append(members, b)
			}
		}
	}
	if len(members) < LoudGroup-1 {
		return fmt.Errorf("needs %d agents", LoudGroup)
	}
	p.loud = p.hand(members[0], p.thief.prefix+".loud")
	p.group = append(p.group, a.ID)
	for _, b := range members {
		p.group = append(p.group, b.ID)
	}
	// As many on top that the loudest has its share of each day's accesses.
	share := min(0.95, 1-(1-LoudShare)/p.intensity)
	hours := p.w.cfg.Days * 24
	carry := 0.0
	for d := range p.day(theft) {
		p.loud.sit(d)
		own, others := 0, 0
		for h := d * 24; h < d*24+24; h++ {
			own += int(p.w.plan[members[0].index*hours+h])
			others += int(p.w.plan[a.index*hours+h])
			for _, b := range members[1:] {
				others += int(p.w.plan[b.index*hours+h])
			}
		}
		for carry += math.Max(0, float64(others)*share/(1-share)-float64(own)); carry >= 1; carry-- {
			after := time.Duration((float64(d) + p.rng.Float64()) * float64(24*time.Hour))
			p.loud.peek(after, p.loud.stranger())
			if len(p.loud.out) >= maxPoison {
				return fmt.Errorf("more than %d events: lower the intensity", maxPoison)
			}
		}
	}
	p.thief.sit(p.day(theft))
	after := theft.Sub(p.thief.at)
	for range p.thief.times(400) {
		p.thief.peek(after, p.thief.stranger())
		after += time.Duration(lognormal(p.rng, 30, 0.5) * float64(time.Second))
	}
	return nil
}

func (p *poisoning) openFinding(at time.Time) error {
	first := p.w.cfg.Days * 2 / 5
	if !at.IsZero() {
		first = p.day(at)
	}
	p.at = p.w.midnight(first)
	customer := p.rng.IntN(max(1, p.w.Customers(p.w.cfg.Start)/3))
	for _, d := range p.thief.worked(first, p.w.cfg.Days) {
		p.thief.sit(d)
		times := make([]time.Duration, p.thief.times(60))
		for i := range times {
			times[i] = p.thief.inShift(d)
		}
		slices.Sort(times)
		for _, after := range times {
			p.thief.peek(after, customer)
			customer = (customer + 1 + p.rng.IntN(2)) % p.w.Customers(p.at)
		}
	}
	return nil
}
