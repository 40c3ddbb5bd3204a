package app_test

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vigil"
	"vigil/internal/api"
	"vigil/internal/app"
	"vigil/internal/config"
)

// withRule is a service whose configuration names one rule of its own.
func withRule(t *testing.T) (w *watched, cfg *config.Config, write func(text string)) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "own.yaml")
	write = func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(ownRule)
	cfg = configure(t, filepath.Join(dir, "data"))
	cfg.Budget, cfg.Rules = 5, []string{file}
	return begin(t, cfg, app.Options{}), cfg, write
}

// agree has ann propose and bea confirm.
func agree(t *testing.T, w *watched, ask api.Proposing) {
	t.Helper()
	ask.Seen, ask.Why = api.AnyRevision, "we agreed"
	p, err := app.Tuner(w.App).Propose(as(t, "ann"), ask)
	if err != nil {
		t.Fatal(err)
	}
	if err := app.Tuner(w.App).Answer(as(t, "bea"), api.Answering{ID: p.ID, Confirm: true}); err != nil {
		t.Fatal(err)
	}
	app.Judged(t, w.App)
}

func difference(t *testing.T, w *watched, from, to int) api.VersionDifference {
	t.Helper()
	d, err := app.Tuner(w.App).Difference(as(t, "ann"), from, to)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Everything that a version holds can be compared with any other, and brought back by two
// people: that is a version of its own, and outlives restarts and what the files say.
func TestAnOlderVersionIsBroughtBack(t *testing.T) {
	t.Parallel()
	w, cfg, write := withRule(t)
	app.Judged(t, w.App)
	first := view(t, w).Versions[0].N
	write(strings.Replace(ownRule, "severity: high", "severity: low", 1))
	reload(t, w, cfg)
	agree(t, w, api.Proposing{PerDay: perDay(2)})
	d := difference(t, w, 0, first)
	if !d.Budget || len(d.Rules) != 1 || d.Rules[0].Step != api.RuleChanged || d.NoBudget != "" || d.NoRules != "" {
		t.Fatalf("from the one in force to the first: %+v", d)
	}
	if lines := strings.Join(d.Rules[0].Lines, "|"); !strings.Contains(lines, "|-severity: low|+severity: high|") {
		t.Errorf("its text differs by %s", lines)
	}
	if d := difference(t, w, first, first); d.Budget || len(d.Rules) != 0 {
		t.Errorf("a version differs from itself: %+v", d)
	}

	agree(t, w, api.Proposing{Version: first})
	v := view(t, w)
	newest := v.Versions[0]
	if v.Budget != 5 || !v.Since.Own || !v.Rules.Own || v.Rules.By != "ann" || v.Rules.Confirmed != "bea" || !newest.BudgetChanged || newest.Changed == nil || newest.Changed.Why != "we agreed" || newest.N != 5 {
		t.Errorf("brought back: %+v, newest %+v", v, newest)
	}
	if d := difference(t, w, 0, first); d.Budget && d.From.Budget.PerDay != 5 || len(d.Rules) != 0 || d.NoRules == "" || d.NoBudget == "" {
		t.Errorf("what was brought back differs: %+v", d)
	}
	trail := strings.Join(app.AuditTrail(t, w.App), "\n")
	for _, want := range []string{"ann setting proposed s-", "5 false findings a day; rules: changed own-rule; back to version 2; we agreed", "bea setting confirmed s-", "vigil rules changed"} {
		if !strings.Contains(trail, want) {
			t.Errorf("%q is not in the audit log:\n%s", want, trail)
		}
	}
	if _, err := app.Tuner(w.App).Propose(as(t, "ann"), api.Proposing{Version: first, Seen: api.AnyRevision, Why: "x"}); !errors.Is(err, api.ErrRefused) {
		t.Errorf("what is in force is proposed: %v", err)
	}
	if _, err := app.Tuner(w.App).Propose(as(t, "ann"), api.Proposing{Version: 99, Seen: api.AnyRevision, Why: "x"}); !errors.Is(err, api.ErrNotFound) {
		t.Errorf("no such version: %v", err)
	}

	// The files say otherwise, and are not in force: not by a reload, nor by a restart.
	reload(t, w, cfg)
	records := len(app.RulesRecords(t, w.App))
	w.end()
	w = begin(t, cfg, app.Options{})
	v = view(t, w)
	if !v.Rules.Own || v.Rules.Files == nil || !slices.Equal(v.Rules.Files.Changed, []string{"own-rule"}) || len(app.RulesRecords(t, w.App)) != records {
		t.Errorf("after a restart: %+v, %d records", v.Rules, len(app.RulesRecords(t, w.App)))
	}
	agree(t, w, api.Proposing{Configuration: true})
	v = view(t, w)
	if v.Rules.Own || v.Since.Own || v.Versions[0].Changed == nil || v.Versions[0].Changed.By != "ann" || v.Versions[0].Changed.Own || v.Versions[0].N != 6 {
		t.Errorf("returned to the configuration: %+v", v)
	}
	w.end()
}

// Where the text of a rule of then is not kept, its version says so, and its budget alone can
// be brought back.
func TestWhatCantBeBroughtBackSaysWhy(t *testing.T) {
	t.Parallel()
	w, cfg, write := withRule(t)
	app.Judged(t, w.App)
	first := view(t, w).Versions[0].N
	write(strings.Replace(ownRule, "severity: high", "severity: low", 1))
	reload(t, w, cfg)
	agree(t, w, api.Proposing{PerDay: perDay(2)})
	forgetRuleTexts(t, cfg)
	d := difference(t, w, 0, first)
	if !strings.Contains(d.NoRules, "own-rule") || d.NoBudget != "" || len(d.Rules) != 1 || !d.Rules[0].Unkept || d.Rules[0].Lines != nil {
		t.Errorf("without its text: %+v", d)
	}
	if _, err := app.Tuner(w.App).Propose(as(t, "ann"), api.Proposing{Version: first, Seen: api.AnyRevision, Why: "x"}); !errors.Is(err, api.ErrRefused) || !strings.Contains(err.Error(), "budget alone") {
		t.Errorf("proposed: %v", err)
	}
	agree(t, w, api.Proposing{Version: first, Only: api.PartBudget})
	if v := view(t, w); v.Budget != 5 || v.Rules.Own {
		t.Errorf("its budget alone: %+v", v)
	}
	w.end()
}

// Where the rules that two people agreed on are lost, the configuration's judge, and the page
// says so; they can return to them.
func TestLostRulesAreTold(t *testing.T) {
	t.Parallel()
	w, cfg, write := withRule(t)
	app.Judged(t, w.App)
	first := view(t, w).Versions[0].N
	write(strings.Replace(ownRule, "severity: high", "severity: low", 1))
	reload(t, w, cfg)
	agree(t, w, api.Proposing{Version: first})
	w.end()
	forgetRuleTexts(t, cfg)
	w = begin(t, cfg, app.Options{})
	if v := view(t, w); v.Rules.Own || !strings.Contains(v.Rules.Unkept, "own-rule") {
		t.Errorf("lost: %+v", v.Rules)
	}
	agree(t, w, api.Proposing{Configuration: true, Only: api.PartRules})
	if v := view(t, w); v.Rules.Own || v.Rules.Unkept != "" {
		t.Errorf("returned: %+v", v.Rules)
	}
	w.end()
}

// forgetRuleTexts has a data folder not know any text of a rule any more.
func forgetRuleTexts(t *testing.T, cfg *config.Config) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(cfg.DataDir, "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), `DELETE FROM rule_text`); err != nil {
		t.Fatal(err)
	}
}

// What a back-test tried is taken into force by two people; a command on the machine may
// propose, and does not confirm.
func TestWhatABackTestTriedComesIntoForce(t *testing.T) {
	t.Parallel()
	w, _, _ := withRule(t)
	if resp, text := send(t, w.PushURL(), token, breach(day()), false); resp.StatusCode != 202 {
		t.Fatalf("push: %d %s", resp.StatusCode, text)
	}
	until(t, "a finding", func() bool { return len(w.findings()) > 0 })
	replay := func(ask api.ReplayAsk) api.Replay {
		t.Helper()
		ask.From, ask.To = day().AddDate(0, 0, -1), day().AddDate(0, 0, 2)
		return replayed(t, w, ask)
	}
	r := replay(api.ReplayAsk{Budgets: []float64{1, 5}, Without: []string{"own-rule"}})
	tuner := app.Tuner(w.App)
	for name, bad := range map[string]api.Proposing{"no such report": {Replay: r.ID, Report: 2}, "a negative one": {Replay: r.ID, Report: -1}} {
		bad.Why, bad.Seen = "x", api.AnyRevision
		if _, err := tuner.Propose(as(t, "ann"), bad); !errors.Is(err, api.ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
	p, err := tuner.Propose(as(t, "ann"), api.Proposing{Replay: r.ID, Report: 0, Why: "it tells less", Seen: api.AnyRevision})
	if err != nil || p.Budget.PerDay != 1 || !slices.Equal(p.Rules.Removed, []string{"own-rule"}) {
		t.Fatalf("proposed %+v, %v", p, err)
	}
	// It is tried as it is proposed.
	if tried := replay(api.ReplayAsk{Proposal: p.ID}); tried.Reports[0].Budget != 1 || !slices.Equal(tried.Reports[0].Used, []string{"budget", "rules"}) {
		t.Errorf("tried %+v", tried.Reports[0])
	}
	local := api.WithPerson(t.Context(), api.Person{By: "cal", Way: api.WayLocal})
	if err := tuner.Answer(local, api.Answering{ID: p.ID, Confirm: true}); !errors.Is(err, api.ErrRefused) {
		t.Errorf("a command confirms: %v", err)
	}
	if err := tuner.Answer(as(t, "bea"), api.Answering{ID: p.ID, Confirm: true}); err != nil {
		t.Fatal(err)
	}
	app.Judged(t, w.App)
	has := func(id string) bool {
		return slices.ContainsFunc(difference(t, w, 0, 0).Rules, func(d api.RuleDifference) bool { return d.ID == id && d.Step == api.RuleAdded })
	}
	if v := view(t, w); v.Budget != 1 || !v.Rules.Own || !has("own-rule") { // going back would add it
		t.Errorf("in force: %+v", v)
	}
	// A rule that was tried comes into force with its text.
	r = replay(api.ReplayAsk{Rule: strings.Replace(ownRule, "own-rule", "tried-rule", 1)})
	agree(t, w, api.Proposing{Replay: r.ID})
	if v := view(t, w); !slices.Equal(v.Versions[0].Changed.Added, []string{"tried-rule"}) {
		t.Errorf("in force: %+v", v.Versions[0])
	}
	if _, err := app.Replayer(w.App).StartReplay(as(t, "ann"), api.ReplayAsk{Proposal: p.ID}); !errors.Is(err, api.ErrRefused) {
		t.Errorf("try what is not proposed any more: %v", err)
	}
	w.end()
}

// replayed makes a back-test and waits for its end.
func replayed(t *testing.T, w *watched, ask api.ReplayAsk) (r api.Replay) {
	t.Helper()
	begun, err := app.Replayer(w.App).StartReplay(as(t, "ann"), ask)
	if err != nil {
		t.Fatal(err)
	}
	until(t, "the back-test", func() bool {
		if r, err = app.Replayer(w.App).Replay(as(t, "ann"), begun.ID); err != nil {
			t.Fatal(err)
		}
		return r.State != api.ReplayRunning
	})
	if r.State != api.ReplayDone {
		t.Fatalf("it came to %+v", r)
	}
	return r
}

// What people say is counted at once, and how well triage does is told in the end.
func TestTuningCountsWhatIsSaid(t *testing.T) {
	t.Parallel()
	w := begin(t, configure(t, t.TempDir()), app.Options{})
	if resp, text := send(t, w.PushURL(), token, breach(day()), false); resp.StatusCode != 202 {
		t.Fatalf("push: %d %s", resp.StatusCode, text)
	}
	until(t, "a finding", func() bool { return len(w.findings()) > 0 })
	if err := app.Judge(t, w.App, w.findings()[0].ID, vigil.WordBreach); err != nil {
		t.Fatal(err)
	}
	bad := 0
	for _, c := range view(t, w).Words {
		if c.By == "month" {
			bad += c.Bad
		}
	}
	if bad != 1 {
		t.Errorf("%d breaches are counted", bad)
	}
	until(t, "how well triage does", func() bool { s := view(t, w).Triage; return !s.Stale && s.Why != "" })
	w.end()
}
