package ledger

import (
	"context"
	"sync"
)

// signal wakes all who wait for a kind of news.
type signal struct {
	mu sync.Mutex
	c  chan struct{}
}

func newSignal() *signal { return &signal{c: make(chan struct{})} }

// next returns a channel that is closed at the next broadcast. Take it, look,
// and only then wait: so no news is missed.
func (s *signal) next() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.c
}

func (s *signal) broadcast() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.c)
	s.c = make(chan struct{})
}

// until waits until ready says true.
func (l *Ledger) until(ctx context.Context, s *signal, ready func() (bool, error)) error {
	for {
		next := s.next()
		if l.closed.Load() {
			return ErrClosed
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		ok, err := ready()
		if ok || err != nil {
			return err
		}
		select {
		case <-next:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
