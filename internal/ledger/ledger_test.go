package ledger_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"vigil"
	"vigil/collectors"
	"vigil/internal/ledger"
)

var start = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

// open opens a ledger that is closed with the test.
func open(t testing.TB, cfg ledger.Config, opts ledger.Options) *ledger.Ledger {
	t.Helper()
	if cfg.Dir == "" {
		cfg.Dir = filepath.Join(t.TempDir(), "ledger")
	}
	l, err := ledger.Open(t.Context(), cfg, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// reopen closes the ledger and opens its folder again.
func reopen(t testing.TB, l *ledger.Ledger, cfg ledger.Config) *ledger.Ledger {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return open(t, cfg, ledger.Options{})
}

// traffic makes n events from number on: the same numbers, the same events.
func traffic(from, n int) []*vigil.Event {
	events := make([]*vigil.Event, n)
	for i := range events {
		k := from + i
		rng := rand.New(rand.NewPCG(uint64(k), 7))
		e := vigil.NewEvent()
		e.ID = fmt.Sprintf("%08d-%016x", k, rng.Uint64())
		e.Time = start.Add(time.Duration(k) * 250 * time.Millisecond)
		e.Received = e.Time.Add(time.Second)
		e.Source, e.Store, e.Resource = "pg", "helpdesk", []string{"messages", "contacts"}[rng.IntN(2)]
		e.Actor = vigil.Actor{ID: fmt.Sprintf("agent-%02d", rng.IntN(41)), Kind: vigil.KindHuman, Role: "agent", Team: "emea"}
		e.Action, e.Outcome = vigil.ActionRead, vigil.OutcomeSuccess
		e.Session, e.Conversation = fmt.Sprintf("s-%d", k/50), fmt.Sprintf("c-%d", k/3)
		e.Subjects = []string{fmt.Sprintf("cust-%d", rng.IntN(5_000))}
		e.Rows = int64(rng.IntN(20))
		e.Shape, e.Network = "b1946ac92492d234", "198.51.100.0/24"
		e.Origin = vigil.Origin{File: "postgresql.csv", Offset: int64(k) * 300, Line: int64(k + 1), Hash: rng.Uint64()}
		events[i] = e
	}
	return events
}

func accept(t testing.TB, l *ledger.Ledger, from, n int) uint64 {
	t.Helper()
	seq, fresh, err := l.Accept(t.Context(), collectors.Batch{Source: "pg", Position: []byte(fmt.Sprint(from + n)), Events: traffic(from, n)})
	if err != nil {
		t.Fatal(err)
	}
	if fresh != n {
		t.Fatalf("%d of %d events were fresh", fresh, n)
	}
	return seq
}

// applyAll applies all that is accepted, with nothing following from it.
func applyAll(t testing.TB, l *ledger.Ledger) {
	t.Helper()
	if last := l.Last(); last > l.Applied() {
		if err := l.Apply(t.Context(), ledger.Applied{From: l.Applied() + 1, Seq: last}); err != nil {
			t.Fatal(err)
		}
	}
}

// events returns the events of the whole log, in order.
func events(t testing.TB, l *ledger.Ledger) []*vigil.Event {
	t.Helper()
	var out []*vigil.Event
	seq := uint64(0)
	for {
		entries, err := l.Entries(t.Context(), seq, 100)
		if err != nil {
			t.Fatal(err)
		}
		if len(entries) == 0 {
			return out
		}
		for _, e := range entries {
			if e.Seq != seq+1 {
				t.Fatalf("entry %d follows entry %d", e.Seq, seq)
			}
			seq = e.Seq
			out = append(out, e.Events...)
		}
	}
}

func TestMain(m *testing.M) {
	if crashChild() {
		return
	}
	goleak.VerifyTestMain(m,
		// The SQL pools end their openers a moment after Close returns.
		goleak.IgnoreTopFunction("database/sql.(*DB).connectionOpener"))
}

func TestLogComesBackInOrder(t *testing.T) {
	t.Parallel()
	cfg := ledger.Config{Dir: t.TempDir()}
	l := open(t, cfg, ledger.Options{Now: func() time.Time { return start }})
	watermark := start.Add(time.Minute + 5)
	accept(t, l, 0, 10)
	if seq, err := l.AcceptTick(t.Context(), vigil.Tick{Watermark: watermark}); err != nil || seq != 2 {
		t.Fatalf("tick: entry %d, error %v", seq, err)
	}
	control := vigil.Control{Type: "config", Data: []byte(`{"budget":1}`)}
	if seq, err := l.AcceptControl(t.Context(), control); err != nil || seq != 3 {
		t.Fatalf("control: entry %d, error %v", seq, err)
	}
	accept(t, l, 10, 5)
	want := []vigil.Entry{
		{Seq: 1, Kind: vigil.EntryEvents, Source: "pg", Accepted: start, Events: traffic(0, 10)},
		{Seq: 2, Kind: vigil.EntryTick, Accepted: start, Tick: vigil.Tick{Watermark: watermark}},
		{Seq: 3, Kind: vigil.EntryControl, Accepted: start, Control: control},
		{Seq: 4, Kind: vigil.EntryEvents, Source: "pg", Accepted: start, Events: traffic(10, 5)},
	}
	for _, l := range []*ledger.Ledger{l, reopen(t, l, cfg)} {
		if l.Last() != 4 {
			continue // the closed one
		}
		got, err := l.Entries(t.Context(), 0, 100)
		if errors.Is(err, ledger.ErrClosed) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("log (-want +got):\n%s", diff)
		}
		got, err = l.Entries(t.Context(), 1, 2)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want[1:3], got); diff != "" {
			t.Errorf("part of the log (-want +got):\n%s", diff)
		}
	}
}

func TestBatchOfferedTwiceCountsOnce(t *testing.T) {
	t.Parallel()
	cfg := ledger.Config{Dir: t.TempDir()}
	l := open(t, cfg, ledger.Options{})
	offer := func(from, n int, position string) (uint64, int) {
		t.Helper()
		seq, fresh, err := l.Accept(t.Context(), collectors.Batch{
			Source: "pg", Position: []byte(position), Events: traffic(from, n),
			Quarantined: []vigil.Quarantined{{File: "a.log", Line: int64(from), Code: "json", Reason: "no object", Hash: 7}},
		})
		if err != nil {
			t.Fatal(err)
		}
		return seq, fresh
	}
	check := func(what string, seq, wantSeq uint64, fresh, want int) {
		t.Helper()
		if seq != wantSeq || fresh != want {
			t.Errorf("%s: entry %d with %d fresh, want entry %d with %d", what, seq, fresh, wantSeq, want)
		}
	}
	seq, fresh := offer(0, 100, "a")
	check("first", seq, 1, fresh, 100)
	seq, fresh = offer(0, 100, "b")
	check("again", seq, 0, fresh, 0)
	seq, fresh = offer(50, 100, "c")
	check("half of it new", seq, 2, fresh, 50)
	l = reopen(t, l, cfg)
	seq, fresh = offer(0, 150, "d")
	check("after a restart", seq, 0, fresh, 0)
	applyAll(t, l)
	if _, err := l.SealAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	l = reopen(t, l, cfg)
	seq, fresh = offer(50, 101, "e")
	check("after sealing and a restart", seq, 3, fresh, 1)

	if p, err := l.Position(t.Context(), "pg"); err != nil || string(p) != "e" {
		t.Errorf("position %q, error %v; want e", p, err)
	}
	if diff := cmp.Diff(traffic(0, 151), events(t, l)); diff != "" {
		t.Errorf("log (-want +got):\n%.2000s", diff)
	}
	stats, err := l.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s := stats.Sources[0]
	if s.Events != 151 || s.Duplicates != 100+50+150+100 || s.Quarantined != 2 || s.Reasons["json"] != 2 || stats.Quarantined != 2 {
		t.Errorf("counts %+v", s)
	}
}

func TestTheSameIDOfTwoSourcesIsTwoEvents(t *testing.T) {
	t.Parallel()
	l := open(t, ledger.Config{}, ledger.Options{})
	for _, source := range []string{"a", "b"} {
		e := traffic(0, 1)
		e[0].Source = source
		if _, fresh, err := l.Accept(t.Context(), collectors.Batch{Source: source, Events: e}); err != nil || fresh != 1 {
			t.Errorf("source %s: %d fresh, error %v", source, fresh, err)
		}
	}
}

func TestPositionAlone(t *testing.T) {
	t.Parallel()
	l := open(t, ledger.Config{}, ledger.Options{})
	if p, err := l.Position(t.Context(), "pg"); p != nil || err != nil {
		t.Errorf("position of an unknown source: %q, %v", p, err)
	}
	if seq, _, err := l.Accept(t.Context(), collectors.Batch{Source: "pg", Position: []byte("x")}); seq != 0 || err != nil {
		t.Errorf("empty batch: entry %d, error %v", seq, err)
	}
	if _, _, err := l.Accept(t.Context(), collectors.Batch{Source: "pg", Events: traffic(0, 1)}); err != nil {
		t.Fatal(err)
	}
	if p, err := l.Position(t.Context(), "pg"); string(p) != "x" || err != nil {
		t.Errorf("position %q, error %v; want x: a batch without one leaves it", p, err)
	}
	if _, _, err := l.Accept(t.Context(), collectors.Batch{}); err == nil {
		t.Error("a batch of no source was accepted")
	}
}

func TestWhatBreaksTheRulesIsSetAside(t *testing.T) {
	t.Parallel()
	l := open(t, ledger.Config{}, ledger.Options{})
	batch := traffic(0, 8)
	batch[0].ID = ""
	batch[1].Time = time.Date(3026, 1, 1, 0, 0, 0, 0, time.UTC)
	batch[2].Actor.ID = ""
	batch[3].Received = time.Date(1970, 1, 1, 0, 0, 1, 0, time.UTC)
	batch[4].Fields = make([]string, vigil.MaxSubjects+1)
	batch[5].Shape = string(make([]byte, 5<<20))
	batch[6].UserAgent = "caf\xe9"
	batch[6].Source = ""
	_, fresh, err := l.Accept(t.Context(), collectors.Batch{Source: "pg", Events: batch})
	if err != nil || fresh != 2 {
		t.Fatalf("%d fresh, error %v; want 2", fresh, err)
	}
	kept := events(t, l)
	if kept[0].UserAgent != "caf\uFFFD" || kept[0].Source != "pg" {
		t.Errorf("kept as %q of %q", kept[0].UserAgent, kept[0].Source)
	}
	set, err := l.Quarantined(t.Context(), 10)
	if err != nil {
		t.Fatal(err)
	}
	codes := map[string]int{}
	for _, q := range set {
		codes[q.Code]++
		if q.File != "postgresql.csv" || q.Line == 0 || q.Reason == "" {
			t.Errorf("does not say where or why: %+v", q)
		}
	}
	if diff := cmp.Diff(map[string]int{"event": 3, "clock": 1, "too-long": 2}, codes); diff != "" {
		t.Errorf("reasons (-want +got):\n%s", diff)
	}
}

// TestLargeBatchBecomesSeveralEntries keeps an entry within what a reader wants
// to hold.
func TestLargeBatchBecomesSeveralEntries(t *testing.T) {
	t.Parallel()
	l := open(t, ledger.Config{}, ledger.Options{})
	seq := accept(t, l, 0, 45_000)
	if seq != 3 {
		t.Errorf("last entry %d, want 3", seq)
	}
	if got := events(t, l); len(got) != 45_000 {
		t.Errorf("%d events came back", len(got))
	}
}

// TestConcurrentAccept has many callers with overlapping batches share commits.
func TestConcurrentAccept(t *testing.T) {
	t.Parallel()
	l := open(t, ledger.Config{}, ledger.Options{})
	var wg sync.WaitGroup
	var mu sync.Mutex
	total := 0
	for i := range 16 {
		wg.Go(func() {
			for j := range 10 {
				_, fresh, err := l.Accept(t.Context(), collectors.Batch{Source: "pg", Events: traffic((i/2*10+j)*20, 20)})
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				total += fresh
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if total != 1600 {
		t.Errorf("%d fresh events, want 1600", total)
	}
	ids := map[string]bool{}
	for _, e := range events(t, l) {
		if ids[e.ID] {
			t.Errorf("event %s twice", e.ID)
		}
		ids[e.ID] = true
	}
	if len(ids) != 1600 {
		t.Errorf("%d events in the log", len(ids))
	}
}

func TestAcceptWaitsWhileTheLogIsBehind(t *testing.T) {
	t.Parallel()
	l := open(t, ledger.Config{MaxPending: 50}, ledger.Options{})
	accept(t, l, 0, 60)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := l.Accept(ctx, collectors.Batch{Source: "pg", Events: traffic(60, 1)}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that of the context", err)
	}
	done := make(chan error, 1)
	go func() {
		_, _, err := l.Accept(t.Context(), collectors.Batch{Source: "pg", Events: traffic(60, 1)})
		done <- err
	}()
	applyAll(t, l)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestWaitWakesTheApplier(t *testing.T) {
	t.Parallel()
	l := open(t, ledger.Config{}, ledger.Options{})
	done := make(chan error, 1)
	go func() { done <- l.Wait(t.Context(), 0) }()
	accept(t, l, 0, 1)
	if err := <-done; err != nil {
		t.Error(err)
	}
	go func() { done <- l.Wait(t.Context(), 1) }()
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if err := <-done; !errors.Is(err, ledger.ErrClosed) {
		t.Errorf("error %v, want ErrClosed", err)
	}
	if _, _, err := l.Accept(t.Context(), collectors.Batch{Source: "pg"}); !errors.Is(err, ledger.ErrClosed) {
		t.Errorf("accept after close: %v, want ErrClosed", err)
	}
}

func TestSecondOpenIsToldWhoHasIt(t *testing.T) {
	t.Parallel()
	cfg := ledger.Config{Dir: t.TempDir()}
	open(t, cfg, ledger.Options{})
	_, err := ledger.Open(t.Context(), cfg, ledger.Options{})
	var locked *ledger.LockedError
	if !errors.As(err, &locked) || locked.PID == 0 {
		t.Errorf("error %v, want a LockedError with a process", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]ledger.Config{
		"no folder":       {},
		"short retention": {Dir: t.TempDir(), Retention: time.Minute},
		"evidence":        {Dir: t.TempDir(), Evidence: "nowhere://x"},
	} {
		if l, err := ledger.Open(t.Context(), cfg, ledger.Options{}); err == nil {
			t.Errorf("%s: accepted", name)
			_ = l.Close()
		}
	}
}

func TestLapsesFollowTheirEvents(t *testing.T) {
	t.Parallel()
	l := open(t, ledger.Config{}, ledger.Options{})
	many := make([]vigil.Lapse, 250)
	for i := range many {
		many[i] = vigil.Lapse{Source: "forged", Kind: vigil.LapseHole, Start: start, End: start, Missing: int64(i), Text: "numbers are missing"}
	}
	b := collectors.Batch{Source: "pg", Position: []byte("p"), Events: traffic(0, 3), Lapses: many}
	if _, _, err := l.Accept(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	entries, err := l.Entries(t.Context(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 101 || entries[0].Kind != vigil.EntryEvents {
		t.Fatalf("got %d entries, want the events and 100 lapses", len(entries))
	}
	var last vigil.Lapse
	if err := json.Unmarshal(entries[100].Control.Data, &last); err != nil {
		t.Fatal(err)
	}
	want := vigil.Lapse{Source: "pg", Kind: vigil.LapseHole, Start: start, End: start, Missing: 99, Text: "numbers are missing There were 150 more at once."}
	if diff := cmp.Diff(want, last); diff != "" || entries[100].Control.Type != vigil.ControlLapse {
		t.Errorf("%s: %s", entries[100].Control.Type, diff)
	}
}

func TestOneSourceLeavesRoomForOthers(t *testing.T) {
	t.Parallel()
	cfg := ledger.Config{MaxPending: 100, Dir: filepath.Join(t.TempDir(), "ledger")}
	l := open(t, cfg, ledger.Options{})
	accept(t, l, 0, 60)
	l = reopen(t, l, cfg) // what waits is counted anew
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, _, err := l.Accept(ctx, collectors.Batch{Source: "pg", Events: traffic(60, 1)})
		done <- err
	}()
	other := traffic(0, 10)
	for _, e := range other {
		e.Source = "nginx"
	}
	if _, _, err := l.Accept(t.Context(), collectors.Batch{Source: "nginx", Events: other}); err != nil {
		t.Error(err)
	}
	select {
	case err := <-done:
		t.Errorf("a source that floods is let in: %v", err)
	default:
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	applyAll(t, l)
	accept(t, l, 60, 1)
}
