package drill

import (
	"fmt"
	"math/rand/v2"
	"time"

	"vigil"
)

// The customers' own visits, where traffic has none: so many customers, each with
// a visit in so many days.
const (
	portalCustomers = 240
	portalEvery     = 3
)

// The clients of people who are at home.
func clients() []string {
	return []string{
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Mobile/15E148 Safari/604.1",
		"Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/139.0.0.0 Mobile Safari/537.36",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/139.0.0.0 Safari/537.36",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.5 Safari/605.1.15",
	}
}

// portal returns customers who read their own chats under their own identity:
// those of the traffic, where there are enough. Else it lets such customers visit
// all through the traffic, in clean events that belong to no act, once a world.
func (s *stage) portal() ([]*Person, error) {
	if s.visitors != nil {
		return s.visitors, nil
	}
	s.visitors = s.scene.find(func(p *Person) bool { return p.customer() && p.Events >= 3 && p.form((*Form).single) != nil })
	if len(s.visitors) >= portalCustomers/4 {
		return s.visitors, nil
	}
	if s.scene.Customers.Len() < 2*portalCustomers {
		return nil, fmt.Errorf("%w: it names only %d customers", ErrUnfit, s.scene.Customers.Len())
	}
	forms, source, tenant, err := s.portalForms()
	if err != nil {
		return nil, err
	}
	// A stream of its own, so that it doesn't matter which scenario comes first.
	clean := &stage{world: s.world, rng: rand.New(rand.NewPCG(s.seed, 0x90a7a1)), intensity: 1, act: &Act{Scenario: "portal"}}
	s.visitors = nil
	for _, id := range s.scene.Customers.Some(clean.rng, portalCustomers) {
		p := clean.customer(id, source, tenant, forms)
		s.visitors = append(s.visitors, p)
		for day := 0; day <= s.scene.day(s.scene.End); day++ {
			if clean.rng.IntN(portalEvery) > 0 {
				continue
			}
			at := s.clock(day, 7+clean.rng.IntN(15)).Add(time.Duration(clean.rng.IntN(3600)) * time.Second)
			if at.After(s.scene.Start) && at.Before(s.scene.End) {
				clean.selfVisit(p, s.usual(p), at)
			}
		}
	}
	s.clean = append(s.clean, clean.act.events...)
	return s.visitors, nil
}

// portalForms are how customers read: the ways of the bot, else of people, in
// which it reads one customer's data.
func (s *stage) portalForms() (forms []*Form, source, tenant string, err error) {
	var best *Person
	for _, p := range s.scene.People {
		if p.form((*Form).single) == nil {
			continue
		}
		better := best == nil || p.Actor.Kind == vigil.KindBot && best.Actor.Kind != vigil.KindBot ||
			(p.Actor.Kind == vigil.KindBot) == (best.Actor.Kind == vigil.KindBot) && p.Events > best.Events
		if better {
			best = p
		}
	}
	if best == nil {
		return nil, "", "", fmt.Errorf("%w: it names no customers in its accesses", ErrUnfit)
	}
	forms = best.forms(func(f *Form) bool { return f.single() && f.Action == vigil.ActionRead })
	if len(forms) == 0 {
		forms = best.forms((*Form).single)
	}
	return forms[:min(3, len(forms))], best.Source, best.Actor.Tenant, nil
}

// customer makes an actor of a customer.
func (s *stage) customer(id, source, tenant string, forms []*Form) *Person {
	p := &Person{
		Actor:  vigil.Actor{ID: id, Kind: vigil.KindHuman, Role: "customer", Tenant: tenant, App: "chat-portal"},
		Source: source, Forms: forms, Own: []string{id},
	}
	place := Place{Agent: clients()[s.rng.IntN(len(clients()))]}
	if len(s.scene.networks) > 0 {
		place.IP = fmt.Sprintf("100.%d.%d.%d", 100+s.rng.IntN(27), s.rng.IntN(256), 2+s.rng.IntN(250))
		place.Network = vigil.NetworkOf(place.IP)
	}
	if len(forms) > 0 && len(forms[0].Samples) > 0 { // at home
		place.Country = forms[0].Samples[0].Country
	}
	p.Places = []Place{place}
	return p
}

// selfVisit is a customer who signs in, mostly at the first attempt, and reads
// what was said.
func (s *stage) selfVisit(p *Person, place Place, at time.Time) {
	v := s.visit(p, place, at)
	v.session = fmt.Sprintf("web-%08x", s.rng.Uint32())
	for s.rng.Float64() < 0.05 {
		v.login(false)
	}
	v.login(true)
	v.serve(false)
	v.principal = p.Actor.ID
	for range 2 + s.rng.IntN(4) {
		v.read(p.Forms[s.rng.IntN(len(p.Forms))], p.Actor.ID)
		v.wait(20*time.Second, 0.8)
	}
}
