package app

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"vigil/collectors"
	"vigil/internal/config"
)

type collectorFunc func(ctx context.Context, position []byte, sink collectors.Sink) error

func (f collectorFunc) Run(ctx context.Context, position []byte, sink collectors.Sink) error {
	return f(ctx, position, sink)
}

func testSupervisor() *supervisor {
	return newSupervisor(
		collectors.SinkFunc(func(context.Context, collectors.Batch) error { return nil }),
		func(context.Context, string) ([]byte, error) { return []byte("p"), nil }, slog.New(slog.DiscardHandler))
}

// start makes one collector run beside those that do.
func start(t *testing.T, s *supervisor, all map[string]collectorFunc) {
	t.Helper()
	want := map[string]desired{}
	for source, c := range all {
		want[source] = desired{collector: c}
	}
	s.apply(t.Context(), want)
}

func TestSupervisorRestartsWithGrowingWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var starts []time.Time
		s := testSupervisor()
		start(t, s, map[string]collectorFunc{"a": func(ctx context.Context, position []byte, _ collectors.Sink) error {
			if string(position) != "p" {
				t.Errorf("position %q", position)
			}
			starts = append(starts, time.Now())
			switch {
			case len(starts) == 3:
				panic("odd")
			case len(starts) < 6:
				return errors.New("source is away")
			}
			<-ctx.Done()
			return nil
		}})
		<-time.After(40 * time.Second)
		synctest.Wait()
		if len(starts) != 6 {
			t.Fatalf("%d starts", len(starts))
		}
		want := time.Second
		for i := range 5 {
			got := starts[i+1].Sub(starts[i])
			if got < want || got > want*5/4 {
				t.Errorf("wait %d was %s", i, got)
			}
			want *= 2
		}
		<-time.After(10 * time.Second)
		synctest.Wait()
		if f := s.faulty(); len(f) != 0 {
			t.Errorf("a running collector has faults: %v", f)
		}
		if err := s.stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestSupervisorTellsFaults(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := testSupervisor()
		start(t, s, map[string]collectorFunc{
			"a": func(context.Context, []byte, collectors.Sink) error { return errors.New("source is away") },
			"b": func(context.Context, []byte, collectors.Sink) error { return nil },
		})
		synctest.Wait()
		if f := s.faulty(); len(f) != 1 || f["a"] != "source is away" {
			t.Errorf("faults %v", f)
		}
		if err := s.stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// One that takes another's place waits until that has handed over what it held.
func TestSupervisorExchanges(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := testSupervisor()
		var order []string
		var mu sync.Mutex
		say := func(what string) {
			mu.Lock()
			defer mu.Unlock()
			order = append(order, what)
		}
		one := func(name string) collectorFunc {
			return func(ctx context.Context, _ []byte, _ collectors.Sink) error {
				say(name + " starts")
				<-ctx.Done()
				<-time.After(3 * time.Second) // its last hand-over
				say(name + " ends")
				return nil
			}
		}
		first, second := config.PrintOf("1"), config.PrintOf("2")
		s.apply(t.Context(), map[string]desired{"a": {first, one("old a")}, "b": {first, one("b")}})
		synctest.Wait()
		if !s.runs("a", first) || s.runs("a", second) || s.runs("c", first) {
			t.Error("what runs is not known")
		}
		s.apply(t.Context(), map[string]desired{"a": {second, one("new a")}, "b": {print: first}})
		<-time.After(10 * time.Second)
		s.apply(t.Context(), map[string]desired{"b": {print: first}})
		want := []string{"old a starts", "b starts", "old a ends", "new a starts", "new a ends"}
		mu.Lock()
		slices.Sort(order[:2])
		slices.Sort(want[:2])
		if !slices.Equal(order, want) {
			t.Errorf("order %q", order)
		}
		mu.Unlock()
		if err := s.stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestCleanupsRunInReverseAndBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var order []string
		var stuck atomic.Bool
		c := &cleanups{}
		step := func(name string, err error) {
			c.add(name, func(context.Context) error { order = append(order, name); return err })
		}
		step("first", nil)
		step("second", errors.New("broken"))
		c.add("stuck", func(ctx context.Context) error {
			stuck.Store(true)
			<-ctx.Done()
			return ctx.Err()
		})
		c.add("mad", func(context.Context) error { panic("odd") })
		step("last", nil)
		err := c.run(t.Context())
		if got := strings.Join(order, " "); got != "last second first" || !stuck.Load() {
			t.Errorf("order %s", got)
		}
		for _, want := range []string{"second: broken", "stuck: context deadline", "mad: panic: odd"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%q is not in %v", want, err)
			}
		}
		if err := c.run(t.Context()); err != nil {
			t.Errorf("the steps run twice: %v", err)
		}
	})
}
