package app

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"vigil/internal/api"
)

// tuning is what analysts tune by. It is safe for concurrent use.
type tuning struct {
	reader   *reader
	standing *standing
}

// Tuning implements api.Tuner.
func (t *tuning) Tuning(ctx context.Context) (api.TuningView, error) {
	var v api.TuningView
	if err := t.reader.record(ctx, "look", "tuning"); err != nil {
		return v, err
	}
	a := t.reader.app
	status := a.judge().status.Load()
	v.Budget, v.File, v.Lanes = status.Budget, a.conf().Budget, apiLanes(status.Lanes)
	d, err := decidedIn(ctx, a.ledger)
	if err != nil {
		return v, err
	}
	v.Proposal, v.Revision = d.shown(), d.Revision
	versions, err := settingVersions(ctx, a.ledger)
	if err != nil {
		return v, err
	}
	v.Versions = []api.SettingVersion{}
	for i := range versions {
		v.Versions = append(v.Versions, withoutRules(versions[i]))
	}
	if len(versions) > 0 {
		v.Since = versions[0].Budget
	}
	v.Asked = v.Since.PerDay
	if v.Rules, err = a.rulesStanding(ctx, &d); err != nil {
		return v, err
	}
	exceptions, err := a.ledger.Exceptions(ctx)
	if err != nil {
		return v, err
	}
	for i := range exceptions {
		if !exceptions[i].Over(status.Watermark) {
			v.Exceptions++
		}
	}
	if v.Words, err = a.ledger.WordCounts(ctx); err != nil {
		return v, err
	}
	v.Triage = t.standing.look(ctx)
	v.Previews, v.Left = a.conf().Previews, a.backtests.leftOut()
	return v, nil
}

// rulesStanding tells which rules judge, and how the configuration's differ from them.
func (a *App) rulesStanding(ctx context.Context, d *decided) (api.RulesStanding, error) {
	set := a.judge().rules
	out := api.RulesStanding{N: len(set.Marks()), Off: len(set.Off())}
	r := d.Rules
	if r == nil {
		return out, nil
	}
	if !slices.Equal(r.Marks, set.Marks()) {
		_, err := keptRules(ctx, a.ledger, r.Marks)
		if lost := (*lostRules)(nil); errors.As(err, &lost) {
			out.Unkept, err = lost.Error(), nil
		}
		return out, err
	}
	out.Own, out.ID, out.By, out.Confirmed, out.Why, out.Since = true, r.ID, r.By, r.Confirmed, r.Why, r.Time
	if files, wrong := LoadRules(a.conf().Rules); len(wrong) == 0 {
		out.Files = proposedRules(set.Marks(), files.Marks(), true)
	}
	return out, nil
}

// Difference implements api.Tuner.
func (t *tuning) Difference(ctx context.Context, from, to int) (api.VersionDifference, error) {
	if err := t.reader.record(ctx, "look", fmt.Sprintf("versions %d and %d of the setting", from, to)); err != nil {
		return api.VersionDifference{}, err
	}
	return settingDifference(ctx, t.reader.app.ledger, from, to)
}

// Propose implements api.Tuner.
func (t *tuning) Propose(ctx context.Context, p api.Proposing) (api.Proposal, error) {
	return t.reader.app.settings.propose(ctx, &p)
}

// Answer implements api.Tuner.
func (t *tuning) Answer(ctx context.Context, a api.Answering) error {
	return t.reader.app.settings.answer(ctx, a)
}

var _ api.Tuner = (*tuning)(nil)
