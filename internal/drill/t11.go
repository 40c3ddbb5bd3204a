package drill

import (
	"time"

	"vigil"
)

// t11: the bot's identity is used for what no bot is meant to do.
func t11() Scenario {
	return Scenario{
		ID: "T11", Name: "Bot used beyond its agency", Kind: RecordByRecord, Parts: []Part{Bot},
		About:    "The bot's identity reads notes and attachments, which it is not meant to see, 60 times without naming a customer, and deletes twice; from the usual place.",
		Quiet:    "An announced migration: the bot's identity reads a new table in place of an old one.",
		Breach:   beyondAgency,
		Innocent: migration,
	}
}

func beyondAgency(s *stage) error {
	p, err := s.bot()
	if err != nil {
		return err
	}
	form, err := s.record(p)
	if err != nil {
		return err
	}
	v := s.visit(p, s.usual(p), s.soon(p))
	v.keepSession()
	for i := range s.n(60) {
		resource := [2]string{"notes", "attachments"}[i%2]
		e := v.other(form, vigil.ActionRead, resource, "content")
		e.SubjectCount = 20
		if form.rows > 0 {
			e.Rows, e.Unbounded = 20, true
		}
		if s.scene.rich() {
			e.Fields = []string{"body", "author", "internal"}
		}
		v.wait(3*time.Second, 0.5)
	}
	for range 2 {
		e := v.other(form, vigil.ActionDelete, "notes", "content")
		e.SubjectCount = 1
		v.wait(5*time.Second, 0.4)
	}
	return nil
}

// migration moves a part of what the bot reads to another table, of its own
// customer, within a window that everybody knows.
func migration(s *stage) error {
	p, err := s.bot()
	if err != nil {
		return err
	}
	form, err := s.record(p)
	if err != nil {
		return err
	}
	from := s.clock(s.lastDay()-6-s.rng.IntN(3), 2)
	c := s.scene.contract(p)
	c.Resources = oneMore(c.Resources, form.Resource+"_v2")
	s.tellContract(from.AddDate(0, 0, -3), c)
	s.tellChange(from.AddDate(0, 0, -3), vigil.Change{
		ID: s.number("CHG-"), Type: vigil.ChangeMaintenance, Who: only(p), Period: vigil.Period{From: from, To: from.AddDate(0, 0, 14)},
	})
	s.act.edits = append(s.act.edits, edit{
		who: keyOf(&p.Actor), from: from, to: s.scene.End.Add(time.Hour), mine: true,
		change: func(e *vigil.Event) bool {
			if e.Resource == form.Resource && e.Action == form.Action {
				e.Resource += "_v2"
			}
			return true
		},
	})
	return nil
}
