package app

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"vigil"
	"vigil/internal/api"
	"vigil/internal/config"
	"vigil/internal/ledger"
)

// The changes of which versions are made.
const (
	versionBudgets = 500
	versionRules   = 200
)

// settingVersions tells which settings were in force, the newest first. What two people
// decided at once is one version.
func settingVersions(ctx context.Context, l *ledger.Ledger) ([]api.SettingVersion, error) {
	budgets, err := l.BudgetChanges(ctx, versionBudgets)
	if err != nil {
		return nil, err
	}
	rules, err := l.RulesChanges(ctx, versionRules)
	if err != nil {
		return nil, err
	}
	out := []api.SettingVersion{}
	of := map[string]int{} // by the decision
	for i := range budgets {
		b := &budgets[i]
		of[b.ID] = len(out)
		out = append(out, api.SettingVersion{From: b.Seq + 1, Time: b.Time, Budget: b.BudgetChange, BudgetChanged: true})
	}
	for i := range rules {
		c := &rules[i]
		if at, ok := of[c.ID]; ok && c.ID != "" {
			out[at].Changed = c
			continue
		}
		out = append(out, api.SettingVersion{From: c.From, Time: c.Time, Changed: c})
	}
	slices.SortStableFunc(out, func(a, b api.SettingVersion) int { return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.From, b.From)) })
	for i := range out {
		v := &out[i]
		v.N = i + 1
		if v.Changed != nil {
			v.Rules = v.Changed.Rules
		} else if i > 0 {
			v.Rules = out[i-1].Rules
		}
		if !v.BudgetChanged && i > 0 {
			v.Budget = out[i-1].Budget
		}
	}
	slices.Reverse(out)
	return out, nil
}

func versionOf(versions []api.SettingVersion, n int) (*api.SettingVersion, error) {
	i := slices.IndexFunc(versions, func(v api.SettingVersion) bool { return v.N == n })
	if i < 0 {
		return nil, fmt.Errorf("version %d of the setting: %w", n, api.ErrNotFound)
	}
	return &versions[i], nil
}

// withoutRules is a version as a list shows it: without all of its rules.
func withoutRules(v api.SettingVersion) api.SettingVersion {
	v.Rules = nil
	if v.Changed != nil {
		c := *v.Changed
		c.Rules, v.Changed = nil, &c
	}
	return v
}

// settingDifference is api.Tuner's Difference of a ledger.
func settingDifference(ctx context.Context, l *ledger.Ledger, from, to int) (out api.VersionDifference, err error) {
	versions, err := settingVersions(ctx, l)
	if err != nil {
		return out, err
	}
	if len(versions) == 0 {
		return out, fmt.Errorf("a version of the setting: %w", api.ErrNotFound)
	}
	now := &versions[0]
	if from == 0 {
		from = now.N
	}
	if to == 0 {
		to = max(1, now.N-1)
	}
	a, err := versionOf(versions, from)
	if err != nil {
		return out, err
	}
	b, err := versionOf(versions, to)
	if err != nil {
		return out, err
	}
	d, err := decidedIn(ctx, l)
	if err != nil {
		return out, err
	}
	out = api.VersionDifference{
		From: withoutRules(*a), To: withoutRules(*b), Budget: a.Budget.PerDay != b.Budget.PerDay || a.Budget.Own != b.Budget.Own, Newest: now.N, Revision: d.Revision, Proposal: d.shown(),
	}
	if b.Budget.PerDay == now.Budget.PerDay {
		out.NoBudget = "It is the budget in force."
	}
	if out.NoRules, err = noRules(ctx, l, now, b); err != nil {
		return out, err
	}
	out.Rules, err = ruleDifferences(ctx, l, a.Rules, b.Rules)
	return out, err
}

// ruleDifferences compares rules, with their texts where those are kept.
func ruleDifferences(ctx context.Context, l *ledger.Ledger, before, after []vigil.RuleMark) ([]api.RuleDifference, error) {
	was, is := map[string]*vigil.RuleMark{}, map[string]*vigil.RuleMark{}
	var ids, digests []string
	for i := range before {
		was[before[i].ID] = &before[i]
		ids = append(ids, before[i].ID)
	}
	for i := range after {
		is[after[i].ID] = &after[i]
		ids = append(ids, after[i].ID)
	}
	slices.Sort(ids)
	out := []api.RuleDifference{}
	for _, id := range slices.Compact(ids) {
		a, b := was[id], is[id]
		if a != nil && b != nil && *a == *b {
			continue
		}
		out = append(out, api.RuleDifference{ID: id, Step: stepOf(a, b), Before: a, After: b})
		for _, m := range []*vigil.RuleMark{a, b} {
			if m != nil {
				digests = append(digests, m.Digest)
			}
		}
	}
	texts, err := l.RuleTexts(ctx, digests)
	if err != nil {
		return nil, err
	}
	for i := range out {
		d := &out[i]
		a, known := textOf(texts, d.Before)
		b, knownToo := textOf(texts, d.After)
		if d.Unkept = !known || !knownToo; !d.Unkept {
			d.Lines = differingLines(a, b)
		}
	}
	return out, nil
}

// textOf is the text of a rule, empty for none.
func textOf(texts map[string]string, m *vigil.RuleMark) (text string, known bool) {
	if m == nil {
		return "", true
	}
	text, known = texts[m.Digest]
	return text, known
}

func stepOf(before, after *vigil.RuleMark) api.RuleStep {
	switch {
	case before == nil:
		return api.RuleAdded
	case after == nil:
		return api.RuleRemoved
	case before.Off && !after.Off:
		return api.RuleSwitchedOn
	case !before.Off && after.Off:
		return api.RuleSwitchedOff
	}
	return api.RuleChanged
}

// SettingDifference tells what differs between two versions of the setting of a data folder.
// It reads it beside the service that writes to it.
func SettingDifference(ctx context.Context, cfg *config.Config, from, to int) (out api.VersionDifference, err error) {
	err = readBeside(ctx, cfg, func(l *ledger.Ledger) error {
		out, err = settingDifference(ctx, l, from, to)
		return err
	})
	return out, err
}

// Setting is the setting of a data folder, and those that held before.
type Setting struct {
	// File is the budget that the configuration says, in false findings a day; zero for the
	// default.
	File float64 `json:"file"`
	// Versions are the newest, the one in force first.
	Versions []api.SettingVersion `json:"versions"`
	// Proposal waits for a second person; nil where none does.
	Proposal *api.Proposal `json:"proposal,omitempty"`
}

// listedSettings bounds the versions that SettingHistory lists.
const listedSettings = 20

// SettingHistory tells which settings held. It reads the data folder beside the service
// that writes to it.
func SettingHistory(ctx context.Context, cfg *config.Config) (out *Setting, err error) {
	out = &Setting{File: cfg.Budget, Versions: []api.SettingVersion{}}
	err = readBeside(ctx, cfg, func(l *ledger.Ledger) error {
		versions, err := settingVersions(ctx, l)
		if err != nil {
			return err
		}
		for _, v := range versions[:min(len(versions), listedSettings)] {
			out.Versions = append(out.Versions, withoutRules(v))
		}
		d, err := decidedIn(ctx, l)
		out.Proposal = d.shown()
		return err
	})
	return out, err
}

// readBeside opens a data folder for a while, beside the service that writes to it.
func readBeside(ctx context.Context, cfg *config.Config, use func(l *ledger.Ledger) error) (err error) {
	l, err := ledger.OpenReader(ctx, ledgerConfig(cfg), ledger.Options{})
	if err != nil {
		return err
	}
	defer func() {
		if cerr := l.Close(); err == nil && cerr != nil {
			err = cerr
		}
	}()
	return use(l)
}
