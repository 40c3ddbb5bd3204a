package drill

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"vigil"
)

// t20: the log is made blind before something is taken.
func t20() Scenario {
	return Scenario{
		ID: "T20", Name: "Tampering with the log", Kind: Bulk, Parts: []Part{Technical},
		About:    "An administrator turns a system's audit off in the middle of a working day; for five hours its log is silent while others go on; some 480 customers are read unseen; then the jobs are deleted and the audit is turned on again.",
		Quiet:    "A system is down for three hours within its announced maintenance.",
		Breach:   func(s *stage) error { return silenced(s, time.Duration(float64(5*time.Hour)*s.intensity)) },
		Innocent: func(s *stage) error { return silenced(s, 3*time.Hour) },
	}
}

// loudest is the source with the most accesses by people and bots, and the store
// that it tells of.
func (s *stage) loudest() (source, store string) {
	type log struct{ source, store string }
	heard := map[log]int64{}
	for _, p := range s.scene.People {
		for _, f := range p.Forms {
			heard[log{sourceOfForm(f, p), f.Store}] += f.Count
		}
	}
	best := slices.SortedFunc(maps.Keys(heard), func(a, b log) int {
		return cmp.Or(cmp.Compare(heard[b], heard[a]), cmp.Compare(a.source, b.source), cmp.Compare(a.store, b.store))
	})
	return best[0].source, best[0].store
}

func sourceOfForm(f *Form, p *Person) string {
	if len(f.Samples) > 0 {
		return f.Samples[0].Source
	}
	return p.Source
}

func silenced(s *stage, span time.Duration) error {
	p, err := s.administrator()
	if err != nil {
		return err
	}
	if len(s.scene.People) == 0 {
		return unfit("nobody works there")
	}
	source, store := s.loudest()
	last := s.lastDay()
	day := s.workday(p, last-5, last-3)
	if s.act.Trap {
		day = s.workday(p, last-10, last-7)
	}
	at := s.clock(day, 10).Add(time.Duration(s.rng.IntN(90)) * time.Minute)
	v := s.visit(p, s.usual(p), at)
	v.inSession()
	if s.act.Trap {
		v.ticket = s.number("MNT-")
		window := vigil.Period{From: at.Add(-10 * time.Minute), To: at.Add(span + 30*time.Minute)}
		s.tellChange(at.AddDate(0, 0, -4), vigil.Change{ID: v.ticket, Type: vigil.ChangeMaintenance, Store: store, Period: window})
		s.tellChange(at.AddDate(0, 0, -4), vigil.Change{ID: v.ticket, Type: vigil.ChangeMaintenance, Who: only(p), Period: window})
	}
	set := func(action vigil.Action, resource string) {
		e := v.other(p.Forms[0], action, resource, "")
		e.Store = store
		v.wait(30*time.Second, 0.3)
	}
	what := "audit"
	if s.act.Trap {
		what = "maintenance"
	}
	set(vigil.ActionConfigure, what)
	from, to := v.at, at.Add(span)
	s.act.edits = append(s.act.edits, edit{
		from: from, to: to,
		change: func(e *vigil.Event) bool { return e.Source != source || keyOf(&e.Actor) == keyOf(&p.Actor) },
	})
	if !s.act.Trap {
		for t := from.Add(10 * time.Minute); t.Before(to); t = t.Add(10 * time.Minute) {
			s.act.unseen(t, source, 16)
		}
	}
	v.at = to
	if !s.act.Trap {
		set(vigil.ActionDelete, "jobs")
	}
	set(vigil.ActionConfigure, what)
	return nil
}
