package drill

import (
	"time"

	"vigil"
)

// t09: what a customer wrote makes the bot read other customers.
func t09() Scenario {
	return Scenario{
		ID: "T09", Name: "Bot made to read other customers", Kind: RecordByRecord, Parts: []Part{Bot},
		About:    "In one conversation the bot's tools read 30 other customers in a row, several calls a turn.",
		Quiet:    "A new release of the bot makes one more tool call in each conversation, about its own customer.",
		Breach:   func(s *stage) error { return injectedBot(s, true) },
		Innocent: botRelease,
	}
}

// t09b: the same, where the source names no conversation.
func t09b() Scenario {
	return Scenario{
		ID: "T09b", Name: "Bot made to read other customers, no conversation named", Kind: RecordByRecord, Parts: []Part{Bot},
		About:    "As T09, but the source names neither conversation nor session.",
		Quiet:    "As T09.",
		Breach:   func(s *stage) error { return injectedBot(s, false) },
		Innocent: botRelease,
	}
}

func (s *stage) bot() (*Person, error) {
	reads := func(p *Person) bool { return s.automatic(p) && p.form((*Form).single) != nil }
	return s.one("bot", func(p *Person) bool { return reads(p) && p.Actor.Kind == vigil.KindBot }, reads, s.automatic)
}

func injectedBot(s *stage, named bool) error {
	p, err := s.bot()
	if err != nil {
		return err
	}
	if !named {
		// Nobody of this bot's accesses names a conversation.
		s.act.edits = append(s.act.edits, edit{
			who: keyOf(&p.Actor), from: s.scene.Start.AddDate(0, 0, -1), to: s.scene.End.AddDate(0, 0, 1),
			change: func(e *vigil.Event) bool {
				e.Conversation, e.Principal, e.Session = "", "", ""
				return true
			},
		})
		// Nor does a contract ask for what is never told.
		if c := s.scene.contract(p); c.PerCustomer {
			c.PerCustomer = false
			s.tellContract(s.scene.Start, c)
		}
	}
	form, err := s.record(p)
	if err != nil {
		return err
	}
	forms := p.forms((*Form).single)
	if len(forms) == 0 {
		forms = []*Form{form}
	}
	forms = forms[:min(2, len(forms))]
	v := s.visit(p, s.usual(p), s.soon(p))
	v.keepSession()
	v.ordered = true
	v.serve(false)
	victims := s.n(30)
	id := s.start(victims)
	own := s.scene.Customers.Any(s.rng)
	v.principal = own
	s.act.own[own] = true
	read := func(c string) {
		for _, f := range forms {
			e := v.read(f, c)
			if e.Conversation = v.talk; !named {
				e.Conversation, e.Principal, e.Session = "", "", ""
			}
			v.wait(400*time.Millisecond, 0.3)
		}
	}
	read(own)
	v.wait(20*time.Second, 0.5)
	var since time.Time
	for done := 0; done < victims; {
		for turn := 2 + s.rng.IntN(4); turn > 0 && done < victims; turn-- {
			if since.IsZero() {
				since = v.at
			}
			read(s.scene.Customers.At(id + done))
			done++
		}
		v.wait(15*time.Second, 0.5)
	}
	s.act.Since = since
	return nil
}

// keepSession works in the session that the actor has at that time, as a machine
// whose session lasts for days does.
func (v *visit) keepSession() {
	for _, x := range v.p.Sittings {
		if !x.Start.After(v.at) && !x.End.Before(v.at) && x.End.Sub(x.Start) > 12*time.Hour {
			v.session = x.ID
		}
	}
}

// botRelease shadows a part of the bot's reads by a call that is new: to another
// resource, in the same conversation, about the same customer.
func botRelease(s *stage) error {
	p, err := s.bot()
	if err != nil {
		return err
	}
	resource := "order_status"
	from := s.clock(s.lastDay()-6-s.rng.IntN(3), 9+s.rng.IntN(6))
	agent := s.usual(p).Agent
	c := s.scene.contract(p)
	c.Resources = oneMore(c.Resources, resource)
	s.tellContract(from.AddDate(0, 0, -2), c)
	s.tellChange(from.AddDate(0, 0, -2), vigil.Change{
		ID: "REL-" + p.Actor.ID, Type: vigil.ChangeDeploy, Who: only(p), Period: vigil.Period{From: from, To: from.AddDate(0, 0, 14)},
	})
	s.act.edits = append(s.act.edits, edit{
		who: keyOf(&p.Actor), from: from, to: s.scene.End.Add(time.Hour), mine: true,
		change: func(e *vigil.Event) bool {
			if agent != "" {
				e.UserAgent = agent + ".1"
			}
			return true
		},
	})
	s.act.shades = append(s.act.shades, shadow{
		of: keyOf(&p.Actor), from: from, to: s.scene.End, mine: true, draw: s.rng.Float64,
		share: func(time.Time) float64 { return 0.2 },
		delay: func() time.Duration { return s.pause(600*time.Millisecond, 0.4) },
		change: func(e *vigil.Event) {
			e.Action, e.Resource, e.Shape = vigil.ActionRead, resource, "read "+resource
			e.Outcome, e.Fields = vigil.OutcomeSuccess, nil
			if e.Rows > 0 {
				e.Rows = 1
			}
			if agent != "" {
				e.UserAgent = agent + ".1"
			}
		},
	})
	return nil
}
