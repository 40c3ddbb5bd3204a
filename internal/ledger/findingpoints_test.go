package ledger_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/internal/ledger"
	"vigil/internal/series"
)

// findingLog applies one revision of a finding after another.
type findingLog struct {
	t *testing.T
	l *ledger.Ledger
}

func (x findingLog) apply(findings ...vigil.Finding) {
	x.t.Helper()
	seq, err := x.l.AcceptTick(x.t.Context(), vigil.Tick{Watermark: start})
	if err != nil {
		x.t.Fatal(err)
	}
	if err := x.l.Apply(x.t.Context(), ledger.Applied{Seq: seq, Findings: findings}); err != nil {
		x.t.Fatal(err)
	}
}

// A finding is counted when it opens and when it closes, however often it is told,
// and reaches the spool though nothing was accessed in its minute.
func TestFindingsAreCounted(t *testing.T) {
	t.Parallel()
	l := open(t, ledger.Config{Spool: true}, ledger.Options{})
	x := findingLog{t, l}
	at := func(minutes int) time.Time { return start.Add(time.Duration(minutes)*time.Minute + 20*time.Second) }
	f := vigil.Finding{
		ID: "f-1", Revision: 1, State: vigil.StateOpen, About: vigil.AboutActor, ActorKind: vigil.KindHuman, Actor: "actor-1f",
		Severity: vigil.SeverityLow, Lane: "day", Detected: at(0), End: at(0),
	}
	told := func(revision, end int, state vigil.FindingState, severity vigil.Severity) vigil.Finding {
		g := f
		g.Revision, g.End, g.State, g.Severity = revision, at(end), state, severity
		return g
	}
	x.apply(f)
	x.apply(told(2, 3, vigil.StateOpen, vigil.SeverityHigh))
	x.apply(told(3, 5, vigil.StateClosed, vigil.SeverityHigh))
	x.apply(told(3, 5, vigil.StateClosed, vigil.SeverityHigh)) // told twice
	x.apply(told(1, 0, vigil.StateOpen, vigil.SeverityLow))    // an old word
	x.apply(told(4, 9, vigil.StateOpen, vigil.SeverityHigh))   // it goes on after all
	// A rule's finding is over when it is declared; two revisions come at once.
	rule := vigil.Finding{
		ID: "f-2", Revision: 1, State: vigil.StateClosed, About: vigil.AboutActor, ActorKind: vigil.KindBot,
		Severity: vigil.SeverityHigh, Lane: "rule", Detected: at(0), End: at(0),
	}
	again := rule
	again.Revision, again.End = 2, at(1)
	x.apply(rule, again)

	day := series.FindingKey{Severity: "high", Lane: "day", About: "actor", ActorKind: "human"}
	low := day
	low.Severity = "low"
	want := []series.FindingPoint{
		{Start: start, Key: low, Opened: 1},
		{Start: start, Key: series.FindingKey{Severity: "high", Lane: "rule", About: "actor", ActorKind: "bot"}, Opened: 1, Closed: 1},
		{Start: start.Add(5 * time.Minute), Key: day, Closed: 1},
		{Start: start.Add(9 * time.Minute), Key: day, Opened: 1},
	}
	got, err := l.FindingPoints(t.Context(), start, start.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	order := func(ps []series.FindingPoint) map[series.FindingPoint]bool {
		set := map[series.FindingPoint]bool{}
		for _, p := range ps {
			set[p] = true
		}
		return set
	}
	if diff := cmp.Diff(order(want), order(got)); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	waiting, err := l.DirtyPoints(t.Context(), 100)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(order(want), order(waiting.Findings)); diff != "" {
		t.Errorf("what waits (-want +got):\n%s", diff)
	}
	if err := l.MarkWritten(t.Context(), waiting.Token); err != nil {
		t.Fatal(err)
	}
	if waiting, err = l.DirtyPoints(t.Context(), 100); err != nil || len(waiting.Findings)+len(waiting.Points) != 0 {
		t.Errorf("after writing %+v wait, error %v", waiting, err)
	}
}
