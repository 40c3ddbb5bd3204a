package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"vigil"
	"vigil/collectors"
	"vigil/detector"
	"vigil/internal/api"
	"vigil/internal/ledger"
)

// explored is an office whose detector has judged three weeks of one agent, who on the
// last day comes from another network and reads far more; the finding is f-1.
func explored(t *testing.T) (*office, *reader, string) {
	t.Helper()
	o := newOffice(t)
	actor := o.desk.desk.pseudonyms.Actor("", "bob_db")
	a, err := newApplier(t.Context(), o.book.ledger, detector.Config{}, detector.Options{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	a.messages = func([]vigil.Finding) ([]ledger.OutboxItem, error) { return nil, nil }
	var events []*vigil.Event
	add := func(at time.Time, network, resource string, outcome vigil.Outcome) {
		e := vigil.NewEvent()
		e.ID, e.Time, e.Source = fmt.Sprintf("e-%d", len(events)), at, "pg"
		e.Actor = vigil.Actor{ID: actor, Kind: vigil.KindHuman, Role: "agent", Team: "emea"}
		e.Action, e.Store, e.Resource, e.Network, e.Outcome = vigil.ActionRead, "helpdesk", resource, network, outcome
		e.Country, e.Subjects, e.SubjectCount = "DE", []string{fmt.Sprintf("s-%d", len(events)%40)}, 1
		events = append(events, e)
	}
	for day := officeStart.AddDate(0, 0, -21).Truncate(24 * time.Hour); day.Before(officeStart.Truncate(24 * time.Hour)); day = day.AddDate(0, 0, 1) {
		for i := range 6 {
			add(day.Add(9*time.Hour+time.Duration(i)*50*time.Minute), "10.1.2.0/24", "tickets", vigil.OutcomeSuccess)
		}
	}
	for i := range 300 {
		outcome := vigil.OutcomeSuccess
		if i%10 == 0 {
			outcome = vigil.OutcomeDenied
		}
		add(officeStart.Add(-time.Hour+time.Duration(i)*10*time.Second), "203.0.113.0/24", "customers", outcome)
	}
	add(officeStart.Add(-2*time.Hour), "10.1.2.0/24", "", vigil.OutcomeSuccess)
	events[len(events)-1].Action = vigil.ActionLogin // shows nothing, and is not among what the model expects
	if _, _, err := o.book.ledger.Accept(t.Context(), collectors.Batch{Source: "pg", Events: events}); err != nil {
		t.Fatal(err)
	}
	if _, err := o.book.ledger.AcceptTick(t.Context(), vigil.Tick{Watermark: officeStart}); err != nil {
		t.Fatal(err)
	}
	if err := a.catchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	o.seq = a.seq
	f := bulk("f-1", actor, vigil.SeverityHigh)
	f.Contributions = append(f.Contributions, vigil.Contribution{Model: "novelty", Observation: "network", SeenLabel: "203.0.113.0/24"})
	other := bulk("f-2", "actor-2", vigil.SeverityCritical)
	other.Contributions = f.Contributions
	o.find(f, other)
	r := o.reader()
	r.app.judging.Store(a)
	return o, r, actor
}

// What is behind a finding is told down to single accesses, and all looks are recorded.
func TestWhatIsBehindAFinding(t *testing.T) {
	t.Parallel()
	o, r, _ := explored(t)
	ann := o.as("ann")
	all, err := r.FindingActivity(ann, "f-1", time.Time{}, time.Time{})
	if err != nil || all.Bucket == 0 || all.Total < 300 || len(all.Counts) > api.MaxBuckets || len(all.Sessions) == 0 {
		t.Fatalf("around it: %d accesses by %s in %d buckets and %d sessions, %v", all.Total, all.Bucket, len(all.Counts), len(all.Sessions), err)
	}
	weeks, err := r.FindingActivity(ann, "f-1", officeStart.AddDate(-1, 0, 0), officeStart.AddDate(1, 0, 0))
	if err != nil || weeks.Total != 21*6+300+1 || weeks.To.Sub(weeks.From) < explorePast {
		t.Errorf("all of it: %d accesses in %s, %v", weeks.Total, weeks.To.Sub(weeks.From), err)
	}
	var sum float64
	for _, n := range weeks.Counts {
		sum += n
	}
	if int(sum) != weeks.Total {
		t.Errorf("the buckets hold %g of %d", sum, weeks.Total)
	}
	from := officeStart.Add(-time.Hour)
	few, err := r.FindingActivity(ann, "f-1", from, from.Add(30*time.Second))
	if err != nil || few.Bucket != 0 || len(few.Singles) != 3 {
		t.Errorf("half a minute: %d single accesses, %v", len(few.Singles), err)
	}
	page, err := r.FindingAccesses(ann, "f-1", api.EventFilter{Outcome: vigil.OutcomeDenied, Limit: 10, Offset: 25})
	if err != nil || page.Total != 30 || len(page.Events) != 5 || page.More {
		t.Errorf("refused: %d of %d, %v", len(page.Events), page.Total, err)
	}
	page, err = r.FindingAccesses(ann, "f-1", api.EventFilter{From: officeStart.AddDate(0, 0, -21), To: from, Resource: "tickets", Limit: 10})
	if err != nil || page.Total != 21*6 || len(page.Events) != 10 || !page.More || page.Events[0].Network != "10.1.2.0/24" {
		t.Errorf("before it: %d of %d, %v", len(page.Events), page.Total, err)
	}
	networks, err := r.FindingNetworks(ann, "f-1")
	if err != nil || len(networks.List) != 1 || !networks.List[0].New() || networks.List[0].Refused != 30 || networks.List[0].Country != "DE" {
		t.Errorf("networks: %+v, %v", networks, err)
	}
	related, left, err := r.FindingRelated(ann, "f-1")
	if err != nil || left != 0 || len(related) != 1 || related[0].Finding.ID != "f-2" || related[0].Ties[0].Relation != api.RelatedNetwork {
		t.Errorf("related: %+v, %v", related, err)
	}
	for _, what := range []string{"finding's timeline read", "finding's events read", "finding's networks read", "finding's related ones read"} {
		if !o.audited(what) {
			t.Errorf("the audit log lacks %q", what)
		}
	}
}

func TestAnActorsPage(t *testing.T) {
	t.Parallel()
	o, r, actor := explored(t)
	a, err := r.Actor(o.as("ann"), "", actor)
	if err != nil {
		t.Fatal(err)
	}
	if a.Known != api.ModelKnows || a.Actor.Role != "agent" || len(a.Expected) != 168 || len(a.Firsts) == 0 || len(a.Paths) != 3 || a.FindingsTotal != 1 {
		t.Errorf("known: %s, %+v, %d first uses, %d paths, %d findings", a.Known, a.Actor, len(a.Firsts), len(a.Paths), a.FindingsTotal)
	}
	l, err := r.ActorLately(o.as("ann"), "", actor)
	if err != nil {
		t.Fatal(err)
	}
	var seen float64
	for _, n := range l.Seen {
		seen += n
	}
	if seen != 21*6+300 || a.Peers.Members != 0 {
		t.Errorf("%g accesses by the hour, %d peers of one alone", seen, a.Peers.Members)
	}
	if n := l.Networks.List; len(n) != 2 || !n[0].New() || n[1].New() {
		t.Errorf("networks: %+v", n)
	}
	if x, err := r.ActorActivity(o.as("ann"), "", actor, time.Time{}, time.Time{}); err != nil || x.Total < 300 {
		t.Errorf("activity: %d, %v", x.Total, err)
	}
	nobody, err := r.Actor(o.as("ann"), "", "nobody-of-that-name")
	did, none := r.ActorLately(o.as("ann"), "", "nobody-of-that-name")
	if err := errors.Join(err, none); err != nil || nobody.Known != api.ModelStranger || nobody.FindingsTotal != 0 || !did.Last.IsZero() {
		t.Errorf("of nobody: %v", err)
	}
	if b, err := r.Actor(o.as("ann"), "", "actor-2"); err != nil || b.Known != api.ModelStranger || b.Actor.Role != "agent" || b.Expected != nil {
		t.Errorf("whom the model forgot: %s %+v, %v", b.Known, b.Actor, err)
	}
	if !o.audited("actor read") || !o.audited("actor's timeline read") {
		t.Error("the looks are not in the audit log")
	}
	// While the engine is in use for long, the page is shown without what it knows.
	r.app.judge().using.Lock()
	busy, err := r.Actor(o.as("ann"), "", actor)
	r.app.judge().using.Unlock()
	if err != nil || busy.Known != api.ModelBusy || busy.FindingsTotal != 1 {
		t.Errorf("busy: %s, %v", busy.Known, err)
	}
}

// Nobody looks behind a finding about themselves, nor at their own page.
func TestNobodyLooksAtThemselves(t *testing.T) {
	t.Parallel()
	o, r, actor := explored(t)
	for name, look := range map[string]func(ctx context.Context) error{
		"accesses": func(ctx context.Context) error {
			_, err := r.FindingAccesses(ctx, "f-1", api.EventFilter{Limit: 1})
			return err
		},
		"activity": func(ctx context.Context) error {
			_, err := r.FindingActivity(ctx, "f-1", time.Time{}, time.Time{})
			return err
		},
		"networks":      func(ctx context.Context) error { _, err := r.FindingNetworks(ctx, "f-1"); return err },
		"related":       func(ctx context.Context) error { _, _, err := r.FindingRelated(ctx, "f-1"); return err },
		"actor":         func(ctx context.Context) error { _, err := r.Actor(ctx, "", actor); return err },
		"actor's weeks": func(ctx context.Context) error { _, err := r.ActorLately(ctx, "", actor); return err },
		"actor's activity": func(ctx context.Context) error {
			_, err := r.ActorActivity(ctx, "", actor, time.Time{}, time.Time{})
			return err
		},
	} {
		if err := look(o.as("bob")); !errors.Is(err, api.ErrOwnCase) {
			t.Errorf("%s: bob is answered %v", name, err)
		}
	}
	if related, _, err := r.FindingRelated(o.as("bob"), "f-2"); err != nil || len(related) != 0 {
		t.Errorf("bob is told of %d findings related to another one: they are about him; %v", len(related), err)
	}
	if !o.audited("kept off their own page") {
		t.Error("the audit log does not tell that bob tried")
	}
}
