// Package objects reads what is put into S3, Google Cloud Storage, Azure Blob Storage or a
// folder: each object is a whole log, packed or not, of any size and format. New ones are
// found by listing, and, where the store tells of them in a queue, by its notifications;
// then a listing every hour finds what a notification missed.
//
// Objects come in the order of their last change. Which of those changed within the
// lookback were read is part of the position, by a hash of key and version, so that one
// which turns up late is read, and one that was written over is read again. What is read
// twice (after a kill, of an object that grew) has the ids that it had. An object that is
// damaged is set aside once for each version; one that may not be read is tried again for
// a week, at growing intervals, while the others go on.
//
// Bounds: a batch holds 4,096 events or 8 MiB of text and what one record adds; 50,000
// objects are sorted at a time, and the rest at once after them; 100,000 objects are
// remembered (of more the lookback shrinks, to two hours at least), 200 wait to be tried
// again (then Run fails), 64 messages of a queue wait to be acknowledged, which is done
// when the events of their objects were accepted. An object is left after 64 GiB unpacked,
// or where it unpacks to more than 300 times its size. Nothing is held of an object but
// what decoding needs. When the sink is behind, reading waits.
package objects

import (
	"cmp"
	"container/heap"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"vigil"
	"vigil/collectors"
	"vigil/collectors/decode"
)

const (
	batchEvents = 4096
	batchBytes  = 8 << 20
	// batchEvery is how long an event may wait for its batch to fill.
	batchEvery = time.Second
	// lastHandOver bounds the hand-over after the end was asked for.
	lastHandOver = 5 * time.Second
	// maxSorted bounds the objects that one pass takes.
	maxSorted = 50_000
	// fullEvery is how often all dates of the prefixes are listed that may hold what was
	// not read; in between only those within the lookback.
	fullEvery = time.Hour
)

// run is one Run of a collector.
type run struct {
	c     *Collector
	sink  collectors.Sink
	store store
	mem   *memory
	hint  decode.Hint

	batch collectors.Batch
	bytes int64
	since time.Time
	dirty bool

	// full is when all dates were listed last.
	full time.Time
	// opened and denied count the objects of this run that could be read and could not.
	opened, denied int
	// gone, refused and givenUp count those of this pass about which a lapse tells.
	gone, refused, givenUp lapsed
	// others counts the notifications about other buckets.
	others int64
}

// Run reads until ctx is cancelled.
func (c *Collector) Run(ctx context.Context, position []byte, sink collectors.Sink) error {
	r := &run{c: c, sink: sink}
	r.recall(position)
	var err error
	if r.store, err = c.open(ctx); err != nil {
		return err
	}
	defer r.store.close()
	queue, err := c.listen(ctx)
	if err != nil {
		return err
	}
	defer queue.close()
	if err := r.hand(ctx); err != nil { // from when on is read is kept before anything is
		return r.end(ctx, err)
	}
	for {
		if err := r.pass(ctx); err != nil || ctx.Err() != nil {
			return r.end(ctx, err)
		}
		for listing := time.After(c.cfg.Poll); listing != nil; {
			select {
			case <-ctx.Done():
				return r.end(ctx, nil)
			case <-listing:
				listing = nil
			case <-r.retry():
				err = r.again(ctx)
			case m := <-queue.messages:
				err = r.notified(ctx, queue.more(m))
			case err = <-queue.failed:
			}
			if err != nil {
				return r.end(ctx, err)
			}
		}
	}
}

// recall takes the position back, or begins.
func (r *run) recall(position []byte) {
	if collectors.Position(r.c.cfg.Source, position, r.c.log, func(s *saved) bool {
		r.mem = s.recall(r.c.place)
		return r.mem != nil
	}) != nil {
		return
	}
	var floor time.Time
	switch cfg := &r.c.cfg; {
	case cfg.All:
	case !cfg.Start.IsZero():
		floor = cfg.Start
	default:
		floor = time.Now().Add(-cfg.Lookback)
	}
	r.mem = newMemory(floor)
	r.touch()
}

// end hands over what is whole and returns what Run returns.
func (r *run) end(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastHandOver)
	defer cancel()
	return r.hand(ctx)
}

// touch notes that something must be committed.
func (r *run) touch() {
	if !r.dirty {
		r.dirty, r.since = true, time.Now()
	}
}

func (r *run) due() bool {
	return r.dirty && !r.hopeless() && (r.batch.Len() >= batchEvents || r.bytes >= batchBytes || time.Since(r.since) >= batchEvery)
}

// hand gives the batch to the sink with the position after it.
func (r *run) hand(ctx context.Context) error {
	if !r.dirty {
		return nil
	}
	position, err := r.mem.position(r.c.place)
	if err != nil {
		return err
	}
	b := r.batch
	b.Source, b.Position = r.c.cfg.Source, position
	r.batch, r.bytes, r.dirty = collectors.Batch{}, 0, false
	if err := r.sink.Accept(ctx, b); err != nil {
		return fmt.Errorf("hand over events of %s: %w", r.c.cfg.Source, err)
	}
	return nil
}

// pass lists the store and reads what is new, until a listing shows no more.
func (r *run) pass(ctx context.Context) error {
	for {
		found, more, err := r.find(ctx)
		if err != nil {
			return err
		}
		for _, o := range found {
			if ctx.Err() != nil {
				return nil
			}
			if err := r.read(ctx, o); err != nil {
				return err
			}
			if ctx.Err() == nil {
				r.mem.advance(o.changed, time.Now(), r.c.cfg.Lookback)
			}
			if r.due() {
				if err := r.hand(ctx); err != nil {
					return err
				}
			}
		}
		if r.hopeless() {
			return r.c.explain("read", errDenied)
		}
		r.lapses()
		if err := r.hand(ctx); err != nil || !more || ctx.Err() != nil {
			return err
		}
	}
}

// hopeless says that objects may not be read, and none ever was: then it is no matter of
// single objects.
func (r *run) hopeless() bool { return r.denied > 0 && r.opened == 0 && len(r.mem.done) == 0 }

// find lists what was not read, oldest change first. more says that there is more of it.
func (r *run) find(ctx context.Context) (found []object, more bool, err error) {
	now := time.Now()
	from := now.Add(-r.c.cfg.Lookback)
	full := now.Sub(r.full) >= fullEvery || now.Before(r.full)
	if full && r.mem.floor.Before(from) {
		from = r.mem.floor
	}
	var first newest
	for _, prefix := range r.c.expand(from, now) {
		err := r.store.list(ctx, prefix, func(o object) error {
			if !r.c.wanted(o.key) || !r.mem.new(o) || r.waits(o) {
				return nil
			}
			heap.Push(&first, o)
			if len(first) > maxSorted {
				more = true
				heap.Pop(&first)
			}
			return nil
		})
		if err != nil && ctx.Err() != nil {
			return nil, false, nil
		}
		if err != nil {
			return nil, false, r.c.explain("list", err)
		}
	}
	if full && !more {
		r.full = now
	}
	slices.SortFunc(first, byChange)
	// Prefixes may overlap.
	return slices.CompactFunc(first, func(a, b object) bool { return a.key == b.key && a.version == b.version }), more, nil
}

func byChange(a, b object) int {
	if c := a.changed.Compare(b.changed); c != 0 {
		return c
	}
	return cmp.Compare(a.key, b.key)
}

// newest is a heap of objects whose newest is on top.
type newest []object

func (h newest) Len() int           { return len(h) }
func (h newest) Less(i, j int) bool { return byChange(h[i], h[j]) > 0 }
func (h newest) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push implements heap.Interface.
func (h *newest) Push(x any) { *h = append(*h, x.(object)) }

// Pop implements heap.Interface.
func (h *newest) Pop() any {
	old := *h
	last := old[len(old)-1]
	*h = old[:len(old)-1]
	return last
}

// lapsed is how many objects a lapse tells of, and when the first of them changed.
type lapsed struct {
	n     int
	since time.Time
}

func (l *lapsed) add(changed time.Time) {
	if l.n++; l.since.IsZero() || changed.Before(l.since) {
		l.since = changed
	}
}

// lapses tells what was seen of the store itself since the last time.
func (r *run) lapses() {
	now := time.Now().UTC()
	tell := func(l *lapsed, kind vigil.LapseKind, text string) {
		if l.n == 0 {
			return
		}
		r.touch()
		start := l.since.UTC()
		if start.After(now) || start.IsZero() {
			start = now
		}
		objects := fmt.Sprintf("%d objects", l.n)
		if l.n == 1 {
			objects = "one object"
		}
		r.batch.Lapses = append(r.batch.Lapses, vigil.Lapse{
			Source: r.c.cfg.Source, Kind: kind, Start: start, End: now, Missing: vigil.Unknown, Text: objects + " " + text,
		})
		*l = lapsed{}
	}
	tell(&r.gone, vigil.LapseDropped, "went away before vigil had read what was in: look who deletes there, and give its life-cycle rule a longer time")
	tell(&r.refused, vigil.LapseUnaudited, "of the source can't be read, while others can: see those set aside, and give vigil "+rights[r.c.place.scheme][1])
	tell(&r.givenUp, vigil.LapseDropped, "could not be read for a week and won't be tried again")
}

var errTooMany = errors.New("too many objects can't be read")
