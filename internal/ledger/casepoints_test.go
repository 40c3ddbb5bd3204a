package ledger_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/internal/ledger"
	"vigil/internal/series"
)

// A case is counted when it begins, each time that somebody takes note of it, with how
// long that took, and when it is over, however often it changes.
func TestCasesAreCounted(t *testing.T) {
	t.Parallel()
	clock := start
	l := open(t, ledger.Config{Spool: true}, ledger.Options{Now: func() time.Time { return clock }})
	at := func(minutes int) time.Time { return start.Add(time.Duration(minutes)*time.Minute + 20*time.Second) }
	c := caseOf(1, vigil.CaseNew, 1)
	c.Opened = at(0)
	was := 0
	becomes := func(minutes int, change func(*vigil.Case)) {
		t.Helper()
		clock = at(minutes)
		change(&c)
		c.Revision = was + 1
		if err := l.Work(t.Context(), ledger.Casework{Cases: []ledger.CaseChange{{Case: c, Was: was}}}); err != nil {
			t.Fatal(err)
		}
		was++
	}
	acknowledged := func(minutes int) func(*vigil.Case) {
		return func(c *vigil.Case) {
			c.State, c.Acknowledged = vigil.CaseAcknowledged, &vigil.Mark{By: "actor-a", Time: at(minutes)}
		}
	}
	becomes(0, func(*vigil.Case) {})
	becomes(1, func(c *vigil.Case) { c.Harm = 2 })
	becomes(3, acknowledged(3))
	becomes(4, func(c *vigil.Case) { c.Owner = "actor-a" })
	becomes(5, func(c *vigil.Case) { c.State = vigil.CaseResolved })
	becomes(6, func(c *vigil.Case) { c.Harm = 3 })
	becomes(7, func(c *vigil.Case) { c.State, c.Acknowledged = vigil.CaseNew, nil }) // it opens again
	becomes(9, acknowledged(9))
	becomes(9, func(c *vigil.Case) { c.State = vigil.CaseResolved })

	key := series.CaseKey{Severity: "high", About: "actor"}
	minute := func(n int) time.Time { return start.Add(time.Duration(n) * time.Minute) }
	want := []series.CasePoint{
		{Start: minute(0), Key: key, Opened: 1},
		{Start: minute(3), Key: key, Acknowledged: 1, Waited: 180},
		{Start: minute(5), Key: key, Resolved: 1},
		{Start: minute(9), Key: key, Acknowledged: 1, Waited: 540, Resolved: 1},
	}
	got, err := l.CasePoints(t.Context(), start, start.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	d, err := l.DirtyPoints(t.Context(), 100)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, d.Cases); diff != "" {
		t.Errorf("on the spool (-want +got):\n%s", diff)
	}
	// What changes while it is being written stays on the spool.
	clock = at(9)
	c = caseOf(2, vigil.CaseNew, 1)
	c.Opened = at(9)
	if err := l.Work(t.Context(), ledger.Casework{Cases: []ledger.CaseChange{{Case: c}}}); err != nil {
		t.Fatal(err)
	}
	if err := l.MarkWritten(t.Context(), d.Token); err != nil {
		t.Fatal(err)
	}
	if d, err = l.DirtyPoints(t.Context(), 100); err != nil {
		t.Fatal(err)
	}
	want[3].Opened = 1
	if diff := cmp.Diff(want[3:], d.Cases); diff != "" {
		t.Errorf("left on the spool (-want +got):\n%s", diff)
	}
	tally, err := l.CaseTally(t.Context())
	if err != nil || tally[vigil.CaseNew] != 1 || tally[vigil.CaseResolved] != 1 {
		t.Errorf("tally %v, error %v", tally, err)
	}
}
