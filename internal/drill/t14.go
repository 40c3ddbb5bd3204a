package drill

import "time"

// t14: somebody is in the news, and staff look her up.
func t14() Scenario {
	return Scenario{
		ID: "T14", Name: "Snooping on a well-known customer", Kind: RecordByRecord,
		About:    "Within two days sixteen members of staff who have no case with her open one customer's record for a moment.",
		Quiet:    "A real incident of a well-known customer: her case goes through six hands, with its ticket and replies.",
		Breach:   snooping,
		Innocent: famousCase,
	}
}

// quietOne is a customer whom none of the given people has of late.
func (s *stage) quietOne(people []*Person) string {
	for range 50 {
		c := s.scene.Customers.Any(s.rng)
		busy := false
		for _, p := range people {
			for _, own := range p.Own {
				busy = busy || own == c
			}
		}
		if !busy {
			return c
		}
	}
	return s.scene.Customers.Any(s.rng)
}

func snooping(s *stage) error {
	// So many are set aside at any intensity, or it would change who else is free.
	n := max(2, s.n(16))
	people, err := s.pick("staff", max(n, 16), s.frontline, s.person)
	if err != nil {
		return err
	}
	for _, p := range people[n:] {
		delete(s.act.actors, keyOf(&p.Actor))
	}
	people = people[:n]
	star := s.quietOne(people)
	s.famous(star, people[0])
	last := s.lastDay() - 3 - s.rng.IntN(4)
	for _, p := range people {
		v := s.visit(p, s.usual(p), s.atWork(p, s.workday(p, last-1, last)))
		v.inSession()
		v.serve(false)
		forms := p.forms((*Form).single)
		for range 1 + s.rng.IntN(3) {
			v.read(forms[s.rng.IntN(len(forms))], star)
			v.wait(6*time.Second, 0.5)
		}
	}
	return nil
}

// famous tells that people are curious about a customer.
func (s *stage) famous(customer string, like *Person) {
	c := s.scene.client(customer, like.Actor.Tenant)
	c.VIP = true
	s.tellCustomers(s.scene.Start, c)
}

// inSession works in the session that the person has at that time, if there is one,
// and from where that is at each moment.
func (v *visit) inSession() {
	for i := range v.p.Sittings {
		if x := &v.p.Sittings[i]; !x.Start.After(v.at) && !x.End.Before(v.at) {
			v.session, v.sitting = x.ID, x
		}
	}
}

func famousCase(s *stage) error {
	people, err := s.pick("staff", 6, s.frontline, s.person)
	if err != nil {
		return err
	}
	star := s.quietOne(people)
	s.famous(star, people[0])
	last := s.lastDay() - 3 - s.rng.IntN(4)
	var talk, ticket string
	for i, p := range people {
		v := s.visit(p, s.usual(p), s.atWork(p, s.workday(p, last-1, last)))
		v.inSession()
		if i == 0 {
			v.serve(true)
			talk, ticket = v.talk, v.ticket
		}
		v.talk, v.ticket = talk, ticket
		forms := p.forms(func(f *Form) bool { return f.Single*2 > f.Count }) // writing too
		for range 6 + s.rng.IntN(8) {
			v.read(forms[s.rng.IntN(len(forms))], star)
			v.wait(70*time.Second, 0.7)
		}
	}
	return nil
}
