package drill

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"vigil"
)

// t04: a brand's people, or its bot, see the customers of another.
func t04() Scenario {
	return Scenario{
		ID: "T04", Name: "Reading another brand's customers", Kind: RecordByRecord,
		About:    "In one session an agent's searches and reads show 24 customers of another tenant of the same store.",
		Quiet:    "Somebody who serves both brands, and always has, with cases of both.",
		Breach:   foreignTenant,
		Innocent: bothBrands,
	}
}

// foreign names another tenant than p's: one that the traffic knows, else one that
// is not there yet. Empty where the source names none.
func (s *stage) foreign(p *Person) string {
	names := slices.SortedFunc(maps.Keys(s.scene.tenants), func(a, b string) int {
		return cmp.Or(cmp.Compare(s.scene.tenants[b], s.scene.tenants[a]), cmp.Compare(a, b))
	})
	own := p.Actor.Tenant
	for _, name := range names {
		if name != own && own != "" {
			return name
		}
	}
	if len(names) == 0 {
		return ""
	}
	return names[0] + "-north"
}

// home is the tenant of p's own data.
func (s *stage) foreigner(p *Person) (string, error) {
	if t := s.foreign(p); t != "" {
		return t, nil
	}
	return "", unfit("its events don't say whose data it is (resource_tenant)")
}

func foreignTenant(s *stage) error {
	p, err := s.one("agent", s.frontline, s.person)
	if err != nil {
		return err
	}
	tenant, err := s.foreigner(p)
	if err != nil {
		return err
	}
	forms := p.forms((*Form).single)
	v := s.visit(p, s.usual(p), s.soon(p))
	v.inSession()
	for _, c := range s.strangers(p, s.n(24)) {
		v.serve(false)
		for range 1 + s.rng.IntN(2) {
			v.read(forms[s.rng.IntN(len(forms))], c).ResourceTenant = tenant
			v.wait(30*time.Second, 0.6)
		}
	}
	return nil
}

// bothBrands is a part of somebody's cases, from the first week on.
func bothBrands(s *stage) error {
	p, err := s.one("agent", s.frontline, s.person)
	if err != nil {
		return err
	}
	tenant, err := s.foreigner(p)
	if err != nil {
		return err
	}
	s.tellAssignment(s.scene.Start, vigil.Assignment{ID: "brands-" + p.Actor.ID, Who: only(p), Store: p.Forms[0].Store})
	change := func(e *vigil.Event) bool {
		if len(e.Subjects) == 1 && hash(e.Subjects[0])%3 == 0 {
			e.ResourceTenant = tenant
		}
		return true
	}
	late := s.clock(s.lastDay()-9, 0)
	for _, part := range []edit{{from: s.scene.Start.AddDate(0, 0, -1), to: late}, {from: late, to: s.scene.End.Add(time.Hour), mine: true}} {
		part.who, part.change = keyOf(&p.Actor), change
		s.act.edits = append(s.act.edits, part)
	}
	return nil
}
