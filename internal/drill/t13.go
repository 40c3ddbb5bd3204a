package drill

import (
	"fmt"
	"slices"
	"time"
)

// t13: leaked passwords are tried on customers' accounts.
func t13() Scenario {
	return Scenario{
		ID: "T13", Name: "Credential stuffing into customers' chats", Kind: RecordByRecord,
		About:    "From four addresses 400 customers' accounts are tried within an hour; a dozen open, and their history is read at once.",
		Quiet:    "Sixty customers who work at one employer come from its one address over a day.",
		Breach:   stuffing,
		Innocent: employer,
	}
}

func stuffing(s *stage) error {
	all, err := s.portal()
	if err != nil {
		return err
	}
	like := all[s.rng.IntN(len(all))]
	// Leaked lists know customers that have signed in here, and more that never did.
	n := s.n(400)
	known := map[string]*Person{}
	for _, p := range all {
		known[p.Actor.ID] = p
	}
	var places []Place
	for range 4 {
		places = append(places, s.elsewhere(s.usual(like), "okhttp/4.12.0"))
	}
	at := s.portalDay()
	step := time.Hour / time.Duration(n)
	// As many are set aside at any intensity, or it would change who else is free.
	aside := max(n, 400)
	list := slices.DeleteFunc(s.scene.Customers.Some(s.rng, 2*aside), func(id string) bool {
		return s.taken[personKey{like.Actor.Tenant, id}]
	})
	list = list[:min(aside, len(list))]
	for _, id := range list {
		s.taken[personKey{like.Actor.Tenant, id}] = true
	}
	for i, id := range list[:min(n, len(list))] {
		p := known[id]
		if p == nil {
			p = s.customer(id, like.Source, like.Actor.Tenant, like.Forms)
		}
		s.claim(p)
		v := s.visit(p, places[i%len(places)], at.Add(time.Duration(i)*step+s.pause(2*time.Second, 0.5)))
		v.session = fmt.Sprintf("web-%08x", s.rng.Uint32())
		if i%33 != 32 { // three in a hundred have the same password everywhere
			v.login(false)
			continue
		}
		v.login(true)
		v.at = v.at.Add(-6 * time.Second) // a script does not look at the page
		v.serve(false)
		v.principal = id
		for range 4 {
			v.read(p.Forms[s.rng.IntN(len(p.Forms))], id)
			v.wait(700*time.Millisecond, 0.3)
		}
	}
	return nil
}

func employer(s *stage) error {
	all, err := s.portal()
	if err != nil {
		return err
	}
	day := s.lastDay() - 3 - s.rng.IntN(6)
	place := s.elsewhere(s.usual(all[0]), "")
	n := 0
	for _, i := range s.rng.Perm(len(all)) {
		p := all[i]
		if s.taken[keyOf(&p.Actor)] {
			continue
		}
		s.claim(p)
		place.Agent = s.usual(p).Agent
		s.selfVisit(p, place, s.clock(day, 8+s.rng.IntN(10)).Add(time.Duration(s.rng.IntN(3600))*time.Second))
		if n++; n == 60 {
			break
		}
	}
	if n < 20 {
		return fmt.Errorf("%w: no customers are free", ErrUnfit)
	}
	return nil
}
