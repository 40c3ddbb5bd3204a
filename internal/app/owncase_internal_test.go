package app

import (
	"context"
	"errors"
	"testing"

	"vigil"
	"vigil/internal/api"
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
	if err != nil || len(cases.Cases) != 1 || cases.Cases[0].Actor != "actor-2" {
		t.Errorf("bob is listed %+v, %v", cases.Cases, err)
	}
	findings, err := r.Findings(o.as("bob"), api.FindingFilter{})
	if err != nil || len(findings.Findings) != 1 || findings.Findings[0].ID != "f-2" {
		t.Errorf("bob is listed %d findings, %v", len(findings.Findings), err)
	}
	if all, err := r.Cases(o.as("ann"), api.QueueFilter{}); err != nil || len(all.Cases) != 3 {
		t.Errorf("ann is listed %d cases, %v", len(all.Cases), err)
	}
	if !o.audited("kept off a case about themselves") || !o.audited("kept off a finding about themselves") {
		t.Error("the audit log does not tell that bob tried")
	}
}
