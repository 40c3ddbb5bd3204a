package drill

import (
	"slices"
	"strings"
	"time"

	"vigil"
)

// t22: who has the database's password asks it directly.
func t22() Scenario {
	return Scenario{
		ID: "T22", Name: "Direct query of whole tables by an engineer", Kind: Bulk, Parts: []Part{Technical},
		About:    "From a workstation, with an interactive client, an engineer selects all of three tables of customers' data, with no condition and no ticket.",
		Quiet:    "An approved response to an incident: an engineer looks into the same tables at night, some rows at a time, with the ticket.",
		Breach:   wholeTables,
		Innocent: incident,
	}
}

// technical reports whether p asks a database directly: by role or client.
func (s *stage) technical(p *Person) bool {
	words := strings.ToLower(p.Actor.Role + " " + p.Actor.App + " " + s.usual(p).Agent)
	return !p.machine() && !p.customer() && s.established(p) && slices.ContainsFunc([]string{"engineer", "dba", "sre", "devops", "developer", "psql", "pgadmin", "dbeaver", "compass", "redis-cli"},
		func(w string) bool { return strings.Contains(words, w) })
}

func (s *stage) engineer() (*Person, error) {
	return s.one("engineer", s.technical, s.ofKind(vigil.KindAdmin), func(p *Person) bool { return s.established(p) && !p.machine() && !p.customer() })
}

// tables are the resources of the stores that p uses which hold customers' data,
// those with the most accesses first.
func (s *stage) tables(p *Person, n int) []*Form {
	stores := map[string]bool{}
	for _, f := range p.Forms {
		stores[f.Store] = true
	}
	best := map[string]*Form{}
	for _, o := range s.scene.People {
		for _, f := range o.Forms {
			if stores[f.Store] && f.Action == vigil.ActionRead && f.personal() {
				if b := best[f.Resource]; b == nil || f.Count > b.Count {
					best[f.Resource] = f
				}
			}
		}
	}
	var out []*Form
	for _, f := range best {
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b *Form) int {
		if a.Count != b.Count {
			return int(b.Count - a.Count)
		}
		return strings.Compare(a.Resource, b.Resource)
	})
	return out[:min(n, len(out))]
}

func wholeTables(s *stage) error {
	p, err := s.engineer()
	if err != nil {
		return err
	}
	tables := s.tables(p, 3)
	if len(tables) == 0 {
		f, err := s.record(p)
		if err != nil {
			return err
		}
		tables = []*Form{f}
	}
	v := s.visit(p, s.usual(p), s.soon(p))
	known := float64(s.scene.Customers.Distinct)
	for _, f := range tables {
		e := v.count(f, int64(max(1, known*min(1, s.intensity))))
		e.Unbounded, e.Fields = true, []string{"*"}
		if e.Rows == vigil.Unknown && f.Most > 0 {
			e.Rows = e.SubjectCount
		}
		e.Limit, e.Conversation = vigil.Unknown, ""
		e.Shape = "select * from " + f.Resource
		v.wait(150*time.Second, 0.5)
	}
	return nil
}

func incident(s *stage) error {
	p, err := s.engineer()
	if err != nil {
		return err
	}
	tables := s.tables(p, 2)
	forms := p.forms(func(f *Form) bool { return f.Action == vigil.ActionRead })
	if len(forms) == 0 {
		forms = p.Forms
	}
	night := s.clock(s.workday(p, s.lastDay()-9, s.lastDay()-3), p.hour(s.rng)).Add(7 * time.Hour)
	v := s.visit(p, s.usual(p), night)
	v.ticket = s.number("INC-")
	s.tellChange(night.Add(-5*time.Minute), vigil.Change{
		ID: v.ticket, Type: vigil.ChangeIncident, Who: only(p), Period: vigil.Period{From: night.Add(-15 * time.Minute), To: night.Add(6 * time.Hour)},
	})
	for i := range 25 {
		f := forms[s.rng.IntN(len(forms))]
		if len(tables) > 0 && i%5 == 4 {
			f = tables[s.rng.IntN(len(tables))]
		}
		e := v.do(f)
		if f.personal() {
			e.Subjects, e.SubjectCount = nil, int64(1+s.rng.IntN(3))
			if e.Rows > 0 {
				e.Rows = int64(2 + s.rng.IntN(20))
			}
			if e.Bytes > 0 {
				e.Bytes = 400 * max(1, e.Rows)
			}
		}
		e.Conversation = ""
		v.wait(4*time.Minute, 0.7)
	}
	return nil
}
