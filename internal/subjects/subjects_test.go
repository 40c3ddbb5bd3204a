package subjects_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/internal/api"
	"vigil/internal/subjects"
)

var start = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

func event(i int, class string, outcome vigil.Outcome, named ...string) *vigil.Event {
	e := vigil.NewEvent()
	e.Time, e.Action, e.Outcome, e.ResourceClass, e.Subjects = start.Add(time.Duration(i)*time.Minute), vigil.ActionRead, outcome, class, named
	e.Actor = vigil.Actor{ID: "actor-a", Kind: vigil.KindHuman, Role: "agent"}
	return e
}

func TestConfirmedAndPossible(t *testing.T) {
	t.Parallel()
	write := event(5, "chat", vigil.OutcomeSuccess, "subject-w")
	write.Action = vigil.ActionWrite
	many := event(6, "chat", vigil.OutcomeSuccess, "subject-a")
	many.SubjectCount = 12_000
	bare := event(7, "", vigil.OutcomeSuccess)
	gone := event(8, "", vigil.OutcomeDenied)
	gone.SubjectCount = 50
	events := []*vigil.Event{
		event(0, "chat", vigil.OutcomeSuccess, "subject-a", "subject-b"),
		event(1, "payment", vigil.OutcomeDenied, "subject-a", "subject-c"),
		event(2, "payment", vigil.OutcomeError, "subject-d"),
		event(3, "", vigil.OutcomeUnspecified, "subject-e"),
		write, many, bare, gone,
	}
	at := func(i int) time.Time { return start.Add(time.Duration(i) * time.Minute) }
	wantList := []api.Touched{
		{Subject: "subject-a", Touch: api.TouchConfirmed, Classes: []string{"chat", "payment"}, Shown: 2, Unsure: 1, First: at(0), Last: at(6)},
		{Subject: "subject-b", Touch: api.TouchConfirmed, Classes: []string{"chat"}, Shown: 1, First: at(0), Last: at(0)},
		{Subject: "subject-c", Touch: api.TouchPossible, Classes: []string{"payment"}, Unsure: 1, First: at(1), Last: at(1)},
		{Subject: "subject-d", Touch: api.TouchPossible, Classes: []string{"payment"}, Unsure: 1, First: at(2), Last: at(2)},
		{Subject: "subject-e", Touch: api.TouchPossible, Classes: []string{""}, Unsure: 1, First: at(3), Last: at(3)},
		{Subject: "subject-w", Touch: api.TouchPossible, Classes: []string{"chat"}, Unsure: 1, First: at(5), Last: at(5)},
	}
	wantSum := api.TouchSum{
		Events: 8, Confirmed: 2, Possible: 4, Unnamed: 11_999, Untold: 1, Damaged: 2, AsOf: start,
		Classes: []api.ClassTouched{{Class: "chat", Confirmed: 2, Possible: 1}, {Class: "payment", Confirmed: 1, Possible: 2}, {Class: "", Possible: 1}},
	}
	for range 5 { // in any order
		rand.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
		tally := subjects.New(0)
		for _, e := range events {
			tally.Add(e, "")
		}
		sum, list := tally.Done(2, start)
		if diff := cmp.Diff(wantList, list); diff != "" {
			t.Fatalf("list (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(wantSum, sum); diff != "" {
			t.Fatalf("sum (-want +got):\n%s", diff)
		}
	}
	alone := subjects.New(0)
	for _, e := range events {
		alone.Add(e, "subject-c")
	}
	if sum, list := alone.Done(0, start); len(list) != 1 || list[0].Subject != "subject-c" || sum.Unnamed != 0 || sum.Untold != 0 {
		t.Errorf("one customer alone: %+v, %+v", sum, list)
	}
}

// TestTooManyAreEstimated shows that which are listed does not depend on the order, and that
// the others are counted.
func TestTooManyAreEstimated(t *testing.T) {
	t.Parallel()
	const all, most = 20_000, 500
	ids := make([]string, all)
	for i := range ids {
		ids[i] = fmt.Sprintf("subject-%05d", i)
	}
	var first []api.Touched
	for round := range 2 {
		rand.Shuffle(all, func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
		tally := subjects.New(most)
		for pass := range 2 {
			for i, id := range ids {
				tally.Add(event(pass*10, fmt.Sprint("class", i%3), vigil.OutcomeSuccess, id), "")
			}
		}
		sum, list := tally.Done(0, start)
		if len(list) != most || list[0].Subject != "subject-00000" || list[most-1].Subject != fmt.Sprintf("subject-%05d", most-1) {
			t.Fatalf("%d listed, %+v to %+v", len(list), list[0], list[len(list)-1])
		}
		for _, x := range list {
			if x.Shown != 2 {
				t.Fatalf("counted in part: %+v", x)
			}
		}
		if whole := sum.Beyond + most; whole < all*95/100 || whole > all*105/100 {
			t.Errorf("round %d: %d estimated, there are %d", round, whole, all)
		}
		if first == nil {
			first = list
		} else if !slices.EqualFunc(first, list, func(a, b api.Touched) bool { return a.Subject == b.Subject && a.First.Equal(b.First) }) {
			t.Error("another order gives another list")
		}
	}
}

func TestManyClasses(t *testing.T) {
	t.Parallel()
	tally := subjects.New(0)
	for i := range 200 {
		tally.Add(event(i, fmt.Sprint("class-", i), vigil.OutcomeSuccess, fmt.Sprint("subject-", i%7)), "")
	}
	sum, list := tally.Done(0, start)
	if len(list) != 7 || len(sum.Classes) != 64 || sum.Classes[0].Class != subjects.OtherClasses || sum.Classes[0].Confirmed != 7 {
		t.Errorf("%d customers, %d classes, first %+v", len(list), len(sum.Classes), sum.Classes[0])
	}
}

func TestReaders(t *testing.T) {
	t.Parallel()
	with := func(e *vigil.Event, actor, role, store, ticket, purpose string) *vigil.Event {
		e.Actor.ID, e.Actor.Role, e.Store, e.Ticket, e.Purpose = actor, role, store, ticket, purpose
		return e
	}
	change := with(event(9, "", vigil.OutcomeSuccess, "s"), "actor-b", "lead", "crm", "", "")
	change.Action = vigil.ActionWrite
	events := []*vigil.Event{
		with(event(0, "", vigil.OutcomeSuccess, "s"), "actor-a", "agent", "crm", "", ""),
		with(event(1, "", vigil.OutcomeSuccess, "s"), "actor-a", "agent", "helpdesk", "ticket-1", ""),
		with(event(2, "", vigil.OutcomeUnspecified, "s"), "actor-a", "supervisor", "crm", "", "review"),
		with(event(3, "", vigil.OutcomeDenied, "s"), "actor-b", "agent", "crm", "", ""),
		change,
	}
	at := func(i int) time.Time { return start.Add(time.Duration(i) * time.Minute) }
	want := []api.Reading{
		{Actor: "actor-b", Kind: vigil.KindHuman, Role: "lead", Refused: 1, Other: 1, First: at(3), Last: at(9), Stores: []string{"crm"}},
		{Actor: "actor-a", Kind: vigil.KindHuman, Role: "supervisor", Shown: 3, First: at(0), Last: at(2), Stores: []string{"crm", "helpdesk"}, Tickets: 1, Purposes: []string{"review"}, Bare: 1},
	}
	for range 5 {
		rand.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
		var r subjects.Readers
		for _, e := range events {
			r.Add(e)
		}
		list, more, n := r.Done()
		if diff := cmp.Diff(want, list); diff != "" || more != 0 || n != 5 {
			t.Fatalf("%d more of %d (-want +got):\n%s", more, n, diff)
		}
	}
	var crowd subjects.Readers
	for i := range api.MaxReaders + 5 {
		crowd.Add(with(event(i, "", vigil.OutcomeSuccess, "s"), fmt.Sprint("actor-", i), "", "", "", ""))
	}
	if list, more, _ := crowd.Done(); len(list) != api.MaxReaders || more != 5 {
		t.Errorf("%d listed, %d more", len(list), more)
	}
}

// BenchmarkTouched counts a million events of a hundred thousand customers.
func BenchmarkTouched(b *testing.B) {
	events := make([]*vigil.Event, 100_000)
	for i := range events {
		events[i] = event(i, "chat", vigil.OutcomeSuccess, fmt.Sprintf("subject-%013d", i*7919))
	}
	for b.Loop() {
		tally := subjects.New(0)
		for range 10 {
			for _, e := range events {
				tally.Add(e, "")
			}
		}
		tally.Done(0, start)
	}
	b.ReportMetric(1e6*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
