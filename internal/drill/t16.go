package drill

import (
	"time"

	"vigil"
)

// t16: who has given notice takes customers along, in the last two weeks.
func t16() Scenario {
	return Scenario{
		ID: "T16", Name: "Downloads of a leaver", Kind: LowAndSlow,
		About:    "In the two weeks before the last day an agent opens and downloads some 900 old conversations after work is done.",
		Quiet:    "A leaver hands over: reads the own customers' conversations again, with tickets, and writes notes.",
		Breach:   leaver,
		Innocent: handover,
	}
}

func leaver(s *stage) error {
	if err := s.needs(20); err != nil {
		return err
	}
	p, err := s.one("agent", s.frontline, s.person)
	if err != nil {
		return err
	}
	end := s.lastDay() - 2
	s.silence(p, s.clock(end+1, 12), s.scene.End.Add(time.Hour))
	s.leaves(p, end)
	export, err := s.export(p)
	if err != nil {
		return err
	}
	forms := p.forms(func(f *Form) bool { return f.single() && f.Action == vigil.ActionRead })
	if len(forms) == 0 {
		forms = p.forms((*Form).single)
	}
	days := s.workdays(p, end-13, end)
	for i, day := range days {
		// More each day; two thirds by reading, one by export.
		n := s.n(900 * 2 * float64(i+1) / float64(len(days)*(len(days)+1)))
		v := s.visit(p, s.usual(p), s.afterWork(p, day))
		for _, c := range s.strangers(p, max(1, n*2/3)) {
			v.serve(false)
			v.read(forms[s.rng.IntN(len(forms))], c)
			v.wait(20*time.Second, 0.6)
		}
		v.talk = ""
		if n >= 3 {
			v.take(export, s.scene.Customers.Some(s.rng, n/3))
		}
	}
	return nil
}

// leaves tells that somebody has given notice, two weeks before the last day.
func (s *stage) leaves(p *Person, last int) {
	about := s.scene.person(&p.Actor)
	about.Notice, about.Leaves = s.clock(last-14, 9), s.clock(last+2, 0)
	s.tellPerson(about.Notice, about)
}

// workdays are the days on which a person works, among those from until to; when
// there are none, the last one.
func (s *stage) workdays(p *Person, from, to int) []int {
	var out []int
	for d := max(0, from); d <= to; d++ {
		if p.worked(d) {
			out = append(out, d)
		}
	}
	if len(out) == 0 {
		out = append(out, max(0, to))
	}
	return out
}

// afterWork is towards the end of a person's hours.
func (s *stage) afterWork(p *Person, day int) time.Time {
	best, at := int64(0), 12
	for h := range p.hours {
		// The largest fall from one hour to the next but one is when people go home.
		if d := p.hours[h] - p.hours[(h+2)%24]; d > best {
			best, at = d, h
		}
	}
	return s.clock(day, at).Add(time.Duration(20+s.rng.IntN(30)) * time.Minute)
}

func handover(s *stage) error {
	p, err := s.one("agent", s.frontline, s.person)
	if err != nil {
		return err
	}
	end := s.lastDay() - 2
	s.silence(p, s.clock(end+1, 12), s.scene.End.Add(time.Hour))
	s.leaves(p, end)
	forms := p.forms(func(f *Form) bool { return f.Single*2 > f.Count })
	for _, day := range s.workdays(p, end-13, end) {
		v := s.visit(p, s.usual(p), s.atWork(p, day))
		v.inSession()
		for range 2 + s.rng.IntN(4) {
			v.serve(true)
			c := p.Own[s.rng.IntN(len(p.Own))]
			for range 2 {
				v.read(forms[s.rng.IntN(len(forms))], c)
				v.wait(50*time.Second, 0.6)
			}
		}
	}
	return nil
}
