package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"vigil"
	"vigil/collectors"
	"vigil/collectors/decode"
)

// Run implements collectors.Collector.
func (k *Kafka) Run(ctx context.Context, kept []byte, sink collectors.Sink) error {
	err := k.run(ctx, kept, sink)
	if ctx.Err() != nil {
		return nil // what was polled and not taken is still the cluster's
	}
	return err
}

func (k *Kafka) run(ctx context.Context, kept []byte, sink collectors.Sink) error {
	admin, err := k.admin()
	if err != nil {
		return err
	}
	defer admin.Close()
	r := &reader{
		k: k, admin: kadm.NewClient(admin), sink: sink, streams: map[place]*decode.Stream{}, pending: map[place]kgo.EpochOffset{}, dirty: map[place]kgo.EpochOffset{},
		batch: collectors.Batch{Source: k.cfg.Decode.Source}, position: newPosition(), first: true, looked: time.Now(),
	}
	if p := collectors.Position(k.cfg.Decode.Source, kept, k.opts.Logger, (*position).sound); p != nil {
		r.position, r.first = p, false
	}
	topics, missing, err := k.look(ctx, r.admin)
	if err != nil {
		return err
	}
	for _, name := range missing {
		if r.position.Topics[name] == nil || len(topics) == 0 {
			return k.missing(name)
		}
	}
	r.missed(topics)
	r.client, err = kgo.NewClient(append(k.client(), k.consumer(r)...)...)
	if err != nil {
		return fmt.Errorf("set up the client: %w", err)
	}
	defer r.leave()
	for ctx.Err() == nil {
		if err := r.round(ctx); err != nil {
			return err
		}
	}
	return nil
}

// member names this reader in its group, over restarts too.
func (r *reader) member() string { return "vigil-" + r.position.Ledger }

// leave ends the client, and gives the partitions to others at once. A reader that is
// killed can't: its place is kept until it comes again, or its session ends.
func (r *reader) leave() {
	r.client.CloseAllowingRebalance()
	ctx, cancel := context.WithTimeout(context.Background(), commitWait) // it outlives a run that is cancelled
	defer cancel()
	_, _ = r.admin.LeaveGroup(ctx, kadm.LeaveGroup(r.k.cfg.Group).InstanceIDs(r.member())) // the session's end does it too
}

// consumer are the options of the client that reads.
func (k *Kafka) consumer(r *reader) []kgo.Opt {
	opts := []kgo.Opt{
		// A member that was killed and comes again is the same one, and has its partitions
		// at once: else the group would wait until the dead one's session ends.
		kgo.ConsumerGroup(k.cfg.Group), kgo.InstanceID(r.member()), kgo.DisableAutoCommit(), kgo.BlockRebalanceOnPoll(),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.AdjustFetchOffsetsFn(r.assigned),
		kgo.OnPartitionsRevoked(func(_ context.Context, _ *kgo.Client, gone map[string][]int32) { r.revoked(gone, true) }),
		kgo.OnPartitionsLost(func(_ context.Context, _ *kgo.Client, gone map[string][]int32) { r.revoked(gone, false) }),
		// An offset that is not there ends the run, and the next one says why.
		kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()), kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.FetchMaxBytes(fetchBytes), kgo.FetchMaxPartitionBytes(partitionBytes), kgo.MaxConcurrentFetches(fetches),
		kgo.FetchMaxWait(2 * time.Second), kgo.WithDecompressor(&unpacker{}), kgo.MetadataMaxAge(time.Minute),
	}
	if k.pattern != nil {
		return append(opts, kgo.ConsumeRegex(), kgo.ConsumeTopics(k.pattern.String()))
	}
	return append(opts, kgo.ConsumeTopics(k.cfg.Topics...))
}

// place is a partition of a topic.
type place struct {
	topic     string
	partition int32
}

// reader is one run. Its goroutine polls and hands over; the client's calls assigned and
// revoked, of which only revoked waits for the goroutine to have handed over.
type reader struct {
	k      *Kafka
	admin  *kadm.Client
	client *kgo.Client
	sink   collectors.Sink
	looked time.Time

	mu sync.Mutex // guards all below
	// position holds what the batch will have committed.
	position *position
	// first says that the source was never read.
	first   bool
	streams map[place]*decode.Stream
	batch   collectors.Batch
	bytes   int
	// urgent says that the position is worth a commit without any record.
	urgent bool
	// pending is how far the batch goes, which the sink has not taken yet; dirty is
	// what it took and the group was not told.
	pending, dirty map[place]kgo.EpochOffset
	// quiet is when commits to the group may be tried again.
	quiet time.Time
	// fault ends the run.
	fault error
}

// round polls once and hands over what came.
func (r *reader) round(ctx context.Context) error {
	poll, cancel := context.WithTimeout(ctx, pollWait)
	fetched := r.client.PollRecords(poll, batchRecords)
	cancel()
	defer r.client.AllowRebalance()
	if ctx.Err() != nil {
		return nil
	}
	fault := r.faults(fetched)
	var err error
	fetched.EachPartition(func(p kgo.FetchTopicPartition) {
		if err == nil {
			err = r.partition(ctx, p)
		}
	})
	if err == nil {
		err = r.handOver(ctx)
	}
	if err != nil {
		return err
	}
	r.mu.Lock()
	fault = errors.Join(fault, r.fault)
	r.mu.Unlock()
	if fault != nil {
		return fault
	}
	if time.Since(r.looked) < r.k.opts.Look {
		return nil
	}
	r.looked = time.Now()
	topics, _, err := r.k.look(ctx, r.admin)
	if err != nil {
		return err
	}
	return r.same(topics)
}

// partition decodes the records of a partition, and hands over whenever there are many.
func (r *reader) partition(ctx context.Context, p kgo.FetchTopicPartition) error {
	if len(p.Records) == 0 {
		return nil
	}
	at := place{p.Topic, p.Partition}
	now := r.k.opts.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.cursor(at)
	s := r.stream(at, c)
	for _, rec := range p.Records {
		s.Message(rec.Offset, rec.Value, now, &r.batch)
		c.Next, c.Epoch = rec.Offset+1, rec.LeaderEpoch
		r.pending[at] = kgo.EpochOffset{Epoch: c.Epoch, Offset: c.Next}
		r.bytes += len(rec.Value)
		if r.bytes >= batchBytes || len(r.batch.Events) >= batchEvents {
			if err := r.save(s, c); err != nil {
				return err
			}
			r.mu.Unlock()
			err := r.handOver(ctx)
			r.mu.Lock()
			if err != nil {
				return err
			}
		}
	}
	return r.save(s, c)
}

func (r *reader) save(s *decode.Stream, c *cursor) error {
	state, err := s.State()
	if err != nil {
		return err
	}
	c.State = state
	return nil
}

// cursor is that of a partition, a new one where there is none.
func (r *reader) cursor(at place) *cursor {
	t := r.position.Topics[at.topic]
	if t == nil {
		t = &topic{Partitions: map[int32]*cursor{}}
		r.position.Topics[at.topic] = t
	}
	c := t.Partitions[at.partition]
	if c == nil {
		c = &cursor{Epoch: -1}
		t.Partitions[at.partition] = c
	}
	return c
}

// stream is that of a partition, which goes on from the cursor's state.
func (r *reader) stream(at place, c *cursor) *decode.Stream {
	if s := r.streams[at]; s != nil {
		return s
	}
	s := decode.NewStream(&r.k.cfg.Decode, streamName(at.topic, r.position.Topics[at.topic].ID, at.partition))
	s.Restore(c.State)
	r.streams[at] = s
	return s
}

// lapse tells something of the source itself.
func (r *reader) lapse(kind vigil.LapseKind, missing int64, format string, args ...any) {
	r.batch.Lapses = append(r.batch.Lapses, vigil.Lapse{
		Source: r.k.cfg.Decode.Source, Kind: kind, End: r.k.opts.Now().UTC(), Missing: missing, Text: fmt.Sprintf(format, args...),
	})
}

// hole tells of offsets that are no longer there, from is the first of them, to the next
// that is.
func (r *reader) hole(at place, from, to int64) {
	r.lapse(vigil.LapseHole, to-from,
		"Kafka deleted offsets %d to %d of %s/%d before they were read; as many records are missing, or fewer if the topic is compacted or has transactions. "+
			"Keep more with retention.ms or retention.bytes, and look why reading was late.", from, to-1, at.topic, at.partition)
}

// faults tells what the errors among what was fetched mean: a lapse, a batch of records
// to set aside, or the end of the run.
func (r *reader) faults(fetched kgo.Fetches) error {
	var fault error
	fetched.EachError(func(name string, partition int32, err error) {
		var lost *kgo.ErrDataLoss
		var large *kgo.ErrDecompressTooLarge
		switch at := (place{name, partition}); {
		case name == "" && (errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)):
		case errors.As(err, &lost):
			r.cutBack(at, lost)
		case errors.As(err, &large):
			r.skip(at, large)
		case fault == nil:
			if errors.Is(err, kerr.OffsetOutOfRange) {
				r.unsure(at)
			}
			if name != "" {
				err = fmt.Errorf("read %s/%d: %w", name, partition, err)
			}
			fault = r.k.explain(err)
		}
	})
	return fault
}

// unsure notes that the epoch of a partition's cursor does not tell where to go on.
func (r *reader) unsure(at place) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c := r.position.cursor(at.topic, at.partition); c != nil {
		c.Epoch, r.urgent = -1, true
	}
}

// cutBack takes up a log that lost its end, from where the client goes on.
func (r *reader) cutBack(at place, lost *kgo.ErrDataLoss) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lapse(vigil.LapseReset, vigil.Unknown,
		"The log of %s/%d was cut back: it was read up to offset %d, and goes on at %d with other records (an election of a replica that was behind does this). "+
			"Records that producers believed written may be missing. Set unclean.leader.election.enable=false and min.insync.replicas, and let producers use acks=all.",
		at.topic, at.partition, lost.ConsumedTo, lost.ResetTo)
	c := r.cursor(at)
	c.Next, c.Epoch = lost.ResetTo, lost.ResetToEpoch
	delete(r.streams, at)
	r.urgent = true
}

// skip sets aside a batch of records that unpacks to too much, and goes on after it.
func (r *reader) skip(at place, large *kgo.ErrDecompressTooLarge) {
	r.mu.Lock()
	defer r.mu.Unlock()
	id := ""
	if t := r.position.Topics[at.topic]; t != nil {
		id = t.ID
	}
	r.batch.Quarantined = append(r.batch.Quarantined, vigil.Quarantined{
		Source: r.k.cfg.Decode.Source, File: streamName(at.topic, id, at.partition), Line: 1, Offset: large.Offset, Time: r.k.opts.Now().UTC(),
		Code: "too-long",
		Reason: fmt.Sprintf("the batch of records at offsets %d to %d unpacks to more than %d MiB, or far more than %d times its size as many others did; let its producer send smaller batches",
			large.Offset, large.NextOffset-1, unpackMost>>20, unpackRatio),
		Size: large.NextOffset - large.Offset,
	})
	c := r.cursor(at)
	c.Next, c.Epoch = large.NextOffset, large.Epoch
	next := kgo.EpochOffset{Epoch: large.Epoch, Offset: large.NextOffset}
	r.pending[at] = next
	r.client.SetOffsets(map[string]map[int32]kgo.EpochOffset{at.topic: {at.partition: next}})
}

// handOver gives the batch to the sink, and tells the group once it is taken.
func (r *reader) handOver(ctx context.Context) error {
	r.mu.Lock()
	if r.batch.Len() == 0 && len(r.pending) == 0 && !r.urgent {
		r.mu.Unlock()
		return nil
	}
	text, err := r.position.text()
	if err != nil {
		r.mu.Unlock()
		return err
	}
	b := r.batch
	b.Position = text
	r.batch, r.bytes, r.urgent = collectors.Batch{Source: b.Source}, 0, false
	taken := r.pending
	r.pending = map[place]kgo.EpochOffset{}
	r.mu.Unlock()
	if err := r.sink.Accept(ctx, b); err != nil {
		return fmt.Errorf("hand over: %w", err)
	}
	r.mu.Lock()
	maps.Copy(r.dirty, taken)
	quiet := time.Now().Before(r.quiet)
	r.mu.Unlock()
	if !quiet {
		r.commit()
	}
	return nil
}

// commit tells the group how far the sink took. It is for Kafka's own tools and for
// other members: that it fails is said and does no harm.
func (r *reader) commit() {
	r.mu.Lock()
	ledger, ids, taken := r.position.Ledger, map[string]string{}, maps.Clone(r.dirty)
	for at := range taken {
		if t := r.position.Topics[at.topic]; t != nil {
			ids[at.topic] = t.ID
		}
	}
	r.mu.Unlock()
	if len(taken) == 0 {
		return
	}
	offsets := map[string]map[int32]kgo.EpochOffset{}
	for at, offset := range taken {
		if offsets[at.topic] == nil {
			offsets[at.topic] = map[int32]kgo.EpochOffset{}
		}
		offsets[at.topic][at.partition] = offset
	}
	ctx, cancel := context.WithTimeout(context.Background(), commitWait) // it outlives a run that is cancelled
	defer cancel()
	ctx = kgo.PreCommitFnContext(ctx, func(req *kmsg.OffsetCommitRequest) error {
		for i := range req.Topics {
			text := mark(ledger, ids[req.Topics[i].Topic])
			for j := range req.Topics[i].Partitions {
				req.Topics[i].Partitions[j].Metadata = &text
			}
		}
		return nil
	})
	var failed error
	r.client.CommitOffsetsSync(ctx, offsets, func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, resp *kmsg.OffsetCommitResponse, err error) {
		failed = committed(resp, err)
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	if failed != nil {
		r.quiet = time.Now().Add(commitPause)
		r.k.opts.Logger.Info("the group could not be told how far the source is read; nothing is lost", "source", r.k.cfg.Decode.Source, "error", failed.Error())
		return
	}
	for at, offset := range taken {
		if r.dirty[at] == offset {
			delete(r.dirty, at)
		}
	}
}
