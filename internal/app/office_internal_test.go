package app

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"vigil"
	"vigil/alerts"
	"vigil/internal/access"
	"vigil/internal/config"
	"vigil/internal/identity"
	"vigil/internal/ledger"
	"vigil/internal/privacy"
)

// office is a ledger with cases, and the desk at which people work on them.
type office struct {
	*dispatcher
	t        *testing.T
	desk     *caseDesk
	identity *identity.Service
	clock    time.Time
	seq      uint64
	ids      int
	told     []alerts.FloodNotice
	dir      string
}

var officeStart = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

const officeKey = "0123456789abcdef0123456789abcdef"

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{t: t, clock: officeStart, dir: t.TempDir()}
	now := func() time.Time { return o.clock }
	l, err := ledger.Open(t.Context(), ledger.Config{Dir: o.dir}, ledger.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	pseudonyms, err := privacy.New([]byte(officeKey), privacy.Options{CacheSize: 64})
	if err != nil {
		t.Fatal(err)
	}
	cfg := &config.Config{Users: []config.User{
		{Name: "ann", Roles: []access.Role{access.RoleAnalyst, access.RolePrivacy}, Slack: "U0ANN"},
		{Name: "bob", Roles: []access.Role{access.RoleResponder}, Slack: "U0BOB", Actors: []string{"bob_db"}},
		{Name: "vic", Roles: []access.Role{access.RoleViewer}, Slack: "U0VIC"},
	}}
	users := newPeople(cfg, pseudonyms)
	people := func() *people { return users }
	book := newCasebook(l, newOutbox(l), now)
	book.outbox.tell([]channelNote{{slackName, true}, {"mail", false}})
	if err := book.use(t.Context(), alerts.Policy{}, book.outbox.told()); err != nil {
		t.Fatal(err)
	}
	o.dispatcher = &dispatcher{book: book, logger: slog.New(slog.DiscardHandler), called: func(name string) string { return pseudonyms.Actor("", name) },
		flood: func(_ context.Context, n alerts.FloodNotice) error { o.told = append(o.told, n); return nil }}
	d := &desk{ledger: l, pseudonyms: pseudonyms, triage: newTriager(l, t.TempDir(), slog.New(slog.DiscardHandler)), now: now, people: people, book: book}
	if o.identity, err = newIdentity([]byte(officeKey), l, people, identity.Options{Now: now}); err != nil {
		t.Fatal(err)
	}
	o.desk = &caseDesk{desk: d, book: book, people: people, roster: o.identity}
	return o
}

// find has the detector find something.
func (o *office) find(f ...vigil.Finding) {
	o.t.Helper()
	items, err := o.book.outbox.messages(f)
	if err != nil {
		o.t.Fatal(err)
	}
	l := o.book.ledger
	if _, err := l.AcceptTick(o.t.Context(), vigil.Tick{Watermark: o.clock}); err != nil {
		o.t.Fatal(err)
	}
	o.seq++
	if err := l.Apply(o.t.Context(), ledger.Applied{Seq: o.seq, Findings: f, Outbox: items}); err != nil {
		o.t.Fatal(err)
	}
	o.dispatch()
}

func (o *office) dispatch() {
	o.t.Helper()
	for {
		more, err := o.step(o.t.Context())
		if err != nil {
			o.t.Fatal(err)
		}
		if !more {
			return
		}
	}
}

// sent takes what waits for a channel off the outbox, as if it was delivered.
func (o *office) sent(channel string) (out []alerts.Message) {
	o.t.Helper()
	for {
		items, err := o.book.outbox.Due(o.t.Context(), channel, o.clock, 50)
		if err != nil {
			o.t.Fatal(err)
		}
		if len(items) == 0 {
			return out
		}
		for _, it := range items {
			out = append(out, it.Message)
			if err := o.book.outbox.Done(o.t.Context(), channel, it, "receipt of "+it.Message.Thread()); err != nil {
				o.t.Fatal(err)
			}
		}
	}
}

func (o *office) act(who string, a alerts.Act) (alerts.Outcome, error) {
	o.t.Helper()
	o.ids++
	if a.ID == "" {
		a.ID = fmt.Sprintf("press-%d", o.ids)
	}
	a.By = alerts.Person{Channel: slackName, ID: who, Workspace: "T0"}
	return o.desk.Do(o.t.Context(), a)
}

func (o *office) must(who string, a alerts.Act) alerts.Outcome {
	o.t.Helper()
	out, err := o.act(who, a)
	if err != nil {
		o.t.Fatalf("%s by %s: %v", a.Deed, who, err)
	}
	return out
}

func (o *office) theCase(finding string) vigil.Case {
	o.t.Helper()
	c, err := o.book.ledger.CaseOf(o.t.Context(), finding)
	if err != nil {
		o.t.Fatal(err)
	}
	return c
}

func (o *office) kinds(id string) (out []vigil.CaseEventKind) {
	o.t.Helper()
	events, err := o.book.ledger.CaseEvents(o.t.Context(), id, 0, 100)
	if err != nil {
		o.t.Fatal(err)
	}
	for _, e := range events {
		out = append(out, e.Kind)
	}
	return out
}

func (o *office) audited(what string) bool {
	o.t.Helper()
	all, err := o.book.ledger.AuditLog(o.t.Context(), 0, 1000)
	if err != nil {
		o.t.Fatal(err)
	}
	return slices.ContainsFunc(all, func(r ledger.AuditRecord) bool { return r.What == what })
}

func bulk(id, actor string, severity vigil.Severity) vigil.Finding {
	return vigil.Finding{
		ID: id, Revision: 1, State: vigil.StateOpen, About: vigil.AboutActor, Actor: actor, ActorKind: vigil.KindHuman, Role: "agent",
		Start: officeStart.Add(-time.Hour), End: officeStart, Detected: officeStart, Severity: severity, Harm: float64(severity.Rank()), Lane: "day",
		Evidence: 6, Threshold: 4, Sentence: "It read 212 customers.", Subjects: 212, Events: 400, Rows: vigil.Unknown, Conversations: vigil.Unknown, Stores: []string{"pg"},
		Contributions: []vigil.Contribution{{Model: "volume", Observation: "subjects", Span: "day", Frame: "self", Seen: 212, Expected: 9, High: 31, P: 1e-7, Share: 1}},
	}
}
