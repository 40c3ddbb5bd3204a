package detector

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"vigil"
)

// heist is a small desk in the days of which each person reads single messages for a
// ticket, and now and then a report from the network at home. On the last day but one
// of them takes many reports without a ticket, from there. What is said of the finding
// is said a day later, or in the middle of the theft.
func heist(t *testing.T, theft, early bool, said ...vigil.Word) (*Engine, *actor) {
	t.Helper()
	e, a, _ := heistOn(t, 1, theft, early, said...)
	return e, a
}

// heistOn is a heist on so many workers. It also returns what stages the theft once
// more, ten days after the first, and returns the finding.
func heistOn(t *testing.T, workers int, theft, early bool, said ...vigil.Word) (*Engine, *actor, func() vigil.Finding) {
	t.Helper()
	const people, days, reads = 8, 30, 20
	begin := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	e, err := New(Config{}, Options{Workers: workers})
	if err != nil {
		t.Fatal(err)
	}
	var finding vigil.Finding
	fold := func(events ...*vigil.Event) {
		for len(events) > 0 {
			n := min(len(events), 160)
			found, err := e.Fold(&vigil.Entry{Kind: vigil.EntryEvents, Source: "desk", Events: events[:n]})
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range found {
				if f.Actor == "p-0" && f.Rule == "" && !f.End.Before(begin.AddDate(0, 0, days)) {
					finding = f
				}
			}
			events = events[n:]
		}
	}
	event := func(at time.Time, person int, report bool, rows int64, subject string) *vigil.Event {
		ev := vigil.NewEvent()
		ev.Time, ev.Source, ev.Store, ev.Action, ev.Outcome = at, "desk", "pg", vigil.ActionRead, vigil.OutcomeSuccess
		ev.Actor = vigil.Actor{ID: fmt.Sprint("p-", person), Kind: vigil.KindHuman, Role: "agent"}
		ev.Resource, ev.Network, ev.Rows, ev.Subjects = "messages", "192.0.2.0/24", rows, []string{subject}
		if report {
			ev.Resource, ev.Network = "reports", "198.51.100.0/24"
		}
		return ev
	}
	day := func(d int, steal bool) (events []*vigil.Event) {
		at := begin.AddDate(0, 0, d).Add(8 * time.Hour)
		for i := range reads {
			for p := range people {
				report := i == reads-1 && (d+p)%9 == 0
				ev := event(at.Add(time.Duration(i*24+p)*time.Minute), p, report, int64(5+(d+i*p)%4), fmt.Sprintf("c-%d", (d*reads+i)*people+p))
				if i%2 == 0 {
					ev.Ticket = "T-1"
				}
				events = append(events, ev)
			}
		}
		if !steal {
			return events
		}
		// After hours, so that it is in nobody else's way.
		for i := range 200 {
			at := begin.AddDate(0, 0, d).Add(17*time.Hour + time.Duration(i*12)*time.Second)
			events = append(events, event(at, 0, true, 300, fmt.Sprintf("s-%d", i)))
		}
		return events
	}
	for d := range days {
		fold(day(d, false)...)
	}
	say := func() {
		if theft && finding.ID == "" {
			t.Fatal("the theft was not found")
		}
		for _, word := range said {
			c := saying{word: word}.control(t, &finding)
			if _, err := e.Fold(&vigil.Entry{Kind: vigil.EntryControl, Control: c}); err != nil {
				t.Fatal(err)
			}
			e = again(t, e)
		}
	}
	last := day(days, theft)
	half := people*reads + (len(last)-people*reads)/2
	fold(last[:half]...)
	if early {
		say()
	}
	fold(last[half:]...)
	fold(day(days+1, false)...)
	if !early {
		say()
	}
	fold(day(days+2, false)...)
	_, a := e.known("", "p-0")
	if a == nil {
		t.Fatal("the thief is not known")
	}
	return e, a, func() vigil.Finding {
		for d := days + 3; d < days+10; d++ {
			fold(day(d, false)...)
		}
		finding = vigil.Finding{}
		fold(day(days+10, true)...)
		fold(day(days+11, false)...)
		return finding
	}
}

// What is taken out does not depend on who ran which shard.
func TestTakingOutIsTheSameOnAnyNumberOfWorkers(t *testing.T) {
	t.Parallel()
	var parts [2][]Part
	for i, workers := range []int{1, 4} {
		e, _, _ := heistOn(t, workers, true, true, vigil.WordBreach)
		var err error
		if parts[i], err = e.Snapshot(true); err != nil {
			t.Fatal(err)
		}
	}
	if len(parts[0]) != len(parts[1]) {
		t.Fatalf("%d parts and %d", len(parts[0]), len(parts[1]))
	}
	for i, p := range parts[0] {
		if q := parts[1][i]; p.Name != q.Name || !bytes.Equal(p.Data, q.Data) {
			t.Errorf("%s differs with four workers", p.Name)
		}
	}
}
