package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"

	"vigil/internal/config"
)

// The parts that a reload replaces, each when what it is made of has changed.
const (
	partTelling  = "telling"
	partJudging  = "judging"
	partShipping = "shipping"
	partFeeds    = "feeds"
	partJobs     = "schedule"
)

// part is something that runs, and what it was made of.
type part struct {
	print config.Print
	stop  func(ctx context.Context) error
}

// made reports whether a part runs that was made of the same. It needs reloading.
func (a *App) made(name string, print config.Print) bool {
	p := a.parts[name]
	return p != nil && p.print == print
}

// replace starts a part in place of the one of its name, unless that was made of the
// same. It needs reloading. The old one is stopped first: two of a kind must not work on
// one ledger. start returns what stops the part; nil when there is nothing to.
func (a *App) replace(ctx context.Context, name string, print config.Print, start func() (stop func(context.Context) error, err error)) error {
	if a.made(name, print) {
		return nil
	}
	if err := a.stopPart(ctx, name); err != nil {
		return err
	}
	stop, err := start()
	if err != nil {
		return fmt.Errorf("start %s: %w", name, err)
	}
	if stop == nil {
		stop = func(context.Context) error { return nil }
	}
	a.parts[name] = &part{print, stop}
	return nil
}

// stopPart stops a part, if it runs.
func (a *App) stopPart(ctx context.Context, name string) error {
	p := a.parts[name]
	if p == nil {
		return nil
	}
	if err := p.stop(ctx); err != nil {
		return fmt.Errorf("stop %s: %w", name, err) // it may run on: a later stop waits again
	}
	delete(a.parts, name)
	return nil
}

// background runs something until stop is called. Its error ends the service.
func (a *App) background(ctx context.Context, name string, run func(ctx context.Context) error) (stop func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if r := recover(); r != nil {
				a.fail(fmt.Errorf("%s: panic: %v", name, r))
			}
		}()
		if err := run(ctx); err != nil {
			a.fail(fmt.Errorf("%s: %w", name, err))
		}
	}()
	return func(wait context.Context) error {
		cancel()
		select {
		case <-done:
			return nil
		case <-wait.Done():
			return wait.Err()
		}
	}
}

// stopAll makes one stop of several, the last first.
func stopAll(stops ...func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		var all []error
		for i := len(stops) - 1; i >= 0; i-- {
			if stops[i] != nil {
				all = append(all, stops[i](ctx))
			}
		}
		return errors.Join(all...)
	}
}

// door leads to a handler that can be exchanged. A request that has entered is served by
// the one it found.
type door struct{ behind atomic.Pointer[http.ServeMux] }

func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h := d.behind.Load(); h != nil {
		h.ServeHTTP(w, r)
		return
	}
	w.Header().Set("Retry-After", "1")
	http.Error(w, "starting", http.StatusServiceUnavailable)
}
