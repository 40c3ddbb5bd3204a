package file

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"

	"vigil"
)

const (
	defaultSortMemory = 64 << 20
	defaultBatch      = 4096
	// maxBuffered bounds the events that wait for the merge, over all streams.
	maxBuffered = 32 << 10
)

// Reader gives the events of many files in the order of their times. It is for
// one goroutine.
type Reader struct {
	cfg     *Config
	members []*member
	// waiting are the streams whose time has not come, by their first event.
	waiting []*stream
	active  heads
	done    atomic.Int64
	total   int64
	refused []vigil.Quarantined

	chunkSize  int
	keepSorted int64
	cancel     context.CancelFunc
	ctx        context.Context
	wait       sync.WaitGroup
	err        error

	mu sync.Mutex // guards the fields below, and what finished streams have counted
	// ended are the streams that are read to their end.
	ended map[*stream]bool
	late  int64
}

// Open looks at each file that args name (files, directories, globs) and
// prepares to read them. It fails when an argument leads to no file, when the
// configuration is wrong, or when not one of the files can be read; a file that
// can't be read among others is set aside. Close must be called.
func Open(args []string, cfg Config) (*Reader, error) {
	if len(cfg.Formats) == 0 {
		return nil, errors.New("open files: no formats are given")
	}
	if cfg.SortMemory <= 0 {
		cfg.SortMemory = defaultSortMemory
	}
	paths, err := expand(args)
	if err != nil {
		return nil, err
	}
	r := &Reader{cfg: &cfg, ended: map[*stream]bool{}}
	var errs []error
	for _, path := range paths {
		m, err := look(path, &cfg, &r.done)
		var refusal *refusal
		switch {
		case err == nil:
		case errors.As(err, &refusal):
			errs = append(errs, fmt.Errorf("%s: %s", path, refusal.Reason))
			var size int64
			if m != nil {
				size = m.size
				m.refused = true
				m.stats.Quarantined[refusal.Code]++
				r.members = append(r.members, m)
			}
			r.refused = append(r.refused, refused(cfg.Source, path, size, refusal))
			continue
		default:
			return nil, errors.Join(err, r.Close())
		}
		r.members = append(r.members, m)
		r.total += m.size
	}
	if len(errs) > 0 && len(errs) == len(paths) {
		return nil, errors.Join(errs...)
	}
	r.schedule()
	return r, nil
}

// schedule plans the streams and how much of each is held.
func (r *Reader) schedule() {
	var good []*member
	for _, m := range r.members {
		if !m.refused {
			good = append(good, m)
		}
	}
	r.waiting = plan(good)
	sorting := int64(0)
	for _, s := range r.waiting {
		if s.order != OldestFirst {
			sorting++
		}
	}
	r.keepSorted = r.cfg.SortMemory / max(1, sorting)
	r.chunkSize = min(max(maxBuffered/4/max(1, len(r.waiting)), 16), 512)
	// What is sorted comes out from an unknown time on, so it comes first.
	slices.SortStableFunc(r.waiting, func(a, b *stream) int {
		if as, bs := a.order != OldestFirst, b.order != OldestFirst; as != bs {
			if as {
				return -1
			}
			return 1
		}
		return a.first.Compare(b.first)
	})
	r.ctx, r.cancel = context.WithCancel(context.Background())
}

// NextBatch returns the next events, at least one and at most max (0 means
// 4096), or io.EOF after the last. Any other error ends the reading: the disk
// could not take what had to be sorted.
func (r *Reader) NextBatch(max int) ([]*vigil.Event, error) {
	if max <= 0 {
		max = defaultBatch
	}
	for _, q := range r.refused {
		r.tell(q)
	}
	r.refused = nil
	var batch []*vigil.Event
	for len(batch) < max && r.err == nil {
		if r.wake(); r.err != nil {
			break
		}
		if len(r.active) == 0 {
			r.err = io.EOF
			break
		}
		if batch == nil {
			batch = make([]*vigil.Event, 0, max)
		}
		batch = r.pull(batch, max)
	}
	if r.cfg.Progress != nil {
		r.cfg.Progress(min(r.done.Load(), r.total), r.total)
	}
	if len(batch) > 0 {
		return batch, nil
	}
	return nil, r.err
}

func (r *Reader) tell(q vigil.Quarantined) {
	if r.cfg.Quarantine != nil {
		r.cfg.Quarantine(q)
	}
}

// wake starts the streams whose time has come, and fills their heads.
func (r *Reader) wake() {
	for len(r.waiting) > 0 && r.err == nil {
		s := r.waiting[0]
		due := len(r.active) == 0 || s.order != OldestFirst ||
			!s.first.After(r.active[0].head().Time.Add(reorderWindow))
		if !due {
			return
		}
		r.waiting = r.waiting[1:]
		h := &head{running: s.start(r.ctx, r)}
		if r.load(h) {
			heap.Push(&r.active, h)
		}
	}
}

// load waits for the stream's next events; false means that it has ended.
func (r *Reader) load(h *head) bool {
	for c := range h.out {
		for _, q := range c.quar {
			r.tell(q)
		}
		if c.err != nil && r.err == nil {
			r.err = c.err
		}
		if len(c.events) > 0 {
			h.events, h.at = c.events, 0
			return true
		}
	}
	return false
}

// pull takes events from the stream that is first as long as it stays first.
func (r *Reader) pull(batch []*vigil.Event, most int) []*vigil.Event {
	h := r.active[0]
	for len(batch) < most {
		batch = append(batch, h.events[h.at])
		h.events[h.at] = nil
		h.at++
		if h.at == len(h.events) && !r.load(h) {
			heap.Pop(&r.active)
			return batch
		}
		if len(r.active) > 1 {
			heap.Fix(&r.active, 0)
			if r.active[0] != h {
				return batch
			}
		}
		if len(r.waiting) > 0 && !r.waiting[0].first.After(h.head().Time.Add(reorderWindow)) {
			return batch
		}
	}
	return batch
}

// finished takes note of a stream that is read to its end. The stream's
// goroutine calls it.
func (r *Reader) finished(s *running) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended[s.stream] = true
	if s.reorder != nil {
		r.late += s.reorder.late
	}
	for _, p := range s.parts {
		for _, m := range p.members {
			m.ended = true
		}
	}
}

// Summary tells what was read. It is complete once NextBatch has returned
// io.EOF; before, it holds the files of the streams that have ended, and those
// that are set aside.
func (r *Reader) Summary() Summary {
	r.mu.Lock()
	defer r.mu.Unlock()
	sum := Summary{Quarantined: map[string]int64{}, Late: r.late}
	for _, m := range r.members {
		if m.format != nil && !m.refused && !m.ended {
			continue
		}
		f := m.stats
		sum.Files = append(sum.Files, f)
		sum.Events += f.Events
		sum.Lines += f.Lines
		for code, n := range f.Quarantined {
			sum.Quarantined[code] += n
		}
		if f.Order == NewestFirst || f.Order == Unordered {
			sum.Notes = append(sum.Notes, fmt.Sprintf("%s runs %s and was sorted by time", f.Path, f.Order))
		}
	}
	if r.late > 0 {
		sum.Notes = append(sum.Notes, fmt.Sprintf("%d events came more than a minute after later ones", r.late))
	}
	return sum
}

// Close ends the reading and waits for its goroutines.
func (r *Reader) Close() error {
	if r.cancel != nil {
		r.cancel()
		r.wait.Wait()
	}
	var errs []error
	for _, m := range r.members {
		if m.in != nil {
			errs = append(errs, m.in.Close())
		}
	}
	if r.err == nil {
		r.err = errStopped
	}
	return errors.Join(errs...)
}

// head is a stream with its next events.
type head struct {
	*running
	events []*vigil.Event
	at     int
}

func (h *head) head() *vigil.Event { return h.events[h.at] }

// heads is a heap of streams by their next event; of equals the stream planned
// first comes first.
type heads []*head

func (h heads) Len() int { return len(h) }
func (h heads) Less(i, j int) bool {
	if c := h[i].head().Time.Compare(h[j].head().Time); c != 0 {
		return c < 0
	}
	return h[i].number < h[j].number
}
func (h heads) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *heads) Push(x any)   { *h = append(*h, x.(*head)) }
func (h *heads) Pop() any {
	old := *h
	last := old[len(old)-1]
	*h = old[:len(old)-1]
	return last
}
