package app

import (
	"context"

	"vigil"
	"vigil/internal/api"
	"vigil/internal/ledger"
)

// Cases implements api.CaseReader.
func (r *reader) Cases(ctx context.Context, f api.CaseFilter) (api.CasePage, error) {
	if err := r.record(ctx, "cases listed", ""); err != nil {
		return api.CasePage{}, err
	}
	if f.Limit <= 0 {
		f.Limit = 200
	}
	cases, total, err := r.app.ledger.Cases(ctx, ledger.CaseFilter{
		State: f.State, Unresolved: f.Unresolved, MinSeverity: f.MinSeverity, Limit: f.Limit + 1, Offset: f.Offset, After: f.After,
	})
	if err != nil {
		return api.CasePage{}, err
	}
	page := api.CasePage{Total: total}
	if len(cases) > f.Limit { // one more tells whether there are any
		cases = cases[:f.Limit]
		key := ledger.KeyOfCase(&cases[f.Limit-1])
		page.Next = &key
	}
	page.Cases, err = r.others(ctx, cases)
	return page, err
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
