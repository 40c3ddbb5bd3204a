package app

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"vigil"
	"vigil/internal/api"
	"vigil/internal/ledger"
)

// The changes of which versions are made.
const (
	versionBudgets = 500
	versionRules   = 200
)

// tuning is what analysts tune by. It is safe for concurrent use.
type tuning struct {
	reader *reader

	mu sync.Mutex
	// triage is how well triage does, learnt from the findings of which print is; guarded
	// by mu, which is held while it is learnt: that takes seconds, and is the same for all.
	triage api.TriageStanding
	print  string
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
	s, err := a.budgets.state(ctx)
	if err != nil {
		return v, err
	}
	v.Proposal, v.Revision = s.Proposal, s.Revision
	if v.Versions, err = settingVersions(ctx, a.ledger); err != nil {
		return v, err
	}
	if len(v.Versions) > 0 {
		v.Since = v.Versions[0].Budget
	}
	v.Asked = v.Since.PerDay
	exceptions, err := a.ledger.Exceptions(ctx)
	if err != nil {
		return v, err
	}
	for i := range exceptions {
		if !exceptions[i].Over(status.Watermark) {
			v.Exceptions++
		}
	}
	judged, err := a.ledger.Judged(ctx, judgedAtMost)
	if err != nil {
		return v, err
	}
	v.Words = wordCounts(judged)
	v.Triage, err = t.standing(ctx, judged)
	return v, err
}

// ProposeBudget implements api.Tuner.
func (t *tuning) ProposeBudget(ctx context.Context, p api.BudgetProposing) error {
	return t.reader.app.budgets.propose(ctx, p)
}

// AnswerBudget implements api.Tuner.
func (t *tuning) AnswerBudget(ctx context.Context, a api.BudgetAnswering) error {
	return t.reader.app.budgets.answer(ctx, a)
}

// standing tells how well triage does, learnt anew where something was said since.
func (t *tuning) standing(ctx context.Context, judged []vigil.Finding) (api.TriageStanding, error) {
	print := fmt.Sprint(len(judged))
	for i := range judged {
		if v := judged[i].Verdict; v != nil {
			print = max(print, v.Time.Format("2006-01-02T15:04:05.999999999")+fmt.Sprint(" ", len(judged)))
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.print == print {
		return t.triage, nil
	}
	r, err := Triage(ctx, judged, nil)
	if err != nil {
		return api.TriageStanding{}, fmt.Errorf("tell how well triage does: %w", err)
	}
	t.triage = api.TriageStanding{Known: r.Known, Why: r.Why, AUC: r.AUC, Brier: r.Brier}
	for _, b := range r.Bins {
		t.triage.Parts = append(t.triage.Parts, api.Predicted{Said: b.Said, Was: b.Was, N: b.N})
	}
	t.print = print
	return t.triage, nil
}

// settingVersions tells which settings were in force, the newest first.
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
	for i := range budgets {
		b := &budgets[i]
		out = append(out, api.SettingVersion{From: b.Seq + 1, Time: b.Time, Budget: b.BudgetChange, BudgetChanged: true})
	}
	for i := range rules {
		out = append(out, api.SettingVersion{From: rules[i].From, Time: rules[i].Time, Changed: &rules[i]})
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

// wordCounts counts what people said: by the lane that found it, by the model that told
// most, and by the month. Of persons nothing is counted.
func wordCounts(judged []vigil.Finding) []api.WordCount {
	type sort struct{ by, name string }
	counts := map[sort]*api.WordCount{}
	add := func(by, name string, w vigil.Word) {
		k := sort{by, name}
		if counts[k] == nil {
			counts[k] = &api.WordCount{By: by, Name: name}
		}
		switch {
		case w.Bad():
			counts[k].Bad++
		case w == vigil.WordExpected:
			counts[k].Expected++
		case w == vigil.WordUnknown:
			counts[k].Unknown++
		}
	}
	for i := range judged {
		f := &judged[i]
		if f.Verdict == nil {
			continue
		}
		w := f.Verdict.Word
		add("lane", f.Lane, w)
		if len(f.Contributions) > 0 {
			add("model", f.Contributions[0].Model, w)
		}
		add("month", f.Detected.UTC().Format("2006-01"), w)
	}
	out := []api.WordCount{}
	for _, c := range counts {
		out = append(out, *c)
	}
	slices.SortFunc(out, func(a, b api.WordCount) int { return cmp.Or(cmp.Compare(a.By, b.By), cmp.Compare(a.Name, b.Name)) })
	return out
}

var _ api.Tuner = (*tuning)(nil)
