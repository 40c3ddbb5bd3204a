package drill

import (
	"time"

	"vigil"
)

// t26: what one customer told the bot's memory turns up with another.
func t26() Scenario {
	return Scenario{
		ID: "T26", Name: "Poisoned memory of the bot", Kind: RecordByRecord, Parts: []Part{Bot},
		About:    "The bot keeps what one customer says in its memory, and over a day brings it up in the conversations of twenty others.",
		Quiet:    "A memory that the team shares, about nobody in particular, is looked up in many conversations.",
		Breach:   poisonedMemory,
		Innocent: teamMemory,
	}
}

func poisonedMemory(s *stage) error {
	p, err := s.bot()
	if err != nil {
		return err
	}
	form, err := s.record(p)
	if err != nil {
		return err
	}
	at := s.soon(p)
	writer := s.scene.Customers.Any(s.rng)
	memory := func(v *visit, action vigil.Action) {
		e := v.other(form, action, "memories", "memory")
		e.Subjects, e.SubjectCount, e.Conversation = []string{writer}, 1, v.talk
		v.sized(e, form, 1, 700)
		v.wait(time.Second, 0.3)
	}
	v := s.visit(p, s.usual(p), at)
	v.keepSession()
	v.serve(false)
	v.principal = writer
	v.read(form, writer).Conversation = v.talk
	v.wait(20*time.Second, 0.4)
	memory(v, vigil.ActionWrite)
	n := s.n(20)
	for i, c := range s.scene.Customers.Some(s.rng, n) {
		v := s.visit(p, s.usual(p), at.Add(time.Hour+time.Duration(i)*20*time.Hour/time.Duration(n)+s.pause(5*time.Minute, 0.8)))
		if i == 0 {
			s.act.Since = v.at
		}
		v.keepSession()
		v.serve(false)
		v.principal = c
		s.act.own[c] = true
		v.read(form, c).Conversation = v.talk
		v.wait(800*time.Millisecond, 0.3)
		memory(v, vigil.ActionRead)
	}
	return nil
}

// teamMemory shadows a part of the bot's reads, from the first week on.
func teamMemory(s *stage) error {
	p, err := s.bot()
	if err != nil {
		return err
	}
	c := s.scene.contract(p)
	c.Resources = oneMore(c.Resources, "team_memory")
	s.tellContract(s.scene.Start, c)
	late := s.clock(s.lastDay()-9, 0)
	for _, part := range []shadow{{from: s.scene.Start, to: late}, {from: late, to: s.scene.End, mine: true}} {
		part.of, part.harmless, part.draw = keyOf(&p.Actor), true, s.rng.Float64
		part.share = func(time.Time) float64 { return 0.1 }
		part.delay = func() time.Duration { return s.pause(500*time.Millisecond, 0.4) }
		part.change = func(e *vigil.Event) {
			e.Action, e.Resource, e.ResourceClass, e.Shape = vigil.ActionRead, "team_memory", "memory", "read team_memory"
			e.Outcome, e.Fields = vigil.OutcomeSuccess, nil
			e.Subjects, e.SubjectCount = nil, 0
			if e.Rows > 0 {
				e.Rows = 3
			}
		}
		s.act.shades = append(s.act.shades, part)
	}
	return nil
}
