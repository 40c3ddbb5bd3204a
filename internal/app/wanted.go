package app

import (
	"context"
	"fmt"
	"slices"

	"vigil"
	"vigil/detector/rules"
	"vigil/internal/api"
	"vigil/internal/config"
)

// refused is an error that says why something can't be done.
func refused(format string, args ...any) error {
	return fmt.Errorf("%w: %w", api.ErrRefused, fmt.Errorf(format, args...))
}

// wanted is the setting that is asked for, as far as it differs from the one in force, and
// the texts of its rules that may not be kept yet.
func (s *settings) wanted(ctx context.Context, d *decided, ask *api.Proposing) (p *proposal, texts []string, err error) {
	versions, err := settingVersions(ctx, s.app.ledger)
	if err != nil {
		return nil, nil, err
	}
	if len(versions) == 0 {
		return nil, nil, refused("no setting is in force yet")
	}
	if ask.Only != "" && ask.Only != api.PartBudget && ask.Only != api.PartRules {
		return nil, nil, refused("%.40q is no part of a setting: it is budget or rules", string(ask.Only))
	}
	w := &wanting{app: s.app, ask: ask, now: &versions[0], versions: versions}
	var ways []func(ctx context.Context, d *decided) error
	for _, x := range []struct {
		asked bool
		way   func(ctx context.Context, d *decided) error
	}{{ask.PerDay != nil, w.number}, {ask.Configuration, w.configuration}, {ask.Version != 0, w.version}, {ask.Replay != "", w.replay}} {
		if x.asked {
			ways = append(ways, x.way)
		}
	}
	if len(ways) != 1 {
		return nil, nil, refused("say one of: another budget, what the configuration says, an older version, or a back-test")
	}
	if err := ways[0](ctx, d); err != nil {
		return nil, nil, err
	}
	if w.p.Budget == nil && w.p.Rules == nil {
		return nil, nil, refused("that is the setting in force")
	}
	return &w.p, w.texts, nil
}

// wanting finds out what is asked for.
type wanting struct {
	app *App
	ask *api.Proposing
	// now is the version in force, the newest of versions.
	now      *api.SettingVersion
	versions []api.SettingVersion
	p        proposal
	texts    []string
}

// takes reports whether a part of the setting is to change.
func (w *wanting) takes(part api.Part) bool { return w.ask.Only == "" || w.ask.Only == part }

// number is another budget.
func (w *wanting) number(context.Context, *decided) error {
	if !w.takes(api.PartBudget) {
		return refused("a number is a budget: it can't change the rules alone")
	}
	w.p.Budget = &api.ProposedBudget{PerDay: *w.ask.PerDay, Own: true}
	return nil
}

// configuration is a return to the file.
func (w *wanting) configuration(_ context.Context, d *decided) error {
	cfg := w.app.conf()
	if w.takes(api.PartBudget) && w.now.Budget.Own {
		w.p.Budget = &api.ProposedBudget{PerDay: cfg.Budget}
	}
	if !w.takes(api.PartRules) || d.Rules == nil {
		return nil
	}
	set, wrong := LoadRules(cfg.Rules)
	if len(wrong) > 0 {
		return refused("the configuration's rules can't be read: %s", (&config.Error{Problems: wrong}).Error())
	}
	w.p.Rules = proposedRules(w.now.Rules, set.Marks(), false)
	return nil
}

// version is what an older version held.
func (w *wanting) version(ctx context.Context, _ *decided) error {
	v, err := versionOf(w.versions, w.ask.Version)
	if err != nil {
		return err
	}
	w.p.Version = v.N
	if w.takes(api.PartBudget) && v.Budget.PerDay != w.now.Budget.PerDay {
		w.p.Budget = &api.ProposedBudget{PerDay: v.Budget.PerDay, Own: true}
	}
	if !w.takes(api.PartRules) || slices.Equal(v.Rules, w.now.Rules) {
		return nil
	}
	why, err := noRules(ctx, w.app.ledger, w.now, v)
	if err != nil {
		return err
	}
	if why != "" {
		return refused("its rules can't be brought back: %s Propose its budget alone", why)
	}
	w.rules(v.Rules)
	return nil
}

// replay is what a back-test has tried.
func (w *wanting) replay(ctx context.Context, _ *decided) error {
	r, err := w.app.backtests.read(w.ask.Replay)
	if err != nil {
		return err
	}
	n := w.ask.Report
	switch {
	case r.State != api.ReplayDone:
		return refused("the back-test is not done")
	case r.Ask.Proposal != "":
		return refused("the back-test tried what somebody proposed: confirm that")
	case n < 0 || n >= max(1, len(r.Ask.Budgets)):
		return refused("the back-test has no such report")
	}
	w.p.Replay = r.ID
	if w.takes(api.PartBudget) && n < len(r.Ask.Budgets) && r.Ask.Budgets[n] != w.now.Budget.PerDay {
		w.p.Budget = &api.ProposedBudget{PerDay: r.Ask.Budgets[n], Own: true}
	}
	if !w.takes(api.PartRules) || len(r.Ask.Without) == 0 && r.Ask.Rule == "" {
		return nil
	}
	set, err := without(w.app.judge().rules, r.Ask.Without)
	if err != nil {
		return refused("%w", err)
	}
	if r.Ask.Rule != "" {
		tried, err := triedRule(r.Ask.Rule)
		if err != nil {
			return err
		}
		set = rules.New(append(allRules(set), tried))
	}
	w.texts = textsOf(set)
	w.rules(set.Marks())
	return nil
}

// rules has rules be proposed, where they are others than those in force.
func (w *wanting) rules(marks []vigil.RuleMark) {
	if r := proposedRules(w.now.Rules, marks, true); r != nil {
		w.p.Rules, w.p.Marks = r, marks
	}
}

// proposedRules says how rules differ from others. It is nil where people's own would be the
// same.
func proposedRules(before, now []vigil.RuleMark, own bool) *api.ProposedRules {
	c, differ := vigil.NewRulesChange(before, now)
	if !differ && own {
		return nil
	}
	ids := func(marks []vigil.RuleMark) (out []string) {
		for _, m := range marks {
			out = append(out, m.ID)
		}
		return out
	}
	return &api.ProposedRules{Own: own, Added: c.Added, Changed: ids(c.Changed), Removed: ids(c.Removed)}
}
