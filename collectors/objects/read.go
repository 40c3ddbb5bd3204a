package objects

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"vigil"
	"vigil/collectors/decode"
	"vigil/collectors/text"
)

const (
	// maxUnpacked bounds what is read of one object, unpacked.
	maxUnpacked = 64 << 30
	// settled is how long after its last change an object that may grow is held to be
	// still in the making, where it ends within a record.
	settled = 10 * time.Second
	// firstWait and lastWait bound the waits between the tries of an object in trouble,
	// which double, and triedFor says for how long there are any.
	firstWait = time.Minute
	lastWait  = 6 * time.Hour
	triedFor  = 7 * 24 * time.Hour
	// deniedAtFirst is after how many objects that may not be read, and none that may, it
	// is the right to all of them that is missing.
	deniedAtFirst = 20
	// triesAtOnce is how often an object that breaks off is read before it is put off.
	triesAtOnce = 3
)

// watched remembers whether it was the source that broke off, not the archive.
type watched struct {
	r   io.Reader
	err error
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		w.err = err
	}
	return n, err
}

// read reads an object into batches. What is wrong with it alone is dealt with; an error
// is the source's or the sink's.
func (r *run) read(ctx context.Context, o object) error {
	if o.size == 0 {
		r.finish(o)
		return nil
	}
	body, err := r.store.open(ctx, o.key)
	if err != nil {
		return r.fault(ctx, o, err)
	}
	defer body.Close() // nothing was written
	src := &watched{r: body}
	var packed atomic.Int64
	young := o.grows && time.Since(o.changed).Abs() < settled
	in, err := text.Open(src, &packed)
	var doc *decode.Document
	if err == nil {
		defer func() { _ = in.Close() }() // nothing was written
		doc, err = decode.NewDocument(&r.c.cfg.Config, r.name(o.key), in, r.hint)
	}
	switch {
	case src.err != nil:
		return r.fault(ctx, o, src.err)
	case err != nil && young:
		r.opened++
		return nil // its start may not be all there
	case err != nil:
		return r.refuse(o, err)
	}
	// What an earlier run has handed over of it is decoded again, for what decoding
	// remembers, and left out.
	resumed := r.resumed(o)
	doc.Skip(resumed)
	if young {
		doc.Growing()
	}
	now := reading{Key: []byte(o.key), Version: o.version}
	for {
		before := doc.Offset()
		err := doc.Next(time.Now().UTC(), batchEvents, batchBytes-r.bytes, &r.batch)
		r.bytes += doc.Offset() - before
		r.touch()
		now.Place = max(doc.Place(), resumed)
		if doc.Offset() > maxUnpacked && err == nil {
			r.aside(o, "bomb", fmt.Sprintf("the object has more than %d GiB unpacked: what came before was read", maxUnpacked>>30))
			err = io.EOF
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF):
			r.hint = doc.Hint()
			r.finish(o)
			return nil
		case src.err != nil:
			r.mem.now = now
			return r.fault(ctx, o, src.err)
		case errors.Is(err, decode.ErrGrowing), young && errors.Is(err, io.ErrUnexpectedEOF):
			r.opened++
			return nil // its writer is at work: the next listing shows it again
		default:
			doc.Damaged(err, time.Now().UTC(), &r.batch)
			r.finish(o)
			return nil
		}
		if now.Place == resumed && r.batch.Len() == 0 {
			r.bytes = 0
			continue
		}
		r.mem.now = now
		if err := r.hand(ctx); err != nil || ctx.Err() != nil {
			return err
		}
	}
}

// resumed is how much of an object was handed over by an earlier reading of it.
func (r *run) resumed(o object) int64 {
	if string(r.mem.now.Key) == o.key && r.mem.now.Version == o.version {
		return r.mem.now.Place
	}
	return 0
}

// name is what an object is called in origins and ids.
func (r *run) name(key string) string { return r.c.place.String() + "/" + key }

// finish notes an object as read.
func (r *run) finish(o object) {
	r.touch()
	r.opened++
	r.mem.add(o)
	if string(r.mem.now.Key) == o.key {
		r.mem.now = reading{}
	}
}

// refuse sets an object aside as a whole, once for each version.
func (r *run) refuse(o object, err error) error {
	why := &text.Refusal{Code: "unreadable", Reason: plain(err)}
	errors.As(err, &why)
	r.aside(o, why.Code, why.Reason)
	r.finish(o)
	return nil
}

func (r *run) aside(o object, code, reason string) {
	r.touch()
	r.batch.Quarantined = append(r.batch.Quarantined, vigil.Quarantined{
		Source: r.c.cfg.Source, File: r.name(o.key), Time: time.Now().UTC(), Code: code, Reason: reason, Size: o.size,
		Hash: fingerprint(o.key, o.version),
	})
}

// fault deals with an object that can't be read: gone, denied, or something of its own
// while the store answers. Else it is the store's, and ends Run.
func (r *run) fault(ctx context.Context, o object, err error) error {
	switch {
	case ctx.Err() != nil:
		return nil
	case errors.Is(err, errGone):
		r.gone.add(o.changed)
		r.touch()
		r.mem.add(o)
		return nil
	case errors.Is(err, errDenied):
		r.denied++
		if r.hopeless() && r.denied >= deniedAtFirst {
			return r.c.explain("read", err)
		}
		return r.later(o, "access is denied: give vigil "+rights[r.c.place.scheme][1]+"; it is tried again", err)
	}
	// A connection may break; what breaks it again and again is the object.
	if r.c.failing(o) < triesAtOnce {
		return r.c.explain("read", err)
	}
	prefixes := r.c.expand(time.Now(), time.Now())
	probe := r.store.list(ctx, prefixes[0], func(object) error { return errEnough })
	if ctx.Err() != nil {
		return nil
	}
	if probe != nil && !errors.Is(probe, errEnough) {
		return r.c.explain("read", err)
	}
	return r.later(o, "it can't be read ("+plain(err)+"), though the store answers; it is tried again", err)
}

// failing counts how often an object could not be read, one run after the other.
func (c *Collector) failing(o object) int {
	if print := fingerprint(o.key, o.version); print != c.failed {
		c.failed, c.failures = print, 0
	}
	c.failures++
	return c.failures
}

// later puts an object off. The first time is told.
func (r *run) later(o object, reason string, err error) error {
	now := time.Now().UTC()
	r.touch()
	if t := r.troubledOf(o); t != nil {
		t.Wait = min(2*t.Wait, lastWait)
		t.Next = now.Add(t.Wait)
		if now.Sub(t.Since) > triedFor {
			r.givenUp.add(o.changed)
			r.mem.add(o)
			r.untroubled()
		}
		return nil
	}
	if len(r.mem.troubled) >= maxTroubled {
		return fmt.Errorf("%w (%d wait already): %w", errTooMany, maxTroubled, r.c.explain("read", err))
	}
	r.mem.troubled = append(r.mem.troubled, &troubled{
		Key: []byte(o.key), Version: o.version, Changed: o.changed, Since: now, Next: now.Add(firstWait), Wait: firstWait,
	})
	r.refused.add(o.changed)
	r.aside(o, "unreadable", reason)
	return nil
}

func (r *run) troubledOf(o object) *troubled {
	for _, t := range r.mem.troubled {
		if string(t.Key) == o.key && t.Version == o.version {
			return t
		}
	}
	return nil
}

// waits says that an object in trouble is not due.
func (r *run) waits(o object) bool {
	t := r.troubledOf(o)
	return t != nil && t.Next.After(time.Now())
}

// retry fires when an object in trouble is due; never where none is.
func (r *run) retry() <-chan time.Time {
	if len(r.mem.troubled) == 0 {
		return nil
	}
	next := r.mem.troubled[0].Next
	for _, t := range r.mem.troubled {
		if t.Next.Before(next) {
			next = t.Next
		}
	}
	return time.After(max(time.Until(next), 10*time.Millisecond))
}

// again tries the objects in trouble that are due.
func (r *run) again(ctx context.Context) error {
	now := time.Now()
	for _, t := range append([]*troubled(nil), r.mem.troubled...) {
		if t.Next.After(now) || ctx.Err() != nil {
			continue
		}
		o := object{key: string(t.Key), version: t.Version, changed: t.Changed, size: -1}
		if err := r.read(ctx, o); err != nil {
			return err
		}
		r.untroubled()
	}
	r.lapses()
	return r.hand(ctx)
}

// untroubled takes those off the list that were read since.
func (r *run) untroubled() {
	kept := r.mem.troubled[:0]
	for _, t := range r.mem.troubled {
		if !r.mem.read(string(t.Key), t.Version) {
			kept = append(kept, t)
		}
	}
	r.mem.troubled = kept
}
