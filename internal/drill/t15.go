package drill

import (
	"time"

	"vigil"
)

// t15: somebody looks up the own family, a former partner, a colleague.
func t15() Scenario {
	return Scenario{
		ID: "T15", Name: "Snooping on family and colleagues", Kind: LowAndSlow,
		About:    "Over two weeks an agent opens the records of two relatives and a colleague a dozen times, without a case, after work is done.",
		Quiet:    "A customer who only happens to have an agent's surname has a case with her.",
		Breach:   familySnooping,
		Innocent: sameSurname,
	}
}

// closeTo tells that customers share so many attributes with somebody.
func (s *stage) closeTo(p *Person, shared int, customers ...string) {
	about := s.scene.person(&p.Actor)
	if about.Surname == "" {
		about.Attributes = vigil.Attributes{Surname: "name-" + p.Actor.ID, Address: "home-" + p.Actor.ID, Phone: "phone-" + p.Actor.ID}
		s.tellPerson(s.scene.Start, about)
	}
	for _, id := range customers {
		c := s.scene.client(id, p.Actor.Tenant)
		c.Surname = about.Surname
		if shared > 1 {
			c.Address = about.Address
		}
		s.tellCustomers(s.scene.Start, c)
	}
}

func familySnooping(s *stage) error {
	if err := s.needs(18); err != nil {
		return err
	}
	people, err := s.pick("staff", 2, s.frontline, s.person)
	if err != nil {
		return err
	}
	p, colleague := people[0], people[1]
	delete(s.act.actors, keyOf(&colleague.Actor))
	family := s.strangers(p, 2)
	mate := s.quietOne(people)
	s.closeTo(p, 2, family...)
	who := s.scene.person(&colleague.Actor)
	if who.Subject == "" {
		who.Subject = mate
		s.tellPerson(s.scene.Start, who)
	}
	mate = who.Subject
	last := s.lastDay() - 3
	days := s.workdays(p, last-13, last)
	forms := p.forms((*Form).single)
	for i := range max(2, s.n(12)) {
		day := days[i*len(days)/max(2, s.n(12))]
		v := s.visit(p, s.usual(p), s.afterWork(p, day).Add(time.Duration(i%3)*11*time.Minute))
		v.inSession()
		c := [3]string{family[0], family[len(family)-1], mate}[i%3]
		for range 1 + s.rng.IntN(3) {
			v.read(forms[s.rng.IntN(len(forms))], c).Conversation = ""
			v.wait(20*time.Second, 0.6)
		}
	}
	return nil
}

func sameSurname(s *stage) error {
	p, err := s.one("agent", s.frontline, s.person)
	if err != nil {
		return err
	}
	c := s.quietOne([]*Person{p})
	s.closeTo(p, 1, c)
	last := s.lastDay() - 3
	forms := p.forms(func(f *Form) bool { return f.Single*2 > f.Count })
	days := s.workdays(p, last-6, last)
	var talk, ticket string
	for i, day := range days[:min(3, len(days))] {
		v := s.visit(p, s.usual(p), s.atWork(p, day))
		v.inSession()
		if i == 0 {
			v.serve(true)
			talk, ticket = v.talk, v.ticket
		}
		v.talk, v.ticket = talk, ticket
		for range 5 {
			v.read(forms[s.rng.IntN(len(forms))], c)
			v.wait(80*time.Second, 0.6)
		}
	}
	return nil
}
