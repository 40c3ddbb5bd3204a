package drill

import (
	"time"

	"vigil"
)

// t10: what somebody wrote into a ticket acts on the bot whenever it is looked up.
func t10() Scenario {
	return Scenario{
		ID: "T10", Name: "Injection through a stored ticket", Kind: RecordByRecord, Parts: []Part{Bot},
		About:    "Within a day and a half forty unrelated conversations of the bot go the same odd way: one passage is looked up, the customer's record is read, and it is sent by mail to a domain that nobody sent to before.",
		Quiet:    "A release of the bot that sends each customer a summary, by the company's mail, as announced.",
		Breach:   storedInjection,
		Innocent: summaryRelease,
	}
}

func storedInjection(s *stage) error {
	p, err := s.bot()
	if err != nil {
		return err
	}
	form, err := s.record(p)
	if err != nil {
		return err
	}
	look := form
	for _, fit := range retrieves() {
		if f := p.form(fit); f != nil {
			look = f
			break
		}
	}
	away := s.elsewhere(Place{IP: "x", Network: "x"}, "")
	n := s.n(40)
	at := s.soon(p)
	gap := 36 * time.Hour / time.Duration(n)
	for i := range n {
		v := s.visit(p, s.usual(p), at.Add(time.Duration(i)*gap+s.pause(10*time.Minute, 0.8)))
		v.keepSession()
		v.serve(false)
		c := s.scene.Customers.Any(s.rng)
		v.principal = c
		e := v.do(look)
		e.Conversation = v.talk
		if look.Single*2 > look.Count {
			e.Subjects, e.SubjectCount = []string{c}, 1
		}
		if e.Shape != "" {
			e.Shape = "search passage of one ticket"
		}
		v.wait(700*time.Millisecond, 0.3)
		v.read(form, c).Conversation = v.talk
		v.wait(900*time.Millisecond, 0.3)
		v.mail(form, c, away.Network, "RO")
	}
	return nil
}

// mail sends a customer's record somewhere.
func (v *visit) mail(f *Form, customer, network, region string) {
	e := v.other(f, vigil.ActionShare, "send_mail", f.Class)
	e.Subjects, e.SubjectCount, e.Conversation = []string{customer}, 1, v.talk
	v.goes(e, "mail", network, region)
	v.sized(e, f, 1, 900)
}

// summaryRelease shadows a part of the bot's reads by a mail to the own customer.
func summaryRelease(s *stage) error {
	p, err := s.bot()
	if err != nil {
		return err
	}
	from := s.clock(s.lastDay()-6-s.rng.IntN(3), 9+s.rng.IntN(6))
	until := vigil.Period{From: from, To: from.AddDate(0, 0, 14)}
	c := s.scene.contract(p)
	c.Resources, c.Actions = oneMore(c.Resources, "send_mail"), oneMore(c.Actions, vigil.ActionShare)
	c.Destinations, c.Regions = oneMore(c.Destinations, "mail"), oneMore(c.Regions, "DE")
	s.tellContract(from.AddDate(0, 0, -2), c)
	s.tellChange(from.AddDate(0, 0, -2), vigil.Change{ID: s.number("REL-"), Type: vigil.ChangeDeploy, Who: only(p), Period: until})
	s.act.shades = append(s.act.shades, shadow{
		of: keyOf(&p.Actor), from: from, to: s.scene.End, mine: true, draw: s.rng.Float64,
		share: func(time.Time) float64 { return 0.1 },
		delay: func() time.Duration { return s.pause(800*time.Millisecond, 0.4) },
		change: func(e *vigil.Event) {
			e.Action, e.Resource, e.Shape = vigil.ActionShare, "send_mail", "share send_mail"
			e.Outcome, e.Fields = vigil.OutcomeSuccess, nil
			s.goes(e, "mail", "", "DE")
		},
	})
	return nil
}
