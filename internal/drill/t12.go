package drill

import (
	"fmt"
	"time"

	"vigil"
)

// t12: a customer tries the numbers of other people's chats.
func t12() Scenario {
	return Scenario{
		ID: "T12", Name: "Enumeration of chats by a customer", Kind: RecordByRecord,
		About:    "A customer's token asks for 240 chats by rising id within minutes: first refused, then answered.",
		Quiet:    "A customer follows links to chats that others shared: scattered ids, at a reader's pace.",
		Breach:   enumeration,
		Innocent: sharedLinks,
	}
}

func (s *stage) oneCustomer() (*Person, error) {
	all, err := s.portal()
	if err != nil {
		return nil, err
	}
	for range 100 {
		if p := all[s.rng.IntN(len(all))]; !s.taken[keyOf(&p.Actor)] {
			s.claim(p)
			return p, nil
		}
	}
	return nil, fmt.Errorf("%w: no customer is free", ErrUnfit)
}

// portalDay is a moment on one of the last days.
func (s *stage) portalDay() time.Time {
	return s.clock(s.lastDay()-3-s.rng.IntN(6), 8+s.rng.IntN(12)).Add(time.Duration(s.rng.IntN(3600)) * time.Second)
}

func enumeration(s *stage) error {
	p, err := s.oneCustomer()
	if err != nil {
		return err
	}
	v := s.visit(p, s.usual(p), s.portalDay())
	v.session = fmt.Sprintf("web-%08x", s.rng.Uint32())
	v.login(true)
	v.principal = p.Actor.ID
	form := p.Forms[0]
	v.serve(false)
	s.act.own[p.Actor.ID] = true
	v.read(form, p.Actor.ID)
	v.ordered = true
	v.wait(30*time.Second, 0.4)
	s.act.Since = v.at
	prefix, talk, width := numbered(v.talk)
	n := s.n(240)
	id := s.start(n)
	// The rule that lets it through is found after a part of the attempts.
	refused := n / 4
	for i := range n {
		if talk >= 0 {
			v.talk = prefix + padded(talk+int64(i)+1, width)
		} else {
			v.serve(false)
		}
		if i < refused || s.rng.Float64() < 0.3 {
			e := v.do(form)
			e.Outcome = vigil.OutcomeDenied
			if s.rng.Float64() < 0.6 {
				e.Outcome = vigil.OutcomeError // not found
			}
			e.SubjectCount = 0
			if e.Rows > 0 {
				e.Rows = 0
			}
			if e.Bytes > 0 {
				e.Bytes = 120
			}
		} else {
			v.read(form, s.scene.Customers.At(id+i))
		}
		v.wait(1500*time.Millisecond, 0.4)
	}
	return nil
}

func sharedLinks(s *stage) error {
	p, err := s.oneCustomer()
	if err != nil {
		return err
	}
	v := s.visit(p, s.usual(p), s.portalDay())
	v.session = fmt.Sprintf("web-%08x", s.rng.Uint32())
	v.login(true)
	v.principal = p.Actor.ID
	for i, c := range s.strangers(p, 8) {
		v.serve(false)
		e := v.read(p.Forms[0], c)
		if i == 3 { // one link is old
			e.Outcome, e.Subjects, e.SubjectCount = vigil.OutcomeError, nil, 0
		}
		v.wait(90*time.Second, 0.7)
	}
	return nil
}
