package schedule_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"vigil/internal/schedule"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pass lets a bubble's clock run on.
func pass(d time.Duration) { <-time.After(d) }

func TestParse(t *testing.T) {
	t.Parallel()
	for _, spec := range []string{"0 7 * * *", "30 3 * * *", "@every 10s", "@every 5m", "@daily", "*/5 * * * *", "0 9 * * MON-FRI", "0 0 29 2 *"} {
		if _, err := schedule.Parse(spec); err != nil {
			t.Errorf("%q: %v", spec, err)
		}
	}
	for _, spec := range []string{
		"", " ", "TZ=UTC", "CRON_TZ=UTC", "TZ=UTC 0 7 * * *", "TZ=", "0 7 * *", "0 7 * * * *", "60 7 * * *", "0 24 * * *", "0 7 31 2 *", "@", "@noon",
		"@every", "@every ", "@every x", "@every 0s", "@every -5s", "@every 500ms", "@every 1500ms", "every 10s", strings.Repeat("1,", 200) + " * * * *", "*/0 * * * *", "1-0 * * * *",
	} {
		_, err := schedule.Parse(spec)
		if err == nil {
			t.Errorf("%q is accepted", spec)
			continue
		}
		if msg := err.Error(); !strings.Contains(msg, "@every 10s") && !strings.Contains(msg, "leave it out") {
			t.Errorf("%q: the error has no remedy: %v", spec, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"0 7 * * *", "TZ=UTC", "@every 1h", "CRON_TZ=Europe/Berlin 1 2 3 4 5", "*/0 * * * *", "1-2/3,4 * * * *"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, spec string) {
		s, err := schedule.Parse(spec)
		if err == nil && !s.Next(time.Unix(1e9, 0).UTC()).After(time.Unix(1e9, 0)) {
			t.Fatalf("%q does not go forward", spec)
		}
	})
}

func TestRunsOnTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := schedule.New(schedule.Options{})
		var ticks, digests []time.Time
		add(t, s, "ticks", "@every 10s", func(context.Context) error { ticks = append(ticks, time.Now().UTC()); return nil })
		add(t, s, "digest", "0 7 * * *", func(context.Context) error { digests = append(digests, time.Now().UTC()); return nil })
		s.Start()
		s.Start() // again does no harm
		began := time.Now()
		pass(48*time.Hour + time.Second)
		synctest.Wait()
		st := s.Stats()
		if n := len(ticks); n != 48*360 || st["ticks"].Runs != int64(n) || st["ticks"].Next.Before(time.Now()) {
			t.Errorf("%d ticks, stats %+v", n, st["ticks"])
		}
		if d := ticks[0].Sub(began.UTC()); d != 10*time.Second {
			t.Errorf("first tick after %v", d)
		}
		if len(digests) != 2 || digests[0].Hour() != 7 || digests[0].Minute() != 0 {
			t.Errorf("digests at %v", digests)
		}
		if err := s.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		pass(time.Hour)
		if len(ticks) != 48*360 {
			t.Error("a job runs after Stop")
		}
		if err := s.Add(schedule.Job{Name: "late", Spec: "@daily", Run: func(context.Context) error { return nil }}); err == nil {
			t.Error("a job is added after Stop")
		}
	})
}

func TestLocation(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("UTC+5", 5*3600)
	synctest.Test(t, func(t *testing.T) {
		s := schedule.New(schedule.Options{Location: zone})
		var at time.Time
		add(t, s, "digest", "0 7 * * *", func(context.Context) error { at = time.Now().UTC(); return nil })
		s.Start()
		pass(24 * time.Hour)
		synctest.Wait()
		if at.Hour() != 2 {
			t.Errorf("ran at %v", at)
		}
		if err := s.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

func TestSkipsWhileRunning(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := schedule.New(schedule.Options{})
		var running, most atomic.Int64
		add(t, s, "slow", "@every 10s", func(context.Context) error {
			if n := running.Add(1); n > most.Load() {
				most.Store(n)
			}
			defer running.Add(-1)
			pass(35 * time.Second)
			return nil
		})
		s.Start()
		pass(10 * time.Minute)
		st := s.Stats()["slow"]
		// A run starts each 40 s, so three of four times are skipped.
		if most.Load() != 1 || st.Runs < 14 || st.Runs > 15 || st.Skipped < 43 || st.Skipped > 46 || st.Took != 35*time.Second {
			t.Errorf("at once %d, stats %+v", most.Load(), st)
		}
		if err := s.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

// TestPanicDoesNotWedge: after a panic the job runs again at its next time.
func TestPanicDoesNotWedge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		s := schedule.New(schedule.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
		var calls int
		add(t, s, "bad", "@every 10s", func(context.Context) error {
			if calls++; calls <= 3 {
				panic("oops")
			}
			return nil
		})
		s.Start()
		pass(65 * time.Second)
		synctest.Wait()
		st := s.Stats()["bad"]
		if st.Panics != 3 || st.Failures != 3 || st.Runs != 3 || st.Skipped != 0 || st.Err != nil {
			t.Errorf("stats %+v", st)
		}
		if err := s.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if text := log.String(); strings.Count(text, "a regular job failed") != 1 || strings.Count(text, "works again") != 1 || strings.Count(text, "stack of a panic") != 1 || !strings.Contains(text, "schedule_test") {
			t.Errorf("log:\n%s", text)
		}
	})
}

func TestErrorsAreLoggedWhenTheyChange(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		s := schedule.New(schedule.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
		outcomes := []error{nil, errors.New("disk full"), errors.New("disk full"), errors.New("disk broken"), errors.New("disk broken"), nil, nil}
		var calls int
		add(t, s, "prune", "@every 1m", func(context.Context) error {
			calls++
			return outcomes[(calls-1)%len(outcomes)]
		})
		s.Start()
		pass(7*time.Minute + time.Second)
		synctest.Wait()
		if st := s.Stats()["prune"]; st.Runs != 3 || st.Failures != 4 || st.Err != nil {
			t.Errorf("stats %+v", st)
		}
		if n := strings.Count(log.String(), "\n"); n != 3 {
			t.Errorf("%d lines:\n%s", n, log.String())
		}
		if err := s.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

func TestStop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := schedule.New(schedule.Options{})
		release := make(chan struct{})
		add(t, s, "polite", "@every 10s", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		add(t, s, "stubborn", "@every 10s", func(context.Context) error { <-release; return nil })
		s.Start()
		pass(15 * time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		if err := s.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the deadline", err)
		}
		if st := s.Stats()["polite"]; st.Failures != 0 {
			t.Errorf("a cancelled job counts as failed: %+v", st)
		}
		close(release)
		if err := s.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
	// A schedule that never started stops too.
	if err := schedule.New(schedule.Options{}).Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestRunNow(t *testing.T) {
	t.Parallel()
	s := schedule.New(schedule.Options{})
	boom := errors.New("boom")
	add(t, s, "ok", "@daily", func(context.Context) error { return nil })
	add(t, s, "bad", "@daily", func(context.Context) error { return boom })
	add(t, s, "panics", "@daily", func(context.Context) error { panic("oops") })
	if err := s.RunNow(t.Context(), "ok"); err != nil {
		t.Error(err)
	}
	if err := s.RunNow(t.Context(), "bad"); !errors.Is(err, boom) {
		t.Error(err)
	}
	if err := s.RunNow(t.Context(), "panics"); err == nil {
		t.Error("a panic is no error")
	}
	if err := s.RunNow(t.Context(), "none"); err == nil {
		t.Error("no such job runs")
	}
	if st := s.Stats(); st["ok"].Runs != 1 || st["bad"].Failures != 1 || st["panics"].Panics != 1 {
		t.Errorf("stats %+v", st)
	}
	for _, j := range []schedule.Job{{}, {Name: "x", Spec: "@daily"}, {Name: "x", Spec: "nonsense", Run: func(context.Context) error { return nil }}, {Name: "ok", Spec: "@daily", Run: func(context.Context) error { return nil }}} {
		if err := s.Add(j); err == nil {
			t.Errorf("%+v is accepted", j.Name)
		}
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

func add(t *testing.T, s *schedule.Schedule, name, spec string, run func(context.Context) error) {
	t.Helper()
	if err := s.Add(schedule.Job{Name: name, Spec: spec, Run: run}); err != nil {
		t.Fatal(err)
	}
}
