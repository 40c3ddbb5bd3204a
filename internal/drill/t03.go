package drill

import (
	"time"

	"vigil"
)

// t03: who may read looks up people for a reason that is none.
func t03() Scenario {
	return Scenario{
		ID: "T03", Name: "Access outside its purpose", Kind: LowAndSlow,
		About:    "For eight working days an agent opens fifteen customers a day with whom nobody has given her a case, their payments too, for a purpose that she has not declared; as many accesses as on any day.",
		Quiet:    "A colleague samples others' conversations for quality: declared, within the quota, with the task assigned.",
		Breach:   outsidePurpose,
		Innocent: qualitySampling,
	}
}

func outsidePurpose(s *stage) error {
	if err := s.needs(16); err != nil {
		return err
	}
	p, err := s.one("agent", s.frontline, s.person)
	if err != nil {
		return err
	}
	forms := p.forms(func(f *Form) bool { return f.single() && f.Action == vigil.ActionRead })
	if len(forms) == 0 {
		forms = p.forms((*Form).single)
	}
	// What is most sensitive comes first.
	for i, f := range forms {
		if f.Class == "payment" || f.Class == "health" {
			forms[0], forms[i] = forms[i], forms[0]
		}
	}
	last := s.lastDay() - 3
	days := s.workdays(p, last-11, last)
	for _, day := range days[max(0, len(days)-8):] {
		v := s.visit(p, s.usual(p), s.early(p, day))
		v.inSession()
		for _, c := range s.strangers(p, s.n(15)) {
			for range 1 + s.rng.IntN(2) {
				e := v.read(forms[min(s.rng.IntN(3), s.rng.IntN(len(forms)))], c)
				e.Conversation, e.Purpose = "", s.whyOf("research")
				v.wait(40*time.Second, 0.6)
			}
			v.wait(15*time.Minute, 0.5)
		}
	}
	return nil
}

// qualitySampling judges what others wrote, some conversations a day, for weeks.
func qualitySampling(s *stage) error {
	if err := s.needs(16); err != nil {
		return err
	}
	p, err := s.one("agent", s.frontline, s.person)
	if err != nil {
		return err
	}
	forms := p.forms(func(f *Form) bool { return f.single() && f.Action == vigil.ActionRead })
	if len(forms) == 0 {
		forms = p.forms((*Form).single)
	}
	s.tellPurpose(s.scene.Start, vigil.Purpose{ID: "qa-" + p.Actor.ID, Who: only(p), Purpose: "qa", PerDay: 20})
	s.tellAssignment(s.scene.Start, vigil.Assignment{ID: "qa-" + p.Actor.ID, Who: only(p), Purpose: "qa"})
	// It was always part of the work; of the last two weeks the trap is made.
	for part, span := range [][2]int{{1, s.lastDay() - 15}, {s.lastDay() - 14, s.lastDay() - 1}} {
		if part == 1 {
			s.precedent()
		}
		for day := span[0]; day <= span[1]; day++ {
			if !p.worked(day) {
				continue
			}
			v := s.visit(p, s.usual(p), s.atWork(p, day))
			v.inSession()
			for _, c := range s.strangers(p, 6) {
				v.serve(false)
				for range 2 {
					v.read(forms[s.rng.IntN(len(forms))], c).Purpose = s.whyOf("qa")
					v.wait(70*time.Second, 0.6)
				}
			}
		}
	}
	return nil
}
