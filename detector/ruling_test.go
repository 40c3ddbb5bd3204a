package detector_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/detector"
	"vigil/detector/rules"
)

// rule reads a rule that must be good.
func rule(tb testing.TB, id, when, once string) *rules.Rule {
	tb.Helper()
	r, wrong := rules.Load(id+".yaml", []byte(fmt.Sprintf(`id: %s
name: A test
severity: medium
when: '%s'
once: %s
sentence: "{who} did {action} in {accesses|access|accesses} to {customers|customer|customers}, {rows|row|rows}."
counterfactual: None.
examples:
  - fires: true
    events: [{actor: ann, action: read}]
  - fires: false
    events: [{actor: ann, action: write}]
`, id, when, once)))
	if len(wrong) > 0 {
		tb.Fatal(wrong)
	}
	return r
}

func ruled(tb testing.TB, all ...*rules.Rule) *detector.Engine {
	tb.Helper()
	e, err := detector.New(detector.Config{}, detector.Options{Workers: 2, Rules: rules.New(all)})
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

var monday = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

func access(at time.Time, actor string, action vigil.Action, subjects ...string) *vigil.Event {
	e := vigil.NewEvent()
	e.Time, e.Action, e.Subjects, e.Rows, e.Store, e.Resource = at, action, subjects, 10, "pg", "messages"
	e.Actor = vigil.Actor{ID: actor, Kind: vigil.KindHuman}
	return e
}

// of keeps what a rule said.
func of(found []vigil.Finding, id string) (out []vigil.Finding) {
	for _, f := range found {
		if f.Rule == id {
			out = append(out, f)
		}
	}
	return out
}

func TestFindingByRuleGrowsAndCloses(t *testing.T) {
	t.Parallel()
	var events []*vigil.Event
	for i := range 12 {
		e := access(monday.Add(time.Duration(i)*time.Minute), "ann", vigil.ActionExport, fmt.Sprintf("c-%d", i))
		e.Network = fmt.Sprintf("10.0.%d.0/24", i%2)
		events = append(events, e)
	}
	// Quiet for a day, then another hit within the week; and somebody else keeps time going.
	for h := range 40 {
		events = append(events, access(monday.Add(time.Duration(h+1)*time.Hour), "bob", vigil.ActionRead))
	}
	events = append(events, access(monday.Add(41*time.Hour), "ann", vigil.ActionExport, "c-99"), access(monday.Add(42*time.Hour), "bob", vigil.ActionRead))
	e := ruled(t, rule(t, "export", `action == "export"`, "actor"))
	all := of(judge(t, e, events, always(7)), "export")
	ids := map[string]bool{}
	var closed, last vigil.Finding
	for i, f := range all {
		ids[f.ID] = true
		if f.Revision != i+1 {
			t.Errorf("revision %d stands at %d", f.Revision, i+1)
		}
		if f.State == vigil.StateClosed {
			closed = f
		}
		last = f
	}
	if len(ids) != 1 || len(all) > 14 {
		t.Fatalf("%d findings in %d revisions, want one", len(ids), len(all))
	}
	if all[0].Severity != vigil.SeverityMedium || all[0].Events != 1 || all[0].State != vigil.StateOpen {
		t.Errorf("the first word: %+v", all[0])
	}
	if closed.Events != 12 || closed.Rows != 120 || closed.Subjects != 12 || closed.Severity != vigil.SeverityHigh || len(closed.SubjectIDs) != 12 ||
		!closed.Start.Equal(monday) || !closed.End.Equal(monday.Add(11*time.Minute)) || len(closed.Networks) != 2 {
		t.Errorf("when it closed: %+v", closed)
	}
	if last.Events != 13 || last.State != vigil.StateOpen || !last.Start.Equal(monday) || !last.End.Equal(monday.Add(41*time.Hour)) {
		t.Errorf("opened again: %+v", last)
	}
	if last.Sentence != "Person ann did export in 13 accesses to 13 customers, 130 rows." {
		t.Error(last.Sentence)
	}
}

func TestOncePer(t *testing.T) {
	t.Parallel()
	var events []*vigil.Event
	for d := range 3 {
		for i := range 4 {
			e := access(monday.AddDate(0, 0, d).Add(time.Duration(i)*time.Hour), "ann", vigil.ActionRead, fmt.Sprintf("c-%d", i))
			e.Conversation = fmt.Sprintf("v-%d", i/2)
			events = append(events, e)
		}
	}
	for once, want := range map[string]int{"actor": 1, "day": 3, "conversation": 2, "customer": 4} {
		ids := map[string]bool{}
		for _, f := range of(judge(t, ruled(t, rule(t, "reads", "discloses", once)), events, always(3)), "reads") {
			ids[f.ID] = true
		}
		if len(ids) != want {
			t.Errorf("once per %s: %d findings, want %d", once, len(ids), want)
		}
	}
}

// flood is many actors who all do what a rule is about.
func flood() []*vigil.Event {
	var events []*vigil.Event
	for i := range 3000 {
		events = append(events, access(monday.Add(time.Duration(i)*30*time.Second), fmt.Sprintf("a-%d", i%500), vigil.ActionRead, "c"))
	}
	return events
}

func TestARuleThatMatchesEverythingIsHeldBack(t *testing.T) {
	t.Parallel()
	all := of(judge(t, ruled(t, rule(t, "all", "discloses", "day")), flood(), always(1000)), "all")
	ids := map[string]bool{}
	var said vigil.Finding
	for _, f := range all {
		if f.About == vigil.AboutActor {
			ids[f.ID] = true
		} else {
			said = f
		}
	}
	// The flood goes over midnight: fifty on each of two days.
	if len(ids) != 100 {
		t.Errorf("%d findings were told, want 50 a day", len(ids))
	}
	if said.Source != "rule all" || !strings.Contains(said.Sentence, "held back") || said.Revision < 2 {
		t.Errorf("what is said of it: %+v", said)
	}
}

func TestARuleThatFailsIsSwitchedOff(t *testing.T) {
	t.Parallel()
	found := judge(t, ruled(t, rule(t, "bad", "rows % 0 == 1", "day"), rule(t, "good", `action == "read"`, "actor")), flood(), always(1000))
	bad := of(found, "bad")
	if len(bad) != 1 || !strings.Contains(bad[0].Sentence, "switched off: runtime error: integer divide by zero") {
		t.Errorf("what is said of it: %+v", bad)
	}
	if bad[0].Events > 300 {
		t.Errorf("it ran on for %d accesses", bad[0].Events)
	}
	if len(of(found, "good")) == 0 {
		t.Error("the other rule says nothing")
	}
}

func TestServiceAccountByHand(t *testing.T) {
	t.Parallel()
	var events []*vigil.Event
	for h := range 6 {
		e := access(monday.Add(time.Duration(h)*time.Hour), "eve", vigil.ActionRead)
		e.Network = "10.1.2.0/24"
		events = append(events, e)
	}
	for i, network := range []string{"10.9.9.0/24", "10.1.2.0/24"} {
		e := access(monday.Add(5*time.Hour+time.Duration(i+1)*time.Minute), "app", vigil.ActionRead, "c-1")
		e.Network, e.Actor.Kind, e.Actor.App = network, vigil.KindService, "psql"
		events = append(events, e)
	}
	found := of(judge(t, newEngine(t, 1), events, always(100)), "service-account-by-hand")
	if len(found) == 0 || found[0].Actor != "app" || len(found[0].Networks) != 1 || found[0].Networks[0] != "10.1.2.0/24" {
		t.Errorf("got %+v", found)
	}
}

func TestAnExceptionForOneself(t *testing.T) {
	t.Parallel()
	e := newEngine(t, 1)
	fold := func(by, actor string) []vigil.Finding {
		data, err := json.Marshal(map[string]any{"id": "x-" + by + actor, "by": by, "actor": actor, "time": monday})
		if err != nil {
			t.Fatal(err)
		}
		found, err := e.Fold(&vigil.Entry{Seq: 1, Kind: vigil.EntryControl, Control: vigil.Control{Type: "exception", Data: data}})
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	if found := fold("lead", "eve"); len(found) != 0 {
		t.Errorf("for a colleague: %+v", found)
	}
	found := fold("eve", "eve")
	if len(found) != 1 || found[0].Rule != "exception-for-oneself" || found[0].Actor != "eve" || found[0].Sentence != "eve made an exception from findings about eve." {
		t.Errorf("for oneself: %+v", found)
	}
}

// A list in which a relative happens to stand is no look at one; of a few customers
// that are read together only the relative is counted, and named. A colleague is a
// customer like any other.
func TestOwnCircleCountsItsOwn(t *testing.T) {
	t.Parallel()
	home := vigil.Attributes{Surname: "s1", Address: "a1"}
	people := vigil.Facts{Feed: "hr", Kind: vigil.FactPerson, People: []vigil.Person{
		{Actor: "ann", Subject: "c-ann", Attributes: home}, {Actor: "eve", Subject: "c-eve"},
	}}
	customers := vigil.Facts{Feed: "crm", Kind: vigil.FactCustomer, Customers: []vigil.Customer{{Subject: "c-bob", Attributes: home}}}
	list := access(monday, "ann", vigil.ActionSearch, "c-1", "c-2", "c-bob", "c-3")
	counted := access(monday, "ann", vigil.ActionSearch, "c-bob")
	counted.SubjectCount = 25
	for name, c := range map[string]struct {
		events []*vigil.Event
		want   []string
	}{
		"a list":            {[]*vigil.Event{list}, nil},
		"one named of many": {[]*vigil.Event{counted}, nil},
		"a relative":        {[]*vigil.Event{access(monday, "ann", vigil.ActionRead, "c-bob")}, []string{"c-bob"}},
		"a colleague":       {[]*vigil.Event{access(monday, "ann", vigil.ActionRead, "c-eve")}, nil},
		"beside others":     {[]*vigil.Event{access(monday, "ann", vigil.ActionRead, "c-1", "c-2", "c-bob")}, []string{"c-bob"}},
		"and the own record": {[]*vigil.Event{
			list, access(monday.Add(time.Minute), "ann", vigil.ActionRead, "c-1", "c-bob"), access(monday.Add(2*time.Minute), "ann", vigil.ActionRead, "c-2", "c-ann"),
		}, []string{"c-ann", "c-bob"}},
		"strangers": {[]*vigil.Event{access(monday, "ann", vigil.ActionRead, "c-1", "c-2")}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found := of(judge(t, told(t, 1, people, customers), clones(c.events), always(1)), "own-circle")
			if len(c.want) == 0 || len(found) == 0 {
				if len(found) != len(c.want) {
					t.Errorf("found %+v, want %v", found, c.want)
				}
				return
			}
			f := found[len(found)-1]
			if !slices.Equal(f.SubjectIDs, c.want) || f.Subjects != int64(len(c.want)) || !strings.Contains(f.Contributions[0].Text, c.want[0]) {
				t.Errorf("%d customers %v: %s, want %v", f.Subjects, f.SubjectIDs, f.Contributions[0].Text, c.want)
			}
		})
	}
}

// TestRulesAskFeeds has feeds tell, and accesses that only they make wrong.
func TestRulesAskFeeds(t *testing.T) {
	t.Parallel()
	e := newEngine(t, 1)
	for _, f := range []vigil.Facts{
		{Feed: "hr", Kind: vigil.FactPerson, People: []vigil.Person{{Actor: "gone", Leaves: monday.Add(-time.Hour)}}},
		{Feed: "traps", Kind: vigil.FactHoney, Honey: []vigil.Honey{{Subject: "nobody"}}},
		{Feed: "crm", Kind: vigil.FactCustomer, Customers: []vigil.Customer{{Subject: "mother", Household: "h"}, {Subject: "son", Household: "h"}}},
		{Feed: "consent", Kind: vigil.FactConsent, Consents: []vigil.Consent{
			{Subject: "fresh", Withdrawn: monday.Add(-2 * time.Hour)}, {Subject: "stale", Withdrawn: monday.Add(-50 * time.Hour)}, {Subject: "held", Withdrawn: monday.Add(-50 * time.Hour), LegalHold: true},
		}},
	} {
		data, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.Fold(&vigil.Entry{Kind: vigil.EntryControl, Control: vigil.Control{Type: vigil.ControlFacts, Data: data}}); err != nil {
			t.Fatal(err)
		}
	}
	bot := func(conversation, subject string) *vigil.Event {
		ev := access(monday, "helper", vigil.ActionRead, subject)
		ev.Actor.Kind, ev.Conversation = vigil.KindBot, conversation
		return ev
	}
	found := judge(t, e, []*vigil.Event{
		access(monday, "gone", vigil.ActionRead, "c-1"), access(monday, "ann", vigil.ActionRead, "c-1"),
		access(monday, "bob", vigil.ActionRead, "nobody"), access(monday, "cid", vigil.ActionRead, "fresh"),
		access(monday, "dan", vigil.ActionRead, "stale"), access(monday, "eve", vigil.ActionRead, "held"),
		bot("family", "mother"), bot("family", "son"), bot("mixed", "mother"), bot("mixed", "c-1"),
	}, always(100))
	got := map[string]bool{}
	for _, f := range found {
		if f.Rule != "" {
			got[f.Rule+" "+f.Actor] = true
		}
	}
	want := map[string]bool{"leaver gone": true, "honey-record bob": true, "consent-withdrawn dan": true, "one-conversation-one-customer helper": true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what fired (-want +got):\n%s", diff)
	}
	for _, f := range of(found, "one-conversation-one-customer") {
		if f.Conversations != 1 {
			t.Errorf("a household counts as several: %+v", f)
		}
	}
}
