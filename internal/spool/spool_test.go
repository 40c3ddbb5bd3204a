package spool_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"vigil"
	"vigil/collectors"
	"vigil/collectors/collectorstest"
	"vigil/collectors/relay"
	"vigil/internal/spool"
)

var key = []byte("0123456789abcdef0123456789abcdef")

func open(t *testing.T, cfg spool.Config) *spool.Spool {
	t.Helper()
	if cfg.Key == nil {
		cfg.Key = key
	}
	s, err := spool.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func batch(source string, from, n int) collectors.Batch {
	b := collectors.Batch{Source: source, Position: fmt.Appendf(nil, "at canary-%d", from+n)}
	for i := from; i < from+n; i++ {
		e := vigil.NewEvent()
		e.ID, e.Time = fmt.Sprintf("id-%d", i), time.Date(2026, 11, 2, 9, 0, i, 0, time.UTC)
		e.Actor.ID, e.Action, e.Subjects = "canary-ann", vigil.ActionRead, []string{fmt.Sprintf("c%d", i)}
		b.Events = append(b.Events, e)
	}
	return b
}

func accept(t *testing.T, s *spool.Spool, b collectors.Batch) {
	t.Helper()
	if err := s.Accept(t.Context(), b); err != nil {
		t.Fatal(err)
	}
}

func position(t *testing.T, s *spool.Spool, source string) string {
	t.Helper()
	p, err := s.Position(t.Context(), source)
	if err != nil {
		t.Fatal(err)
	}
	return string(p)
}

func TestFramesAndPositionsOutliveTheProcess(t *testing.T) {
	t.Parallel()
	cfg := spool.Config{Dir: t.TempDir()}
	s := open(t, cfg)
	if p := position(t, s, "db"); p != "" {
		t.Errorf("position %q", p)
	}
	accept(t, s, batch("db", 1, 3))
	accept(t, s, batch("web", 1, 1))
	accept(t, s, batch("db", 4, 1))
	accept(t, s, collectors.Batch{Source: "db", Position: []byte("alone")})
	first, err := s.Next(t.Context(), "db")
	if err != nil || first.Sequence != 1 {
		t.Fatalf("%+v, %v", first, err)
	}
	if err := s.Sent(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	waiting := s.Waiting()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, cfg)
	if p := position(t, s, "db"); p != "alone" {
		t.Errorf("position %q", p)
	}
	if s.Waiting() < waiting || s.Waiting() == 0 {
		t.Errorf("%d bytes wait, before it were %d", s.Waiting(), waiting)
	}
	second, err := s.Next(t.Context(), "db")
	if err != nil || second.Sequence != 2 || second.Previous != first.Sum() || second.Stream != first.Stream {
		t.Errorf("%+v, %v", second, err)
	}
	b, err := relay.Unpack(second.Body)
	if err != nil || len(b.Events) != 1 || b.Events[0].ID != "id-4" {
		t.Errorf("%+v, %v", b, err)
	}
	// The chain goes on though its frames are gone.
	if err := s.Sent(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	accept(t, s, batch("db", 5, 1))
	if third, err := s.Next(t.Context(), "db"); err != nil || third.Sequence != 3 || third.Previous != second.Sum() {
		t.Errorf("%+v, %v", third, err)
	}
	if sources, err := s.Sources(t.Context()); err != nil || len(sources) != 2 {
		t.Errorf("%v, %v", sources, err)
	}
}

// Nothing of a person lies there in the clear.
func TestItIsEncrypted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, spool.Config{Dir: dir})
	accept(t, s, batch("db", 1, 100))
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, canary := range []string{"canary", string(key)} {
			if bytes.Contains(text, []byte(canary)) {
				t.Errorf("%s holds %q", f, canary)
			}
		}
	}
}

func TestAnotherKeyIsTold(t *testing.T) {
	t.Parallel()
	cfg := spool.Config{Dir: t.TempDir(), Key: key}
	s := open(t, cfg)
	accept(t, s, batch("db", 1, 1))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	cfg.Key = bytes.Repeat([]byte("y"), 32)
	if _, err := spool.Open(t.Context(), cfg); err == nil {
		t.Error("it opens with another key")
	}
	for _, bad := range []spool.Config{{Key: key}, {Dir: t.TempDir(), Key: []byte("short")}} {
		if _, err := spool.Open(t.Context(), bad); err == nil {
			t.Errorf("%+v is taken", bad.Dir)
		}
	}
}

// Full, it refuses, says when to come again, and takes in again once there is room.
func TestFull(t *testing.T) {
	t.Parallel()
	free := int64(1 << 40)
	s := open(t, spool.Config{Dir: t.TempDir(), MaxBytes: 4_000, Free: func(string) (int64, error) { return free, nil }})
	n := 0
	var err error
	for err == nil {
		n++
		err = s.Accept(t.Context(), batch("db", n, 1))
	}
	var later collectors.Later
	if !errors.As(err, &later) || later.RetryAfter() <= 0 {
		t.Fatalf("error %v", err)
	}
	if p := position(t, s, "db"); p != fmt.Sprintf("at canary-%d", n) {
		t.Errorf("the position %q moved with a batch that was refused", p)
	}
	f, err := s.Next(t.Context(), "db")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Sent(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	accept(t, s, batch("db", n, 1))
	free = 0
	if err := s.Accept(t.Context(), batch("db", n+1, 1)); !errors.As(err, &later) {
		t.Errorf("error %v with a full disk", err)
	}
}

// One source that nobody takes leaves room for the others.
func TestOneSourceLeavesRoom(t *testing.T) {
	t.Parallel()
	s := open(t, spool.Config{Dir: t.TempDir(), MaxBytes: 20_000})
	var err error
	for n := 1; err == nil; n++ {
		err = s.Accept(t.Context(), batch("refused", n, 1))
	}
	var later collectors.Later
	if !errors.As(err, &later) || s.Waiting() < 10_000 {
		t.Errorf("error %v, %d bytes wait", err, s.Waiting())
	}
	accept(t, s, batch("db", 1, 1))
	accept(t, s, batch("db", 2, 1))
}

// What waits is counted right, however frames go.
func TestWaiting(t *testing.T) {
	t.Parallel()
	cfg := spool.Config{Dir: t.TempDir()}
	s := open(t, cfg)
	for i := range 3 {
		accept(t, s, batch("db", i, 1))
	}
	spool.Damage(t, s, "db", 1)
	before := s.Waiting()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, cfg)
	if s.Waiting() != before {
		t.Errorf("%d bytes wait after a restart, %d before", s.Waiting(), before)
	}
	for {
		f, err := s.Next(t.Context(), "db")
		if err != nil {
			t.Fatal(err)
		}
		if f == nil {
			break
		}
		if err := s.Sent(t.Context(), f); err != nil {
			t.Fatal(err)
		}
	}
	if s.Waiting() != 0 {
		t.Errorf("%d bytes wait in an empty spool", s.Waiting())
	}
}

// A batch that no single frame holds goes in several, and an event that none can hold is
// set aside: else its source could never go on.
func TestWhatOneFrameCannotHold(t *testing.T) {
	t.Parallel()
	many := collectors.Batch{Source: "db", Position: []byte("after"), Lapses: []vigil.Lapse{{Kind: vigil.LapseHole}}}
	for i := range 100_002 {
		many.Quarantined = append(many.Quarantined, vigil.Quarantined{Line: int64(i + 1)})
	}
	large := batch("db", 1, 3)
	noise := make([]byte, 33<<20)
	_, _ = rand.NewChaCha8([32]byte{}).Read(noise) // never fails
	large.Events[1].UserAgent = string(noise)
	never := batch("db", 1, 3)
	never.Events[1].Time = time.Date(12_026, 1, 1, 0, 0, 0, 0, time.UTC)
	never.Events[0].Time = never.Events[0].Time.In(time.FixedZone("odd", 30*3600+7))
	never.Quarantined = []vigil.Quarantined{{Time: never.Events[1].Time}}
	never.Lapses = []vigil.Lapse{{Start: never.Events[1].Time, End: never.Events[1].Time}}
	for name, c := range map[string]struct {
		given                       collectors.Batch
		events, quarantined, lapses int
	}{"many": {many, 0, 100_002, 1}, "large": {large, 2, 1, 0}, "never": {never, 2, 2, 1}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t, spool.Config{Dir: t.TempDir()})
			accept(t, s, c.given)
			if p := position(t, s, "db"); p != string(c.given.Position) {
				t.Errorf("position %q", p)
			}
			events, quarantined, lapses := 0, 0, 0
			var sum relay.Sum
			for {
				f, err := s.Next(t.Context(), "db")
				if err != nil {
					t.Fatal(err)
				}
				if f == nil {
					break
				}
				b, err := relay.Unpack(f.Body)
				if err != nil || f.Previous != sum {
					t.Fatalf("frame %d: %v", f.Sequence, err)
				}
				sum = f.Sum()
				events, quarantined, lapses = events+len(b.Events), quarantined+len(b.Quarantined), lapses+len(b.Lapses)
				if err := s.Sent(t.Context(), f); err != nil {
					t.Fatal(err)
				}
			}
			if events != c.events || quarantined != c.quarantined || lapses != c.lapses {
				t.Errorf("%d events, %d set aside, %d lapses", events, quarantined, lapses)
			}
		})
	}
}

// A frame that the disk has changed is let go, and its number missing is told.
func TestADamagedFrameIsMissed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, spool.Config{Dir: dir})
	for i := range 3 {
		accept(t, s, batch("db", 1+i, 1))
	}
	spool.Damage(t, s, "db", 2)
	o := collectorstest.NewOracle("db", nil)
	r, err := relay.New(relay.Config{
		Peers:    []relay.Peer{{Name: "edge", Key: key, Sources: []string{"db"}}},
		Position: func(context.Context, string) ([]byte, error) { return o.Position(), nil },
	}, o)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(r)
	t.Cleanup(srv.Close)
	sender, err := relay.NewSender(relay.SenderConfig{URL: srv.URL, Collector: "edge", Key: key}, relay.SenderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { sender.Run(ctx, s); done <- nil }()
	o.Await(t, "two events", func(events, _, _ int) bool { return events == 2 })
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	ls := o.Lapses()
	if len(ls) != 1 || ls[0].Kind != vigil.LapseHole || o.Event(2) != nil || o.Event(3) == nil {
		t.Errorf("lapses %+v", ls)
	}
}

func BenchmarkAccept(b *testing.B) {
	s, err := spool.Open(b.Context(), spool.Config{Dir: b.TempDir(), Key: key})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	one := batch("db", 1, 4_096)
	for b.Loop() {
		if err := s.Accept(b.Context(), one); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(4_096*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
