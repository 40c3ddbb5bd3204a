package app

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"strings"

	"vigil"
	"vigil/client"
	"vigil/internal/access"
	"vigil/internal/api"
	"vigil/internal/ledger"
)

// cases is where cases are listed and worked on by commands.
type cases interface {
	Cases(ctx context.Context, f client.CaseFilter, limit int) (out []vigil.Case, more bool, err error)
	Case(ctx context.Context, id string) (client.Case, error)
	// Work does something with a case in the name of somebody.
	Work(ctx context.Context, by string, a api.CaseAct) (client.Done, error)
	// Colleagues lists those to whom somebody can give a case.
	Colleagues(ctx context.Context, by string) ([]client.Colleague, error)
	// MakePack writes the evidence pack of a case. After an error what was written is none.
	MakePack(ctx context.Context, id string, w io.Writer) (name string, err error)
}

// Cases lists cases, those first that may do most harm, and tells whether there are more.
func (d *Desk) Cases(ctx context.Context, f client.CaseFilter, limit int) ([]vigil.Case, bool, error) {
	return d.cases.Cases(ctx, f, limit)
}

// Case reads one case.
func (d *Desk) Case(ctx context.Context, id string) (client.Case, error) {
	return d.cases.Case(ctx, id)
}

// Work does something with a case in the name of somebody. To whom it goes may also be said
// by name, by those who may see the accounts.
func (d *Desk) Work(ctx context.Context, by string, a api.CaseAct) (done client.Done, err error) {
	if a.To != "" && !strings.HasPrefix(a.To, "actor-") {
		if a.To, err = d.account(ctx, by, a.To); err != nil {
			return done, err
		}
	}
	return d.cases.Work(ctx, by, a)
}

// Colleagues lists those to whom somebody can give a case.
func (d *Desk) Colleagues(ctx context.Context, by string) ([]client.Colleague, error) {
	return d.cases.Colleagues(ctx, by)
}

// MakePack has the running service make the evidence pack of a case, and writes it. After
// an error what was written is no pack.
func (d *Desk) MakePack(ctx context.Context, id string, w io.Writer) (name string, err error) {
	return d.cases.MakePack(ctx, id, w)
}

// caseFolder is the cases of a data folder that no service has open. Who may read it may
// do all of it; each look and deed is recorded.
type caseFolder struct{ desk *caseDesk }

// Cases lists them from the data folder.
func (f *caseFolder) Cases(ctx context.Context, q client.CaseFilter, limit int) ([]vigil.Case, bool, error) {
	if err := f.desk.desk.audit(ctx, commandLine, "cases listed", ""); err != nil {
		return nil, false, err
	}
	filter := ledger.CaseFilter{MinSeverity: q.Min, Limit: limit + 1}
	if q.State == "unresolved" {
		filter.Unresolved = true
	} else {
		filter.State = vigil.CaseState(q.State)
	}
	all, _, err := f.desk.desk.ledger.Cases(ctx, filter)
	if len(all) > limit {
		return all[:limit], true, err
	}
	return all, false, err
}

// Case reads one from the data folder.
func (f *caseFolder) Case(ctx context.Context, id string) (out client.Case, err error) {
	if out.Case, err = f.desk.desk.ledger.Case(ctx, id); err != nil {
		return out, err
	}
	if err := f.desk.desk.audit(ctx, commandLine, "case read", id); err != nil {
		return client.Case{}, err
	}
	out.Events, out.EventsTotal, err = f.desk.desk.ledger.LastCaseEvents(ctx, id, api.MaxCaseEvents)
	return out, err
}

// Work does something with a case in the data folder.
func (f *caseFolder) Work(ctx context.Context, by string, a api.CaseAct) (client.Done, error) {
	a.Key = "cli-" + rand.Text() // one that can't come again
	done, err := f.desk.Work(f.as(ctx, by), a)
	return client.Done{Text: done.Text, Case: done.Case, Question: done.Question}, err
}

func (f *caseFolder) as(ctx context.Context, by string) context.Context {
	d := f.desk.desk
	return api.WithPerson(ctx, api.Person{Name: by, By: d.pseudonyms.Actor("", by), Logins: d.loginsOf(by), Roles: access.Roles(), Way: api.WayLocal})
}

// Colleagues lists them from the data folder.
func (f *caseFolder) Colleagues(ctx context.Context, by string) (out []client.Colleague, err error) {
	all, err := f.desk.Colleagues(f.as(ctx, by))
	for _, c := range all {
		one := client.Colleague{By: c.By}
		for _, r := range c.Roles {
			one.Roles = append(one.Roles, string(r))
		}
		out = append(out, one)
	}
	return out, err
}

// MakePack is the service's: what it signs says by which rules it judges.
func (f *caseFolder) MakePack(context.Context, string, io.Writer) (string, error) {
	return "", fmt.Errorf("%w: a pack is made by the service, which does not run: start it with vigil serve, and ask again", api.ErrRefused)
}
