package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"vigil"
	"vigil/collectors"
	"vigil/detector"
	"vigil/internal/ledger"
)

func applierOn(t *testing.T) (*applier, *ledger.Ledger) {
	t.Helper()
	l, err := ledger.Open(t.Context(), ledger.Config{Dir: t.TempDir()}, ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	a, err := newApplier(t.Context(), l, detector.Config{}, detector.Options{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	a.messages = func([]vigil.Finding) ([]ledger.OutboxItem, error) { return nil, nil }
	return a, l
}

func acceptOne(t *testing.T, l *ledger.Ledger, n int) {
	t.Helper()
	e := vigil.NewEvent()
	e.ID, e.Time, e.Action, e.Actor.ID = fmt.Sprint(n), time.Date(2026, 11, 2, 9, 0, n, 0, time.UTC), vigil.ActionRead, "ann"
	if _, _, err := l.Accept(t.Context(), collectors.Batch{Source: "db", Events: []*vigil.Event{e}}); err != nil {
		t.Fatal(err)
	}
}

// Judging that is stopped while it folds, as a reload does under load, writes down what
// it has folded: else the state that is kept would hold it and it would be judged again.
func TestStoppedWhileFolding(t *testing.T) {
	t.Parallel()
	a, l := applierOn(t)
	acceptOne(t, l, 1)
	ctx, cancel := context.WithCancel(t.Context())
	folded := 0
	a.messages = func([]vigil.Finding) ([]ledger.OutboxItem, error) {
		if folded++; folded == 1 {
			acceptOne(t, l, 2)
		} else {
			cancel()
		}
		return nil, nil
	}
	if err := a.run(ctx); err != nil {
		t.Fatal(err)
	}
	if folded != 2 || l.Applied() != 2 {
		t.Fatalf("folded %d times, %d entries are applied", folded, l.Applied())
	}
	if err := a.snapshot(t.Context()); err != nil {
		t.Fatal(err)
	}
	next, err := newApplier(t.Context(), l, detector.Config{}, detector.Options{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := next.engine.Finish(); err != nil {
		t.Fatal(err)
	}
	if n := next.engine.Status().Events; n != 2 || next.seq != 2 {
		t.Errorf("%d events are judged up to entry %d, want 2 of 2", n, next.seq)
	}
}

// What could not be written down is not kept either.
func TestAnEngineAheadIsNotKept(t *testing.T) {
	t.Parallel()
	a, l := applierOn(t)
	acceptOne(t, l, 1)
	a.messages = func([]vigil.Finding) ([]ledger.OutboxItem, error) { return nil, errors.New("no messages") }
	if err := a.run(t.Context()); err == nil {
		t.Fatal("judging goes on")
	}
	a.seq = 1 // as if something had been applied before
	if err := a.snapshot(t.Context()); !errors.Is(err, errAhead) {
		t.Errorf("keeping gives %v", err)
	}
	if err := a.run(t.Context()); !errors.Is(err, errAhead) {
		t.Errorf("going on gives %v", err)
	}
}

// Whoever asks for a snapshot while judging ends is answered, and so is whoever asks
// afterwards: a schedule's job would wait for ever.
func TestAskingWhoHasEnded(t *testing.T) {
	t.Parallel()
	a, l := applierOn(t)
	acceptOne(t, l, 1)
	ctx, cancel := context.WithCancel(t.Context())
	asked := make(chan error, 1)
	a.messages = func([]vigil.Finding) ([]ledger.OutboxItem, error) {
		go func() { asked <- a.askSnapshot(t.Context()) }()
		for waits := false; !waits; {
			a.mu.Lock()
			waits = len(a.wants) > 0
			a.mu.Unlock()
		}
		cancel()
		return nil, nil
	}
	if err := a.run(ctx); err != nil {
		t.Fatal(err)
	}
	select {
	case <-asked: // with whatever
	case <-time.After(30 * time.Second):
		t.Fatal("nobody answers")
	}
	if err := a.askSnapshot(t.Context()); !errors.Is(err, errEnded) {
		t.Errorf("afterwards the answer is %v", err)
	}
}
