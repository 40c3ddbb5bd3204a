package app

import (
	"sync"
	"time"

	"vigil"
)

const (
	// patience is how far behind the clock a tick's watermark stays: events wait
	// so long for their order.
	patience = 30 * time.Second
	// catchingUp is for how long after its last batch a source that is behind
	// still holds the watermark back, and how long sources have after the start
	// to show themselves.
	catchingUp = 45 * time.Second
	// behind is how old a source's newest event may be before it counts as one
	// that reads the past.
	behind = 2 * time.Minute
)

// pace knows how far each source has come, so that a tick never declares over
// what a source is still reading: after a stop, or at the first start on logs of
// weeks. It is safe for concurrent use.
type pace struct {
	now   func() time.Time
	began time.Time

	mu      sync.Mutex
	sources map[string]*progressOf
}

type progressOf struct {
	newest time.Time // event time
	seen   time.Time // when the last batch came
}

func newPace(now func() time.Time) *pace {
	return &pace{now: now, began: now(), sources: map[string]*progressOf{}}
}

// saw notes a batch.
func (p *pace) saw(source string, events []*vigil.Event) {
	now := p.now()
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.sources[source]
	if s == nil {
		s = &progressOf{}
		p.sources[source] = s
	}
	s.seen = now
	for _, e := range events {
		if e.Time.After(s.newest) {
			s.newest = e.Time
		}
	}
}

// watermark returns the event time up to which everything has arrived as far as
// can be known; ok is false when no tick should be given yet.
func (p *pace) watermark() (t time.Time, ok bool) {
	now := p.now()
	if now.Sub(p.began) < catchingUp {
		return time.Time{}, false
	}
	t = now.Add(-patience)
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.sources {
		if now.Sub(s.seen) < catchingUp && now.Sub(s.newest) > behind && s.newest.Before(t) {
			t = s.newest.Add(-patience)
		}
	}
	return t, true
}
