package detector_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/detector"
	"vigil/detector/rules"
)

// control makes the entry of a control record.
func control(t *testing.T, typ string, record any) *vigil.Entry {
	t.Helper()
	data, err := json.Marshal(record)
	if err != nil {
		t.Fatal(err)
	}
	return &vigil.Entry{Kind: vigil.EntryControl, Control: vigil.Control{Type: typ, Data: data}}
}

// A trial fires a rule on the accesses on which the engine does: with feeds that come in
// between, days' quotas, people's networks and exceptions, in any order of arrival.
func TestTrialFiresAsTheEngineDoes(t *testing.T) {
	t.Parallel()
	const condition = `left or undeclared or outside_contract or unjustified and ticket == "" or (kind == "service" and people_network) or exception`
	var log []*vigil.Entry
	facts := func(f vigil.Facts) { log = append(log, control(t, vigil.ControlFacts, f)) }
	facts(vigil.Facts{Feed: "hr", Kind: vigil.FactPerson, People: []vigil.Person{
		{Actor: "ann", Kind: vigil.KindHuman, Role: "agent"}, {Actor: "bob", Kind: vigil.KindHuman, Role: "agent", Leaves: monday.Add(30 * time.Hour)},
	}})
	facts(vigil.Facts{Feed: "p", Kind: vigil.FactPurpose, Purposes: []vigil.Purpose{{Who: vigil.Who{Actor: "bot"}, Purpose: "stats", PerDay: 5}}})
	facts(vigil.Facts{Feed: "c", Kind: vigil.FactContract, Contracts: []vigil.Contract{{Who: vigil.Who{Actor: "vendor"}, PerDay: 3}}})
	for hour := range 60 {
		var events []*vigil.Event
		at := monday.Add(time.Duration(hour) * time.Hour)
		add := func(minute int, actor string, kind vigil.ActorKind, network, purpose string) {
			e := access(at.Add(time.Duration(minute)*time.Minute), actor, vigil.ActionRead, fmt.Sprintf("c-%d-%s", hour, actor))
			e.Actor.Kind, e.Network, e.Purpose = kind, network, purpose
			events = append(events, e)
		}
		if hour%7 == 3 {
			add(50, "ann", "", "192.0.2.0/24", "")
		}
		add(10, "bob", "", "198.51.100.0/24", "")
		add(5, "bot", vigil.KindBot, "", "stats")
		add(30, "vendor", vigil.KindVendor, "", "")
		add(20, "svc", vigil.KindService, "192.0.2.0/24", "")
		log = append(log, &vigil.Entry{Kind: vigil.EntryEvents, Source: "pg", Events: events})
		if hour == 20 {
			facts(vigil.Facts{Feed: "desk", Kind: vigil.FactAssignment, Assignments: []vigil.Assignment{{Who: vigil.Who{Actor: "bob"}, Store: "pg"}}})
		}
		if hour == 40 {
			log = append(log, &vigil.Entry{Kind: vigil.EntryEvents, Source: "pg", Events: []*vigil.Event{access(monday, "bob", vigil.ActionRead, "late")}},
				&vigil.Entry{Kind: vigil.EntryTick, Tick: vigil.Tick{Watermark: at}},
				control(t, vigil.ControlException, vigil.Exception{ID: "x", By: "ann", Actor: "ann", Time: at}),
				control(t, vigil.ControlException, vigil.Exception{ID: "y", By: "ann", Actor: "ann", Time: at, Ended: true}))
		}
	}
	copied := func(e *vigil.Entry) *vigil.Entry {
		c := *e
		c.Events = clones(e.Events)
		return &c
	}
	both := []*rules.Rule{rule(t, "any", condition[:len(condition)-len(" or exception")], "actor"), rule(t, "excepted", "exception", "actor")}
	engine := ruled(t, both...)
	want := map[string]int64{}
	note := func(found []vigil.Finding) {
		for _, f := range found {
			if f.Rule != "" && f.About == vigil.AboutActor {
				want[f.Rule+" "+f.Actor] = f.Events
			}
		}
	}
	got, seen := map[string]int64{}, 0
	trial := detector.NewTrial(rules.New(both), detector.TrialOptions{
		Each: func(*vigil.Event) { seen++ },
		Hit:  func(e *vigil.Event, h rules.Hit) { got[h.Rule.ID+" "+e.Actor.ID]++ },
	})
	events := 0
	for _, e := range log {
		found, err := engine.Fold(copied(e))
		if err != nil {
			t.Fatal(err)
		}
		note(found)
		if err := trial.Fold(copied(e)); err != nil {
			t.Fatal(err)
		}
		events += len(e.Events)
	}
	found, err := engine.Finish()
	if err != nil {
		t.Fatal(err)
	}
	note(found)
	trial.Finish()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(want) != 6 || seen != events || trial.Unread() != 0 {
		t.Errorf("%v; %d of %d events", want, seen, events)
	}
	if diff := cmp.Diff([]vigil.FactKind{vigil.FactPerson, vigil.FactAssignment, vigil.FactContract, vigil.FactPurpose}, trial.Told()); diff != "" {
		t.Error(diff)
	}
	// From a snapshot it knows what feeds had told.
	parts, err := ruledSnapshot(t, both, log[:3])
	if err != nil {
		t.Fatal(err)
	}
	later := detector.NewTrial(rules.New(both), detector.TrialOptions{})
	if err := later.Assume(parts); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]vigil.FactKind{vigil.FactPerson, vigil.FactContract, vigil.FactPurpose}, later.Told()); diff != "" {
		t.Error(diff)
	}
}

// ruledSnapshot is the state of an engine after some entries.
func ruledSnapshot(t *testing.T, all []*rules.Rule, log []*vigil.Entry) ([]detector.Part, error) {
	t.Helper()
	e := ruled(t, all...)
	for _, entry := range log {
		if _, err := e.Fold(entry); err != nil {
			return nil, err
		}
	}
	return e.Snapshot(true)
}

// What can't be read or judged is counted, and stops nothing.
func TestTrialCountsWhatItCannotJudge(t *testing.T) {
	t.Parallel()
	trial := detector.NewTrial(rules.New([]*rules.Rule{rule(t, "div", `action == "read" and 1 % (rows - 10) > 0`, "actor")}), detector.TrialOptions{})
	for _, typ := range []string{vigil.ControlFacts, vigil.ControlException} {
		if err := trial.Fold(&vigil.Entry{Kind: vigil.EntryControl, Control: vigil.Control{Type: typ, Data: []byte("{")}}); err != nil {
			t.Error(err)
		}
	}
	if err := trial.Fold(&vigil.Entry{Kind: "other"}); err == nil {
		t.Error("an unknown kind of entry was taken")
	}
	var events []*vigil.Event
	for i := range 300 {
		events = append(events, access(monday.Add(time.Duration(i)*time.Second), fmt.Sprint("a-", i), vigil.ActionRead))
	}
	if err := trial.Fold(&vigil.Entry{Kind: vigil.EntryEvents, Source: "pg", Events: events}); err != nil {
		t.Fatal(err)
	}
	trial.Finish()
	failed := trial.Failures()
	if trial.Unread() != 2 || len(failed) != 1 || failed[0].Events != 300 || failed[0].Message == "" {
		t.Errorf("%d unread, %+v", trial.Unread(), failed)
	}
}
