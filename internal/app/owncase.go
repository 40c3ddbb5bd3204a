package app

import (
	"cmp"
	"context"
	"slices"

	"vigil"
	"vigil/internal/api"
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
	return cmp.Or(r.record(ctx, "kept off a case about themselves", "case "+c.ID), api.ErrOwnCase)
}

// keepOffFinding is keepOff for a finding and the case that it belongs to.
func (r *reader) keepOffFinding(ctx context.Context, f *vigil.Finding) error {
	names := api.PersonOf(ctx).Logins
	if len(names) == 0 {
		return nil
	}
	if r.app.people.Load().is(names, f.Tenant, append([]string{f.Actor}, f.Actors...)...) {
		return cmp.Or(r.record(ctx, "kept off a finding about themselves", "finding "+f.ID), api.ErrOwnCase)
	}
	c, err := r.app.ledger.CaseOf(ctx, f.ID)
	if gone(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return r.keepOff(ctx, &c)
}

// others drops from a list the cases that are about who looks: their lines would tell as
// much as the cases themselves.
func (r *reader) others(ctx context.Context, cases []vigil.Case) ([]vigil.Case, error) {
	names := api.PersonOf(ctx).Logins
	if len(names) == 0 {
		return cases, nil
	}
	var failed error
	out := slices.DeleteFunc(cases, func(c vigil.Case) bool {
		own, err := r.app.book.concerns(ctx, r.app.people.Load(), names, &c)
		failed = cmp.Or(failed, err)
		return own
	})
	return out, failed
}

// othersFindings is others for a list of findings.
func (r *reader) othersFindings(ctx context.Context, all []vigil.Finding) []vigil.Finding {
	names := api.PersonOf(ctx).Logins
	if len(names) == 0 {
		return all
	}
	p := r.app.people.Load()
	return slices.DeleteFunc(all, func(f vigil.Finding) bool {
		return p.is(names, f.Tenant, append([]string{f.Actor}, f.Actors...)...)
	})
}
