package talk

import (
	"maps"
	"sync"
)

// once knows what was taken, so that it is taken once. It remembers at least the last
// maxOnce/2; the desk, which is told an id too, remembers for good.
type once struct {
	mu           sync.Mutex // guards the rest
	seen, before map[string]struct{}
}

const maxOnce = 20_000

func newOnce() *once { return &once{seen: map[string]struct{}{}} }

// first reports whether this id was not taken before, and takes it.
func (o *once) first(id string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, here := o.seen[id]
	_, there := o.before[id]
	if here || there {
		return false
	}
	if len(o.seen) >= maxOnce/2 {
		o.seen, o.before = map[string]struct{}{}, o.seen
	}
	o.seen[id] = struct{}{}
	return true
}

// latest lets the newest of several changes to a view be shown last, whichever of them
// is looked up quicker.
type latest struct {
	mu    sync.Mutex // guards views
	views map[string]*shown
}

// shown is how far a view is.
type shown struct {
	mu sync.Mutex // held while the view is updated
	ts string     // of the newest change; guarded by latest.mu
}

const maxViews = 1_000

func newLatest() *latest { return &latest{views: map[string]*shown{}} }

// begin notes that a view was changed at ts, which is ordered as a string is.
func (l *latest) begin(view, ts string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.views[view]
	if s == nil {
		// What is forgotten may show an older preview, which then can't be submitted.
		if len(l.views) >= maxViews {
			clear(l.views)
		}
		s = &shown{}
		l.views[view] = s
	}
	s.ts = max(s.ts, ts)
}

// finish calls update unless the view was changed after ts.
func (l *latest) finish(view, ts string, update func()) {
	l.mu.Lock()
	s := l.views[view]
	l.mu.Unlock()
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	l.mu.Lock()
	newest := s.ts == ts
	l.mu.Unlock()
	if newest {
		update()
	}
}

// counts counts by names of a closed set.
type counts struct {
	mu sync.Mutex // guards n
	n  map[string]int64
}

func newCounts() *counts { return &counts{n: map[string]int64{}} }

func (c *counts) add(name string) {
	c.mu.Lock()
	c.n[name]++
	c.mu.Unlock()
}

func (c *counts) all() map[string]int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.n)
}
