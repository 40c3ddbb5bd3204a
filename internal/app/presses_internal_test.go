package app

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"vigil"
	"vigil/alerts"
	"vigil/collectors"
	"vigil/internal/ledger"
)

// A press that is delivered twice is done once, also where it is done in several steps.
func TestPressedOnce(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	bob := o.desk.desk.pseudonyms.Actor("", "bob_db")
	o.find(bulk("f-1", bob, vigil.SeverityHigh), bulk("f-2", "actor-2", vigil.SeverityHigh))
	one, two := o.theCase("f-1").ID, o.theCase("f-2").ID
	expect := alerts.Act{ID: "expect", Deed: alerts.DeedExpect, Case: two, For: 24 * time.Hour, Note: "migration"}
	verdict := alerts.Act{ID: "verdict", Deed: alerts.DeedVerdict, Case: two, Word: vigil.WordMisuse}
	ask := alerts.Act{ID: "ask", Deed: alerts.DeedAsk, Case: one}
	for _, a := range []alerts.Act{expect, verdict, ask} {
		o.must("U0ANN", a)
	}
	// The person answers before the question is pressed again.
	o.must("U0BOB", alerts.Act{Deed: alerts.DeedAnswer, Case: one, Mine: true})
	last, err := o.book.ledger.AuditLog(t.Context(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	o.clock = o.clock.Add(time.Second)
	for _, a := range []alerts.Act{expect, verdict, ask} {
		if out := o.must("U0ANN", a); out.Case == nil || out.Question != nil {
			t.Errorf("%s again: %+v", a.Deed, out)
		}
	}
	all, err := o.book.ledger.Exceptions(t.Context())
	if err != nil || len(all) != 1 {
		t.Errorf("%d exceptions, error %v", len(all), err)
	}
	if now, err := o.book.ledger.AuditLog(t.Context(), 0, 1000); err != nil || len(now) != len(last) {
		t.Errorf("%d audit records, %d before, error %v", len(now), len(last), err)
	}
}

// A verdict is on what was seen: what joins meanwhile is not resolved by it.
func TestVerdictIsOnWhatWasSeen(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.find(bulk("f-1", "actor-1", vigil.SeverityMedium))
	seen, lead, err := o.book.look(t.Context(), o.theCase("f-1").ID)
	if err != nil {
		t.Fatal(err)
	}
	o.find(bulk("f-2", "actor-1", vigil.SeverityCritical))
	ann := o.desk.people().bySlack["U0ANN"]
	_, err = o.desk.work(t.Context(), ann, alerts.Act{ID: "v", Deed: alerts.DeedVerdict, Case: seen.ID, Word: vigil.WordExpected}, &seen, &lead)
	if !errors.Is(err, alerts.ErrNotDone) {
		t.Errorf("error %v", err)
	}
	if err := o.book.judged(t.Context(), vigil.Verdict{Finding: "f-1", Word: vigil.WordExpected, By: ann.by}); err != nil {
		t.Error(err)
	}
	if c := o.theCase("f-2"); c.State != vigil.CaseNew {
		t.Errorf("case %s", c.State)
	}
}

// Who took part in any finding of a case keeps off it, whichever leads.
func TestOwnCaseByAnyFinding(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	team := func(id string, severity vigil.Severity, actors ...string) vigil.Finding {
		f := bulk(id, "", severity)
		f.About, f.Team, f.Actors = vigil.AboutTeam, "emea", actors
		return f
	}
	o.find(team("f-1", vigil.SeverityMedium, "actor-x", o.desk.desk.pseudonyms.Actor("", "bob_db")))
	o.find(team("f-2", vigil.SeverityHigh, "actor-y"))
	c := o.theCase("f-1")
	if c.Lead != "f-2" || c.Total != 2 {
		t.Fatalf("case %+v", c)
	}
	if _, err := o.act("U0BOB", alerts.Act{Deed: alerts.DeedAcknowledge, Case: c.ID}); !errors.Is(err, alerts.ErrOwnCase) {
		t.Errorf("by one of those who took part: %v", err)
	}
}

// Nobody silences what they had a part in, nor their own role or team.
func TestSilenceForOneself(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ann := o.desk.desk.pseudonyms.Actor("", "ann")
	silence := func(m vigil.Match) error {
		_, err := o.act("U0ANN", alerts.Act{Deed: alerts.DeedSilence, Match: m, For: time.Hour, Note: "quiet"})
		return err
	}
	if err := silence(vigil.Match{Stores: []string{"pg"}}); err != nil {
		t.Fatal(err)
	}
	o.find(bulk("f-1", ann, vigil.SeverityMedium))
	if err := silence(vigil.Match{Stores: []string{"pg"}}); !errors.Is(err, alerts.ErrNotDone) {
		t.Errorf("of a store, with a finding about oneself: %v", err)
	}
	b := collectors.Batch{Source: "pg", Events: []*vigil.Event{{
		ID: "e-1", Time: o.clock.Add(-time.Hour), Received: o.clock, Source: "pg", Store: "pg", Action: vigil.ActionRead, Resource: "chats",
		Actor: vigil.Actor{ID: ann, Kind: vigil.KindHuman, Role: "lead", Team: "emea"}, Outcome: vigil.OutcomeSuccess,
	}}}
	if _, n, err := o.book.ledger.Accept(t.Context(), b); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	for _, m := range []vigil.Match{{Teams: []string{"emea"}, MaxSeverity: vigil.SeverityLow}, {Roles: []string{"lead"}, MaxSeverity: vigil.SeverityLow}} {
		if err := silence(m); !errors.Is(err, alerts.ErrNotDone) {
			t.Errorf("of one's own %+v: %v", m, err)
		}
	}
	if err := silence(vigil.Match{Teams: []string{"apac"}}); err != nil {
		t.Errorf("of another team: %v", err)
	}
	// What is only looked at is on record too.
	id := o.theCase("f-1").ID
	o.find(bulk("f-2", o.desk.desk.pseudonyms.Actor("", "bob_db"), vigil.SeverityHigh))
	o.must("U0ANN", alerts.Act{Deed: alerts.DeedAsk, Case: o.theCase("f-2").ID, Preview: true})
	o.must("U0ANN", alerts.Act{Deed: alerts.DeedExpect, Case: o.theCase("f-2").ID, For: time.Hour, Preview: true})
	o.must("U0ANN", alerts.Act{Deed: alerts.DeedSilence, Match: vigil.Match{Teams: []string{"apac"}}, For: time.Hour, Preview: true})
	for _, what := range []string{"person looked up", "exception previewed", "silence previewed"} {
		if !o.audited(what) {
			t.Errorf("%q is not in the audit log (case %s)", what, id)
		}
	}
}

// A vendor's people can be asked as their card says.
func TestAskIsOfferedWhereItIsDone(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	for i, kind := range []vigil.ActorKind{vigil.KindHuman, vigil.KindAdmin, vigil.KindVendor, vigil.KindBot, vigil.KindService} {
		f := bulk(fmt.Sprintf("f-%d", i), o.desk.desk.pseudonyms.Actor(fmt.Sprintf("t%d", i), "bob_db"), vigil.SeverityCritical)
		f.ActorKind, f.Tenant = kind, fmt.Sprintf("t%d", i)
		o.find(f)
		c := o.theCase(f.ID)
		offered := slices.Contains(alerts.Deeds(&c, &f), alerts.DeedAsk)
		_, err := o.act("U0ANN", alerts.Act{Deed: alerts.DeedAsk, Case: c.ID, Preview: true})
		if offered != (err == nil) {
			t.Errorf("of a %s: offered %v, error %v", kind, offered, err)
		}
	}
}

// Long queues of other channels don't make one forget what is in flight.
func TestOutboxKeepsWhatIsInFlight(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	box := o.book.outbox
	item := func(notifier string, i int) ledger.OutboxItem {
		return ledger.OutboxItem{ID: fmt.Sprintf("%s-%d", notifier, i), Notifier: notifier, Kind: alerts.KindNotice, Payload: []byte(`{}`)}
	}
	items := []ledger.OutboxItem{item("slack", 0)}
	for n := range 5 {
		for i := range 1_000 {
			items = append(items, item(fmt.Sprintf("down-%d", n), i))
		}
	}
	if err := o.book.ledger.Enqueue(t.Context(), items...); err != nil {
		t.Fatal(err)
	}
	due, err := box.Due(t.Context(), "slack", o.clock, 16)
	if err != nil || len(due) != 1 {
		t.Fatal(due, err)
	}
	for n := range 5 {
		if _, err := box.Due(t.Context(), fmt.Sprintf("down-%d", n), o.clock, 1_000); err != nil {
			t.Fatal(err)
		}
	}
	if err := box.Done(t.Context(), "slack", due[0], "receipt"); err != nil {
		t.Fatal(err)
	}
	if due, err := box.Due(t.Context(), "slack", o.clock, 16); err != nil || len(due) != 0 {
		t.Errorf("%d would be sent again, error %v", len(due), err)
	}
}
