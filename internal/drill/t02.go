package drill

import (
	"time"

	"vigil"
)

// t02: a service account reads customer after customer, so slowly that no hour
// shows it.
func t02() Scenario {
	return Scenario{
		ID: "T02", Name: "Slow scraping by a service account", Kind: LowAndSlow, Parts: []Part{Service},
		About:    "A service reads one customer every nine minutes, day and night, in rising order, for two weeks.",
		Quiet:    "A nightly sync that covers every customer, and always has.",
		Breach:   slowScrape,
		Innocent: nightlySync,
	}
}

func slowScrape(s *stage) error {
	if err := s.needs(12); err != nil {
		return err
	}
	// One that names customers already: then the scraping looks like its own work.
	names := func(f *Form) bool { return f.Action.Discloses() && f.Named > 0 && f.Class != "public" }
	service := func(p *Person) bool { return s.automatic(p) && p.Actor.Kind != vigil.KindBot }
	p, err := s.one("service account", func(p *Person) bool { return service(p) && p.form(names) != nil }, service, s.automatic)
	if err != nil {
		return err
	}
	form := p.form((*Form).single)
	if form == nil {
		form = p.form(names)
	}
	if form == nil {
		if form, err = s.record(p); err != nil {
			return err
		}
	}
	span := min(14*24*time.Hour, s.scene.End.Sub(s.scene.Start)/2)
	from := s.scene.End.Add(-span - time.Duration(6+s.rng.IntN(18))*time.Hour)
	v := s.visit(p, s.usual(p), from)
	v.ordered = true
	gap := float64(9*time.Minute) / s.intensity
	for id := s.start(int(float64(span) / gap)); v.at.Sub(from) < span; id += 1 + s.rng.IntN(2) {
		e := v.read(form, s.scene.Customers.At(id))
		if !form.single() {
			v.size(e, form, 1)
		}
		v.at = v.at.Add(time.Duration(gap * (1 + s.rng.NormFloat64()/20))).Truncate(time.Millisecond)
	}
	return nil
}

// nightlySync reads all customers in order, in pages, from the first night on.
func nightlySync(s *stage) error {
	p, err := s.one("service account", s.ofKind(vigil.KindService), s.ofKind(vigil.KindVendor), s.automatic)
	if err != nil {
		return err
	}
	form, err := s.borrow(p, func(f *Form) bool { return f.personal() && f.Most > 10 })
	if err != nil {
		if form, err = s.record(p); err != nil {
			return err
		}
	}
	s.tellAssignment(s.scene.Start, vigil.Assignment{ID: "job-sync-" + p.Actor.ID, Who: only(p), Store: form.Store, Resource: form.Resource})
	if p.Actor.Kind == vigil.KindVendor {
		c := s.scene.contract(p)
		c.Stores, c.Resources, c.Actions = oneMore(c.Stores, form.Store), oneMore(c.Resources, form.Resource), oneMore(c.Actions, form.Action)
		for _, e := range form.Samples {
			for _, field := range e.Fields {
				c.Fields = oneMore(c.Fields, field)
			}
		}
		c.PerDay, c.RowsPerDay, c.Hours = 0, 0, nil
		s.tellContract(s.scene.Start, c)
	}
	hour := s.rng.IntN(5)
	all := min(s.scene.Customers.Len(), 4_000)
	for day := 1; day <= s.lastDay(); day++ {
		v := s.visit(p, s.usual(p), s.clock(day, hour).Add(time.Duration(s.rng.IntN(120))*time.Second))
		for i := 0; i < all; i += 200 {
			v.take(form, s.scene.Customers.Run(i, min(200, all-i)))
			v.wait(20*time.Second, 0.1)
		}
	}
	return nil
}
