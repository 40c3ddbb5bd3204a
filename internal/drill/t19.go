package drill

import (
	"time"

	"vigil"
)

// t19: customers' data is read where it may not go.
func t19() Scenario {
	return Scenario{
		ID: "T19", Name: "Reading from a country that is not allowed", Kind: RecordByRecord,
		About:    "On two days an agent works from a country to which the customers' data may not go: the usual client, the usual pace, 80 customers.",
		Quiet:    "An agent travels within the countries that are allowed.",
		Breach:   func(s *stage) error { return abroad(s, "IN", 80) },
		Innocent: func(s *stage) error { return abroad(s, "DE", 30) },
	}
}

func abroad(s *stage, country string, customers int) error {
	if !s.scene.tells["country"] {
		return unfit("its events don't say from which country they come")
	}
	p, err := s.one("agent", s.frontline, s.person)
	if err != nil {
		return err
	}
	place := s.elsewhere(s.usual(p), s.usual(p).Agent)
	if place.Country == country {
		country = "US"
	}
	place.Country = country
	if !s.act.Trap {
		customers = s.n(float64(customers))
	}
	list := s.strangers(p, customers)
	regions := []string{"AT", "DE", "FR", "NL", "SG", "US"}
	for _, c := range list { // as the feed tells of customers at home
		x := s.scene.client(c, p.Actor.Tenant)
		if x.Region == "" || x.Region == country || len(x.Regions) == 0 || s.act.Trap {
			x.Region, x.Regions = "EU", regions
		}
		s.tellCustomers(s.scene.Start, x)
	}
	forms := p.forms((*Form).single)
	last := s.lastDay() - 3
	days := s.workdays(p, last-6, last)
	days = days[max(0, len(days)-2):]
	for i, day := range days {
		v := s.visit(p, place, s.early(p, day))
		for _, c := range list[i*len(list)/len(days) : (i+1)*len(list)/len(days)] {
			v.serve(true)
			for range 1 + s.rng.IntN(3) {
				v.read(forms[s.rng.IntN(len(forms))], c)
				v.wait(60*time.Second, 0.6)
			}
			v.wait(4*time.Minute, 0.6)
		}
		// The own work of the day is done from there as well.
		s.act.edits = append(s.act.edits, edit{
			who: keyOf(&p.Actor), from: s.clock(day, 0), to: s.clock(day+1, 0), mine: true,
			change: func(e *vigil.Event) bool {
				e.IP, e.Network, e.Country, e.ASN = place.IP, place.Network, place.Country, place.ASN
				return true
			},
		})
	}
	return nil
}
