package drill

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"vigil"
)

// ErrUnfit says that the traffic has nobody who could do a breach, or is too
// short for it. The scenario is left out, with the reason.
var ErrUnfit = errors.New("does not fit this traffic")

// world is one staging: a scene, and what is staged in it.
type world struct {
	scene *Scene
	seed  uint64
	taken map[personKey]bool // one actor, one act
	// networks are those from which acts come that nobody else uses.
	networks map[string]bool
	// clean events belong to no act: the customers' own visits.
	clean    []*vigil.Event
	visitors []*Person
}

func newWorld(scene *Scene, seed uint64) *world {
	return &world{scene: scene, seed: seed, taken: map[personKey]bool{}, networks: map[string]bool{}}
}

// stage is what a scenario's breach or trap stages with.
type stage struct {
	*world
	act       *Act
	rng       *rand.Rand
	intensity float64
	serial    int
}

// minCustomers is how many customers traffic must name for anything to be staged.
const minCustomers = 50

// prepare stages one act. The random stream is of the scenario, the seed and
// whether it is the trap.
func (w *world) prepare(sc *Scenario, trap bool, intensity float64) (*Act, error) {
	if n := w.scene.Customers.Len(); n < minCustomers {
		return nil, fmt.Errorf("%w: it names %d customers, and at least %d are needed; a mapping says which columns name them", ErrUnfit, n, minCustomers)
	}
	name := strings.ToLower(sc.ID)
	play := sc.Breach
	part := uint64(1)
	if trap {
		play, part = sc.Innocent, 2
	}
	s := &stage{
		world: w, intensity: intensity,
		act: &Act{Scenario: name, Trap: trap, actors: map[personKey]bool{}, teams: map[string]bool{}, own: map[string]bool{}, hidden: map[string]int64{}, known: int64(w.scene.Customers.Distinct)},
		rng: rand.New(rand.NewPCG(w.seed, hash(sc.ID)+part)),
	}
	if err := play(s); err != nil {
		return nil, err
	}
	slices.SortStableFunc(s.act.events, func(a, b *vigil.Event) int { return a.Time.Compare(b.Time) })
	if s.act.Since.IsZero() {
		s.act.Since = s.act.Start
		if len(s.act.events) > 0 {
			s.act.Since = s.act.events[0].Time
		}
	}
	return s.act, nil
}

// n scales how much is taken by the intensity; at least one.
func (s *stage) n(plain float64) int { return max(1, int(plain*s.intensity+0.5)) }

// pause draws a waiting time whose median is given.
func (s *stage) pause(median time.Duration, sigma float64) time.Duration {
	return time.Duration(float64(median) * math.Exp(sigma*s.rng.NormFloat64())).Truncate(time.Millisecond)
}

// needs fails when the traffic is shorter than so many days.
func (s *stage) needs(days float64) error {
	if s.scene.Days() < days {
		return fmt.Errorf("%w: it has %.0f days, and at least %.0f are needed", ErrUnfit, s.scene.Days(), days)
	}
	return nil
}

// lastDay is the last day of the scene that is whole.
func (s *stage) lastDay() int { return s.scene.day(s.scene.End) - 1 }

// pick chooses n actors that no other act uses, of whom one of fits holds: the
// first that holds for enough of them.
func (s *stage) pick(what string, n int, fits ...func(*Person) bool) ([]*Person, error) {
	for _, fit := range fits {
		free := s.scene.find(func(p *Person) bool { return !s.taken[keyOf(&p.Actor)] && fit(p) })
		if len(free) < n {
			continue
		}
		s.rng.Shuffle(len(free), func(i, j int) { free[i], free[j] = free[j], free[i] })
		for _, p := range free[:n] {
			s.claim(p)
		}
		return free[:n], nil
	}
	return nil, fmt.Errorf("%w: it has no %s that could play this part", ErrUnfit, what)
}

func (s *stage) one(what string, fits ...func(*Person) bool) (*Person, error) {
	found, err := s.pick(what, 1, fits...)
	if err != nil {
		return nil, err
	}
	return found[0], nil
}

// claim makes p one of the act's actors.
func (s *stage) claim(p *Person) {
	k := keyOf(&p.Actor)
	s.taken[k] = true
	s.act.actors[k] = true
}

// established reports whether an actor has a past and is still there.
func (s *stage) established(p *Person) bool {
	return p.activeDays() >= min(12, int(s.scene.Days()/3)) && s.scene.End.Sub(p.Last) < 4*24*time.Hour &&
		s.scene.day(p.First) < int(s.scene.Days()/3) && p.EventsPerDay >= 4
}

// person reports whether p is an established human who reads customers' records.
func (s *stage) person(p *Person) bool {
	return !p.machine() && !p.customer() && p.Actor.Kind != vigil.KindAdmin && p.Actor.Kind != vigil.KindAnonymous &&
		s.established(p) && p.form((*Form).single) != nil
}

// frontline reports whether p is one of many with its role who serve customers.
func (s *stage) frontline(p *Person) bool {
	if !s.person(p) || p.PerDay < 4 {
		return false
	}
	return len(s.scene.find(func(o *Person) bool { return o.Actor.Role == p.Actor.Role && o.Actor.Kind == p.Actor.Kind })) >= 8
}

func (s *stage) ofKind(kind vigil.ActorKind) func(*Person) bool {
	return func(p *Person) bool { return p.Actor.Kind == kind && s.established(p) }
}

func (s *stage) automatic(p *Person) bool { return p.machine() && s.established(p) }

// workday picks one of the person's working days among those from until to.
func (s *stage) workday(p *Person, from, to int) int {
	var days []int
	for d := max(from, 0); d <= to; d++ {
		if p.worked(d) && p.days[d] > int32(p.EventsPerDay/3) {
			days = append(days, d)
		}
	}
	if len(days) == 0 {
		return max(0, to)
	}
	return days[s.rng.IntN(len(days))]
}

// early is shortly after the person's work begins on a day: the largest rise of
// the hours of work.
func (s *stage) early(p *Person, day int) time.Time {
	best, at := int64(0), 9
	for h := range p.hours {
		if d := p.hours[h] - p.hours[(h+22)%24]; d > best {
			best, at = d, h
		}
	}
	return s.clock(day, at).Add(time.Duration(10+s.rng.IntN(30)) * time.Minute)
}

// precedent makes what an act has staged so far a part of the ordinary traffic:
// it happened before, and belongs to nothing.
func (s *stage) precedent() {
	s.clean = append(s.clean, s.act.events...)
	s.act.events = nil
}

// atWork is a moment of a day with work before and after it.
func (s *stage) atWork(p *Person, day int) time.Time {
	return s.clock(day, p.busyHour(s.rng)).Add(time.Duration(s.rng.IntN(1200)) * time.Second)
}

func (s *stage) clock(day, hour int) time.Time {
	return s.scene.midnight(day).Add(time.Duration(hour) * time.Hour)
}

// soon is when short breaches happen: a working day among the last nine whole
// ones but the last three, so that days and weeks close after it.
func (s *stage) soon(p *Person) time.Time {
	last := s.lastDay()
	return s.atWork(p, s.workday(p, last-9, last-3))
}

// usual is where the person mostly works, of late.
func (s *stage) usual(p *Person) Place {
	for _, x := range p.Places {
		if p.Last.Sub(x.Last) < 5*24*time.Hour {
			return x
		}
	}
	if len(p.Places) == 0 {
		return Place{}
	}
	return p.Places[0]
}

// elsewhere is a place that nobody in the traffic works from, with a client of
// its own, in the same country. What the source does not tell stays untold.
func (s *stage) elsewhere(like Place, agent string) Place {
	out := like
	if like.Agent != "" {
		out.Agent = agent
	}
	if like.Network == "" {
		return out
	}
	for {
		ip := fmt.Sprintf("198.19.%d.%d", s.rng.IntN(256), 2+s.rng.IntN(250))
		out.Network = vigil.NetworkOf(ip)
		if s.scene.networks[out.Network] || s.networks[out.Network] {
			continue
		}
		s.networks[out.Network] = true
		if like.IP != "" {
			out.IP = ip
		}
		break
	}
	if like.ASN != "" {
		out.ASN = "AS64500"
	}
	return out
}

// record is the form by which p reads one customer's data: its own, else that of
// whoever works on the same store, else anybody's.
func (s *stage) record(p *Person) (*Form, error) { return s.borrow(p, (*Form).single) }

// borrow finds a form that p has, else one of its peers, of its store, of anyone.
func (s *stage) borrow(p *Person, fit func(*Form) bool) (*Form, error) {
	if f := p.form(fit); f != nil {
		return f, nil
	}
	stores := map[string]bool{}
	for _, f := range p.Forms {
		stores[f.Store] = true
	}
	for _, near := range []func(*Person, *Form) bool{
		func(o *Person, _ *Form) bool { return o.Actor.Role == p.Actor.Role && o.Actor.Kind == p.Actor.Kind },
		func(_ *Person, f *Form) bool { return stores[f.Store] },
		func(*Person, *Form) bool { return true },
	} {
		var best *Form
		for _, o := range s.scene.People {
			f := o.form(func(f *Form) bool { return fit(f) && near(o, f) })
			if f != nil && (best == nil || f.Count > best.Count) {
				best = f
			}
		}
		if best != nil {
			return best, nil
		}
	}
	return nil, fmt.Errorf("%w: it names no customers in its accesses", ErrUnfit)
}

// strangers draws customers that are none of p's own.
func (s *stage) strangers(p *Person, n int) []string {
	own := map[string]bool{}
	for _, c := range p.Own {
		own[c] = true
	}
	out := slices.DeleteFunc(s.scene.Customers.Some(s.rng, n+len(own)), func(c string) bool { return own[c] })
	return out[:min(n, len(out))]
}

// start picks where a walk over n customers in order begins.
func (s *stage) start(n int) int { return s.rng.IntN(max(1, s.scene.Customers.Len()-n)) }

// alike makes an id of the same form as one of the examples.
func (s *stage) alike(examples []string) string {
	if len(examples) == 0 {
		return ""
	}
	id := []byte(examples[s.rng.IntN(len(examples))])
	hex := strings.Trim(string(id), "0123456789abcdef-") == ""
	for i, c := range id {
		switch {
		case c >= '1' && c <= '9' || c == '0' && i > 0 && i+1 < len(id):
			id[i] = byte('1' + s.rng.IntN(9))
		case hex && c >= 'a' && c <= 'f':
			id[i] = byte('a' + s.rng.IntN(6))
		}
	}
	return string(id)
}
