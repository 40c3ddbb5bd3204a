package ledger_test

import (
	"fmt"
	"testing"
	"time"

	"vigil"
	"vigil/internal/api"
	"vigil/internal/ledger"
)

func caseOf(i int, state vigil.CaseState, harm float64) vigil.Case {
	return vigil.Case{
		ID: fmt.Sprintf("c-%d", i), Revision: 1, State: state, About: vigil.AboutActor, Actor: fmt.Sprintf("actor-%d", i),
		Severity: vigil.SeverityHigh, Harm: harm, Start: start, End: start, Opened: start,
	}
}

func TestCasesAreListedTheWorstFirst(t *testing.T) {
	t.Parallel()
	l := open(t, ledger.Config{Dir: t.TempDir()}, ledger.Options{})
	var w ledger.Casework
	for i := range 9 {
		state := vigil.CaseNew
		if i%3 == 0 {
			state = vigil.CaseResolved
		}
		w.Cases = append(w.Cases, ledger.CaseChange{Case: caseOf(i, state, float64(i))})
	}
	if err := l.Work(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		filter ledger.CaseFilter
		total  int
		want   string
	}{
		{ledger.CaseFilter{}, 9, "c-8 c-7 c-6 c-5 c-4 c-3 c-2 c-1 c-0 "},
		{ledger.CaseFilter{Unresolved: true, Limit: 3, Offset: 1}, 6, "c-7 c-5 c-4 "},
		{ledger.CaseFilter{State: vigil.CaseResolved}, 3, "c-6 c-3 c-0 "},
		{ledger.CaseFilter{OpenedFrom: start.Add(time.Second)}, 0, ""},
	} {
		cases, total, err := l.Cases(t.Context(), c.filter)
		got := ""
		for i := range cases {
			got += cases[i].ID + " "
		}
		if err != nil || total != c.total || got != c.want {
			t.Errorf("%+v: %s of %d, error %v", c.filter, got, total, err)
		}
	}
}

// What is over for long goes, and a case that is kept keeps the receipts of its cards.
func TestPruneCasework(t *testing.T) {
	t.Parallel()
	clock := start
	l := open(t, ledger.Config{Dir: t.TempDir(), FindingRetention: 24 * time.Hour}, ledger.Options{Now: func() time.Time { return clock }})
	kept := caseOf(1, vigil.CaseAcknowledged, 1)
	kept.Open = true
	silence := func(id string, to time.Time) vigil.Silence {
		return vigil.Silence{ID: id, By: "actor-a", Note: "n", Time: start, From: start, To: to, Match: vigil.Match{Sources: []string{"pg"}}}
	}
	err := l.Work(t.Context(), ledger.Casework{
		Cases:    []ledger.CaseChange{{Case: kept}, {Case: caseOf(2, vigil.CaseResolved, 1)}},
		Silences: []vigil.Silence{silence("s-over", start.Add(time.Hour)), silence("s-holds", start.Add(20*24*time.Hour))},
		Outbox: []ledger.OutboxItem{
			{ID: "card", Notifier: "slack", Kind: "case", Case: "c-1", Revision: 1, Payload: []byte("{}")},
			{ID: "reply", Notifier: "slack", Kind: "reply", Payload: []byte("{}")},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	due, err := l.Due(t.Context(), "slack", clock, 10)
	if err != nil || len(due) != 2 {
		t.Fatal(due, err)
	}
	if err := l.Done(t.Context(), due[0], "receipt"); err != nil {
		t.Fatal(err)
	}
	if err := l.Failed(t.Context(), due[1], fmt.Errorf("no"), time.Time{}, false); err != nil {
		t.Fatal(err)
	}
	clock = start.Add(10 * 24 * time.Hour)
	if _, err := l.Prune(t.Context(), clock); err != nil {
		t.Fatal(err)
	}
	silences, err := l.Silences(t.Context())
	if err != nil || len(silences) != 1 || silences[0].ID != "s-holds" {
		t.Errorf("silences %+v, error %v", silences, err)
	}
	receipts, err := l.CaseReceipts(t.Context(), "slack", 10)
	if err != nil || receipts["c-1"] != "receipt" {
		t.Errorf("receipts %v, error %v", receipts, err)
	}
	if _, total, err := l.Cases(t.Context(), ledger.CaseFilter{}); err != nil || total != 1 {
		t.Errorf("%d cases, error %v", total, err)
	}
	// What was given up is forgotten: the same could be told again.
	if err := l.Enqueue(t.Context(), ledger.OutboxItem{ID: "reply", Notifier: "slack", Kind: "reply", Payload: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	if due, err := l.Due(t.Context(), "slack", clock, 10); err != nil || len(due) != 1 {
		t.Errorf("%d due, error %v", len(due), err)
	}
}

// Of very many findings those of a time are found, whatever harm the others do.
func TestFindingsOfATime(t *testing.T) {
	t.Parallel()
	l := open(t, ledger.Config{Dir: t.TempDir()}, ledger.Options{})
	if _, err := l.AcceptTick(t.Context(), vigil.Tick{Watermark: start}); err != nil {
		t.Fatal(err)
	}
	var all []vigil.Finding
	for i := range 3 {
		all = append(all, vigil.Finding{
			ID: fmt.Sprintf("f-%d", i), Revision: 1, State: vigil.StateOpen, About: vigil.AboutActor, Actor: "actor-1", Severity: vigil.SeverityLow,
			Harm: float64(9 - i), Start: start, End: start, Detected: start.Add(time.Duration(i) * time.Hour),
		})
	}
	if err := l.Apply(t.Context(), ledger.Applied{From: 1, Seq: 1, Findings: all}); err != nil {
		t.Fatal(err)
	}
	page, err := l.Findings(t.Context(), api.FindingFilter{DetectedFrom: start.Add(time.Hour), DetectedTo: start.Add(2 * time.Hour), Limit: 1})
	if err != nil || page.Total != 1 || len(page.Findings) != 1 || page.Findings[0].ID != "f-1" {
		t.Errorf("%+v, error %v", page, err)
	}
}
