package ledger_test

import (
	"testing"
	"time"

	"vigil"
	"vigil/internal/ledger"
)

// What a case that is not resolved is about outlives the retention, for a while, and goes
// when the case is resolved or the while is over.
func TestCasesHoldTheirEvents(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for name, x := range map[string]struct {
		state  vigil.CaseState
		within bool // whether the case is of the time of the events
		hold   time.Duration
		after  time.Duration
		held   bool
	}{
		"unresolved":                 {vigil.CaseAcknowledged, true, 10 * day, 2 * day, true},
		"resolved":                   {vigil.CaseResolved, true, 10 * day, 2 * day, false},
		"of another time":            {vigil.CaseAcknowledged, false, 10 * day, 2 * day, false},
		"unresolved for too long":    {vigil.CaseAcknowledged, true, 10 * day, 12 * day, false},
		"where nothing holds events": {vigil.CaseAcknowledged, true, -1, 2 * day, false},
		"by default for 90 days":     {vigil.CaseNew, true, 0, 89 * day, true},
		"by default no longer":       {vigil.CaseNew, true, 0, 92 * day, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := open(t, ledger.Config{Dir: t.TempDir(), Retention: day, CaseHold: x.hold, SegmentEvents: 100}, ledger.Options{Now: func() time.Time { return start }})
			accept(t, l, 0, 100)
			applyAll(t, l)
			if _, err := l.SealAll(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := l.SaveSnapshot(t.Context(), ledger.Snapshot{Seq: 1, Parts: []ledger.SnapshotPart{{Name: "a", Data: []byte("a")}}}); err != nil {
				t.Fatal(err)
			}
			page, err := l.Events(t.Context(), ledger.EventQuery{Limit: 100})
			if err != nil || len(page.Events) != 100 {
				t.Fatal(len(page.Events), err)
			}
			c := caseOf(1, x.state, 1)
			c.Start, c.End = page.Events[10].Time, page.Events[20].Time
			if !x.within {
				c.Start, c.End = c.Start.Add(-30*day), c.End.Add(-30*day)
			}
			if err := l.Work(t.Context(), ledger.Casework{Cases: []ledger.CaseChange{{Case: c}}}); err != nil {
				t.Fatal(err)
			}
			p, err := l.Prune(t.Context(), start.Add(x.after))
			if err != nil || (p.Segments == 0) != x.held {
				t.Errorf("%d segments are gone, %v; want held %v", p.Segments, err, x.held)
			}
		})
	}
}
