package drill

import (
	"time"

	"vigil"
)

// t06: a thief rides on an agent's session while the agent goes on working.
func t06() Scenario {
	return Scenario{
		ID: "T06", Name: "Stolen session of an agent", Kind: RecordByRecord,
		About:    "In the middle of an agent's shift the same session reads 60 customers from another network with another client.",
		Quiet:    "An agent's VPN changes its exit in mid-session: same client, same work, another network.",
		Breach:   stolenSession,
		Innocent: vpnChange,
	}
}

// longSitting picks a session of a person near the end of the scene, of at least
// some hours.
func (s *stage) longSitting(p *Person) (Sitting, bool) {
	last := s.scene.midnight(s.lastDay() - 2)
	var fit []Sitting
	for _, x := range p.Sittings {
		if x.End.Before(last) && x.Start.After(last.AddDate(0, 0, -9)) && x.End.Sub(x.Start) > 3*time.Hour && x.Events >= 20 {
			fit = append(fit, x)
		}
	}
	if len(fit) == 0 {
		return Sitting{}, false
	}
	return fit[s.rng.IntN(len(fit))], true
}

func (s *stage) sits(p *Person) bool {
	_, ok := s.longSitting(p)
	return ok
}

func stolenSession(s *stage) error {
	p, err := s.one("agent with long sessions",
		func(p *Person) bool { return s.frontline(p) && s.sits(p) }, func(p *Person) bool { return s.person(p) && s.sits(p) })
	if err != nil {
		return err
	}
	sitting, _ := s.longSitting(p)
	place := s.elsewhere(sitting.Place, "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0")
	v := s.visit(p, place, sitting.Start.Add(time.Duration(30+s.rng.IntN(60))*time.Minute))
	v.session = sitting.ID
	forms := p.forms((*Form).single)
	for _, c := range s.strangers(p, s.n(60)) {
		v.serve(false)
		v.read(forms[s.rng.IntN(len(forms))], c)
		v.wait(45*time.Second, 0.7)
	}
	return nil
}

func vpnChange(s *stage) error {
	p, err := s.one("agent with long sessions",
		func(p *Person) bool { return s.frontline(p) && s.sits(p) }, func(p *Person) bool { return s.person(p) && s.sits(p) })
	if err != nil {
		return err
	}
	sitting, _ := s.longSitting(p)
	place := s.elsewhere(sitting.Place, sitting.Place.Agent)
	change := func(e *vigil.Event) bool {
		e.IP, e.Network, e.Country, e.ASN = place.IP, place.Network, place.Country, place.ASN
		return true
	}
	s.act.edits = append(s.act.edits, edit{
		who: keyOf(&p.Actor), from: sitting.Start.Add(sitting.End.Sub(sitting.Start) / 2), to: sitting.End.Add(time.Second), change: change, mine: true,
	})
	return nil
}
