package app_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"vigil"
	"vigil/internal/access"
	"vigil/internal/api"
	"vigil/internal/app"
)

// as is a context in which somebody of this pseudonym asks.
func as(t *testing.T, by string) context.Context {
	t.Helper()
	return api.WithPerson(t.Context(), api.Person{By: by, Logins: []string{by + "_db"}, Roles: []access.Role{access.RoleAnalyst}})
}

func perDay(n float64) *float64 { return &n }

func view(t *testing.T, w *watched) api.TuningView {
	t.Helper()
	v, err := app.Tuner(w.App).Tuning(as(t, "ann"))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// budgetsIn lists the budgets that the log names.
func budgetsIn(t *testing.T, w *watched) (out []vigil.BudgetChange) {
	t.Helper()
	for _, data := range app.BudgetRecords(t, w.App) {
		var b vigil.BudgetChange
		if err := json.Unmarshal([]byte(data), &b); err != nil {
			t.Fatal(err)
		}
		out = append(out, b)
	}
	return out
}

// The configuration's budget holds until two people agree on another; that holds across
// restarts, whatever the configuration says, until they return to it. Each change is one
// record in the log, and in the audit log.
func TestTwoPeopleChangeTheBudget(t *testing.T) {
	t.Parallel()
	cfg := configure(t, t.TempDir())
	cfg.Budget = 5
	w := begin(t, cfg, app.Options{})
	tuner := app.Tuner(w.App)
	app.Judged(t, w.App)
	if v := view(t, w); v.Budget != 5 || v.Since.Own || v.Proposal != nil {
		t.Fatalf("at first: %+v", v)
	}
	propose := func(by string, p api.Proposing) error {
		_, err := tuner.Propose(as(t, by), p)
		return err
	}
	for name, p := range map[string]api.Proposing{
		"no reason": {PerDay: perDay(2)}, "negative": {PerDay: perDay(-1), Why: "x"}, "too many": {PerDay: perDay(1e9), Why: "x"}, "nothing": {Why: "x"},
		"two things": {PerDay: perDay(2), Configuration: true, Why: "x"}, "in force already": {Configuration: true, Why: "x"}, "no part": {PerDay: perDay(2), Only: "lines", Why: "x"},
		"rules by a number": {PerDay: perDay(2), Only: api.PartRules, Why: "x"},
	} {
		if err := propose("ann", p); !errors.Is(err, api.ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := propose("ann", api.Proposing{PerDay: perDay(2), Why: "stale", Seen: 7}); !errors.Is(err, api.ErrStale) {
		t.Errorf("stale: %v", err)
	}
	for range 2 { // a double click
		if err := propose("ann", api.Proposing{PerDay: perDay(2), Why: "too many", Key: "k"}); err != nil {
			t.Fatal(err)
		}
	}
	p := view(t, w).Proposal
	if p == nil || p.Budget == nil || p.Budget.PerDay != 2 || p.By != "ann" {
		t.Fatalf("proposed: %+v", p)
	}
	if err := propose("bea", api.Proposing{PerDay: perDay(3), Why: "no, three", Seen: 1}); !errors.Is(err, api.ErrRefused) {
		t.Errorf("a second proposal: %v", err)
	}
	if err := tuner.Answer(as(t, "ann"), api.Answering{ID: p.ID, Confirm: true}); !errors.Is(err, api.ErrRefused) {
		t.Errorf("who proposed confirms: %v", err)
	}
	twin := api.WithPerson(t.Context(), api.Person{By: "ann-too", Logins: []string{"ann_db"}, Roles: []access.Role{access.RoleAnalyst}})
	if err := tuner.Answer(twin, api.Answering{ID: p.ID, Confirm: true}); !errors.Is(err, api.ErrRefused) {
		t.Errorf("who proposed confirms by another account: %v", err)
	}
	app.Judged(t, w.App)
	if v := view(t, w); v.Budget != 5 {
		t.Errorf("before it is confirmed the budget is %g", v.Budget)
	}
	// A hundred confirm at once: it holds once.
	var granted atomic.Int32
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			if tuner.Answer(as(t, "bea"), api.Answering{ID: p.ID, Confirm: true}) == nil {
				granted.Add(1)
			}
		})
	}
	all.Wait()
	app.Judged(t, w.App)
	if v := view(t, w); v.Budget != 2 || !v.Since.Own || v.Since.By != "ann" || v.Since.Confirmed != "bea" || granted.Load() == 0 {
		t.Errorf("confirmed: %+v, granted %d", v, granted.Load())
	}
	if got := budgetsIn(t, w); len(got) != 2 || got[0].PerDay != 5 || got[1].PerDay != 2 {
		t.Errorf("the log names %+v", got)
	}
	confirmed := 0
	for _, line := range app.AuditTrail(t, w.App) {
		if strings.HasPrefix(line, "bea setting confirmed "+p.ID) {
			confirmed++
		}
	}
	if confirmed != 1 {
		t.Errorf("the audit log holds %d confirmations", confirmed)
	}
	w.end()

	again := *cfg
	again.Budget = 9
	w = begin(t, &again, app.Options{})
	app.Judged(t, w.App)
	if v := view(t, w); v.Budget != 2 || v.File != 9 || len(budgetsIn(t, w)) != 2 {
		t.Errorf("after a restart with another configuration: %+v", v)
	}
	tuner = app.Tuner(w.App)
	if _, err := tuner.Propose(as(t, "cal"), api.Proposing{Configuration: true, Why: "back", Seen: view(t, w).Revision}); err != nil {
		t.Fatal(err)
	}
	if err := tuner.Answer(as(t, "ann"), api.Answering{ID: view(t, w).Proposal.ID, Confirm: true}); err != nil {
		t.Fatal(err)
	}
	app.Judged(t, w.App)
	v := view(t, w)
	if v.Budget != 9 || v.Since.Own || len(v.Versions) < 3 || v.Versions[0].Budget.PerDay != 9 {
		t.Errorf("returned to the configuration: %+v", v)
	}
}

// A back-test runs in the background, one at a time, is kept, and shows nobody a finding
// about themselves.
func TestABackTestRunsBesideTheService(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := begin(t, configure(t, dir), app.Options{})
	replayer := app.Replayer(w.App)
	if resp, text := send(t, w.PushURL(), token, breach(day()), false); resp.StatusCode != 202 {
		t.Fatalf("push: %d %s", resp.StatusCode, text)
	}
	until(t, "a finding", func() bool { return len(w.findings()) > 0 })
	ask := api.ReplayAsk{From: day().AddDate(0, 0, -1), To: day().AddDate(0, 0, 2), Budgets: []float64{0.5, 5}}
	for name, bad := range map[string]api.ReplayAsk{
		"too many budgets":   {Budgets: make([]float64, api.MaxReplayBudgets+1)},
		"a negative budget":  {Budgets: []float64{-1}},
		"ends before begins": {From: day(), To: day().AddDate(0, 0, -1)},
	} {
		if _, err := replayer.StartReplay(as(t, "ann"), bad); !errors.Is(err, api.ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
	begun, err := replayer.StartReplay(as(t, "ann"), ask)
	if err != nil {
		t.Fatal(err)
	}
	var r api.Replay
	until(t, "the back-test", func() bool {
		if r, err = replayer.Replay(as(t, "ann"), begun.ID); err != nil {
			t.Fatal(err)
		}
		return r.State != api.ReplayRunning
	})
	if r.State != api.ReplayDone || len(r.Reports) != 2 || r.Reports[0].All.Live == 0 || r.Reports[0].All.Same != r.Reports[0].All.Live || r.By != "ann" {
		t.Fatalf("it came to %+v", r)
	}
	for _, id := range []string{"r-0", "../r-1", "nothing", ""} {
		if _, err := replayer.Replay(as(t, "ann"), id); !errors.Is(err, api.ErrNotFound) {
			t.Errorf("%q: %v", id, err)
		}
	}
	if err := replayer.StopReplay(as(t, "ann"), begun.ID); err != nil {
		t.Errorf("stop what is over: %v", err)
	}
	w.end()
	w = begin(t, configure(t, dir), app.Options{})
	kept, err := app.Replayer(w.App).Replays(as(t, "bea"))
	if err != nil || len(kept) != 1 || kept[0].State != api.ReplayDone || kept[0].Reports != nil {
		t.Errorf("after a restart: %+v, %v", kept, err)
	}
	trail := strings.Join(app.AuditTrail(t, w.App), "\n")
	for _, want := range []string{"ann back-test begun back-test " + begun.ID, "ann look back-test " + begun.ID, "bea look back-tests"} {
		if !strings.Contains(trail, want) {
			t.Errorf("%q is not in the audit log", want)
		}
	}
}

// A rule is tried on what the service has kept, in the background; one that can't be read is
// refused at once, with what is wrong.
func TestARuleIsTriedBesideTheService(t *testing.T) {
	t.Parallel()
	w := begin(t, configure(t, t.TempDir()), app.Options{})
	replayer := app.Replayer(w.App)
	if resp, text := send(t, w.PushURL(), token, breach(day()), false); resp.StatusCode != 202 {
		t.Fatalf("push: %d %s", resp.StatusCode, text)
	}
	until(t, "a finding", func() bool { return len(w.findings()) > 0 })
	const text = `id: reads
name: Somebody reads
severity: low
when: action == "read"
sentence: "{who} reads."
counterfactual: No read.
examples:
  - {name: a read, fires: true, events: [{actor: ann, action: read}]}
  - {name: a login, fires: false, events: [{actor: ann, action: login}]}
`
	for name, c := range map[string]struct {
		ask  api.ReplayAsk
		says string
	}{
		"no rule":      {api.ReplayAsk{Rule: "id: x"}, "is missing"},
		"with budgets": {api.ReplayAsk{Rule: text, Budgets: []float64{1}}, "tried alone"},
		"too long":     {api.ReplayAsk{Rule: text + strings.Repeat("#", api.MaxRuleText)}, "at most"},
	} {
		if _, err := replayer.StartReplay(as(t, "ann"), c.ask); !errors.Is(err, api.ErrRefused) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ask := api.ReplayAsk{Rule: text, From: day().AddDate(0, 0, -1), To: day().AddDate(0, 0, 2)}
	try := func(ask api.ReplayAsk) *api.RulePreview {
		t.Helper()
		begun, err := replayer.StartReplay(as(t, "ann"), ask)
		if err != nil {
			t.Fatal(err)
		}
		var r api.Replay
		until(t, "the rule", func() bool {
			if r, err = replayer.Replay(as(t, "ann"), begun.ID); err != nil {
				t.Fatal(err)
			}
			return r.State != api.ReplayRunning
		})
		if r.State != api.ReplayDone || r.Preview == nil || r.Reports != nil {
			t.Fatalf("it came to %+v", r)
		}
		return r.Preview
	}
	whole := try(ask)
	if whole.Hits == 0 || whole.Hits > whole.Events || whole.Findings == 0 || len(whole.Top) == 0 || whole.Budget <= 0 {
		t.Errorf("told %+v", whole)
	}
	ask.From, ask.To = day().AddDate(0, 0, -9), day().AddDate(0, 0, -8)
	if p := try(ask); p.Events != 0 || p.Hits != 0 {
		t.Errorf("before all that was kept: %+v", p)
	}
	kept, err := replayer.Replays(as(t, "ann"))
	if err != nil || len(kept) != 2 || kept[0].Preview != nil {
		t.Errorf("listed: %+v, %v", kept, err)
	}
}
