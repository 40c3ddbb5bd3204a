package nats

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/nats-io/nats.go/jetstream"

	"vigil"
	"vigil/collectors/decode"
)

// begin finds where to go on, tells what is missing, and sets the consumer there.
func (r *reader) begin(ctx context.Context) error {
	info, err := r.n.stream(ctx, r.c)
	if err != nil {
		return err
	}
	fresh := r.position == nil
	first, last := max(info.State.FirstSeq, 1), info.State.LastSeq
	// at is where the consumer has to go; 0 leaves it to the consumer.
	at := uint64(0)
	switch p := r.position; {
	case fresh:
		r.position = &position{Next: first}
		if r.n.cfg.Start == Latest {
			r.position.Next, at, r.urgent = last+1, last+1, true
		}
	case p.Stream != r.n.cfg.Stream:
		// The configuration names another one: as if it were new.
		r.position, fresh = &position{Next: first}, true
	case !p.Created.Equal(info.Created):
		r.lapse(vigil.LapseReset, vigil.Unknown,
			"Stream %s was deleted and made anew: what the old one held and was not read yet is gone. The new one is read from its beginning.", p.Stream)
		p.Next, p.State, at = first, nil, first
	case p.Next > last+1:
		r.lapse(vigil.LapseReset, vigil.Unknown,
			"Stream %s went back: it was read up to message %d and now ends at %d, as after its restoration from a copy. It is read from its beginning; what was read before counts once.",
			p.Stream, p.Next-1, last)
		p.Next, at = first, first
	case p.Next < first:
		r.cut(p.Next, first)
		p.Next, at = first, first
	default:
		at = p.Next
	}
	r.position.Stream, r.position.Created = r.n.cfg.Stream, info.Created
	r.stream = decode.NewStream(&r.n.cfg.Decode, fmt.Sprintf("%s@%s", r.n.cfg.Stream, info.Created.UTC().Format("20060102T150405.000000000Z")))
	r.stream.Restore(r.position.State)
	if err := r.bind(ctx, info, at); err != nil {
		return err
	}
	if fresh && at == 0 {
		// Where a consumer that is older than the ledger stands.
		if floor := r.consumer.CachedInfo().AckFloor.Stream; floor+1 > r.position.Next {
			r.position.Next = floor + 1
		}
	}
	return nil
}

// cut tells of the stream's beginning, which is later than where we are.
func (r *reader) cut(from, first uint64) {
	if r.n.everything(r.c.subjects) {
		r.hole(from, first)
		return
	}
	r.lapse(vigil.LapseDropped, vigil.Unknown,
		"Messages %d to %d of stream %s were deleted while they were not read; how many of them had the subjects that are read can't be told. "+
			"Keep more (max_age, max_bytes, max_msgs), and look why reading was late.", from, first-1, r.n.cfg.Stream)
}

// bind finds or makes the consumer, and sets it to a message, where at is not 0.
func (r *reader) bind(ctx context.Context, info *jetstream.StreamInfo, at uint64) error {
	ask, cancel := context.WithTimeout(ctx, askWait)
	defer cancel()
	c, err := r.c.js.Consumer(ask, r.n.cfg.Stream, r.n.cfg.Durable)
	switch {
	case errors.Is(err, jetstream.ErrConsumerNotFound):
		if r.consumer, err = r.create(ask, 0); err != nil {
			return r.n.explain(r.c, fmt.Errorf("make consumer %s: %w", r.n.cfg.Durable, err))
		}
		if at <= 1 {
			return nil
		}
		return r.move(ctx, info, at)
	case err != nil:
		return r.n.explain(r.c, fmt.Errorf("look at consumer %s: %w", r.n.cfg.Durable, err))
	}
	r.consumer = c
	have := c.CachedInfo()
	if err := r.n.fits(have.Config); err != nil {
		return err
	}
	floor := have.AckFloor.Stream
	switch {
	case at == 0 && have.NumAckPending == 0:
		return nil
	case at == 0:
		return r.move(ctx, info, floor+1)
	case have.NumAckPending == 0 && floor < at && have.Delivered.Stream < at:
		return nil // whatever lies between is not of our subjects
	}
	// What the consumer hands out and nobody acknowledged, and what it takes for done
	// and the ledger does not hold.
	return r.move(ctx, info, min(at, floor+1))
}

// fits says what is wrong with a consumer that was there.
func (n *NATS) fits(c jetstream.ConsumerConfig) error {
	filter := slices.Clone(c.FilterSubjects)
	if c.FilterSubject != "" {
		filter = append(filter, c.FilterSubject)
	}
	slices.Sort(filter)
	want := slices.Sorted(slices.Values(n.cfg.Subjects))
	var wrong string
	switch {
	case c.AckPolicy != jetstream.AckExplicitPolicy:
		wrong = "does not ask for the acknowledgement of each message"
	case !slices.Equal(filter, want):
		wrong = fmt.Sprintf("picks out the subjects %q, the configuration %q", filter, want)
	case c.HeadersOnly:
		wrong = "hands out headers alone"
	default:
		return nil
	}
	return fmt.Errorf("consumer %s of stream %s %s; delete it, and it is made anew where reading goes on:\n  nats consumer rm %s %s\nor name another as durable",
		n.cfg.Durable, n.cfg.Stream, wrong, n.cfg.Stream, n.cfg.Durable)
}

// create makes the consumer; it begins at a message, or the stream's first where at is 0.
func (r *reader) create(ctx context.Context, at uint64) (jetstream.Consumer, error) {
	cfg := jetstream.ConsumerConfig{
		Durable: r.n.cfg.Durable, Description: "read by vigil", AckPolicy: jetstream.AckExplicitPolicy, AckWait: ackWait,
		MaxAckPending: maxAckPending, MaxDeliver: -1, DeliverPolicy: jetstream.DeliverAllPolicy,
	}
	if at > 0 {
		cfg.DeliverPolicy, cfg.OptStartSeq = jetstream.DeliverByStartSequencePolicy, at
	}
	if len(r.n.cfg.Subjects) == 1 {
		cfg.FilterSubject = r.n.cfg.Subjects[0]
	} else {
		cfg.FilterSubjects = r.n.cfg.Subjects
	}
	return r.c.js.CreateConsumer(ctx, r.n.cfg.Stream, cfg)
}

// move sets the consumer to a message. Servers before 2.14 know no such thing: there it
// is made anew, save where a stream keeps messages only as long as a consumer wants them.
func (r *reader) move(ctx context.Context, info *jetstream.StreamInfo, at uint64) error {
	ask, cancel := context.WithTimeout(ctx, askWait)
	defer cancel()
	s, err := r.c.js.Stream(ask, r.n.cfg.Stream)
	if err == nil {
		_, err = s.ResetConsumerToSequence(ask, r.n.cfg.Durable, at)
	}
	if err == nil {
		return nil
	}
	r.c.refused.Store(nil) // whatever it was, there is another way
	if info.Config.Retention != jetstream.LimitsPolicy {
		r.unsettled = true
		r.n.opts.Logger.Info("the consumer can't be set back; what it handed out and nobody acknowledged comes again after its ack wait",
			"source", r.n.cfg.Decode.Source, "error", err.Error())
		return nil
	}
	again, cancel := context.WithTimeout(ctx, askWait)
	defer cancel()
	if err := r.c.js.DeleteConsumer(again, r.n.cfg.Stream, r.n.cfg.Durable); err != nil {
		return r.n.explain(r.c, fmt.Errorf("set consumer %s to message %d: %w", r.n.cfg.Durable, at, err))
	}
	if r.consumer, err = r.create(again, at); err != nil {
		return r.n.explain(r.c, fmt.Errorf("make consumer %s: %w", r.n.cfg.Durable, err))
	}
	return nil
}

// look notices a stream that was made anew, and how far it is read where nothing of our
// subjects is left.
func (r *reader) look(ctx context.Context) error {
	info, err := r.n.stream(ctx, r.c)
	if err != nil {
		return err
	}
	if !info.Created.Equal(r.position.Created) {
		return fmt.Errorf("stream %s was made anew", r.n.cfg.Stream)
	}
	if info.State.LastSeq+1 < r.position.Next {
		return fmt.Errorf("stream %s went back", r.n.cfg.Stream)
	}
	ask, cancel := context.WithTimeout(ctx, askWait)
	defer cancel()
	c, err := r.consumer.Info(ask)
	if err != nil {
		return r.n.explain(r.c, fmt.Errorf("look at consumer %s: %w", r.n.cfg.Durable, err))
	}
	// The consumer was asked after the stream, so that it has seen what the stream held.
	if next := info.State.LastSeq + 1; c.NumPending == 0 && c.NumAckPending == 0 && next > r.position.Next {
		if r.n.everything(r.c.subjects) {
			r.hole(r.position.Next, next)
		}
		r.position.Next, r.urgent = next, true
	}
	return nil
}
