package drill

import (
	"time"

	"vigil"
)

// t18: a vendor takes more than was agreed, and hands it on.
func t18() Scenario {
	return Scenario{
		ID: "T18", Name: "A vendor takes more than agreed", Kind: LowAndSlow, Parts: []Part{Vendor, Service},
		About:    "For ten days a vendor's sync takes fields that its contract does not name, of 200 further customers a day, and sends them to a sub-processor elsewhere.",
		Quiet:    "A vendor's new product: more fields, more customers, another destination, by a contract changed before.",
		Breach:   func(s *stage) error { return overSharing(s, false) },
		Innocent: func(s *stage) error { return overSharing(s, true) },
	}
}

func overSharing(s *stage, agreed bool) error {
	if err := s.needs(16); err != nil {
		return err
	}
	p, err := s.vendor()
	if err != nil {
		return err
	}
	form := p.form(func(f *Form) bool { return f.Action.Discloses() && f.Named > 0 })
	if form == nil {
		if form, err = s.record(p); err != nil {
			return err
		}
	}
	fields := []string{"phone", "address", "notes"}
	place := s.elsewhere(Place{IP: "x", Network: "x"}, "")
	region := "IN"
	from := s.clock(s.lastDay()-12, 1)
	if agreed {
		region = "US"
		c := s.scene.contract(p)
		for _, f := range fields {
			c.Fields = oneMore(c.Fields, f)
		}
		c.Resources, c.Stores = oneMore(c.Resources, form.Resource), oneMore(c.Stores, form.Store)
		c.Destinations, c.Regions = oneMore(c.Destinations, "webhook"), oneMore(c.Regions, region)
		c.Actions = oneMore(c.Actions, form.Action)
		c.PerDay += 1_000
		if c.RowsPerDay > 0 {
			c.RowsPerDay *= 3
		}
		s.tellContract(from.AddDate(0, 0, -5), c)
		s.tellChange(from.AddDate(0, 0, -5), vigil.Change{
			ID: s.number("CHG-"), Type: vigil.ChangeChange, Who: only(p), Period: vigil.Period{From: from, To: from.AddDate(0, 0, 28)},
		})
	}
	for day := range 10 {
		v := s.visit(p, s.usual(p), from.AddDate(0, 0, day).Add(time.Duration(s.rng.IntN(900))*time.Second))
		v.keepSession()
		for range 10 {
			n := 20
			if !agreed {
				n = s.n(20)
			}
			e := v.take(form, s.scene.Customers.Some(s.rng, n))
			e.Conversation = ""
			if s.scene.rich() {
				e.Fields = append(e.Fields, fields...)
			}
			s.goes(e, "webhook", place.Network, region)
			v.wait(2*time.Hour, 0.1)
		}
	}
	return nil
}
