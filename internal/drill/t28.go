package drill

import (
	"time"

	"vigil"
)

// t28: what should ask for a name answers without.
func t28() Scenario {
	return Scenario{
		ID: "T28", Name: "An endpoint that answers anybody", Kind: RecordByRecord,
		About:    "Shared conversations answer without a sign-in: from three networks somebody without a name reads those of 400 customers within three hours.",
		Quiet:    "The public articles of the help centre are read by many without a name, as always.",
		Breach:   openEndpoint,
		Innocent: helpCentre,
	}
}

// nameless is who comes without a sign-in.
func (s *stage) nameless(id, app string, like *Person, place Place, form *Form) *Person {
	a := vigil.Actor{ID: id, Tenant: like.Actor.Tenant}
	if like.Actor.Kind != "" {
		a.Kind, a.App = vigil.KindAnonymous, app
	}
	return s.stranger(a, like, place, form)
}

// desk is somebody whose system also serves the public.
func (s *stage) desk() (*Person, error) {
	var best *Person
	for _, p := range s.scene.People {
		if s.person(p) && (best == nil || p.Events > best.Events) {
			best = p
		}
	}
	if best == nil {
		return nil, unfit("it names no customers in its accesses")
	}
	return best, nil
}

func openEndpoint(s *stage) error {
	like, err := s.desk()
	if err != nil {
		return err
	}
	form, err := s.record(like)
	if err != nil {
		return err
	}
	var places []Place
	for range 3 {
		places = append(places, s.elsewhere(s.usual(like), "Mozilla/5.0 (compatible; archive-crawler/2.1)"))
	}
	p := s.nameless("guest", "chat-portal", like, places[0], form)
	n := s.n(400)
	step := 3 * time.Hour / time.Duration(n)
	at := s.portalDay()
	for i, c := range s.scene.Customers.Some(s.rng, n) {
		v := s.visit(p, places[i%3], at.Add(time.Duration(i)*step+s.pause(4*time.Second, 0.5)))
		v.session = ""
		v.serve(false)
		e := v.read(form, c)
		e.Resource, e.Fields, e.Ticket = "shared_conversations", nil, ""
		if e.Shape != "" {
			e.Shape = "read shared_conversations"
		}
	}
	return nil
}

func helpCentre(s *stage) error {
	like, err := s.desk()
	if err != nil {
		return err
	}
	form, err := s.borrow(like, func(f *Form) bool { return f.Class == "public" && f.Action == vigil.ActionRead })
	if err != nil {
		if form, err = s.record(like); err != nil {
			return err
		}
	}
	place := s.elsewhere(s.usual(like), clients()[0])
	p := s.nameless("visitor", "help-centre", like, place, form)
	for day := 1; day <= s.lastDay()-1; day++ {
		if day == s.lastDay()-9 {
			s.precedent()
		}
		for range 60 {
			x := place
			if x.Network != "" {
				host := s.rng.IntN(250)
				x.IP = "100.90." + padded(int64(host), 1) + ".7"
				x.Network = vigil.NetworkOf(x.IP)
				if place.IP == "" {
					x.IP = ""
				}
			}
			if x.Agent != "" {
				x.Agent = clients()[s.rng.IntN(len(clients()))]
			}
			v := s.visit(p, x, s.clock(day, 6+s.rng.IntN(16)).Add(time.Duration(s.rng.IntN(3600))*time.Second))
			v.session = ""
			e := v.other(form, vigil.ActionRead, "articles", "public")
			v.sized(e, form, 4, 2_500)
		}
	}
	return nil
}
