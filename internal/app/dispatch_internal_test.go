package app

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"vigil"
	"vigil/alerts"
	"vigil/internal/ledger"
)

// harm does to the ledger's file what a bad disk does.
func (o *office) harm(query string, args ...any) {
	o.t.Helper()
	u := url.URL{Scheme: "file", Opaque: filepath.Join(o.dir, "ledger.db"), RawQuery: "_pragma=busy_timeout(10000)"}
	db, err := sql.Open("sqlite", u.String())
	if err != nil {
		o.t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(o.t.Context(), query, args...); err != nil {
		o.t.Fatal(err)
	}
}

// A case that can't be read any more is told of all the same when there is news, by an edit of
// its card, and its clock runs on.
func TestDamagedCaseIsTold(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	f := bulk("f-1", "actor-1", vigil.SeverityHigh)
	o.find(f)
	id := o.theCase("f-1").ID
	o.must("U0ANN", alerts.Act{Deed: alerts.DeedAware, Case: id})
	o.sent(slackName)
	was := o.theCase("f-1")
	o.harm(`UPDATE casefile SET data = x'7b' WHERE id = ?`, id)
	o.clock = o.clock.Add(time.Hour)
	f.Revision, f.Severity = 2, vigil.SeverityCritical
	o.find(f, bulk("f-2", "actor-2", vigil.SeverityLow))
	c := o.theCase("f-1")
	if c.ID != id || c.Revision <= was.Revision || c.Severity != vigil.SeverityCritical || c.Aware == nil || !c.Due().Equal(was.Due()) {
		t.Errorf("case %+v", c)
	}
	var edited, other bool
	for _, m := range o.sent(slackName) {
		edited = edited || m.Kind == alerts.KindCase && m.Case.ID == id && m.Receipt != ""
		other = other || m.Kind == alerts.KindCase && m.Finding.ID == "f-2"
	}
	if !edited || !other {
		t.Errorf("edited %v, the other one told %v", edited, other)
	}
}

// What waits in the outbox can be damaged, and what speaks for a case: neither stops the rest.
func TestDamagedRows(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.find(bulk("f-1", "actor-1", vigil.SeverityHigh))
	o.harm(`UPDATE outbox SET payload = x'7b' WHERE notifier = 'slack'`)
	if told := o.sent(slackName); len(told) != 1 || told[0].Finding.ID != "f-1" {
		t.Errorf("told %+v, want the card written anew", told)
	}
	items, err := o.book.outbox.messages([]vigil.Finding{bulk("f-1", "actor-1", vigil.SeverityHigh)})
	if err != nil {
		t.Fatal(err)
	}
	items[0].Revision, items[0].Payload = 2, []byte("{")
	if err := o.book.ledger.Enqueue(t.Context(), items...); err != nil {
		t.Fatal(err)
	}
	o.dispatch()
	// The lead is damaged: the case is reminded of, and worked on.
	o.harm(`UPDATE finding SET data = x'7b' WHERE id = 'f-1'`)
	o.clock = o.clock.Add(time.Hour)
	if err := o.nudge(t.Context()); err != nil {
		t.Error(err)
	}
	o.must("U0BOB", alerts.Act{Deed: alerts.DeedAcknowledge, Case: o.theCase("f-1").ID})
	// Nor does it keep vigil from starting when its channel was taken away.
	o.book.outbox.tell([]channelNote{{"pager", false}})
	if err := o.rehome(t.Context()); err != nil {
		t.Error(err)
	}
}

// A finding on which nothing can be decided holds up no other, and is tried again.
func TestOneThatCannotBeDecidedOn(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.harm(`CREATE TRIGGER worse BEFORE INSERT ON case_finding WHEN new.finding = 'f-2' BEGIN SELECT RAISE(ABORT, 'a bad page'); END`)
	o.find(bulk("f-2", "actor-2", vigil.SeverityCritical), bulk("f-3", "actor-3", vigil.SeverityLow))
	if told := o.sent(slackName); len(told) != 1 || told[0].Finding.ID != "f-3" {
		t.Fatalf("told %+v, want the one that can be decided on", told)
	}
	o.harm(`DROP TRIGGER worse`)
	o.clock = o.clock.Add(undecidedAtMost)
	o.dispatch()
	if told := o.sent(slackName); len(told) != 1 || told[0].Finding.ID != "f-2" {
		t.Errorf("told %+v, want the other one now", told)
	}
}

// Nor does one on which a stage panics.
func TestOneThatPanics(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	flood := o.flood
	o.flood = func(context.Context, alerts.FloodNotice) error { panic("at its wits' end") }
	var found []vigil.Finding
	for i := range 15 {
		found = append(found, bulk(fmt.Sprintf("f-%d", i), fmt.Sprintf("actor-%d", i), vigil.SeverityLow))
	}
	o.find(found...)
	o.find(bulk("f-grave", "actor-grave", vigil.SeverityCritical))
	if told := o.sent(slackName); len(told) != 11 || told[0].Finding.ID != "f-grave" {
		t.Fatalf("told %d, want ten and the grave one", len(told))
	}
	o.flood = flood
	o.clock = o.clock.Add(undecidedAtMost)
	o.dispatch()
	if c := o.theCase("f-14"); len(c.Told) == 0 && c.Held == "" {
		t.Errorf("not decided on: %+v", c)
	}
}

// A case of very many findings counts each once, is led by the gravest, and can be judged and
// opened anew.
func TestVeryManyFindings(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	const many = vigil.MaxCaseFindings + 5
	finding := func(i, revision int, severity vigil.Severity) vigil.Finding {
		f := bulk(fmt.Sprintf("f-%03d", i), "actor-1", severity)
		f.Revision = revision
		return f
	}
	for i := range many {
		o.find(finding(i, 1, vigil.SeverityLow))
	}
	id := o.theCase("f-000").ID
	last := finding(many-1, 2, vigil.SeverityHigh)
	o.find(last)
	o.find(finding(many-2, 2, vigil.SeverityLow), finding(0, 2, vigil.SeverityLow))
	c := o.theCase(last.ID)
	if c.ID != id || c.Total != many || c.Lead != last.ID || c.Severity != vigil.SeverityHigh {
		t.Errorf("case %s of %d findings, led by %s (%s)", c.ID, c.Total, c.Lead, c.Severity)
	}
	// Of a resolved one, one that the list does not name stays in it.
	o.must("U0ANN", alerts.Act{Deed: alerts.DeedVerdict, Case: id, Word: vigil.WordExpected})
	for revision := 3; revision < 5; revision++ {
		o.find(finding(many-3, revision, vigil.SeverityLow))
	}
	if c := o.theCase(last.ID); c.State != vigil.CaseResolved || c.Total != many {
		t.Errorf("case %+v", c)
	}
	o.find(finding(many-3, 5, vigil.SeverityCritical))
	if c := o.theCase(last.ID); c.State != vigil.CaseNew || c.Severity != vigil.SeverityCritical || c.Total != many {
		t.Errorf("case %s, %s, of %d", c.State, c.Severity, c.Total)
	}
}

// A disk that is nearly full keeps the log from taking that a flood began, and nobody from
// being told.
func TestFloodOnAFullDisk(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	full := true
	o.flood = func(_ context.Context, n alerts.FloodNotice) error {
		if full {
			return &ledger.FullError{Dir: "data"}
		}
		o.told = append(o.told, n)
		return nil
	}
	var found []vigil.Finding
	for i := range 30 {
		found = append(found, bulk(fmt.Sprintf("f-%d", i), fmt.Sprintf("actor-%d", i), vigil.SeverityLow))
	}
	o.find(found...)
	o.find(bulk("f-grave", "actor-grave", vigil.SeverityCritical))
	if told := o.sent(slackName); len(told) < 2 || told[0].Finding == nil || told[0].Finding.ID != "f-grave" {
		t.Errorf("told %d messages, want the grave one first", len(told))
	}
	full = false
	o.record(t.Context())
	if len(o.told) != 2 {
		t.Errorf("the flood is recorded %d times, want once for each channel", len(o.told))
	}
}
