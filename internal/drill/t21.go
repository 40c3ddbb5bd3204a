package drill

import (
	"time"

	"vigil"
)

// t21: an administrator signs in as others.
func t21() Scenario {
	return Scenario{
		ID: "T21", Name: "Misuse of signing in as somebody else", Kind: LowAndSlow, Parts: []Part{Technical},
		About:    "Five times in two weeks an administrator assumes an agent's identity and reads eight customers in it, without a ticket, with the same words for a reason each time.",
		Quiet:    "Who is on call assumes an identity twice in a night, for an incident with its ticket.",
		Breach:   assumed,
		Innocent: breakGlass,
	}
}

// assume lets p sign in as another and read customers in that identity.
func (s *stage) assume(p, other *Person, at time.Time, customers []string, ticket, purpose string) {
	v := s.visit(p, s.usual(p), at)
	v.inSession()
	v.ticket = ticket
	e := v.other(p.Forms[0], vigil.ActionImpersonate, "users", "")
	e.Principal, e.Purpose = other.Actor.ID, s.whyOf(purpose)
	v.wait(40*time.Second, 0.4)
	as := s.visit(other, v.place, v.at)
	as.session, as.ticket = v.session, ticket
	forms := other.forms((*Form).single)
	for _, c := range customers {
		as.talk = s.alike(s.scene.talks)
		as.read(forms[s.rng.IntN(len(forms))], c).Purpose = s.whyOf(purpose)
		as.wait(50*time.Second, 0.5)
	}
}

func assumed(s *stage) error {
	if err := s.needs(16); err != nil {
		return err
	}
	p, err := s.administrator()
	if err != nil {
		return err
	}
	others, err := s.pick("agent", 3, s.frontline, s.person)
	if err != nil {
		return err
	}
	last := s.lastDay() - 3
	days := s.workdays(p, last-13, last)
	for i := range 5 {
		day := days[i*len(days)/5]
		list := s.strangers(others[i%3], s.n(8))
		s.assume(p, others[i%3], s.atWork(p, day), list, "", "debug")
	}
	return nil
}

func breakGlass(s *stage) error {
	p, err := s.engineer()
	if err != nil {
		return err
	}
	other, err := s.one("agent", s.frontline, s.person)
	if err != nil {
		return err
	}
	night := s.clock(s.workday(p, s.lastDay()-9, s.lastDay()-3), p.hour(s.rng)).Add(7 * time.Hour)
	ticket := s.number("INC-")
	window := vigil.Period{From: night.Add(-15 * time.Minute), To: night.Add(4 * time.Hour)}
	s.tellShift(night.AddDate(0, 0, -4), vigil.Shift{ID: "oncall-" + ticket, Who: only(p), Duty: vigil.DutyOnCall, Period: vigil.Period{From: night.AddDate(0, 0, -3), To: night.AddDate(0, 0, 3)}})
	for _, x := range []*Person{p, other} {
		s.tellChange(night.Add(-10*time.Minute), vigil.Change{ID: ticket, Type: vigil.ChangeBreakGlass, Who: only(x), Period: window})
	}
	for i := range 2 {
		s.assume(p, other, night.Add(time.Duration(i)*70*time.Minute), s.strangers(other, 2), ticket, "incident")
	}
	return nil
}
