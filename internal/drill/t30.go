package drill

import (
	"fmt"
	"math"
	"time"

	"vigil"
)

// t30: the baseline is raised by small steps before the theft.
func t30() Scenario {
	return Scenario{
		ID: "T30", Name: "Theft after a slow poisoning of the baseline", Kind: LowAndSlow,
		About:    "For three weeks an agent reads the own customers' records a little more often each day, up to two and a half times; then forty strangers a day for five days.",
		Quiet:    "A newcomer's work grows over three weeks to that of a colleague.",
		Breach:   poisoning,
		Innocent: newcomer,
	}
}

func poisoning(s *stage) error {
	if err := s.needs(29); err != nil {
		return err
	}
	p, err := s.one("agent", s.frontline, s.person)
	if err != nil {
		return err
	}
	theft := s.clock(s.lastDay()-9, 0)
	begin := theft.AddDate(0, 0, -21)
	top := 1.5 * s.intensity
	s.act.shades = append(s.act.shades, shadow{
		of: keyOf(&p.Actor), from: begin, to: s.scene.End, mine: true, harmless: true, draw: s.rng.Float64,
		share: func(t time.Time) float64 {
			// The same factor each day, and held from the theft on.
			d := math.Min(21, t.Sub(begin).Hours()/24)
			return math.Pow(1+top, d/21) - 1
		},
		delay: func() time.Duration { return s.pause(3*time.Minute, 0.6) },
		// The own customers, whom the event names already; only not a second writing.
		change: func(e *vigil.Event) {
			if !e.Action.Discloses() {
				e.Action = vigil.ActionRead
			}
		},
	})
	forms := p.forms(func(f *Form) bool { return f.single() && f.Action == vigil.ActionRead })
	if len(forms) == 0 {
		forms = p.forms((*Form).single)
	}
	days := s.workdays(p, s.lastDay()-9, s.lastDay()-2)
	for _, day := range days[:min(5, len(days))] {
		v := s.visit(p, s.usual(p), s.early(p, day))
		v.inSession()
		for _, c := range s.strangers(p, s.n(40)) {
			v.serve(false)
			v.read(forms[s.rng.IntN(len(forms))], c)
			v.wait(8*time.Minute, 0.6)
		}
	}
	return nil
}

// newcomer works as a colleague does, on other customers, a little more each day.
func newcomer(s *stage) error {
	if err := s.needs(24); err != nil {
		return err
	}
	model, err := s.one("agent", s.frontline, s.person)
	if err != nil {
		return err
	}
	// The colleague is only copied from; it is the newcomer that must stay quiet.
	delete(s.act.actors, keyOf(&model.Actor))
	who := model.Actor
	who.ID = s.alike([]string{who.ID}) + "n"
	s.act.actors[keyOf(&who)] = true
	place := s.elsewhere(s.usual(model), s.usual(model).Agent)
	begin := s.clock(s.lastDay()-26, 0)
	s.tellPerson(begin.AddDate(0, 0, -7), vigil.Person{
		Actor: who.ID, Tenant: who.Tenant, Kind: who.Kind, Role: who.Role, Team: who.Team, Manager: s.scene.person(&model.Actor).Manager, Started: begin,
	})
	s.shiftsLike(model, who, begin)
	shift := 9*time.Minute + time.Duration(s.rng.IntN(600))*time.Second
	salt := s.rng.Uint64()
	other := func(id string) string {
		return s.scene.Customers.At(int((hash(id) ^ salt) % uint64(max(1, s.scene.Customers.Len()))))
	}
	s.act.shades = append(s.act.shades, shadow{
		of: keyOf(&model.Actor), from: begin, to: s.scene.End, mine: true, draw: s.rng.Float64,
		share: func(t time.Time) float64 { return math.Min(1, 0.2+0.8*t.Sub(begin).Hours()/24/21) },
		delay: func() time.Duration { return shift + s.pause(20*time.Second, 0.5) },
		change: func(e *vigil.Event) {
			e.Actor = who
			e.IP, e.Network, e.Country, e.ASN, e.UserAgent = place.IP, place.Network, place.Country, place.ASN, place.Agent
			if e.Session != "" {
				e.Session += "n"
			}
			for i, c := range e.Subjects {
				e.Subjects[i] = other(c)
			}
			if e.Conversation != "" {
				e.Conversation += "7"
			}
			if e.Ticket != "" {
				e.Ticket += "7"
			}
			e.Purpose = "" // what the colleague was asked for, the newcomer was not
		},
	})
	return nil
}

// shiftsLike tells that somebody works when another does.
func (s *stage) shiftsLike(model *Person, who vigil.Actor, from time.Time) {
	first, last := 23, 0
	for h, n := range model.hours {
		if n > 0 {
			first, last = min(first, h), max(last, h)
		}
	}
	var list []vigil.Shift
	for day := s.scene.day(from); day <= s.scene.day(s.scene.End); day++ {
		if model.worked(day) {
			list = append(list, vigil.Shift{
				ID: fmt.Sprintf("shift-%s-%d", who.ID, day), Who: vigil.Who{Actor: who.ID}, Duty: vigil.DutyShift,
				Period: vigil.Period{From: s.clock(day, first-1), To: s.clock(day, last+2)},
			})
		}
	}
	s.tellShift(from.AddDate(0, 0, -1), list...)
}
