package app

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"vigil/collectors"
)

// The waits between restarts of a collector: doubling from the first to the last,
// back to the first when it ran well for a while.
const (
	firstWait = time.Second
	lastWait  = time.Minute
	ranWell   = 5 * time.Minute
)

// supervisor runs collectors and starts those again that fail.
type supervisor struct {
	sink     collectors.Sink
	position func(ctx context.Context, source string) ([]byte, error)
	logger   *slog.Logger

	wg sync.WaitGroup

	mu     sync.Mutex
	faults map[string]string // source -> what ails it, absent when it runs
}

// start runs c under the name of its source until ctx ends. wait tells when all
// have returned.
func (s *supervisor) start(ctx context.Context, source string, c collectors.Collector) {
	s.wg.Go(func() { s.supervise(ctx, source, c) })
}

// wait returns when all collectors have returned, or ctx has ended.
func (s *supervisor) wait(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		s.wg.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for collectors: %w", ctx.Err())
	}
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
		if err.Error() != last {
			s.logger.Warn("collector failed; it will be started again", "source", source, "error", err.Error(), "wait", wait.String())
			last = err.Error()
		}
		s.setFault(source, err.Error())
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
	ran := time.AfterFunc(2*firstWait, func() { s.setFault(source, "") })
	defer ran.Stop()
	return c.Run(ctx, position, s.sink)
}

func (s *supervisor) setFault(source, fault string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if fault == "" {
		delete(s.faults, source)
		return
	}
	if s.faults == nil {
		s.faults = map[string]string{}
	}
	s.faults[source] = fault
}

// seedOf is the FNV-1a hash of a name.
func seedOf(name string) uint64 {
	h := uint64(14695981039346656037)
	for i := 0; i < len(name); i++ {
		h = (h ^ uint64(name[i])) * 1099511628211
	}
	return h
}
