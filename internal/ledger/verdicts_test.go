package ledger_test

import (
	"errors"
	"testing"
	"time"

	"vigil"
	"vigil/internal/api"
	"vigil/internal/ledger"
)

func keep(t *testing.T, l *ledger.Ledger, findings ...vigil.Finding) {
	t.Helper()
	seq, err := l.AcceptTick(t.Context(), vigil.Tick{Watermark: start})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Apply(t.Context(), ledger.Applied{From: l.Applied() + 1, Seq: seq, Findings: findings}); err != nil {
		t.Fatal(err)
	}
}

// A verdict is an entry of the log and stands beside the finding, whatever the
// detector says of it later, until it is taken back.
func TestVerdictStandsUntilItIsTakenBack(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	cfg := ledger.Config{Dir: t.TempDir()}
	l := open(t, cfg, ledger.Options{})
	f := vigil.Finding{ID: "f-1", Revision: 1, State: vigil.StateOpen, Severity: vigil.SeverityHigh, Detected: start}
	keep(t, l, f)
	v := vigil.Verdict{Finding: "f-1", Word: vigil.WordBreach, By: "actor-1", Note: "why", Time: start}
	seq, err := l.AcceptVerdict(ctx, v)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := l.Entries(ctx, seq-1, 1)
	if err != nil || len(entries) != 1 || entries[0].Control.Type != vigil.ControlVerdict {
		t.Fatalf("the log has %+v, %v", entries, err)
	}
	f.Revision = 2
	keep(t, l, f)
	l = reopen(t, l, cfg)
	got, err := l.Finding(ctx, "f-1")
	if err != nil || got.Revision != 2 || got.Verdict == nil || *got.Verdict != v {
		t.Fatalf("got revision %d with verdict %+v, %v", got.Revision, got.Verdict, err)
	}
	if list, err := l.Judged(ctx, 10); err != nil || len(list) != 1 {
		t.Fatalf("judged are %d, %v", len(list), err)
	}
	v.Word = ""
	if _, err := l.AcceptVerdict(ctx, v); err != nil {
		t.Fatal(err)
	}
	if got, err = l.Finding(ctx, "f-1"); err != nil || got.Verdict != nil {
		t.Fatalf("after taking back the verdict is %+v, %v", got.Verdict, err)
	}
	// What is not there can't be judged, nor what was not said taken back: nothing is
	// written.
	last := l.Last()
	for _, bad := range []vigil.Verdict{{Finding: "f-9", Word: vigil.WordBreach, By: "x"}, {Finding: "f-1", By: "x"}} {
		if _, err := l.AcceptVerdict(ctx, bad); !errors.Is(err, api.ErrNotFound) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	if l.Last() != last {
		t.Errorf("%d entries were written for nothing", l.Last()-last)
	}
}

func TestVerdictGoesWithItsFinding(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	now := start
	l := open(t, ledger.Config{FindingRetention: 24 * time.Hour, Retention: time.Hour, RollupRetention: time.Hour}, ledger.Options{Now: func() time.Time { return now }})
	keep(t, l, vigil.Finding{ID: "f-1", Revision: 1, State: vigil.StateClosed})
	if _, err := l.AcceptVerdict(ctx, vigil.Verdict{Finding: "f-1", Word: vigil.WordExpected, By: "actor-1"}); err != nil {
		t.Fatal(err)
	}
	now = now.Add(48 * time.Hour)
	if _, err := l.Prune(ctx, now); err != nil {
		t.Fatal(err)
	}
	keep(t, l, vigil.Finding{ID: "f-1", Revision: 1, State: vigil.StateClosed})
	if f, err := l.Finding(ctx, "f-1"); err != nil || f.Verdict != nil {
		t.Errorf("the verdict outlived its finding: %+v, %v", f.Verdict, err)
	}
}

func TestExceptionsAreListedAsTheyStand(t *testing.T) {
	t.Parallel()
	l := open(t, ledger.Config{}, ledger.Options{})
	x := vigil.Exception{ID: "x-1", Finding: "f-1", By: "actor-1", Scope: vigil.ScopeNetwork, Values: []string{"192.0.2.0/24"}}
	for range 2 {
		if _, err := l.AcceptException(t.Context(), x); err != nil {
			t.Fatal(err)
		}
		all, err := l.Exceptions(t.Context())
		if err != nil || len(all) != 1 || all[0].Ended != x.Ended || all[0].Values[0] != x.Values[0] {
			t.Fatalf("got %+v, %v", all, err)
		}
		x.Ended = true
	}
}
