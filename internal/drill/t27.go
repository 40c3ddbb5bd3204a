package drill

import (
	"time"

	"vigil"
)

// t27: a key is made for somebody outside.
func t27() Scenario {
	return Scenario{
		ID: "T27", Name: "Rogue key", Kind: Bulk, Parts: []Part{Technical, Service},
		About:    "An engineer makes a token for the interface and widens its scope; four minutes later it is used from elsewhere, for 60 pages of 50 customers.",
		Quiet:    "A service's token is replaced, by ticket: same service, same place, and the old one is deleted.",
		Breach:   rogueKey,
		Innocent: rotation,
	}
}

func rogueKey(s *stage) error {
	p, err := s.engineer()
	if err != nil {
		return err
	}
	form, err := s.borrow(p, func(f *Form) bool { return f.Action == vigil.ActionRead && f.personal() })
	if err != nil {
		return err
	}
	v := s.visit(p, s.usual(p), s.soon(p))
	v.inSession()
	v.other(p.Forms[0], vigil.ActionGrant, "api_tokens", "")
	v.wait(30*time.Second, 0.3)
	v.other(p.Forms[0], vigil.ActionConfigure, "api_scopes", "")
	v.wait(4*time.Minute, 0.2)
	s.act.Since = v.at
	who := vigil.Actor{ID: "token-" + padded(int64(s.rng.IntN(9000)+1000), 4), Tenant: p.Actor.Tenant}
	if p.Actor.Kind != "" {
		who.Kind, who.App = vigil.KindService, "api"
	}
	key := s.stranger(who, p, s.elsewhere(s.usual(p), "curl/8.9.1"), form)
	k := s.visit(key, key.Places[0], v.at)
	for range s.n(60) {
		k.take(form, s.scene.Customers.Run(s.start(50), 50)).Conversation = ""
		k.wait(5*time.Second, 0.4)
	}
	return nil
}

func rotation(s *stage) error {
	p, err := s.administrator()
	if err != nil {
		return err
	}
	service, err := s.one("service", s.ofKind(vigil.KindService), s.automatic)
	if err != nil {
		return err
	}
	at := s.soon(p)
	change := s.number("CHG-")
	for _, x := range []*Person{p, service} {
		s.tellChange(at.AddDate(0, 0, -3), vigil.Change{
			ID: change, Type: vigil.ChangeChange, Who: only(x), Period: vigil.Period{From: at.Add(-time.Hour), To: at.AddDate(0, 0, 2)},
		})
	}
	v := s.visit(p, s.usual(p), at)
	v.inSession()
	v.ticket = change
	v.other(p.Forms[0], vigil.ActionGrant, "api_tokens", "")
	v.wait(20*time.Minute, 0.3)
	from := v.at
	v.other(p.Forms[0], vigil.ActionDelete, "api_tokens", "")
	agent := s.usual(service).Agent
	s.act.edits = append(s.act.edits, edit{
		who: keyOf(&service.Actor), from: from, to: s.scene.End.Add(time.Hour), mine: true,
		change: func(e *vigil.Event) bool {
			if agent != "" {
				e.UserAgent = agent + ".1"
			}
			return true
		},
	})
	return nil
}
