package drill

import (
	"cmp"
	"slices"
	"time"

	"vigil"
)

// t29: several share the work, so that nobody takes much.
func t29() Scenario {
	return Scenario{
		ID: "T29", Name: "Theft split among colleagues", Kind: LowAndSlow,
		About:    "Four of one team each read thirty customers a day beyond their own, for six days, in ranges of ids that together leave none out.",
		Quiet:    "Four of one team work off a backlog that is dealt out by id: with tickets, with replies, in place of other work.",
		Breach:   collusion,
		Innocent: sharded,
	}
}

// team picks n of one team who do the same work.
func (s *stage) team(n int) ([]*Person, error) {
	type unit struct{ team, role string }
	size := map[unit]int{}
	free := func(p *Person) bool { return !s.taken[keyOf(&p.Actor)] && s.person(p) && p.PerDay >= 4 }
	for _, p := range s.scene.People {
		if free(p) {
			size[unit{p.Actor.Team, p.Actor.Role}]++
		}
	}
	var units []unit
	for u, k := range size {
		if k >= n {
			units = append(units, u)
		}
	}
	slices.SortFunc(units, func(a, b unit) int { return cmp.Or(cmp.Compare(a.team, b.team), cmp.Compare(a.role, b.role)) })
	if len(units) == 0 {
		return s.pick("team", n, s.frontline, s.person)
	}
	u := units[s.rng.IntN(len(units))]
	if u.team != "" {
		s.act.teams[u.team] = true
	}
	return s.pick("team", n, func(p *Person) bool { return free(p) && p.Actor.Team == u.team && p.Actor.Role == u.role })
}

func collusion(s *stage) error {
	if err := s.needs(14); err != nil {
		return err
	}
	people, err := s.team(4)
	if err != nil {
		return err
	}
	const days = 6
	each := s.n(30)
	first := s.start(each * days * len(people))
	last := s.lastDay() - 3
	for i, p := range people {
		forms := p.forms(func(f *Form) bool { return f.single() && f.Action == vigil.ActionRead })
		if len(forms) == 0 {
			forms = p.forms((*Form).single)
		}
		work := s.workdays(p, last-12, last)
		work = work[max(0, len(work)-days):]
		id := first + i*each*days
		for _, day := range work {
			// Among the own work, here and there: one in ten minutes.
			v := s.visit(p, s.usual(p), s.early(p, day))
			v.inSession()
			v.ordered = true
			for range each {
				v.serve(false)
				v.read(forms[s.rng.IntN(len(forms))], s.scene.Customers.At(id))
				v.wait(10*time.Minute, 0.5)
				id++
			}
		}
	}
	return nil
}

// sharded replaces a part of four people's work by that on a backlog.
func sharded(s *stage) error {
	people, err := s.team(4)
	if err != nil {
		return err
	}
	last := s.lastDay() - 3
	from, to := s.clock(last-6, 0), s.clock(last+1, 0)
	first := s.start(4 * 200)
	for i, p := range people {
		next := 0
		// Whole conversations are replaced: whatever concerns one customer that day
		// concerns the one from the backlog instead.
		instead := map[string]string{}
		talks := map[string]string{}
		id := first + i*200
		s.act.edits = append(s.act.edits, edit{
			who: keyOf(&p.Actor), from: from, to: to, mine: true,
			change: func(e *vigil.Event) bool {
				if len(e.Subjects) != 1 || hash(e.Subjects[0])%3 > 0 || next >= 200 && instead[e.Subjects[0]] == "" {
					return true
				}
				was := e.Subjects[0]
				if instead[was] == "" {
					instead[was] = s.scene.Customers.At(id + next)
					talks[was] = s.alike(s.scene.talks)
					next++
				}
				e.Subjects = []string{instead[was]}
				if e.Conversation != "" {
					e.Conversation = talks[was]
				}
				if e.Ticket == "" {
					e.Ticket = "T-" + padded(int64(hash(was)%900_000)+100_000, 6)
				}
				return true
			},
		})
	}
	return nil
}
