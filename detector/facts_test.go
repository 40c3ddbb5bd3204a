package detector_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/detector"
)

// tell folds facts into an engine.
func tell(tb testing.TB, e *detector.Engine, facts ...vigil.Facts) {
	tb.Helper()
	for _, f := range facts {
		data, err := json.Marshal(f)
		if err != nil {
			tb.Fatal(err)
		}
		if _, err := e.Fold(&vigil.Entry{Kind: vigil.EntryControl, Control: vigil.Control{Type: vigil.ControlFacts, Data: data}}); err != nil {
			tb.Fatal(err)
		}
	}
}

func told(tb testing.TB, workers int, facts ...vigil.Facts) *detector.Engine {
	tb.Helper()
	e := newEngine(tb, workers)
	tell(tb, e, facts...)
	return e
}

// office is forty days of twelve agents who read the customers of their tickets.
// extra is read by agent-03 on the last day besides.
func office(extra int) (events []*vigil.Event, assigned vigil.Facts) {
	r := rand.New(rand.NewPCG(21, 22))
	start := time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	assigned = vigil.Facts{Feed: "desk", Kind: vigil.FactAssignment}
	read := func(at time.Time, a int, subject string) {
		e := vigil.NewEvent()
		e.ID, e.Time, e.Source = fmt.Sprint(len(events)), at, "desk"
		e.Actor = vigil.Actor{ID: fmt.Sprintf("agent-%02d", a), Kind: vigil.KindHuman, Role: "agent"}
		e.Action, e.Store, e.Resource, e.Network = vigil.ActionRead, "desk", "messages", "192.0.2.0/24"
		e.Subjects = []string{subject}
		events = append(events, e)
	}
	for day := range 40 {
		for a := range 12 {
			for i := range 20 + r.IntN(12) {
				subject := fmt.Sprintf("cust-%d-%d-%d", day, a, i)
				at := start.AddDate(0, 0, day).Add(8*time.Hour + time.Duration(i*15+r.IntN(15))*time.Minute + time.Duration(a)*time.Second)
				read(at, a, subject)
				assigned.Assignments = append(assigned.Assignments, vigil.Assignment{
					Who: vigil.Who{Actor: fmt.Sprintf("agent-%02d", a)}, Subject: subject, Period: vigil.Period{From: at.Add(-time.Hour), To: at.Add(8 * time.Hour)},
				})
			}
		}
	}
	for i := range extra {
		read(start.AddDate(0, 0, 39).Add(8*time.Hour+time.Duration(i)*time.Minute+30*time.Second), 3, fmt.Sprint("extra-", i))
	}
	slices.SortStableFunc(events, func(a, b *vigil.Event) int { return a.Time.Compare(b.Time) })
	return events, assigned
}

func about(found map[string]vigil.Finding, actor string) (out []vigil.Finding) {
	for _, f := range found {
		if f.Actor == actor {
			out = append(out, f)
		}
	}
	return out
}

// facts are of every kind, about the staged desk.
func deskFacts(events []*vigil.Event) []vigil.Facts {
	assigned := vigil.Facts{Feed: "desk", Kind: vigil.FactAssignment}
	people := vigil.Facts{Feed: "hr", Kind: vigil.FactPerson}
	purposes := vigil.Facts{Feed: "dpo", Kind: vigil.FactPurpose}
	contracts := vigil.Facts{Feed: "legal", Kind: vigil.FactContract}
	seen := map[string]bool{}
	for i, e := range events {
		if e.Ticket != "" && i%3 != 0 && !seen[e.Ticket] {
			seen[e.Ticket] = true
			assigned.Assignments = append(assigned.Assignments, vigil.Assignment{Who: vigil.Who{Actor: e.Actor.ID}, Ticket: e.Ticket})
		}
		if !seen[e.Actor.ID] {
			seen[e.Actor.ID] = true
			switch e.Actor.Kind {
			case vigil.KindHuman, vigil.KindAdmin:
				people.People = append(people.People, vigil.Person{Actor: e.Actor.ID, Team: fmt.Sprint("team-", len(people.People)%3)})
				purposes.Purposes = append(purposes.Purposes, vigil.Purpose{Who: vigil.Who{Actor: e.Actor.ID}, Purpose: "qa", PerDay: 3})
			default:
				contracts.Contracts = append(contracts.Contracts, vigil.Contract{Who: vigil.Who{Actor: e.Actor.ID}, PerDay: 20, RowsPerDay: 900})
			}
		}
	}
	return []vigil.Facts{assigned, people, purposes, contracts}
}

func TestFactsGiveTheSameOnAnyNumberOfWorkers(t *testing.T) {
	t.Parallel()
	d := stagedDesk()
	facts := deskFacts(d.events)
	want := encode(t, judge(t, told(t, 1, facts...), clones(d.events), always(4096)))
	if bare := encode(t, judge(t, newEngine(t, 1), clones(d.events), always(4096))); bare == want {
		t.Error("the feeds change nothing: nothing is tested")
	}
	r := rand.New(rand.NewPCG(1, 2))
	got := encode(t, judge(t, told(t, 4, facts...), clones(d.events), func() int { return 1 + r.IntN(9000) }))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("findings differ (-want +got):\n%.2000s", diff)
	}
}

// What is no record of facts, or of a later version, changes nothing and stops nothing.
func TestUnreadableFactsStopNothing(t *testing.T) {
	t.Parallel()
	e := newEngine(t, 1)
	for _, c := range []vigil.Control{{Type: vigil.ControlFacts, Data: []byte("{")}, {Type: vigil.ControlFacts, Data: []byte(`{"kind":"later"}`)}, {Type: "later"}} {
		if _, err := e.Fold(&vigil.Entry{Kind: vigil.EntryControl, Control: c}); err != nil {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
