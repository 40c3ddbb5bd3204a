package nats

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"vigil"
	"vigil/collectors"
	"vigil/collectors/decode"
)

// position is what is committed with the events.
type position struct {
	Stream  string    `json:"stream"`
	Created time.Time `json:"created"`
	// Next is the sequence number from which on nothing was taken, at least 1.
	Next uint64 `json:"next"`
	// State is the decoder's.
	State json.RawMessage `json:"state,omitempty"`
}

// sound says whether it is one that we wrote.
func (p *position) sound() bool { return p.Stream != "" && p.Next > 0 }

// Run implements collectors.Collector.
func (n *NATS) Run(ctx context.Context, kept []byte, sink collectors.Sink) error {
	err := n.run(ctx, kept, sink)
	if ctx.Err() != nil {
		return nil // what was fetched and not taken is still the server's
	}
	return err
}

func (n *NATS) run(ctx context.Context, kept []byte, sink collectors.Sink) error {
	c, err := n.connect(ctx)
	if err != nil {
		return err
	}
	defer c.close()
	r := &reader{n: n, c: c, sink: sink, batch: collectors.Batch{Source: n.cfg.Decode.Source}, looked: time.Now()}
	r.position = collectors.Position(n.cfg.Decode.Source, kept, n.opts.Logger, (*position).sound)
	if err := r.begin(ctx); err != nil {
		return err
	}
	for ctx.Err() == nil {
		if err := r.round(ctx); err != nil {
			return err
		}
	}
	return nil
}

// reader is one run.
type reader struct {
	n        *NATS
	c        *connection
	sink     collectors.Sink
	consumer jetstream.Consumer
	position *position
	stream   *decode.Stream
	looked   time.Time

	batch   collectors.Batch
	bytes   int
	pending []jetstream.Msg
	// last is the consumer's own number of the last message, 0 before the first.
	last uint64
	// unsettled says that the consumer still holds messages before the position's next,
	// which come out of their order.
	unsettled bool
	// urgent says that the position is worth a commit without any record.
	urgent bool
	// single says that the next fetch is for one message, however large: the last one
	// brought nothing, which is also how a message is told that exceeds fetchBytes.
	single bool
	// lost is since when there is no connection, zero while there is one.
	lost time.Time
}

// round fetches once and hands over what came.
func (r *reader) round(ctx context.Context) error {
	fetched, err := r.fetch()
	if err != nil {
		return r.n.explain(r.c, fmt.Errorf("fetch messages: %w", err))
	}
	if err := r.drain(ctx, fetched.Messages()); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return nil
	}
	switch err := fetched.Error(); {
	case err == nil, errors.Is(err, natsgo.ErrTimeout), errors.Is(err, jetstream.ErrNoMessages), errors.Is(err, jetstream.ErrMaxBytesExceeded):
	default:
		return r.n.explain(r.c, fmt.Errorf("fetch messages: %w", err))
	}
	if err := r.connected(); err != nil {
		return err
	}
	if time.Since(r.looked) < r.n.opts.Look || !r.lost.IsZero() {
		return nil
	}
	r.looked = time.Now()
	return r.look(ctx)
}

func (r *reader) fetch() (jetstream.MessageBatch, error) {
	single := r.single
	r.single = true
	if single {
		return r.consumer.Fetch(1, jetstream.FetchMaxWait(fetchWait))
	}
	return r.consumer.Fetch(fetchMessages, jetstream.FetchMaxBytes(fetchBytes), jetstream.FetchMaxWait(fetchWait))
}

// drain takes the messages of a fetch, and hands over whenever the next one is not there yet.
func (r *reader) drain(ctx context.Context, messages <-chan jetstream.Msg) error {
	for {
		select {
		case m, more := <-messages:
			if !more {
				return r.handOver(ctx)
			}
			if err := r.message(ctx, m, r.n.opts.Now()); err != nil {
				return err
			}
			continue
		default:
		}
		if err := r.handOver(ctx); err != nil {
			return err
		}
		select {
		case m, more := <-messages:
			if !more {
				return nil
			}
			if err := r.message(ctx, m, r.n.opts.Now()); err != nil {
				return err
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// connected is an error once the connection has been lost for a while, though the client
// tries to get it back all the time.
func (r *reader) connected() error {
	switch {
	case r.c.IsConnected():
		r.lost = time.Time{}
	case r.lost.IsZero():
		r.lost = time.Now()
	case time.Since(r.lost) > away:
		return fmt.Errorf("the connection to NATS is lost, and none of its servers answers: %w", errors.Join(natsgo.ErrDisconnected, r.c.LastError()))
	}
	return nil
}

// message decodes one message, and hands over whenever there are many.
func (r *reader) message(ctx context.Context, m jetstream.Msg, now time.Time) error {
	meta, err := m.Metadata()
	if err != nil {
		return fmt.Errorf("read a message's number: %w", err)
	}
	seq := meta.Sequence.Stream
	// Messages that were delivered and did not arrive leave a gap in both numbers; they
	// come again.
	straight := r.last == 0 || meta.Sequence.Consumer == r.last+1
	if gap := int64(seq) - int64(r.position.Next); gap > 0 && straight && !r.unsettled && meta.NumDelivered == 1 && r.n.everything(r.c.subjects) {
		r.hole(r.position.Next, seq)
	}
	r.last, r.single = meta.Sequence.Consumer, false
	r.stream.Message(int64(seq), m.Data(), now, &r.batch)
	r.position.Next = max(r.position.Next, seq+1)
	r.pending = append(r.pending, m)
	if r.bytes += len(m.Data()); r.bytes >= batchBytes || len(r.batch.Events) >= batchEvents {
		return r.handOver(ctx)
	}
	return nil
}

// hole tells of messages that are not there any more, from the first to before the next.
func (r *reader) hole(from, to uint64) {
	r.lapse(vigil.LapseDropped, int64(to-from),
		"Messages %d to %d of stream %s were deleted before they were read: %d are missing. "+
			"Keep more (max_age, max_bytes, max_msgs), set deny_delete and deny_purge, and look why reading was late.",
		from, to-1, r.n.cfg.Stream, to-from)
}

func (r *reader) lapse(kind vigil.LapseKind, missing int64, format string, args ...any) {
	r.urgent = true
	r.batch.Lapses = append(r.batch.Lapses, vigil.Lapse{
		Source: r.n.cfg.Decode.Source, Kind: kind, End: r.n.opts.Now().UTC(), Missing: missing, Text: fmt.Sprintf(format, args...),
	})
}

// handOver gives the batch to the sink, and acknowledges it once it is taken.
func (r *reader) handOver(ctx context.Context) error {
	if len(r.pending) == 0 && !r.urgent {
		return nil
	}
	state, err := r.stream.State()
	if err != nil {
		return err
	}
	r.position.State = state
	b := r.batch
	if b.Position, err = json.Marshal(r.position); err != nil {
		return fmt.Errorf("write the position: %w", err)
	}
	taken := r.pending
	r.batch, r.bytes, r.pending, r.urgent = collectors.Batch{Source: b.Source}, 0, nil, false
	if err := r.sink.Accept(ctx, b); err != nil {
		return fmt.Errorf("hand over: %w", err)
	}
	return r.acknowledge(taken)
}

// acknowledge tells the server, which confirms the last. One that fails does no harm: the
// message comes again, and counts once.
func (r *reader) acknowledge(taken []jetstream.Msg) error {
	if len(taken) == 0 {
		return nil
	}
	last := len(taken) - 1
	for _, m := range taken[:last] {
		if err := m.Ack(); err != nil {
			return fmt.Errorf("acknowledge: %w", err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), askWait) // it outlives a run that is cancelled
	defer cancel()
	err := taken[last].DoubleAck(ctx)
	if errors.Is(err, natsgo.ErrNoResponders) {
		return fmt.Errorf("acknowledge: %w: the consumer is not there any more", err)
	}
	if err != nil {
		return r.n.explain(r.c, fmt.Errorf("acknowledge: %w", err))
	}
	return nil
}
