package sample

import (
	"context"
	"fmt"
	"strings"
	"time"

	"vigil"
	"vigil/internal/api"
)

// Tuner is a tuner with one proposal, and its back-tests, in memory.
type Tuner struct {
	View  api.TuningView
	Kept  []api.Replay
	Asked []api.ReplayAsk
	// Compared is what differs between any two versions, Proposed what was proposed.
	Compared api.VersionDifference
	Proposed []api.Proposing
	Stopped  []string
}

// Previews are the budgets that the sample preview has tried.
func Previews() []float64 { return []float64{0.5, 1, 2, 4} }

// NewTuner makes one: a budget that two people set, one that somebody else proposes, and a
// preview of four budgets.
func NewTuner() *Tuner {
	at := Now().Add(-30 * 24 * time.Hour)
	own := vigil.BudgetChange{ID: "b-1", Time: at, PerDay: 2, Own: true, By: "actor-bea", Confirmed: "actor-cal", Why: "Five were too many to read."}
	first := vigil.BudgetChange{Time: at.AddDate(0, -1, 0), PerDay: 5}
	older := vigil.BudgetChange{ID: "b-0", Time: at.AddDate(0, 0, -9), PerDay: 3, Own: true, By: "actor-cal", Confirmed: "actor-bea", Why: "A first step down."}
	rules := vigil.RulesChange{Time: at.AddDate(0, 0, 3), From: 912, Rules: []vigil.RuleMark{{ID: "leaver"}}, Added: []string{"leaver"}}
	t := &Tuner{View: api.TuningView{
		Budget: 2, Asked: 2, File: 5, Since: own, Revision: 4,
		Proposal: &api.Proposal{ID: "s-2", By: "actor-bea", Why: "Most of them were expected.", Time: Now().Add(-time.Hour), Budget: &api.ProposedBudget{PerDay: 1, Own: true}, Rules: &api.ProposedRules{Own: true, Removed: []string{"leaver"}}, Version: 3},
		Rules: api.RulesStanding{
			N: 34, Off: 1, Own: true, ID: "s-1", By: "actor-cal", Confirmed: "actor-bea", Why: "The leavers' list is wrong.", Since: at.AddDate(0, 0, 3),
			Files: &api.ProposedRules{Own: true, Added: []string{"night"}},
		},
		Lanes: []api.Lane{
			{Name: "quarter", Ready: true, Theory: 3.4, Threshold: 3.9, ActorEpochs: 812},
			{Name: "week", Why: "learning: 3.2 of 28 days, 20 of 60 spans", Theory: 2, Threshold: 3.1, ActorEpochs: 11},
		},
		Versions: []api.SettingVersion{
			{N: 4, From: 913, Time: rules.Time, Budget: own, Rules: rules.Rules, Changed: &rules},
			{N: 3, From: 700, Time: own.Time, Budget: own, BudgetChanged: true},
			{N: 2, From: 400, Time: older.Time, Budget: older, BudgetChanged: true},
			{N: 1, From: 2, Time: first.Time, Budget: first, BudgetChanged: true},
		},
		Words: []api.WordCount{
			{By: "lane", Name: "day", Bad: 4, Expected: 11, Unknown: 1}, {By: "model", Name: "volume", Bad: 3, Expected: 6},
			{By: "month", Name: "2026-10", Bad: 4, Expected: 11, Unknown: 1},
		},
		Triage:     api.TriageStanding{Known: true, AUC: .91, Brier: .08, Parts: []api.Predicted{{Said: .1, Was: .05, N: 20}, {Said: .8, Was: .75, N: 12}}},
		Exceptions: 3, Previews: "30 1 * * *", Left: "Another back-test ran when it was due.",
	}}
	digest := strings.Repeat("ab", 32)
	t.Compared = api.VersionDifference{
		From: t.View.Versions[0], To: t.View.Versions[1], Budget: true, Newest: 4, Revision: 4,
		Rules: []api.RuleDifference{
			{ID: "leaver", Step: api.RuleChanged, Before: &vigil.RuleMark{ID: "leaver", Digest: digest}, After: &vigil.RuleMark{ID: "leaver", Digest: digest, Off: true},
				Lines: []string{" id: leaver", "-severity: high", "+severity: low", "…"}},
			{ID: "night", Step: api.RuleRemoved, Before: &vigil.RuleMark{ID: "night", Digest: digest}, Unkept: true},
		},
		NoRules: "The text of night as it was then is not kept.",
	}
	preview := api.Replay{
		ID: "r-2", Ask: api.ReplayAsk{Budgets: Previews()}, State: api.ReplayDone, By: "actor-bea", Asked: Now().Add(-2 * time.Hour), Ended: Now().Add(-time.Hour), Done: 1,
	}
	for i, n := range Previews() {
		preview.Reports = append(preview.Reports, Report(n, i))
	}
	tried := api.Replay{
		ID: "r-4", Ask: api.ReplayAsk{Proposal: "s-2"}, State: api.ReplayDone, By: "vigil", Asked: Now().Add(-3 * time.Hour), Ended: Now().Add(-3 * time.Hour), Done: 1,
		Reports: []api.ReplayReport{Report(1, 1)},
	}
	t.Kept = []api.Replay{
		{ID: "r-3", Ask: api.ReplayAsk{Without: []string{"leaver"}}, State: api.ReplayRunning, By: "actor-ann", Asked: Now().Add(-time.Minute), Done: .4},
		preview, tried,
		{
			ID: "r-0", Ask: api.ReplayAsk{Rule: "id: night\nwhen: hour < 5\n"}, State: api.ReplayDone, By: "actor-cal", Asked: Now().Add(-time.Hour * 5), Done: 1,
			Preview: &api.RulePreview{
				Rule: "night", From: Now().AddDate(0, 0, -30), To: Now(), Events: 166_407, Actors: 41, Days: 30, Hits: 12, HitActors: 1, HitDays: 2, Findings: 2, PerDay: .07, Budget: 2,
				Top:      []api.PreviewActor{{Actor: "actor-7f3", Kind: vigil.KindHuman, Hits: 12, First: Now().AddDate(0, 0, -9), Last: Now().AddDate(0, 0, -8)}},
				Warnings: []string{"the rule asks feeds of person, and none told anything in this history: there it fires less"},
			},
		},
		{ID: "r-1", State: api.ReplayFailed, By: "actor-cal", Asked: Now().Add(-time.Hour * 50), Ended: Now().Add(-time.Hour * 49), Error: "the disk is full"},
	}
	return t
}

// Report is a report in which so many findings are new, and one of each other sort of
// difference stands.
func Report(budget float64, news int) api.ReplayReport {
	vendor, export := replayed(Vendor()), replayed(Export())
	earlier := *vendor
	earlier.Detected = earlier.Detected.Add(-3 * time.Hour)
	r := api.ReplayReport{
		From: Now().AddDate(0, 0, -30), To: Now(), Began: Now().AddDate(0, 0, -60), Events: 166_407, Changed: true, Used: []string{"budget"}, Budget: budget,
		All:      api.ReplayCounts{Live: 3, Again: 2 + news, Same: 1, Earlier: 1, Gone: 1, New: news},
		Breaches: api.ReplayCounts{Live: 1, Again: 1, Earlier: 1}, Expected: api.ReplayCounts{Live: 1, Gone: 1},
		Unjudged: api.ReplayCounts{Live: 1, Again: 1 + news, Same: 1, New: news},
		Lanes:    []api.ReplayLane{{Lane: "day", Live: 3, Again: 2 + news}},
		Days:     []api.ReplayDay{{Day: Now().AddDate(0, 0, -1).Truncate(24 * time.Hour), Live: 3, Again: 2 + news}},
		Differences: []api.ReplayDifference{
			{Change: api.ReplayEarlier, Live: vendor, Again: &earlier, Seconds: -3 * 3600, Word: vigil.WordBreach},
			{Change: api.ReplayGone, Live: export, Word: vigil.WordExpected},
		},
		Warnings: []string{"the rules changed 1 times in this log"},
		Models: []api.ReplayModel{
			{Model: "affinity", Answers: 20_000, Below: []int64{20_000, 11_000, 6_100, 3_400, 1_900, 1_100, 600, 330, 190, 100, 60, 33, 19, 11}},
			{Model: "volume", Answers: 500_000, Below: []int64{500_000, 120_000, 52_000, 28_000, 14_000, 7_100, 4_000, 2_300, 900, 310, 160, 80, 42, 20, 9, 3, 1, 0},
				Scored: 480_000, Scores: []int64{480_000, 90_000, 40_000, 30_000, 22_000, 16_000, 12_000, 9_000, 7_000, 5_000, 4_000, 3_100, 2_400, 2_000, 1_700, 1_400, 1_100}},
		},
	}
	for range news {
		r.Differences = append(r.Differences, api.ReplayDifference{Change: api.ReplayNew, Again: export})
	}
	return r
}

func replayed(f vigil.Finding) *api.ReplayFinding {
	return &api.ReplayFinding{
		ID: f.ID, About: f.About, Who: f.Actor, Tenant: f.Tenant, Lane: f.Lane, Rule: f.Rule, Severity: f.Severity, Start: f.Start, Detected: f.Detected,
		Evidence: f.Evidence, Threshold: f.Threshold, Sentence: f.Sentence,
	}
}

// Hostile has every text and number of it be one of texts, or the worst.
func (t *Tuner) Hostile(texts []string) {
	id := t.View.Proposal.ID
	Fill(&t.View, texts, 0)
	t.View.Proposal.ID = id
	newest := t.Compared.Newest
	Fill(&t.Compared, texts, 0)
	t.Compared.Newest = newest
	for i := range t.Kept {
		id, state, asked := t.Kept[i].ID, t.Kept[i].State, t.Kept[i].Ask.Budgets
		Fill(&t.Kept[i], texts, i)
		t.Kept[i].ID, t.Kept[i].State, t.Kept[i].Ask.Budgets, t.Kept[i].Ask.Without = id, state, asked, nil
	}
}

// Tuning implements api.Tuner.
func (t *Tuner) Tuning(context.Context) (api.TuningView, error) { return t.View, nil }

// Difference implements api.Tuner.
func (t *Tuner) Difference(_ context.Context, from, to int) (api.VersionDifference, error) {
	if max(from, to) > t.Compared.Newest {
		return api.VersionDifference{}, api.ErrNotFound
	}
	d := t.Compared
	d.Proposal = t.View.Proposal
	return d, nil
}

// Propose implements api.Tuner.
func (t *Tuner) Propose(ctx context.Context, p api.Proposing) (api.Proposal, error) {
	if p.Seen != t.View.Revision && p.Seen != api.AnyRevision {
		return api.Proposal{}, api.ErrStale
	}
	t.View.Revision++
	t.Proposed = append(t.Proposed, p)
	t.View.Proposal = &api.Proposal{ID: "s-9", By: api.PersonOf(ctx).By, Why: p.Why, Time: Now(), Version: p.Version}
	if p.PerDay != nil {
		t.View.Proposal.Budget = &api.ProposedBudget{PerDay: *p.PerDay, Own: true}
	}
	return *t.View.Proposal, nil
}

// Answer implements api.Tuner.
func (t *Tuner) Answer(_ context.Context, a api.Answering) error {
	p := t.View.Proposal
	if p == nil || p.ID != a.ID {
		return api.ErrStale
	}
	if a.Confirm && p.Budget != nil {
		t.View.Budget = p.Budget.PerDay
	}
	t.View.Proposal = nil
	return nil
}

// Replays implements api.Replayer.
func (t *Tuner) Replays(context.Context) ([]api.Replay, error) { return t.Kept, nil }

// Replay implements api.Replayer.
func (t *Tuner) Replay(_ context.Context, id string) (api.Replay, error) {
	for _, r := range t.Kept {
		if r.ID == id {
			return r, nil
		}
	}
	return api.Replay{}, api.ErrNotFound
}

// BadRule is the rule's text that the sample refuses.
const BadRule = "id: </textarea><b>bad"

// StartReplay implements api.Replayer.
func (t *Tuner) StartReplay(_ context.Context, ask api.ReplayAsk) (api.Replay, error) {
	if ask.Rule == BadRule {
		return api.Replay{}, fmt.Errorf("%w: rule:1:1: when: is missing\nrule:2:3: sentence: is missing", api.ErrRefused)
	}
	t.Asked = append(t.Asked, ask)
	return t.Kept[0], nil
}

// StopReplay implements api.Replayer.
func (t *Tuner) StopReplay(_ context.Context, id string) error {
	t.Stopped = append(t.Stopped, id)
	return nil
}
