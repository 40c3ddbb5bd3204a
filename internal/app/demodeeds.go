package app

import (
	"context"
	"errors"
	"fmt"

	"vigil"
	"vigil/internal/access"
	"vigil/internal/api"
)

// Furnish does what people would have done by now, in the names of the demonstration's
// two, by the same ways as they: cases that are worked on, a verdict, a clock that runs, a
// name that is asked for, and a drill and a preview of other budgets, which go on in the background. Call it
// once the recording is over.
func (d *Demo) Furnish(ctx context.Context) error {
	if len(d.door.people) < 2 {
		return errors.New("furnish the demo: it has no people yet")
	}
	ada, bo := api.WithPerson(ctx, d.door.people[0]), api.WithPerson(ctx, d.door.people[1])
	services := d.app.services()
	page, err := services.Cases(ada, api.QueueFilter{Limit: 3})
	if err != nil {
		return fmt.Errorf("furnish the demo: %w", err)
	}
	for i, c := range page.Cases {
		for n, a := range demoDeeds(i) {
			a.act.Case, a.act.Key = c.ID, fmt.Sprintf("demo-%s-%d", c.ID, n)
			who := ada
			if a.bo {
				who = bo
			}
			if _, err := services.Worker.Work(who, a.act); err != nil {
				return fmt.Errorf("furnish the demo: %s: %w", a.act.Deed, err)
			}
		}
	}
	if len(page.Cases) > 0 && page.Cases[0].Actor != "" {
		c := &page.Cases[0]
		_, err := services.Revealer.AskReveal(ada, api.RevealAsk{Case: c.ID, Pseudonym: c.Actor, Reason: "The vendor asks whose key it was.", Key: "demo-reveal"})
		if err != nil {
			return fmt.Errorf("furnish the demo: reveal: %w", err)
		}
	}
	ask := api.DrillAsk{On: api.DrillMadeUp, Scenarios: []string{"T01", "T07", "T12", "T14"}, Intensity: 1, Key: "demo-drill"}
	if err := d.app.drills.begin(ada, ask, company{actors: 60, days: 21}); err != nil {
		return fmt.Errorf("furnish the demo: %w", err)
	}
	budget := d.app.judge().status.Load().Budget
	if _, err := d.app.backtests.StartReplay(ada, api.ReplayAsk{Budgets: []float64{budget / 2, budget, 4 * budget}, Key: "demo-preview"}); err != nil {
		return fmt.Errorf("furnish the demo: preview of budgets: %w", err)
	}
	return nil
}

// demoDeed is a deed by the first of the two, or by the second.
type demoDeed struct {
	act api.CaseAct
	bo  bool
}

// demoDeeds is what was done with the case of a place in the queue: the worst is a breach
// of which somebody became aware, the next is being looked into, the third was nothing.
func demoDeeds(at int) []demoDeed {
	switch at {
	case 0:
		return []demoDeed{
			{act: api.CaseAct{Deed: access.DeedAcknowledge}},
			{act: api.CaseAct{Deed: access.DeedNote, Note: "The key is withdrawn. The vendor says that these reads are not theirs."}},
			{bo: true, act: api.CaseAct{Deed: access.DeedAware}},
			{bo: true, act: api.CaseAct{Deed: access.DeedVerdict, Word: vigil.WordBreach, Note: "A stolen key: used from a network and by a program that the vendor does not have."}},
		}
	case 1:
		return []demoDeed{
			{bo: true, act: api.CaseAct{Deed: access.DeedAcknowledge}},
			{bo: true, act: api.CaseAct{Deed: access.DeedNote, Note: "Asked who runs this service whether it is meant to read this much."}},
		}
	}
	return nil
}
