package main

import (
	"context"
	"fmt"
	"time"

	"vigil"
	"vigil/internal/ledger"
)

// atOnce is how many findings are kept in one transaction.
const atOnce = 1_000

// find writes the findings, each with a case, and lists by its route what there is to look
// at: something usual first, and then the worst.
func (w *world) find(ctx context.Context) (map[string][]string, error) {
	for begin := 0; begin < w.findings; begin += atOnce {
		var found []vigil.Finding
		var work ledger.Casework
		for i := begin; i < min(begin+atOnce, w.findings); i++ {
			f := w.finding(i)
			found = append(found, f)
			work.Cases = append(work.Cases, caseOf(&f))
		}
		seq, err := w.l.AcceptTick(ctx, vigil.Tick{Watermark: w.now})
		if err != nil {
			return nil, err
		}
		if err := w.l.Apply(ctx, ledger.Applied{Seq: seq, Findings: found}); err != nil {
			return nil, err
		}
		if err := w.l.Work(ctx, work); err != nil {
			return nil, err
		}
		w.seq = seq
	}
	if err := w.snapshot(ctx); err != nil {
		return nil, err
	}
	usual, worst := 1, 0
	pages := map[string][]string{
		"GET /{$}":                  {"/", "/?state=all&place=store-1"},
		"GET /findings/{id}":        {"/findings/" + findingID(usual), "/findings/" + findingID(worst)},
		"GET /findings/{id}/live":   {"/findings/" + findingID(usual) + "/live"},
		"GET /actors/{id}":          {"/actors/" + w.finding(usual).Actor, "/actors/" + busyActor},
		"GET /readers/{id}":         {"/readers/" + customerID(w.customers/8), "/readers/" + busyCustomer},
		"GET /api/v1/findings":      {"/api/v1/findings"},
		"GET /api/v1/findings/{id}": {"/api/v1/findings/" + findingID(usual)},
		"GET /api/v1/cases":         {"/api/v1/cases"},
		"GET /api/v1/status":        {"/api/v1/status"},
	}
	for _, under := range []string{"", "/subjects", "/notice", "/reveals", "/pack"} {
		for _, i := range []int{usual, worst} {
			pages["GET /cases/{id}"+under] = append(pages["GET /cases/{id}"+under], "/cases/"+caseID(i)+under)
		}
	}
	return pages, nil
}

func findingID(i int) string { return fmt.Sprintf("f-%016x", i) }
func caseID(i int) string    { return fmt.Sprintf("c-%016x", i) }

// finding is the i-th: the first is the worst, the others are spread over the time.
func (w *world) finding(i int) vigil.Finding {
	who := (i * 7) % actors
	hour := who % shifts * 24 / shifts // of their shift
	start := w.now.Truncate(24*time.Hour).AddDate(0, 0, -1-i%(days-30)).Add(time.Duration(hour+2) * time.Hour)
	f := vigil.Finding{
		ID: findingID(i), Revision: 2, State: vigil.StateClosed, About: vigil.AboutActor, Actor: actorID(who), ActorKind: vigil.KindHuman, Role: "agent",
		Team: fmt.Sprintf("team-%02d", who%40), Start: start, End: start.Add(2 * time.Hour), Detected: start.Add(time.Hour),
		Severity: []vigil.Severity{vigil.SeverityLow, vigil.SeverityMedium, vigil.SeverityHigh, vigil.SeverityCritical}[i%4], Lane: "quarter", Evidence: 7, Threshold: 5,
		Harm: float64(i%977) + float64(i)/1e6, Sentence: "An agent read 410 customers in 2 hours; 12 are usual.",
		Counterfactual: "With 60 customers it would not have been declared.",
		Subjects:       410, Events: 500, Rows: 900, Conversations: 400, Stores: []string{fmt.Sprintf("store-%d", who%3)}, Resources: []string{"customers", "tickets"},
		Networks: []string{fmt.Sprintf("10.%d.1.0/24", who%50)}, Classes: []string{"chat"},
	}
	for n := range 3 {
		f.Contributions = append(f.Contributions, vigil.Contribution{
			Model: "volume", Observation: []string{"subjects", "rows", "events"}[n], Span: "hour", SpanStart: start, Frame: "self", Seen: 410, Expected: 12, Low: 2, High: 40,
			P: 1e-7, E: 1e5, Share: 0.6 / float64(n+1), Text: "410 customers in an hour, where 12 are usual",
		})
	}
	for n := range 50 {
		f.SubjectIDs = append(f.SubjectIDs, customerID((i*13+n)%w.customers))
	}
	if i%10 == 0 {
		f.State, f.Revision = vigil.StateOpen, 1
	}
	if i%1_000 == 5 { // a source that fell silent
		f.About, f.Actor, f.Source, f.Lane, f.State = vigil.AboutSource, "", "desk-1", "source", vigil.StateOpen
	}
	if i == 0 {
		f.Actor, f.ActorKind, f.Role, f.Severity, f.Harm = busyActor, vigil.KindService, "bot", vigil.SeverityCritical, 1e6
		f.Start, f.End, f.Detected = w.now.AddDate(0, 0, -7), w.now.Add(-time.Hour), w.now.AddDate(0, 0, -6)
	}
	return f
}

func caseOf(f *vigil.Finding) ledger.CaseChange {
	c := vigil.Case{
		ID: "c" + f.ID[1:], Revision: 1, State: vigil.CaseNew, About: f.About, Actor: f.Actor, ActorKind: f.ActorKind, Role: f.Role, Team: f.Team, Source: f.Source,
		Findings: []string{f.ID}, Total: 1, Lead: f.ID, Severity: f.Severity, Harm: f.Harm, Open: f.State == vigil.StateOpen,
		Start: f.Start, End: f.End, Opened: f.Detected, Stores: f.Stores,
	}
	if f.Severity.Rank() < 3 {
		c.State = vigil.CaseResolved
	}
	return ledger.CaseChange{Case: c, Join: []string{f.ID}, Events: []vigil.CaseEvent{{Case: c.ID, Time: f.Detected, Kind: vigil.CaseOpened}}}
}
