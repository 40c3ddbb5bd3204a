package app

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"vigil"
	"vigil/alerts"
	"vigil/internal/access"
	"vigil/internal/api"
)

// What people do in the console is what they do by way of a message: the same records, the
// same refusals.
func TestWorkInTheConsole(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.find(bulk("f-1", "actor-1", vigil.SeverityHigh), bulk("f-2", "actor-1", vigil.SeverityLow))
	id := o.theCase("f-1").ID
	n := 0
	work := func(who string, a api.CaseAct) (api.CaseDone, error) {
		n++
		if a.Key == "" {
			a.Key = fmt.Sprintf("key-%d", n)
		}
		a.Case = id
		return o.desk.Work(o.as(who), a)
	}
	must := func(who string, a api.CaseAct) api.CaseDone {
		t.Helper()
		done, err := work(who, a)
		if err != nil {
			t.Fatalf("%s by %s: %v", a.Deed, who, err)
		}
		return done
	}
	seen := o.theCase("f-1").Revision
	ann, bob := o.desk.people().named("ann").by, o.desk.people().named("bob").by
	if done := must("bob", api.CaseAct{Deed: access.DeedAcknowledge, Seen: seen, Key: "ack"}); done.Case.Owner != bob || done.Case.Touched.By != bob {
		t.Errorf("after acknowledging: %+v", done.Case)
	}
	// The same press twice is one deed, whatever it saw.
	if again := must("bob", api.CaseAct{Deed: access.DeedAcknowledge, Seen: seen, Key: "ack"}); again.Case.Revision != seen+1 {
		t.Errorf("revision %d after pressing twice", again.Case.Revision)
	}
	// Who acts on what somebody changed meanwhile is told so, and nothing is done.
	_, err := work("ann", api.CaseAct{Deed: access.DeedVerdict, Word: vigil.WordExpected, Seen: seen})
	var told *api.Problem
	if !errors.Is(err, api.ErrStale) || !errors.As(err, &told) || !strings.Contains(told.Remedy, bob) || !strings.Contains(told.Remedy, "2 Nov 2026") {
		t.Errorf("stale: %v", err)
	}
	if f, err := o.book.ledger.Finding(t.Context(), "f-1"); err != nil || f.Verdict != nil {
		t.Errorf("a verdict was given all the same: %+v, %v", f.Verdict, err)
	}
	now := o.theCase("f-1").Revision
	if done := must("ann", api.CaseAct{Deed: access.DeedAssign, To: bob, Seen: now}); done.Case.Owner != bob {
		t.Errorf("owner %s", done.Case.Owner)
	}
	must("ann", api.CaseAct{Deed: access.DeedAssign})
	if c := o.theCase("f-1"); c.Owner != ann {
		t.Errorf("owner %s, want ann", c.Owner)
	}
	must("ann", api.CaseAct{Deed: access.DeedNote, Note: "The key is revoked."})
	must("bob", api.CaseAct{Deed: access.DeedSnooze, For: time.Hour})
	must("ann", api.CaseAct{Deed: access.DeedAware})
	// The detector's own growth is no reason to refuse, but a finding that joined is one to judge anew.
	now = o.theCase("f-1").Revision
	grown := bulk("f-1", "actor-1", vigil.SeverityCritical)
	grown.Revision = 2
	o.find(grown)
	must("ann", api.CaseAct{Deed: access.DeedNote, Note: "It grows.", Seen: now})
	now = o.theCase("f-1").Revision
	o.find(bulk("f-3", "actor-1", vigil.SeverityMedium))
	if _, err := work("ann", api.CaseAct{Deed: access.DeedVerdict, Word: vigil.WordBreach, Seen: now}); !errors.Is(err, api.ErrRefused) || !strings.Contains(err.Error(), "joined") {
		t.Errorf("after another finding joined: %v", err)
	}
	must("ann", api.CaseAct{Deed: access.DeedVerdict, Word: vigil.WordBreach, Note: "the vendor's key", Seen: o.theCase("f-1").Revision})
	for _, f := range []string{"f-1", "f-2", "f-3"} {
		if x, err := o.book.ledger.Finding(t.Context(), f); err != nil || x.Verdict == nil || x.Verdict.Word != vigil.WordBreach {
			t.Errorf("%s: %+v, %v", f, x.Verdict, err)
		}
	}
	if c := o.theCase("f-1"); c.State != vigil.CaseResolved {
		t.Errorf("case %s after the verdict", c.State)
	}
	must("bob", api.CaseAct{Deed: access.DeedVerdict, TakeBack: true})
	if c := o.theCase("f-1"); c.State != vigil.CaseAcknowledged || c.Word != "" {
		t.Errorf("case %+v after it was taken back", c)
	}
	if x, err := o.book.ledger.Finding(t.Context(), "f-2"); err != nil || x.Verdict != nil {
		t.Errorf("f-2 after it was taken back: %+v, %v", x.Verdict, err)
	}
	preview := must("ann", api.CaseAct{Deed: access.DeedExpect, For: 24 * time.Hour, Preview: true})
	if preview.Covered == nil || preview.Covered.WhollyTotal != 3 {
		t.Errorf("preview %+v", preview.Covered)
	}
	if all, err := o.book.ledger.Exceptions(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("a preview made %d exceptions, %v", len(all), err)
	}
	must("ann", api.CaseAct{Deed: access.DeedExpect, For: 24 * time.Hour, Note: "migration"})
	for name, c := range map[string]struct {
		who  string
		act  api.CaseAct
		want error
	}{
		"no role":       {"vic", api.CaseAct{Deed: access.DeedAcknowledge}, nil},
		"not an expect": {"bob", api.CaseAct{Deed: access.DeedExpect, For: time.Hour}, nil},
		"no deed":       {"ann", api.CaseAct{Deed: access.DeedReaders}, api.ErrRefused},
		"to a viewer":   {"ann", api.CaseAct{Deed: access.DeedAssign, To: o.desk.people().named("vic").by}, api.ErrRefused},
		"to nobody":     {"ann", api.CaseAct{Deed: access.DeedAssign, To: "actor-nobody"}, api.ErrRefused},
		"no note":       {"ann", api.CaseAct{Deed: access.DeedNote, Note: " "}, api.ErrRefused},
		"too long":      {"ann", api.CaseAct{Deed: access.DeedSnooze, For: 1000 * time.Hour}, api.ErrRefused},
		"no word":       {"ann", api.CaseAct{Deed: access.DeedVerdict, Word: "guilty"}, api.ErrRefused},
		"no verdict":    {"ann", api.CaseAct{Deed: access.DeedVerdict, TakeBack: true}, api.ErrRefused},
		"runs already":  {"ann", api.CaseAct{Deed: access.DeedAware}, api.ErrRefused},
	} {
		_, err := work(c.who, c.act)
		var p *api.Problem
		if c.want == nil && (!errors.As(err, &p) || p.Code != api.CodeForbidden) || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := o.desk.Work(t.Context(), api.CaseAct{Case: id, Deed: access.DeedAcknowledge, Key: "k"}); !errors.Is(err, api.ErrRefused) {
		t.Errorf("by nobody: %v", err)
	}
	o.find(bulk("f-9", o.desk.desk.pseudonyms.Actor("", "bob_db"), vigil.SeverityHigh))
	id = o.theCase("f-9").ID
	if _, err := work("bob", api.CaseAct{Deed: access.DeedAcknowledge}); !errors.Is(err, api.ErrOwnCase) {
		t.Errorf("on a case about oneself: %v", err)
	}
	id = "c-none"
	if _, err := work("ann", api.CaseAct{Deed: access.DeedAcknowledge}); !errors.Is(err, api.ErrNotFound) {
		t.Errorf("on none: %v", err)
	}
	if who, err := o.desk.Colleagues(o.as("ann")); err != nil || len(who) != 1 || who[0].By != bob {
		t.Errorf("ann's colleagues: %+v, %v", who, err)
	}
}

// The queue leads with the gravest, knows what is new to whom, and what came of the budget.
func TestQueueOfTheConsole(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.find(bulk("f-1", "actor-1", vigil.SeverityLow), bulk("f-2", "actor-2", vigil.SeverityHigh), bulk("f-3", o.desk.desk.pseudonyms.Actor("", "bob_db"), vigil.SeverityCritical))
	r := o.reader()
	queue := func(who string, f api.QueueFilter, want string) api.QueuePage {
		t.Helper()
		page, err := r.Queue(o.as(who), f)
		got := ""
		for _, it := range page.Items {
			got += it.Lead.ID + " "
		}
		if err != nil || got != want {
			t.Errorf("%s, %+v: %s, want %s, error %v", who, f, got, want, err)
		}
		return page
	}
	queue("ann", api.QueueFilter{Unresolved: true}, "f-3 f-2 f-1 ")
	// Not the one about bob: neither listed nor counted.
	if page := queue("bob", api.QueueFilter{Unresolved: true}, "f-2 f-1 "); page.Total != 2 || page.News != 2 {
		t.Errorf("bob is told of %d cases, and that %d are new", page.Total, page.News)
	}
	queue("ann", api.QueueFilter{Place: "pg", MinSeverity: vigil.SeverityHigh}, "f-3 f-2 ")
	page := queue("ann", api.QueueFilter{New: true, Limit: 2}, "f-3 f-2 ")
	if page.News != 3 || page.Next == "" || len(page.Spent.Lanes) != 1 || page.Spent.Lanes[0].Month != 3 {
		t.Errorf("%d new, next %q, spent %+v", page.News, page.Next, page.Spent)
	}
	file, err := r.CaseFile(o.as("ann"), o.theCase("f-3").ID)
	if err != nil || file.Lead.ID != "f-3" || len(file.Findings) != 1 {
		t.Errorf("case %+v, %v", file, err)
	}
	queue("ann", api.QueueFilter{New: true}, "f-2 f-1 ")
	// A resolved one is not counted where it is not listed.
	o.must("U0BOB", alerts.Act{Deed: alerts.DeedVerdict, Case: o.theCase("f-2").ID, Word: vigil.WordExpected})
	if page := queue("ann", api.QueueFilter{Unresolved: true}, "f-3 f-1 "); page.News != 1 {
		t.Errorf("%d new among those that are not resolved", page.News)
	}
	if page := queue("ann", api.QueueFilter{State: vigil.CaseResolved}, "f-2 "); page.News != 1 {
		t.Errorf("%d new among those that are resolved", page.News)
	}
	if err := o.desk.SeeAll(o.as("ann")); err != nil {
		t.Fatal(err)
	}
	queue("ann", api.QueueFilter{New: true}, "")
	queue("bob", api.QueueFilter{New: true}, "f-2 f-1 ")
	if _, err := r.CaseFile(o.as("bob"), o.theCase("f-3").ID); !errors.Is(err, api.ErrOwnCase) {
		t.Errorf("bob's own case: %v", err)
	}
	var bad *api.Problem
	if _, err := r.Queue(o.as("ann"), api.QueueFilter{After: "nowhere"}); !errors.As(err, &bad) || bad.Status != 400 {
		t.Errorf("a place that is none: %v", err)
	}
	// Another case about the same, once this one is resolved, is related to it.
	o.must("U0ANN", alerts.Act{Deed: alerts.DeedVerdict, Case: o.theCase("f-1").ID, Word: vigil.WordExpected})
	o.find(bulk("f-4", "actor-1", vigil.SeverityHigh))
	if file, err := r.CaseFile(o.as("ann"), o.theCase("f-4").ID); err != nil || len(file.Related) != 1 || file.Related[0].Lead != "f-1" {
		t.Errorf("related: %+v, %v", file.Related, err)
	}
}
