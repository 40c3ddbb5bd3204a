package app

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"vigil/collectors"
	"vigil/internal/config"
)

// The waits between restarts of a collector: doubling from the first to the last,
// back to the first when it ran well for a while.
const (
	firstWait = time.Second
	lastWait  = time.Minute
	ranWell   = 5 * time.Minute
)

// supervisor runs collectors and starts those again that fail. It is safe for concurrent
// use, save apply and stop, which are for one goroutine.
type supervisor struct {
	sink     collectors.Sink
	position func(ctx context.Context, source string) ([]byte, error)
	logger   *slog.Logger

	mu      sync.Mutex        // guards all below
	faults  map[string]string // source -> what ails it, absent when it runs
	running map[string]*watch
}

// desired is a collector that is to run, and what it was made of.
type desired struct {
	print config.Print
	// collector is nil where the one that runs is to go on.
	collector collectors.Collector
}

// watch is a collector that is watched over.
type watch struct {
	print  config.Print
	cancel context.CancelFunc
	done   chan struct{}
}

func newSupervisor(sink collectors.Sink, position func(context.Context, string) ([]byte, error), logger *slog.Logger) *supervisor {
	return &supervisor{sink: sink, position: position, logger: logger, faults: map[string]string{}, running: map[string]*watch{}}
}

// runs reports whether a source's collector, made of the same, is watched over.
func (s *supervisor) runs(source string, print config.Print) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.running[source]
	return w != nil && w.print == print
}

// apply makes the wanted collectors run and no others. A collector that takes another's
// place starts once that one has returned, and has handed over what it held; those that
// are no longer wanted have been retired, see there. Collectors outlive ctx.
func (s *supervisor) apply(ctx context.Context, all map[string]desired) {
	s.retire(ctx, all)
	run := context.WithoutCancel(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	for source, next := range all {
		if next.collector == nil {
			continue
		}
		run, cancel := context.WithCancel(run)
		w := &watch{print: next.print, cancel: cancel, done: make(chan struct{})}
		before := s.running[source]
		if before != nil {
			before.cancel()
			delete(s.faults, source)
		}
		s.running[source] = w
		go func() {
			defer close(w.done)
			if before != nil {
				<-before.done
			}
			s.supervise(run, source, next.collector)
		}()
	}
}

// retire ends the collectors of sources that none is wanted for. They have returned when it
// does, and have handed over what they held, unless ctx ends.
func (s *supervisor) retire(ctx context.Context, all map[string]desired) {
	s.mu.Lock()
	gone := map[string]*watch{}
	for source, w := range s.running {
		if _, stays := all[source]; !stays {
			w.cancel()
			gone[source] = w
			delete(s.running, source)
			delete(s.faults, source)
		}
	}
	s.mu.Unlock()
	if err := wait(ctx, gone); err != nil {
		s.logger.Warn("a source that is no longer read has not ended yet", "error", err.Error())
	}
}

// stop ends all collectors and returns when they have returned, or ctx has ended.
func (s *supervisor) stop(ctx context.Context) error {
	s.mu.Lock()
	all := s.running
	s.running = map[string]*watch{}
	s.mu.Unlock()
	for _, w := range all {
		w.cancel()
	}
	return wait(ctx, all)
}

// wait returns when all have returned, or ctx has ended.
func wait(ctx context.Context, all map[string]*watch) error {
	for source, w := range all {
		select {
		case <-w.done:
		case <-ctx.Done():
			return fmt.Errorf("wait for the collector of %q: %w", source, ctx.Err())
		}
	}
	return nil
}

// faulty lists the sources that are not running now, with the reason.
func (s *supervisor) faulty() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make(map[string]string, len(s.faults))
	for source, fault := range s.faults {
		out[source] = fault
	}
	return out
}

func (s *supervisor) supervise(ctx context.Context, source string, c collectors.Collector) {
	wait, last := firstWait, ""
	// Restarts of several sources shall not fall on one moment; the seed is the
	// name's, so that a run can be repeated.
	jitter := rand.New(rand.NewPCG(uint64(len(source)), seedOf(source)))
	for ctx.Err() == nil {
		began := time.Now()
		err := s.runOnce(ctx, source, c)
		if ctx.Err() != nil {
			if err != nil {
				s.logger.Warn("collector ended badly", "source", source, "error", err.Error())
			}
			return
		}
		if err == nil {
			return // a source with an end
		}
		if time.Since(began) > ranWell {
			wait = firstWait
		}
		if text := bounded(err); text != last {
			s.logger.Warn("collector failed; it will be started again", "source", source, "error", text, "wait", wait.String())
			last = text
		}
		s.setFault(ctx, source, err.Error())
		pause := wait + time.Duration(jitter.Int64N(int64(wait/4)))
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		wait = min(2*wait, lastWait)
	}
}

func (s *supervisor) runOnce(ctx context.Context, source string, c collectors.Collector) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic in collector: %v", r)
		}
	}()
	position, err := s.position(ctx, source)
	if err != nil {
		return fmt.Errorf("read position: %w", err)
	}
	ran := time.AfterFunc(2*firstWait, func() { s.setFault(ctx, source, "") })
	defer ran.Stop()
	return c.Run(ctx, position, s.sink)
}

// setFault says what ails a source, unless its collector, whose context it gets, is no
// longer the one that reads it.
func (s *supervisor) setFault(ctx context.Context, source, fault string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ctx.Err() != nil {
		return
	}
	if fault == "" {
		delete(s.faults, source)
		return
	}
	s.faults[source] = fault
}

// maxFault bounds what is told of a fault, in bytes: parts of it are the other end's.
const maxFault = 1_000

func bounded(err error) string {
	text := err.Error()
	if len(text) <= maxFault {
		return text
	}
	return strings.ToValidUTF8(text[:maxFault], "") + "…"
}

// seedOf is the FNV-1a hash of a name.
func seedOf(name string) uint64 {
	h := uint64(14695981039346656037)
	for i := 0; i < len(name); i++ {
		h = (h ^ uint64(name[i])) * 1099511628211
	}
	return h
}
