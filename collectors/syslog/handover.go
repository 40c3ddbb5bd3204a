package syslog

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"vigil"
	"vigil/collectors"
)

const (
	// batchMessages, batchBytes and batchWait bound what is read before it is kept.
	batchMessages = 1_000
	batchBytes    = 4 << 20
	batchWait     = 150 * time.Millisecond
	// mergeRecords bounds what the chunks of several connections make together.
	mergeRecords = 10_000
	// lastHandOver bounds how long the sink may take once the run is to end.
	lastHandOver = 10 * time.Second
	// firstTry and lastTry are the waits between offers to a sink that fails.
	firstTry = 100 * time.Millisecond
	lastTry  = 5 * time.Second
	// stateEvery is how often the decoders' states are kept while messages come.
	stateEvery = 10 * time.Second
)

// chunk is what one connection gives at once. Its giver waits for the answer.
type chunk struct {
	batch    collectors.Batch
	messages int
	bytes    int
	began    time.Time
	done     chan error
}

func newChunk() *chunk { return &chunk{done: make(chan error, 1)} }

func (c *chunk) full() bool { return c.messages >= batchMessages || c.bytes >= batchBytes }

// give hands a chunk over and waits until it is kept.
func (u *run) give(c *chunk) error {
	select {
	case u.chunks <- c:
		return <-c.done
	case <-u.failed:
		return u.why
	}
}

// handOver gives the sink what comes, in turns, until there is nobody left to give. Then
// it keeps the last state.
func (u *run) handOver(given <-chan struct{}, stale bool) error {
	// A stop must not cut off the hand-over that goes on, and a sink that is stuck must
	// not hold up the stop for ever.
	ctx, cancel := context.WithCancel(context.WithoutCancel(u.ctx))
	defer cancel()
	defer context.AfterFunc(u.ctx, func() { time.AfterFunc(lastHandOver, cancel) })()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	kept := time.Time{}
	for {
		var b collectors.Batch
		var from []*chunk
		select {
		case c := <-u.chunks:
			from = append(from, c)
			b = c.batch
			u.merge(&b, &from)
		case <-tick.C:
		case <-given:
			return u.last(ctx)
		}
		now := u.opt.Now()
		b.Lapses = append(b.Lapses, u.watch.due(now, false)...)
		if len(b.Events)+len(b.Quarantined)+len(b.Lapses) == 0 {
			answer(from, nil)
			continue
		}
		if stale || now.Sub(kept) >= stateEvery {
			if list, ok := u.states.take(); ok || stale {
				b.Position = positionOf(position{States: list})
			}
			kept, stale = now, false
		}
		err := u.offer(ctx, b)
		if err != nil {
			u.fail(err)
		}
		answer(from, err)
		if err != nil {
			<-given
			if u.cfg.Transport != RELP {
				return fmt.Errorf("%d records that had been read are lost, since they could not be kept: %w", b.Len(), err)
			}
			return err
		}
	}
}

// merge adds what else waits.
func (u *run) merge(b *collectors.Batch, from *[]*chunk) {
	for b.Len() < mergeRecords {
		select {
		case c := <-u.chunks:
			*from = append(*from, c)
			b.Events = append(b.Events, c.batch.Events...)
			b.Quarantined = append(b.Quarantined, c.batch.Quarantined...)
			b.Lapses = append(b.Lapses, c.batch.Lapses...)
		default:
			return
		}
	}
}

func answer(from []*chunk, err error) {
	for _, c := range from {
		c.done <- err
	}
}

// fail ends the run: nobody need give any more.
func (u *run) fail(err error) {
	u.why = err
	close(u.failed)
	u.stop()
}

// offer gives a batch to the sink. A way that can't ask its senders to send again offers
// it until it is taken.
func (u *run) offer(ctx context.Context, b collectors.Batch) error {
	b.Source = u.cfg.Decode.Source
	for wait := firstTry; ; wait = min(2*wait, lastTry) {
		// The sink owns what it is given, even where it fails.
		mine := b
		mine.Events = append([]*vigil.Event(nil), b.Events...)
		err := u.sink.Accept(ctx, mine)
		if err == nil || u.cfg.Transport == RELP {
			return err
		}
		u.log.warn("sink", "what came can't be kept, and is offered again", "error", err.Error())
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return err
		}
	}
}

// last keeps the state of a stop at leisure.
func (u *run) last(ctx context.Context) error {
	list, _ := u.states.take()
	b := collectors.Batch{
		Lapses:   u.watch.due(u.opt.Now(), true),
		Position: positionOf(position{States: list, Said: u.watch.sequences()}),
	}
	if err := u.offer(ctx, b); err != nil {
		return fmt.Errorf("keep the last state: %w", err)
	}
	return nil
}

func positionOf(p position) []byte {
	raw, err := json.Marshal(p)
	if err != nil {
		return nil // the last one stands
	}
	return raw
}
