package drill

import (
	"strings"
	"time"

	"vigil"
	"vigil/internal/traffic"
)

// t17: what customers took back is used all the same.
func t17() Scenario {
	return Scenario{
		ID: "T17", Name: "Withdrawn or erased records still read", Kind: LowAndSlow, Parts: []Part{Service},
		About:    "For six nights a service reads the messages of 60 customers for training: forty have withdrawn their consent to it days before, twenty should have been erased.",
		Quiet:    "The records of customers who withdrew are read under a legal hold, by somebody who declared it.",
		Breach:   withdrawnRead,
		Innocent: legalHold,
	}
}

// gone are customers who occur nowhere else: their records should be no more.
func (s *stage) gone(n int) []string {
	like := []string{s.scene.Customers.Any(s.rng), s.scene.Customers.Any(s.rng)}
	out := make([]string, n)
	for i := range out {
		prefix, number, width := numbered(like[i%2])
		if number < 0 {
			out[i] = s.alike(like) + "e"
			continue
		}
		// Older than all that are known.
		low := number / 3
		if _, first, _ := numbered(s.scene.Customers.At(0)); first > 0 {
			low = first / 2
		}
		out[i] = strings.TrimSuffix(prefix, " ") + padded(low+int64(s.rng.IntN(1+int(low/2))), width)
	}
	return out
}

func withdrawnRead(s *stage) error {
	if err := s.needs(14); err != nil {
		return err
	}
	names := func(f *Form) bool { return f.Action.Discloses() && f.Named > 0 && f.Class != "public" }
	service := func(p *Person) bool { return s.automatic(p) && p.Actor.Kind == vigil.KindService }
	p, err := s.one("service", func(p *Person) bool { return service(p) && p.form(names) != nil }, service, s.automatic)
	if err != nil {
		return err
	}
	form, err := s.record(p)
	if err != nil {
		return err
	}
	night := s.lastDay() - 9
	withdrawn, erased := s.scene.Customers.Some(s.rng, s.n(40)), s.gone(s.n(20))
	if !s.scene.tells["purpose"] { // then only what is erased can be told apart
		withdrawn = nil
	}
	at := s.clock(night-2, 11)
	for _, c := range withdrawn {
		s.tellConsents(at, vigil.Consent{Subject: c, Tenant: p.Actor.Tenant, Purpose: traffic.PurposeTraining, Given: at.AddDate(0, -6, 0), Withdrawn: at})
	}
	for _, c := range erased {
		s.tellConsents(at, vigil.Consent{Subject: c, Tenant: p.Actor.Tenant, Withdrawn: at.AddDate(0, 0, -2), Erased: at})
	}
	s.tellPurpose(s.scene.Start, vigil.Purpose{ID: "training-" + p.Actor.ID, Who: only(p), Purpose: traffic.PurposeTraining})
	hour := s.rng.IntN(4)
	for day := night; day < night+6; day++ {
		v := s.visit(p, s.usual(p), s.clock(day, hour).Add(time.Duration(s.rng.IntN(600))*time.Second))
		for _, list := range [][]string{withdrawn, erased} {
			for _, c := range list {
				v.read(form, c).Purpose = s.whyOf(traffic.PurposeTraining)
				v.wait(4*time.Second, 0.4)
			}
		}
	}
	return nil
}

func legalHold(s *stage) error {
	p, err := s.one("supervisor or analyst", func(p *Person) bool { return s.person(p) && !s.frontline(p) }, s.person)
	if err != nil {
		return err
	}
	form, err := s.record(p)
	if err != nil {
		return err
	}
	last := s.lastDay() - 3
	at := s.clock(last-12, 11)
	held := s.strangers(p, 12)
	for _, c := range held {
		s.tellConsents(at, vigil.Consent{Subject: c, Tenant: p.Actor.Tenant, Withdrawn: at.AddDate(0, 0, -1), Erased: at, LegalHold: true})
	}
	s.tellPurpose(at, vigil.Purpose{ID: "legal-" + p.Actor.ID, Who: only(p), Purpose: "legal", PerDay: 40})
	change := s.number("LEG-")
	s.tellAssignment(at, vigil.Assignment{ID: change, Who: only(p), Purpose: "legal"})
	days := s.workdays(p, last-6, last)
	for _, day := range days[:min(3, len(days))] {
		v := s.visit(p, s.usual(p), s.atWork(p, day))
		v.inSession()
		for _, c := range held[:min(4, len(held))] {
			v.serve(true)
			v.read(form, c).Purpose = s.whyOf("legal")
			v.wait(3*time.Minute, 0.5)
		}
		held = held[min(4, len(held)):]
	}
	return nil
}
