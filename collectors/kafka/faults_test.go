package kafka_test

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"vigil/collectors/collectorstest"
	"vigil/collectors/kafka"
)

func oracle() *collectorstest.Oracle { return collectorstest.NewOracle(source, nil) }

// Two members of a group share the topic while members come and go: each record reaches
// one of their ledgers, once.
func TestRebalances(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	left, right := oracle(), oracle()
	const rounds, each = 6, 300
	first := run(t, b.config(), left)
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range rounds * each / 50 {
			b.mustWrite(topic, records(1+i*50, 50)...)
		}
	})
	for i := range rounds {
		second := run(t, b.config(), right)
		right.Await(t, "the newcomer's share", func(events, _, _ int) bool { return events > i*20 })
		second.stop() // its partitions go back to the first
	}
	wg.Wait()
	n := rounds * each
	// What is written last is read by the first alone.
	b.mustWrite(topic, records(n+1, 8)...)
	n += 8
	left.Await(t, "all records in one ledger or the other", func(int, int, int) bool {
		for i := 1; i <= n; i++ {
			if left.Event(i) == nil && right.Event(i) == nil {
				return false
			}
		}
		return true
	})
	first.stop()
	both := 0
	for i := 1; i <= n; i++ {
		if left.Event(i) != nil && right.Event(i) != nil {
			both++
		}
	}
	if both > 0 {
		t.Errorf("%d of %d records are in both ledgers", both, n)
	}
	if got := append(left.Lapses(), right.Lapses()...); len(got) > 0 {
		t.Errorf("moves of partitions were told as lapses: %+v", got)
	}
}

// Two members with one ledger: whatever position it holds last, nothing is lost and
// nothing counts twice.
func TestRebalancesWithOneLedger(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	o := oracle()
	first := run(t, b.config(), o)
	n := 0
	for range 4 {
		second := run(t, b.config(), o)
		b.mustWrite(topic, records(n+1, 200)...)
		n += 200
		o.AwaitRecords(t, n-100)
		second.stop()
	}
	first.stop()
	b.mustWrite(topic, records(n+1, 50)...)
	n += 50
	last := run(t, b.config(), o)
	o.AwaitRecords(t, n)
	last.stop()
	o.Check(t, n)
}

// What retention deletes before it is read is told with its number, whether we were away
// or not; what is left is read.
func TestRetention(t *testing.T) {
	t.Parallel()
	b := newBroker(t, kfake.SeedTopics(1, topic))
	o := oracle()
	r := run(t, b.config(), o)
	b.mustWrite(topic, records(1, 100)...)
	o.AwaitRecords(t, 100)
	r.stop()
	b.mustWrite(topic, records(101, 100)...)
	if err := b.cluster.DeleteRecords(topic, 0, 150); err != nil {
		t.Fatal(err)
	}
	r = run(t, b.config(), o)
	o.AwaitRecords(t, 150)
	r.stop()
	got := lapses(t, o, 1)
	if len(got) != 1 || !has(got, "hole 50:", "offsets 100 to 149 of access-log/0") {
		t.Errorf("got %q", got)
	}
	if o.Event(100) == nil || o.Event(101) != nil || o.Event(151) == nil {
		t.Error("the wrong records came")
	}
}

// The same while the source is being read: records beyond what it has read are deleted,
// which takes a sink that is slow.
func TestRetentionWhileReading(t *testing.T) {
	t.Parallel()
	b := newBroker(t, kfake.SeedTopics(1, topic))
	o := oracle()
	r := run(t, b.config(), o)
	b.mustWrite(topic, records(1, 100)...)
	o.AwaitRecords(t, 100)
	o.Block()
	b.mustWrite(topic, records(101, 1)...)
	o.Await(t, "a batch at the door", func(_, _, inside int) bool { return inside > 0 })
	// Larger than what the client holds, so that it must ask for more.
	big := records(102, 60)
	var out []*kgo.Record
	for _, rec := range big {
		out = append(out, &kgo.Record{Topic: topic, Value: append(rec.Line(), bytes.Repeat([]byte{' '}, 400<<10)...)})
	}
	cl, err := b.producer()
	if err != nil {
		t.Fatal(err)
	}
	for _, rec := range out {
		if err := cl.ProduceSync(t.Context(), rec).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.cluster.DeleteRecords(topic, 0, 160); err != nil {
		t.Fatal(err)
	}
	o.Unblock()
	got := lapses(t, o, 1)
	r.stop()
	if !has(got, "hole ", "to 159 of access-log/0") {
		t.Errorf("got %q", got)
	}
}

// A topic that was made anew is read from its beginning, though its offsets are those of
// the old one, and its records are no repetition of the old one's.
func TestTopicMadeAnew(t *testing.T) {
	t.Parallel()
	for _, away := range []bool{true, false} {
		t.Run(fmt.Sprintf("away %v", away), func(t *testing.T) {
			t.Parallel()
			b := newBroker(t, kfake.SeedTopics(1, topic))
			o := oracle()
			r := run(t, b.config(), o)
			b.mustWrite(topic, records(1, 50)...)
			o.AwaitRecords(t, 50)
			if away {
				r.stop()
			}
			if err := b.cluster.DeleteTopic(topic); err != nil {
				t.Fatal(err)
			}
			if err := b.cluster.CreateTopic(topic, 1, nil); err != nil {
				t.Fatal(err)
			}
			b.client.Close() // it knows the old topic
			b.client = nil
			b.mustWrite(topic, records(51, 80)...)
			if away {
				r = run(t, b.config(), o)
			}
			o.AwaitRecords(t, 130)
			r.stop()
			o.Check(t, 130)
			if got := lapses(t, o, 1); !has(got, "reset -1:", "made anew") {
				t.Errorf("got %q", got)
			}
			if a, z := o.Event(1), o.Event(51); a.ID == z.ID || a.Origin.File == z.Origin.File {
				t.Errorf("the streams are %q and %q", a.Origin.File, z.Origin.File)
			}
		})
	}
}

// A log that was cut back by an election is told, and read on where it goes on.
func TestLogCutBack(t *testing.T) {
	t.Parallel()
	b := newBroker(t, kfake.SeedTopics(1, topic))
	o := oracle()
	r := run(t, b.config(), o)
	b.mustWrite(topic, records(1, 50)...)
	o.AwaitRecords(t, 50)
	r.stop()
	b.cluster.ControlKey(int16(kmsg.OffsetForLeaderEpoch), func(req kmsg.Request) (kmsg.Response, error, bool) {
		asked := req.(*kmsg.OffsetForLeaderEpochRequest)
		resp := asked.ResponseKind().(*kmsg.OffsetForLeaderEpochResponse)
		for _, at := range asked.Topics {
			part := kmsg.NewOffsetForLeaderEpochResponseTopicPartition()
			part.Partition, part.LeaderEpoch, part.EndOffset = 0, at.Partitions[0].LeaderEpoch, 40
			answer := kmsg.NewOffsetForLeaderEpochResponseTopic()
			answer.Topic, answer.Partitions = at.Topic, append(answer.Partitions, part)
			resp.Topics = append(resp.Topics, answer)
		}
		return resp, nil, true
	})
	b.mustWrite(topic, records(51, 10)...)
	r = run(t, b.config(), o)
	o.AwaitRecords(t, 60)
	r.stop()
	o.Check(t, 60)
	if got := lapses(t, o, 1); !has(got, "reset -1:", "read up to offset 50, and goes on at 40") {
		t.Errorf("got %q", got)
	}
}

// Leaders move and brokers leave and join while records flow.
func TestBrokersComeAndGo(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	o := oracle()
	r := run(t, b.config(), o)
	n := 0
	for i := range 6 {
		b.mustWrite(topic, records(n+1, 100)...)
		n += 100
		switch i % 3 {
		case 0:
			b.cluster.ShufflePartitionLeaders()
		case 1:
			b.cluster.RehashCoordinators()
		case 2:
			node, port, err := b.cluster.AddNode(-1, 0)
			if err != nil {
				t.Fatal(node, port, err)
			}
			if err := b.cluster.RemoveNode(node); err != nil {
				t.Fatal(err)
			}
		}
		o.AwaitRecords(t, n)
	}
	r.stop()
	o.Check(t, n)
	if got := o.Lapses(); len(got) > 0 {
		t.Errorf("got %+v", got)
	}
}

// A source that begins at the end reads what comes after its first start, also what came
// while it was away before anything was read; a partition that is added, or a topic, is
// read from its beginning.
func TestLatest(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	cfg := b.config()
	cfg.Start, cfg.Topics, cfg.Pattern = kafka.Latest, nil, "access-.*"
	o := oracle()
	b.mustWrite(topic, records(1001, 40)...)
	r := run(t, cfg, o)
	awaitPosition(t, o)
	r.stop()
	b.mustWrite(topic, records(1, 40)...)
	if err := b.cluster.CreateTopic("access-more", 2, nil); err != nil {
		t.Fatal(err)
	}
	if err := b.cluster.CreateTopic("other", 1, nil); err != nil {
		t.Fatal(err)
	}
	b.mustWrite("access-more", records(41, 40)...)
	b.mustWrite("other", records(2001, 10)...)
	r = run(t, cfg, o)
	o.AwaitRecords(t, 80)
	r.stop()
	o.Check(t, 80)
	// A topic that is gone is told once, and the others are read on.
	if err := b.cluster.DeleteTopic("access-more"); err != nil {
		t.Fatal(err)
	}
	for n := 80; n < 100; n += 10 {
		r = run(t, cfg, o)
		b.mustWrite(topic, records(n+1, 10)...)
		o.AwaitRecords(t, n+10)
		r.stop()
	}
	if got := lapses(t, o, 1); len(got) != 1 || !has(got, "reset -1:", "access-more", "not there any more") {
		t.Errorf("got %q", got)
	}
	o.Check(t, 100)
}

// awaitPosition waits until a position is committed.
func awaitPosition(t *testing.T, o *collectorstest.Oracle) {
	t.Helper()
	o.Await(t, "a position", func(int, int, int) bool { return true })
	o.Await(t, "a position", func(int, int, int) bool { return len(o.Position()) > 0 })
}

// Records of transactions that were aborted are not read, and the gaps that transactions
// and compaction leave are no hole.
func TestTransactions(t *testing.T) {
	t.Parallel()
	b := newBroker(t, kfake.SeedTopics(1, topic))
	o := oracle()
	r := run(t, b.config(), o)
	cl, err := kgo.NewClient(kgo.SeedBrokers(b.addresses()...), kgo.TransactionalID("x"), kgo.DefaultProduceTopic(topic))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	for i := range 6 {
		if err := cl.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		first, end := 1+i/2*10, kgo.TryCommit
		if i%2 == 0 {
			first, end = 1000+i*10, kgo.TryAbort
		}
		for _, rec := range records(first, 10) {
			if err := cl.ProduceSync(t.Context(), &kgo.Record{Value: rec.Line()}).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
		if err := cl.EndTransaction(t.Context(), end); err != nil {
			t.Fatal(err)
		}
	}
	o.AwaitRecords(t, 30)
	r.stop()
	o.Check(t, 30)
	if got := o.Lapses(); len(got) > 0 {
		t.Errorf("got %+v", got)
	}
}

// Every way of packing is read; what unpacks to far too much is set aside, and what
// follows is read.
func TestPacking(t *testing.T) {
	t.Parallel()
	b := newBroker(t, kfake.SeedTopics(1, topic))
	o := oracle()
	r := run(t, b.config(), o)
	n := 0
	for _, codec := range []kgo.CompressionCodec{
		kgo.NoCompression(), kgo.GzipCompression(), kgo.SnappyCompression(), kgo.Lz4Compression(), kgo.ZstdCompression(),
	} {
		cl, err := kgo.NewClient(kgo.SeedBrokers(b.addresses()...), kgo.ProducerBatchCompression(codec), kgo.DefaultProduceTopic(topic),
			kgo.ProducerBatchMaxBytes(1<<20), kgo.MaxBufferedBytes(1<<30))
		if err != nil {
			t.Fatal(err)
		}
		var out []*kgo.Record
		for _, rec := range records(n+1, 20) {
			out = append(out, &kgo.Record{Value: rec.Line()})
		}
		n += 20
		if err := cl.ProduceSync(t.Context(), out...).FirstErr(); err != nil {
			t.Fatal(err)
		}
		cl.Close()
	}
	o.AwaitRecords(t, n)
	produceBomb(t, b)
	b.mustWrite(topic, records(n+1, 20)...)
	n += 20
	o.AwaitRecords(t, n)
	r.stop()
	o.Check(t, n)
	aside := o.Quarantined()
	if len(aside) != 1 || aside[0].Code != "too-long" || aside[0].Offset != 100 {
		t.Errorf("set aside: %+v", aside)
	}
}

// produceBomb writes one batch whose zeros pack to next to nothing.
func produceBomb(t *testing.T, b *broker) {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(b.addresses()...), kgo.ProducerBatchCompression(kgo.ZstdCompression()), kgo.DefaultProduceTopic(topic),
		kgo.ProducerBatchMaxBytes(64<<20))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if err := cl.ProduceSync(ctx, &kgo.Record{Value: bytes.Repeat([]byte{'0'}, 32<<20)}).FirstErr(); err != nil {
		t.Fatal(err)
	}
}
