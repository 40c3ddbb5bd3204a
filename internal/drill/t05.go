package drill

import (
	"time"

	"vigil"
)

// t05: an account that nobody has used for a month comes back, from elsewhere.
func t05() Scenario {
	return Scenario{
		ID: "T05", Name: "Revival of a dormant account", Kind: RecordByRecord,
		About:    "After 31 days of silence an agent's account signs in from a new network with a new client, and reads 120 customers over two hours.",
		Quiet:    "An agent back from parental leave of the same length does the ordinary work.",
		Breach:   dormantRevival,
		Innocent: backFromLeave,
	}
}

// dormancy is how long an account is silent before it is used again.
const dormancy = 31 * 24 * time.Hour

func dormantRevival(s *stage) error {
	if err := s.needs(37); err != nil {
		return err
	}
	p, err := s.one("agent", s.frontline, s.person)
	if err != nil {
		return err
	}
	at := s.soon(p)
	s.silence(p, at.Add(-dormancy), s.scene.End.Add(time.Hour))
	s.away(p, at.Add(-dormancy), s.scene.End.Add(time.Hour))
	place := s.elsewhere(s.usual(p), "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/139.0 Safari/537.36")
	forms := p.forms((*Form).single)
	v := s.visit(p, place, at)
	v.login(true)
	for _, c := range s.strangers(p, s.n(120)) {
		v.serve(false)
		for range 1 + s.rng.IntN(2) {
			v.read(forms[s.rng.IntN(len(forms))], c)
			v.wait(25*time.Second, 0.7)
		}
		v.wait(12*time.Second, 0.7)
	}
	return nil
}

// away tells that somebody is on leave, known a week before.
func (s *stage) away(p *Person, from, to time.Time) {
	s.tellShift(from.AddDate(0, 0, -7), vigil.Shift{ID: "leave-" + p.Actor.ID, Who: only(p), Duty: vigil.DutyAbsent, Period: vigil.Period{From: from, To: to}})
}

// silence takes out what p does in a time.
func (s *stage) silence(p *Person, from, to time.Time) {
	s.act.edits = append(s.act.edits, edit{who: keyOf(&p.Actor), from: from, to: to, change: func(*vigil.Event) bool { return false }})
}

func backFromLeave(s *stage) error {
	if err := s.needs(37); err != nil {
		return err
	}
	p, err := s.one("agent", s.frontline, s.person)
	if err != nil {
		return err
	}
	back := s.clock(s.lastDay()-5-s.rng.IntN(3), 0)
	s.silence(p, back.Add(-dormancy), back)
	s.away(p, back.Add(-dormancy), back)
	s.watch(p, back, s.scene.End)
	return nil
}

// watch makes what p does of itself in a time a part of the act.
func (s *stage) watch(p *Person, from, to time.Time) {
	s.act.edits = append(s.act.edits, edit{who: keyOf(&p.Actor), from: from, to: to, change: func(*vigil.Event) bool { return true }, mine: true})
}
