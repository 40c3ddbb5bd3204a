package app

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"vigil/collectors"
)

type collectorFunc func(ctx context.Context, position []byte, sink collectors.Sink) error

func (f collectorFunc) Run(ctx context.Context, position []byte, sink collectors.Sink) error {
	return f(ctx, position, sink)
}

func testSupervisor() *supervisor {
	return &supervisor{
		sink:     collectors.SinkFunc(func(context.Context, collectors.Batch) error { return nil }),
		position: func(context.Context, string) ([]byte, error) { return []byte("p"), nil },
		logger:   slog.New(slog.DiscardHandler),
	}
}

func TestSupervisorRestartsWithGrowingWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var starts []time.Time
		s := testSupervisor()
		s.start(ctx, "a", collectorFunc(func(ctx context.Context, position []byte, _ collectors.Sink) error {
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
		}))
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
		cancel()
		if err := s.wait(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestSupervisorTellsFaults(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s := testSupervisor()
		s.start(ctx, "a", collectorFunc(func(context.Context, []byte, collectors.Sink) error { return errors.New("source is away") }))
		s.start(ctx, "b", collectorFunc(func(context.Context, []byte, collectors.Sink) error { return nil }))
		synctest.Wait()
		if f := s.faulty(); len(f) != 1 || f["a"] != "source is away" {
			t.Errorf("faults %v", f)
		}
		cancel()
		if err := s.wait(t.Context()); err != nil {
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
