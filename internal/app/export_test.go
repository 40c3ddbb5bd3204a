package app

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"vigil"
	"vigil/internal/api"
	"vigil/internal/config"
	"vigil/internal/ledger"
)

// EachEvent visits every event that a running service keeps.
func EachEvent(t *testing.T, a *App, visit func(e *vigil.Event)) {
	t.Helper()
	eachEntry(t, a, visit, nil)
}

// Controls returns the control records that a running service keeps, as text, save
// those of rules and of the budget.
func Controls(t *testing.T, a *App) (out []string) {
	t.Helper()
	for _, c := range allControls(t, a) {
		if !strings.HasPrefix(c, vigil.ControlRules+" ") && !strings.HasPrefix(c, vigil.ControlBudget+" ") {
			out = append(out, c)
		}
	}
	return out
}

// RulesRecords returns the control records about rules, as text.
func RulesRecords(t *testing.T, a *App) (out []string) {
	t.Helper()
	for _, c := range allControls(t, a) {
		if data, ok := strings.CutPrefix(c, vigil.ControlRules+" "); ok {
			out = append(out, data)
		}
	}
	return out
}

func allControls(t *testing.T, a *App) (out []string) {
	t.Helper()
	eachEntry(t, a, func(*vigil.Event) {}, func(c vigil.Control) { out = append(out, c.Type+" "+string(c.Data)) })
	return out
}

// BudgetRecords returns the control records about the budget, as text.
func BudgetRecords(t *testing.T, a *App) (out []string) {
	t.Helper()
	for _, c := range allControls(t, a) {
		if data, ok := strings.CutPrefix(c, vigil.ControlBudget+" "); ok {
			out = append(out, data)
		}
	}
	return out
}

// Tuner changes what a running service finds, Replayer tries it on its history.
func Tuner(a *App) api.Tuner { return a.tuning }

// Replayer is described with Tuner.
func Replayer(a *App) api.Replayer { return a.backtests }

// NoteRules writes down which rules judge, as the schedule does.
func NoteRules(t *testing.T, a *App) error {
	t.Helper()
	return a.noteRules(t.Context())
}

// Pulse notes that the service runs, as the schedule does.
func Pulse(t *testing.T, a *App) {
	t.Helper()
	if err := a.intake.presence.beat(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// Poll looks at the feeds' files, as the schedule does.
func Poll(t *testing.T, a *App) {
	t.Helper()
	if err := a.pollFeeds(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// Snapshot keeps the detector's state, as the schedule does.
func Snapshot(t *testing.T, a *App) {
	t.Helper()
	if err := a.judge().askSnapshot(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func eachEntry(t *testing.T, a *App, visit func(e *vigil.Event), control func(c vigil.Control)) {
	t.Helper()
	for after := uint64(0); ; {
		entries, err := a.ledger.Entries(t.Context(), after, 100)
		if err != nil {
			t.Fatal(err)
		}
		if len(entries) == 0 {
			return
		}
		for _, entry := range entries {
			after = entry.Seq
			if control != nil && entry.Kind == vigil.EntryControl {
				control(entry.Control)
			}
			for _, e := range entry.Events {
				visit(e)
			}
		}
	}
}

// EachDemoEvent does what EachEvent does, for a demo.
func EachDemoEvent(t *testing.T, d *Demo, visit func(e *vigil.Event)) {
	t.Helper()
	EachEvent(t, d.app, visit)
}

// Dump returns everything that a running service keeps, as text: what is packed
// on disk is unpacked here.
func Dump(t *testing.T, a *App) []string {
	t.Helper()
	var out []string
	ctx := t.Context()
	EachEvent(t, a, func(e *vigil.Event) { out = append(out, fmt.Sprintf("%+v", *e)) })
	out = append(out, allControls(t, a)...)
	page, err := a.ledger.Findings(ctx, api.FindingFilter{Limit: 1_000})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range page.Findings {
		out = append(out, fmt.Sprintf("%+v", f))
	}
	quarantined, err := a.ledger.Quarantined(ctx, 1_000)
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range quarantined {
		out = append(out, fmt.Sprintf("%+v", q))
	}
	snapshot, _, err := a.ledger.LoadSnapshot(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range snapshot.Parts {
		out = append(out, string(p.Data))
	}
	if len(out) == 0 {
		t.Fatal("nothing is kept")
	}
	return out
}

// Digest sums up the day, as the schedule does.
func Digest(t *testing.T, a *App) {
	t.Helper()
	if err := a.digest(t.Context(), 24*time.Hour); err != nil {
		t.Fatal(err)
	}
}

// Judged waits until everything accepted is judged.
func Judged(t *testing.T, a *App) {
	t.Helper()
	if err := a.judged(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// Asks reports whether a finding's events can be asked for.
func Asks(f *vigil.Finding) bool {
	_, ok := queryOf(f)
	return ok
}

// Keep writes findings into a data folder as if they had been judged.
func Keep(t *testing.T, dir string, findings ...vigil.Finding) {
	t.Helper()
	keep(t, dir, false, findings)
}

// KeepNews does so as if nobody had been told of them yet.
func KeepNews(t *testing.T, dir string, findings ...vigil.Finding) {
	t.Helper()
	keep(t, dir, true, findings)
}

func keep(t *testing.T, dir string, news bool, findings []vigil.Finding) {
	t.Helper()
	l, err := ledger.Open(t.Context(), ledger.Config{Dir: dir}, ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	seq, err := l.AcceptTick(t.Context(), vigil.Tick{Watermark: findings[0].Detected})
	if err != nil {
		t.Fatal(err)
	}
	done := ledger.Applied{Seq: seq, Findings: findings}
	if news {
		if done.Outbox, err = newOutbox(l).messages(findings); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Apply(t.Context(), done); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

// AuditTrail lists what the audit log says.
func AuditTrail(t *testing.T, a *App) []string {
	t.Helper()
	records, err := a.ledger.AuditLog(t.Context(), 0, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, r := range records {
		out = append(out, r.Who+" "+r.What+" "+r.Object)
	}
	return out
}

// CutLog seals what is judged and lets all of it go past its retention.
func CutLog(t *testing.T, a *App) {
	t.Helper()
	if _, err := a.ledger.SealAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	if p, err := a.ledger.Prune(t.Context(), a.opts.Now().Add(10*365*24*time.Hour)); err != nil || p.Segments == 0 {
		t.Fatalf("%+v, %v", p, err)
	}
}

// Audited lists what the audit log holds.
func Audited(t *testing.T, a *App) (out []string) {
	t.Helper()
	records, err := a.ledger.AuditLog(t.Context(), 0, 1_000)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		out = append(out, r.What+": "+r.Object)
	}
	return out
}

// DemoApp is the service of a demo.
func DemoApp(d *Demo) *App { return d.app }

// DemoConfig is the configuration of a demo.
func DemoConfig(d *Demo) *config.Config { return Conf(d.app) }

// Conf is the configuration in force.
func Conf(a *App) *config.Config { return a.conf() }

// Judge gives a verdict, as the command line does.
func Judge(t *testing.T, a *App, finding string, word vigil.Word) error {
	t.Helper()
	_, err := a.desk.Decide(t.Context(), api.Saying{Finding: finding, Word: word, By: "an officer"})
	return err
}

// Tick lets event time come to t, and what waited for its order be judged.
func Tick(t *testing.T, a *App, to time.Time) {
	t.Helper()
	for range 3 {
		if _, err := a.ledger.AcceptTick(t.Context(), vigil.Tick{Watermark: to}); err != nil {
			t.Fatal(err)
		}
	}
}

// Find puts findings where the dispatcher takes them, as judging does.
func Find(t testing.TB, a *App, findings ...vigil.Finding) {
	t.Helper()
	items, err := a.outbox.messages(findings)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.ledger.Enqueue(t.Context(), items...); err != nil {
		t.Fatal(err)
	}
}

// Undecided is how many findings of those that are due nobody has decided on.
func Undecided(t testing.TB, a *App) int { return Untold(t, a, ledger.Pipeline) }

// Untold is how many messages are due at a notifier.
func Untold(t testing.TB, a *App, notifier string) int {
	t.Helper()
	due, err := a.ledger.Due(t.Context(), notifier, time.Now(), 100)
	if err != nil {
		t.Fatal(err)
	}
	return len(due)
}

// Channels are the names of the ways by which it is told just now.
func Channels(a *App) []string { return a.tellers.Load().names() }

// Cases are all cases, up to 100,000.
func Cases(t testing.TB, a *App) []vigil.Case {
	t.Helper()
	cases, _, err := a.ledger.Cases(t.Context(), ledger.CaseFilter{Limit: 100_000})
	if err != nil {
		t.Fatal(err)
	}
	return cases
}

// Case is a case by its id.
func Case(t testing.TB, a *App, id string) vigil.Case {
	t.Helper()
	c, err := a.ledger.Case(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Preview makes the previews that are due, as the schedule does.
func Preview(t *testing.T, a *App) error {
	t.Helper()
	return a.backtests.preview(t.Context())
}
