package app

import (
	"context"
	"errors"
	"net/http"

	"vigil"
	"vigil/internal/api"
	"vigil/internal/ledger"
)

// Cases implements api.CaseReader.
func (r *reader) Cases(ctx context.Context, f api.QueueFilter) (api.CasePage, error) {
	if err := r.record(ctx, "cases listed", ""); err != nil {
		return api.CasePage{}, err
	}
	page, err := r.app.ledger.CaseQueue(ctx, f, r.viewer(ctx))
	if errors.Is(err, ledger.ErrCursor) {
		return api.CasePage{}, api.NewProblem(http.StatusBadRequest, "That place in the list is not known", "Begin at the head of the queue again.")
	}
	if err != nil {
		return api.CasePage{}, err
	}
	cases, own, err := r.others(ctx, page.Cases)
	if page.Cases = cases; page.Total != vigil.Unknown {
		page.Total -= int64(len(own)) // or the count would tell of what is not listed
	}
	return page, err
}

// viewer is who asks in a context, as the queue knows them.
func (r *reader) viewer(ctx context.Context) ledger.Viewer {
	who := api.PersonOf(ctx)
	v := ledger.Viewer{By: who.By}
	if len(who.Logins) == 0 {
		return v
	}
	p := r.app.people.Load()
	for _, tenant := range tenantsOf(p, r.app.ledger) {
		for _, login := range who.Logins {
			v.Is = append(v.Is, ledger.Self{Tenant: tenant, Actor: p.pseudonyms.Actor(tenant, login)})
		}
	}
	return v
}

// CaseEvents implements api.CaseReader.
func (r *reader) CaseEvents(ctx context.Context, id string, after int64, limit int) ([]vigil.CaseEvent, error) {
	c, err := r.app.ledger.Case(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := r.keepOff(ctx, &c); err != nil {
		return nil, err
	}
	if err := r.record(ctx, "case read", c.ID); err != nil {
		return nil, err
	}
	return r.app.ledger.CaseEvents(ctx, c.ID, after, min(max(limit, 1), api.MaxCaseLines))
}

// Case implements api.CaseReader.
func (r *reader) Case(ctx context.Context, id string) (api.CaseView, error) {
	c, err := r.app.ledger.Case(ctx, id)
	return r.caseView(ctx, c, err)
}

// FindingCase implements api.CaseReader.
func (r *reader) FindingCase(ctx context.Context, id string) (api.CaseView, error) {
	c, err := r.app.ledger.CaseOf(ctx, id)
	return r.caseView(ctx, c, err)
}

// caseView records the look at a case and adds the end of its timeline.
func (r *reader) caseView(ctx context.Context, c vigil.Case, err error) (api.CaseView, error) {
	if err != nil {
		return api.CaseView{}, err
	}
	if err := r.keepOff(ctx, &c); err != nil {
		return api.CaseView{}, err
	}
	if err := r.record(ctx, "case read", c.ID); err != nil {
		return api.CaseView{}, err
	}
	events, total, err := r.app.ledger.LastCaseEvents(ctx, c.ID, api.MaxCaseEvents)
	return api.CaseView{Case: c, Events: events, Total: total}, err
}
