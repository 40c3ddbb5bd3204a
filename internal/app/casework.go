package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"vigil/alerts"
	"vigil/internal/access"
	"vigil/internal/api"
)

// visitor is who asks in a context, as the desk knows people.
func visitor(ctx context.Context) *person {
	p := api.PersonOf(ctx)
	if p.By == "" {
		return nil
	}
	return &person{name: cmp.Or(p.Name, p.By), by: p.By, roles: p.Roles, logins: p.Logins}
}

// Work implements api.CaseWorker.
func (d *caseDesk) Work(ctx context.Context, act api.CaseAct) (api.CaseDone, error) {
	who := visitor(ctx)
	if who == nil {
		return api.CaseDone{}, fmt.Errorf("%w: nobody is named who does it", api.ErrRefused)
	}
	if act.Key == "" && !act.Preview {
		return api.CaseDone{}, fmt.Errorf("%w: what is done has no key by which it is known again: reload the page, and send it once more", api.ErrRefused)
	}
	a := alerts.Act{
		ID: act.Key, Deed: alerts.Deed(act.Deed), Case: act.Case, Seen: act.Seen, Note: act.Note, For: act.For,
		Word: act.Word, TakeBack: act.TakeBack, Scope: act.Scope, ForRole: act.ForRole, Preview: act.Preview,
	}
	if act.To != "" && act.To != who.by {
		a.To = alerts.Person{Channel: consoleName, ID: act.To}
	}
	switch act.Deed {
	case access.DeedAcknowledge, access.DeedAssign, access.DeedSnooze, access.DeedNote, access.DeedAware, access.DeedVerdict, access.DeedExpect, access.DeedAsk:
	default:
		return api.CaseDone{}, fmt.Errorf("%w: %q is nothing that is done with a case", api.ErrRefused, string(act.Deed))
	}
	do := d.do
	if act.Deed == access.DeedAsk {
		do = d.askAside
	}
	out, err := do(ctx, who, a)
	if err != nil {
		return api.CaseDone{}, workError(err)
	}
	done := api.CaseDone{Text: out.Text}
	if out.Case != nil {
		done.Case = *out.Case
	}
	if q := out.Question; q != nil {
		done.Question = q.Text
	}
	if c := out.Covered; c != nil {
		done.Covered = &api.CaseCovered{
			Since: c.Since, Says: c.Says, Events: c.Events, Of: c.Of, Wholly: c.Wholly, Partly: c.Partly,
			WhollyTotal: c.WhollyTotal, PartlyTotal: c.PartlyTotal, Breaches: c.Breaches,
		}
	}
	return done, nil
}

// workError says in the words of the API why a deed was not done.
func workError(err error) error {
	switch {
	case errors.Is(err, alerts.ErrOwnCase):
		return api.ErrOwnCase
	case errors.Is(err, alerts.ErrNoCase):
		return api.ErrNotFound
	case errors.Is(err, alerts.ErrMayNot):
		return api.NewProblem(http.StatusForbidden, "Your role does not allow this", "Ask an administrator of vigil for the role that it needs.")
	case errors.Is(err, alerts.ErrNotDone):
		return fmt.Errorf("%w: %s", api.ErrRefused, strings.TrimPrefix(err.Error(), alerts.ErrNotDone.Error()+": "))
	}
	return err
}

// Colleagues implements api.CaseWorker.
func (d *caseDesk) Colleagues(ctx context.Context) ([]api.Colleague, error) {
	all, err := d.roster.Members(ctx)
	if err != nil {
		return nil, err
	}
	var out []api.Colleague
	for i := range all {
		if one := &all[i]; access.May(one.Roles, access.DeedAcknowledge) && one.By != api.PersonOf(ctx).By {
			out = append(out, api.Colleague{By: one.By, Roles: one.Roles})
		}
	}
	slices.SortFunc(out, func(a, b api.Colleague) int { return cmp.Compare(a.By, b.By) })
	return out, nil
}

// SeeAll implements api.CaseWorker.
func (d *caseDesk) SeeAll(ctx context.Context) error {
	who := visitor(ctx)
	if who == nil {
		return fmt.Errorf("%w: nobody is named who does it", api.ErrRefused)
	}
	return d.book.ledger.SeeCases(ctx, who.by, d.book.now())
}

var _ api.CaseWorker = (*caseDesk)(nil)
