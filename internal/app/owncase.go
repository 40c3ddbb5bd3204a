package app

import (
	"cmp"
	"context"
	"slices"

	"vigil"
	"vigil/internal/api"
)

// What is written down of somebody who asked for what is about themselves.
const (
	keptOffCase    = "kept off a case about themselves"
	keptOffFinding = "kept off a finding about themselves"
)

// concerns reports whether a case is about somebody with these logins, or they took part
// in one of its findings.
func (b *casebook) concerns(ctx context.Context, p *people, names []string, c *vigil.Case) (bool, error) {
	if len(names) == 0 {
		return false, nil
	}
	actors := []string{c.Actor}
	if c.About != vigil.AboutActor {
		for _, id := range c.Findings {
			f, err := b.ledger.Finding(ctx, id)
			if err != nil && !gone(err) {
				return false, err
			}
			actors = append(actors, f.Actors...)
		}
	}
	return p.is(names, c.Tenant, actors...), nil
}

// keepOff says api.ErrOwnCase to who asks for a case that is about themselves, and writes
// down that they did. Everything that shows a case, or a part of it, asks this first.
func (r *reader) keepOff(ctx context.Context, c *vigil.Case) error {
	names := api.PersonOf(ctx).Logins
	if len(names) == 0 {
		return nil
	}
	own, err := r.app.book.concerns(ctx, r.app.people.Load(), names, c)
	if err != nil || !own {
		return err
	}
	return cmp.Or(r.record(ctx, keptOffCase, "case "+c.ID), api.ErrOwnCase)
}

// concernsFinding is concerns for a finding and the case that it belongs to.
func (b *casebook) concernsFinding(ctx context.Context, p *people, names []string, f *vigil.Finding) (bool, error) {
	if len(names) == 0 || p.took(names, f) {
		return len(names) > 0, nil
	}
	c, err := b.ledger.CaseOf(ctx, f.ID)
	if err != nil {
		if gone(err) {
			err = nil
		}
		return false, err
	}
	return b.concerns(ctx, p, names, &c)
}

// took reports whether somebody with these logins took part in a finding.
func (p *people) took(names []string, f *vigil.Finding) bool {
	return p.is(names, f.Tenant, append([]string{f.Actor}, f.Actors...)...)
}

// keepOffFinding is keepOff for a finding and the case that it belongs to.
func (r *reader) keepOffFinding(ctx context.Context, f *vigil.Finding) error {
	own, err := r.app.book.concernsFinding(ctx, r.app.people.Load(), api.PersonOf(ctx).Logins, f)
	if err != nil || !own {
		return err
	}
	return cmp.Or(r.record(ctx, keptOffFinding, "finding "+f.ID), api.ErrOwnCase)
}

// others parts a list of cases from those in it that are about who looks: their lines would
// tell as much as the cases themselves.
func (r *reader) others(ctx context.Context, cases []vigil.Case) (others []vigil.Case, own []string, err error) {
	return r.app.book.others(ctx, r.app.people.Load(), api.PersonOf(ctx).Logins, cases)
}

// others parts a list of cases from those in it that concern somebody with these logins.
func (b *casebook) others(ctx context.Context, p *people, names []string, cases []vigil.Case) (others []vigil.Case, own []string, err error) {
	others = slices.DeleteFunc(cases, func(c vigil.Case) bool {
		theirs, failed := b.concerns(ctx, p, names, &c)
		err = cmp.Or(err, failed)
		if theirs {
			own = append(own, c.ID)
		}
		return theirs
	})
	return others, own, err
}

// othersFindings drops from a list the findings in which who looks took part.
func (r *reader) othersFindings(ctx context.Context, all []vigil.Finding) []vigil.Finding {
	return r.app.people.Load().others(api.PersonOf(ctx).Logins, all)
}

// others drops from a list the findings in which somebody with these logins took part.
func (p *people) others(names []string, all []vigil.Finding) []vigil.Finding {
	if len(names) == 0 {
		return all
	}
	return slices.DeleteFunc(all, func(f vigil.Finding) bool { return p.took(names, &f) })
}
