package app

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"vigil/internal/api"
	"vigil/internal/ledger"
)

// standingWait is how long who looks waits for a measurement that has begun.
const standingWait = 50 * time.Millisecond

// standing knows how well triage does. Where something was said since, it is measured anew
// in the background, which takes seconds, and who looks meanwhile gets the one before. It is
// safe for concurrent use.
type standing struct {
	ledger *ledger.Ledger
	// said counts what people have said since the start.
	said   func() uint64
	ending context.Context
	logger *slog.Logger

	mu   sync.Mutex
	last api.TriageStanding // guarded by mu
	// known says that last is of the first count words; guarded by mu.
	known bool
	count uint64
	// over is closed when the measurement that runs is; nil where none runs. Guarded by mu.
	over chan struct{}
	done sync.WaitGroup
}

// look tells how well triage does, with Stale where that is being measured anew.
func (s *standing) look(ctx context.Context) api.TriageStanding {
	if over := s.begin(); over != nil {
		wait := time.NewTimer(standingWait)
		defer wait.Stop()
		select {
		case <-over:
		case <-wait.C:
		case <-ctx.Done():
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.last
	out.Stale = s.over != nil
	return out
}

// begin begins to measure where that is due. It returns what is closed once that is over,
// nil where it is not due.
func (s *standing) begin() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	count := s.said()
	if s.over != nil {
		return s.over
	}
	if s.known && s.count == count || s.ending.Err() != nil {
		return nil
	}
	over := make(chan struct{})
	s.over = over
	s.done.Go(func() {
		v, err := s.measure()
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.over = nil; err == nil {
			s.last, s.known, s.count = v, true, count
		} else if s.ending.Err() == nil {
			s.logger.Warn("it can't be told how well triage does", "error", err.Error())
		}
		close(over)
	})
	return over
}

// measure runs on a goroutine of its own, where a panic would end the program.
func (s *standing) measure() (out api.TriageStanding, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	judged, err := s.ledger.Judged(s.ending, judgedAtMost)
	if err != nil {
		return out, err
	}
	r, err := Triage(s.ending, judged, nil)
	if err != nil {
		return out, err
	}
	out = api.TriageStanding{Known: r.Known, Why: r.Why, AUC: r.AUC, Brier: r.Brier}
	for _, b := range r.Bins {
		out.Parts = append(out.Parts, api.Predicted{Said: b.Said, Was: b.Was, N: b.N})
	}
	return out, nil
}

// wait returns once nothing is measured; ending must be over.
func (s *standing) wait(context.Context) error {
	s.done.Wait()
	return nil
}
