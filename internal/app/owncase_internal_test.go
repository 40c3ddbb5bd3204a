package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"vigil"
	"vigil/alerts"
	"vigil/internal/api"
	"vigil/internal/ledger"
)

// as is a context in which a user of the office asks.
func (o *office) as(name string) context.Context {
	o.t.Helper()
	who := o.desk.people().named(name)
	if who == nil {
		o.t.Fatalf("nobody is called %s", name)
	}
	return api.WithPerson(o.t.Context(), api.Person{Name: who.name, By: who.by, Logins: who.logins, Roles: who.roles, Way: api.WaySession, Signed: o.clock})
}

// reader is what the console reads the office through.
func (o *office) reader() *reader {
	a := &App{ledger: o.book.ledger, desk: o.desk.desk, book: o.book, opts: Options{Now: o.book.now}}
	a.people.Store(o.desk.people())
	return newReader(a)
}

// Nobody is shown a case about themselves, nor any part of it; others are.
func TestOwnCaseIsNotShown(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	bob := o.desk.desk.pseudonyms.Actor("", "bob_db")
	team := bulk("f-3", "", vigil.SeverityMedium)
	team.About, team.Team, team.Actors = vigil.AboutTeam, "emea", []string{"actor-x", bob}
	o.find(bulk("f-1", bob, vigil.SeverityHigh), bulk("f-2", "actor-2", vigil.SeverityLow), team)
	r := o.reader()
	for name, look := range map[string]func(ctx context.Context) error{
		"case":           func(ctx context.Context) error { _, err := r.Case(ctx, o.theCase("f-1").ID); return err },
		"team's case":    func(ctx context.Context) error { _, err := r.Case(ctx, o.theCase("f-3").ID); return err },
		"case of f-1":    func(ctx context.Context) error { _, err := r.FindingCase(ctx, "f-1"); return err },
		"finding":        func(ctx context.Context) error { _, err := r.Finding(ctx, "f-1"); return err },
		"team's finding": func(ctx context.Context) error { _, err := r.Finding(ctx, "f-3"); return err },
		"events":         func(ctx context.Context) error { _, err := r.FindingEvents(ctx, "f-1", 0, 10); return err },
		"timeline":       func(ctx context.Context) error { _, err := r.FindingTimeline(ctx, "f-1"); return err },
	} {
		if err := look(o.as("bob")); !errors.Is(err, api.ErrOwnCase) {
			t.Errorf("%s: bob is answered %v", name, err)
		}
		if err := look(o.as("ann")); err != nil {
			t.Errorf("%s: ann is answered %v", name, err)
		}
	}
	cases, err := r.Cases(o.as("bob"), api.QueueFilter{})
	if err != nil || len(cases.Cases) != 1 || cases.Cases[0].Actor != "actor-2" || cases.Total != 1 {
		t.Errorf("bob is listed %+v of %d, %v", cases.Cases, cases.Total, err)
	}
	findings, err := r.Findings(o.as("bob"), api.FindingFilter{})
	if err != nil || len(findings.Findings) != 1 || findings.Findings[0].ID != "f-2" || findings.Total != 1 {
		t.Errorf("bob is listed %d findings, %v", len(findings.Findings), err)
	}
	if all, err := r.Cases(o.as("ann"), api.QueueFilter{}); err != nil || len(all.Cases) != 3 {
		t.Errorf("ann is listed %d cases, %v", len(all.Cases), err)
	}
	if !o.audited("kept off a case about themselves") || !o.audited("kept off a finding about themselves") {
		t.Error("the audit log does not tell that bob tried")
	}
}

// Nor does a message show it, or a list that is asked for by one.
func TestOwnCaseIsNotToldInMessages(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	bob := o.desk.desk.pseudonyms.Actor("", "bob_db")
	o.find(bulk("f-1", bob, vigil.SeverityHigh), bulk("f-2", "actor-2", vigil.SeverityLow))
	own, other := o.theCase("f-1").ID, o.theCase("f-2").ID
	if out, err := o.act("U0BOB", alerts.Act{Deed: alerts.DeedLook, Case: own}); !errors.Is(err, alerts.ErrOwnCase) || out.Case != nil {
		t.Errorf("bob looks: %+v, %v", out.Case, err)
	}
	if !o.audited(keptOffCase) {
		t.Error("the audit log does not tell that bob tried")
	}
	o.must("U0ANN", alerts.Act{Deed: alerts.DeedLook, Case: own})
	// What was done before is answered with the case as it is: never with one's own.
	o.must("U0BOB", alerts.Act{ID: "once", Deed: alerts.DeedAcknowledge, Case: other})
	if out, err := o.act("U0BOB", alerts.Act{ID: "once", Deed: alerts.DeedAcknowledge, Case: own}); !errors.Is(err, alerts.ErrOwnCase) || out.Case != nil {
		t.Errorf("bob presses again: %+v, %v", out.Case, err)
	}
	for who, want := range map[string]int{"U0BOB": 1, "U0ANN": 2} {
		out := o.must(who, alerts.Act{Deed: alerts.DeedTop})
		if len(out.Cases) != want || !strings.HasPrefix(out.Text, fmt.Sprint(want)) {
			t.Errorf("%s is told %q, and %d cases", who, out.Text, len(out.Cases))
		}
	}
}

// A verdict is on no finding of one's own case, whichever of its findings one took part in;
// and what a list of verdicts, or the preview of an exception or a silence, shows is of
// others.
func TestOwnFindingIsNotJudgedNorListed(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ann := o.desk.desk.pseudonyms.Actor("", "ann")
	own, other := bulk("f-1", ann, vigil.SeverityHigh), bulk("f-2", "actor-2", vigil.SeverityLow)
	var customer []vigil.Finding
	for i, actor := range []string{ann, "actor-3"} { // one case about a customer, who was read by both
		f := bulk(fmt.Sprint("f-c", i), "", vigil.SeverityMedium)
		f.About, f.Subject, f.Actors = vigil.AboutSubject, "subject-1", []string{actor}
		customer = append(customer, f)
	}
	o.find(append(customer, own, other)...)
	for _, f := range []string{"f-1", "f-c0", "f-c1"} {
		if _, err := o.desk.desk.Decide(o.as("ann"), api.Saying{Finding: f, Word: vigil.WordExpected}); !errors.Is(err, api.ErrOwnCase) {
			t.Errorf("ann judges %s: %v", f, err)
		}
		if _, err := o.desk.desk.Decide(o.as("bob"), api.Saying{Finding: f, Word: vigil.WordBreach}); err != nil {
			t.Errorf("bob judges %s: %v", f, err)
		}
	}
	all, err := o.desk.desk.Judged(o.as("ann"))
	if err != nil || len(all) != 1 || all[0].ID != "f-c1" {
		t.Errorf("ann is listed %d verdicts, %v", len(all), err)
	}
	log, err := o.book.ledger.AuditLog(t.Context(), 0, 1000)
	if err != nil || !slices.ContainsFunc(log, func(r ledger.AuditRecord) bool {
		return r.What == "verdicts listed" && r.Who == o.desk.people().named("ann").by
	}) {
		t.Errorf("the audit log does not tell that ann listed verdicts: %v", err)
	}
	if _, err := o.desk.desk.Expect(o.as("ann"), api.Expecting{Finding: "f-1", ForRole: true, For: 3600, Preview: true}); !errors.Is(err, api.ErrOwnCase) {
		t.Errorf("ann previews an exception out of what is about her: %v", err)
	}
	made := o.must("U0ANN", alerts.Act{Deed: alerts.DeedExpect, Case: o.theCase("f-2").ID, For: time.Hour, Note: "a migration"})
	if made.Covered == nil {
		t.Fatal("no exception is made")
	}
	o.find(bulk("f-4", o.desk.desk.pseudonyms.Actor("", "bob_db"), vigil.SeverityLow))
	o.must("U0ANN", alerts.Act{Deed: alerts.DeedExpect, Case: o.theCase("f-4").ID, For: time.Hour, Note: "bob's migration"})
	for who, want := range map[string]int{"ann": 2, "bob": 1} {
		if all, err := o.desk.desk.Exceptions(o.as(who)); err != nil || len(all) != want {
			t.Errorf("%s is listed %d exceptions, %v", who, len(all), err)
		}
	}
	covered, err := o.desk.desk.Expect(o.as("ann"), api.Expecting{Finding: "f-2", ForRole: true, For: 3600, Preview: true})
	if err != nil || slices.Contains(covered.Wholly, "f-1") || !slices.Contains(covered.Wholly, "f-2") {
		t.Errorf("ann is shown %v, %v", covered.Wholly, err)
	}
	silenced, err := o.desk.desk.Silence(o.as("ann"), api.Silencing{Match: vigil.Match{Stores: []string{"pg"}, MaxSeverity: vigil.SeverityHigh}, For: 3600, Preview: true})
	if err != nil || slices.Contains(silenced.Findings, "f-1") || !slices.Contains(silenced.Findings, "f-2") {
		t.Errorf("ann is shown %v, %v", silenced.Findings, err)
	}
}
