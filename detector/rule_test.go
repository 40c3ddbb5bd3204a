package detector_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/detector"
)

// conversationReads are one bot's reads in one conversation, minutes apart: its own
// customer, then others, some of them twice.
func conversationReads() []*vigil.Event {
	at := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	var events []*vigil.Event
	for i, r := range []struct {
		customer, resource, network string
		rows                        int64
	}{
		{"cust-1", "messages", "198.51.100.0/24", 5},
		{"cust-2", "messages", "198.51.100.0/24", 10}, // breaks the rule
		{"cust-2", "contacts", "198.51.100.0/24", 20}, // again, nobody new
		{"cust-1", "invoices", "198.51.100.0/24", 40}, // its own customer
		{"cust-3", "messages", "203.0.113.0/24", vigil.Unknown},
		{"cust-4", "contacts", "203.0.113.0/24", 80},
	} {
		e := vigil.NewEvent()
		e.Time, e.Action, e.Conversation, e.Store = at.Add(time.Duration(i)*time.Minute), vigil.ActionRead, "c-1", "desk"
		e.Actor = vigil.Actor{ID: "bot", Kind: vigil.KindBot}
		e.Subjects, e.Resource, e.Network, e.Rows = []string{r.customer}, r.resource, r.network, r.rows
		events = append(events, e)
	}
	return events
}

// What a rule found is told again with what has come to it: it began where it began.
func TestARuleFindingAddsUp(t *testing.T) {
	t.Parallel()
	events := conversationReads()
	found := judge(t, newEngine(t, 1), events, always(1))
	if len(found) != 3 {
		t.Fatalf("%d revisions, want 3", len(found))
	}
	first, last := found[0], found[2]
	broke, end := events[1].Time, events[5].Time
	if !first.Start.Equal(broke) || !first.End.Equal(broke) || !first.Detected.Equal(broke) || first.Rows != 10 || first.Events != 1 {
		t.Errorf("first told as %+v", first)
	}
	if last.ID != first.ID || last.Revision <= first.Revision {
		t.Errorf("%s revision %d follows %s revision %d", last.ID, last.Revision, first.ID, first.Revision)
	}
	if !last.Start.Equal(broke) || !last.Detected.Equal(broke) || !last.End.Equal(end) {
		t.Errorf("from %s to %s, detected %s; want %s, %s and %s", last.Start, last.End, last.Detected, broke, end, broke)
	}
	if last.Rows != 110 || last.Events != 4 || last.Subjects != 4 {
		t.Errorf("%d rows, %d accesses, %d customers; want 110, 4 and 4", last.Rows, last.Events, last.Subjects)
	}
	if diff := cmp.Diff([][]string{{"desk"}, {"contacts", "messages"}, {"198.51.100.0/24", "203.0.113.0/24"}},
		[][]string{last.Stores, last.Resources, last.Networks}); diff != "" {
		t.Errorf("what it lists (-want +got):\n%s", diff)
	}
}

// The same comes out when the program ends and starts again after each access.
func TestARuleFindingOutlivesARestart(t *testing.T) {
	t.Parallel()
	want := judge(t, newEngine(t, 1), conversationReads(), always(1))
	e := newEngine(t, 1)
	var got []vigil.Finding
	for _, event := range conversationReads() {
		found, err := e.Fold(entry([]*vigil.Event{event}))
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, found...)
		parts, err := e.Snapshot(true)
		if err != nil {
			t.Fatal(err)
		}
		e = newEngine(t, 1)
		if err := e.Restore(parts); err != nil {
			t.Fatal(err)
		}
	}
	found, err := e.Finish()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(encode(t, want), encode(t, append(got, found...))); diff != "" {
		t.Errorf("findings differ (-want +got):\n%.2000s", diff)
	}
}

// What a finding lists is bounded, however much was touched.
func TestARuleFindingListsSome(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	var events []*vigil.Event
	for i := range 100 {
		e := vigil.NewEvent()
		e.Time, e.Action, e.Conversation = at.Add(time.Duration(i)*time.Second), vigil.ActionRead, "c-1"
		e.Actor = vigil.Actor{ID: "bot", Kind: vigil.KindBot}
		e.Subjects, e.Resource, e.Network = []string{fmt.Sprint("cust-", i)}, fmt.Sprint("table-", i), fmt.Sprintf("10.0.%d.0/24", i)
		events = append(events, e)
	}
	var last vigil.Finding
	for _, f := range latest(judge(t, newEngine(t, 1), events, always(7))) {
		if f.Rule != "" {
			last = f
		}
	}
	if last.Subjects != 100 || last.Rows != vigil.Unknown || len(last.Resources) != 20 || len(last.Networks) != 20 {
		t.Errorf("%d customers, %d rows, %d resources, %d networks", last.Subjects, last.Rows, len(last.Resources), len(last.Networks))
	}
}

// What one program reads in a conversation says nothing about another in it,
// wherever both are judged.
func TestARuleFindingIsOfOneActor(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	var events []*vigil.Event
	for i := range 2 * 600 { // more actors than shards: some share one
		e := vigil.NewEvent()
		e.Time, e.Action, e.Conversation = at.Add(time.Duration(i)*time.Second), vigil.ActionRead, "c-1"
		e.Actor = vigil.Actor{ID: fmt.Sprint("bot-", i), Kind: vigil.KindBot}
		e.Subjects = []string{fmt.Sprint("cust-", i)}
		events = append(events, e)
	}
	e, err := detector.New(detector.Config{}, detector.Options{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	if found := judge(t, e, events, always(100)); len(found) != 0 {
		t.Errorf("%d findings, the first: %s", len(found), found[0].Sentence)
	}
}
