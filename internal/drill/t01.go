package drill

import (
	"time"

	"vigil"
)

// t01: an agent takes conversations along, page by page at the largest size, in
// the course of a shift and from the usual place.
func t01() Scenario {
	return Scenario{
		ID: "T01", Name: "Mass export by a support agent", Kind: Bulk,
		About:    "An agent exports some 2,400 conversations within minutes, from the usual place and in working hours.",
		Quiet:    "The monthly report of a supervisor or analyst, who made the same one four weeks before.",
		Breach:   massExport,
		Innocent: monthlyReport,
	}
}

func massExport(s *stage) error {
	p, err := s.one("agent", s.frontline, s.person)
	if err != nil {
		return err
	}
	form, err := s.export(p)
	if err != nil {
		return err
	}
	list, err := s.borrow(p, func(f *Form) bool { return f.Action == vigil.ActionSearch && f.Most > 1 })
	if err != nil {
		list = form
	}
	// As many as a page holds at most; where pages are small or not told, a hundred.
	page := int(min(max(form.Most, 100), 500))
	v := s.visit(p, s.usual(p), s.soon(p))
	for left := s.n(2400); left > 0; left -= page {
		v.do(list)
		v.wait(5*time.Second, 0.5)
		n := min(page, left)
		v.take(form, s.scene.Customers.Some(s.rng, n))
		v.wait(12*time.Second, 0.5)
	}
	return nil
}

// export is the form by which p exports: its own, a colleague's, else its reading
// of records with the action changed.
func (s *stage) export(p *Person) (*Form, error) {
	if f, err := s.borrow(p, func(f *Form) bool { return f.Action == vigil.ActionExport && f.personal() }); err == nil {
		return f, nil
	}
	f, err := s.record(p)
	if err != nil {
		return nil, err
	}
	return f.as(vigil.ActionExport), nil
}

// as is the form with another action.
func (f *Form) as(action vigil.Action) *Form {
	c := *f
	c.Action = action
	c.Samples = make([]*vigil.Event, len(f.Samples))
	for i, e := range f.Samples {
		c.Samples[i] = copyOf(e)
		c.Samples[i].Action = action
		if e.Shape != "" {
			c.Samples[i].Shape = string(action) + " " + e.Shape
		}
	}
	return &c
}

// monthlyReport is made twice, four weeks apart, by one whose work it is.
func monthlyReport(s *stage) error {
	reports := func(p *Person) bool {
		return s.person(p) && !s.frontline(p) && p.form(func(f *Form) bool { return f.Action == vigil.ActionExport }) != nil
	}
	p, err := s.one("supervisor or analyst", reports, func(p *Person) bool { return s.established(p) && !p.machine() && !p.customer() && !s.frontline(p) }, s.person)
	if err != nil {
		return err
	}
	form := p.form(func(f *Form) bool { return f.Action == vigil.ActionExport && f.personal() })
	if form == nil {
		if form, err = s.borrow(p, func(f *Form) bool { return f.Action == vigil.ActionExport }); err != nil {
			if form, err = s.export(p); err != nil {
				return err
			}
		}
	}
	s.tellPurpose(s.scene.Start, vigil.Purpose{ID: "reporting-" + p.Actor.ID, Who: only(p), Purpose: "reporting"})
	s.tellAssignment(s.scene.Start, vigil.Assignment{ID: "reporting-" + p.Actor.ID, Who: only(p), Purpose: "reporting"})
	late := s.workday(p, s.lastDay()-8, s.lastDay()-2)
	for _, day := range []int{late - 28, late} {
		if day < 0 {
			continue
		}
		s.precedent()
		v := s.visit(p, s.usual(p), s.atWork(p, day))
		for range 14 {
			e := v.do(form)
			if form.Counted > 0 {
				e.SubjectCount = int64(200 + s.rng.IntN(100))
				v.size(e, form, e.SubjectCount)
			} else if form.Named > 0 {
				e.Subjects = s.scene.Customers.Some(s.rng, 100)
				e.SubjectCount = int64(len(e.Subjects))
				v.size(e, form, e.SubjectCount)
			}
			e.Purpose = "reporting"
			v.wait(4*time.Minute, 0.6)
		}
	}
	return nil
}
