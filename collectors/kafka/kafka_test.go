package kafka_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"vigil/collectors"
	"vigil/collectors/collectorstest"
	"vigil/collectors/decode"
	"vigil/collectors/formats/catalog"
	"vigil/collectors/kafka"
)

const (
	source = "audit"
	topic  = "access-log"
)

// broker is a cluster of three on this machine that keeps its log in a folder, so that it
// can go away and come back.
type broker struct {
	tb    testing.TB
	opts  []kfake.Opt
	ports []int

	mu sync.Mutex // guards all below
	// cluster is nil while it is away.
	cluster *kfake.Cluster
	client  *kgo.Client
}

func newBroker(tb testing.TB, opts ...kfake.Opt) *broker {
	tb.Helper()
	b := &broker{tb: tb, opts: append([]kfake.Opt{kfake.DataDir(tb.TempDir()), kfake.SeedTopics(4, topic)}, opts...)}
	if err := b.Up(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.client != nil {
			b.client.Close()
		}
		if b.cluster != nil {
			b.cluster.Close()
		}
	})
	return b
}

func (b *broker) addresses() (out []string) {
	for _, p := range b.ports {
		out = append(out, net.JoinHostPort("127.0.0.1", strconv.Itoa(p)))
	}
	return out
}

func (b *broker) Up(context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	opts := append([]kfake.Opt{kfake.NumBrokers(3)}, b.opts...)
	if b.ports != nil {
		opts = append(opts, kfake.Ports(b.ports...))
	}
	c, err := kfake.NewCluster(opts...)
	if err != nil {
		return err
	}
	b.cluster = c
	if b.ports == nil {
		for _, addr := range c.ListenAddrs() {
			_, port, err := net.SplitHostPort(addr)
			if err != nil {
				return err
			}
			n, err := strconv.Atoi(port)
			if err != nil {
				return err
			}
			b.ports = append(b.ports, n)
		}
	}
	return nil
}

func (b *broker) Down(context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.cluster.Close()
	b.cluster = nil
	return nil
}

func (b *broker) producer() (*kgo.Client, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.client == nil {
		var err error
		b.client, err = kgo.NewClient(kgo.SeedBrokers(b.addresses()...), kgo.ProducerBatchCompression(kgo.Lz4Compression()),
			kgo.ProducerLinger(time.Millisecond), kgo.MetadataMinAge(10*time.Millisecond), kgo.RecordPartitioner(kgo.RoundRobinPartitioner()))
		if err != nil {
			return nil, err
		}
	}
	return b.client, nil
}

func (b *broker) Write(ctx context.Context, records ...collectorstest.Record) error {
	return b.write(ctx, topic, records...)
}

func (b *broker) write(ctx context.Context, topic string, records ...collectorstest.Record) error {
	cl, err := b.producer()
	if err != nil {
		return err
	}
	var out []*kgo.Record
	for _, r := range records {
		out = append(out, &kgo.Record{Topic: topic, Value: r.Line(), Headers: []kgo.RecordHeader{{Key: "trace", Value: []byte("x")}}})
	}
	return cl.ProduceSync(ctx, out...).FirstErr()
}

func (b *broker) config() kafka.Config {
	return kafka.Config{
		Decode:  decode.Config{Source: source, Formats: catalog.All(), Format: "native"},
		Brokers: b.addresses(), Topics: []string{topic},
	}
}

func (b *broker) Collector() (collectors.Collector, error) {
	return kafka.New(b.config(), kafka.Options{Logger: slog.New(slog.DiscardHandler), Look: 100 * time.Millisecond})
}

func TestSuite(t *testing.T) {
	t.Parallel()
	collectorstest.Run(t, collectorstest.Way{Source: source, Peer: func(t *testing.T) collectorstest.Peer {
		t.Helper()
		return newBroker(t)
	}})
}

var start = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

func records(first, n int) []collectorstest.Record {
	out := make([]collectorstest.Record, n)
	for i := range out {
		out[i] = collectorstest.Record{N: first + i, Time: start.Add(time.Duration(first+i) * time.Second)}
	}
	return out
}

func (b *broker) mustWrite(topic string, records ...collectorstest.Record) {
	b.tb.Helper()
	ctx, cancel := context.WithTimeout(b.tb.Context(), time.Minute)
	defer cancel()
	if err := b.write(ctx, topic, records...); err != nil {
		b.tb.Fatalf("write: %v", err)
	}
}

// running is a collector that is started again when it fails, as the supervisor does.
type running struct {
	cancel context.CancelFunc
	done   chan struct{}
}

func run(tb testing.TB, cfg kafka.Config, o *collectorstest.Oracle) *running {
	tb.Helper()
	k, err := kafka.New(cfg, kafka.Options{Logger: slog.New(slog.DiscardHandler), Look: 100 * time.Millisecond})
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(tb.Context()))
	r := &running{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(r.done)
		for ctx.Err() == nil {
			if k.Run(ctx, o.Position(), o) != nil {
				select {
				case <-ctx.Done():
				case <-time.After(50 * time.Millisecond):
				}
			}
		}
	}()
	tb.Cleanup(r.stop)
	return r
}

func (r *running) stop() {
	r.cancel()
	<-r.done
}

// lapses waits for as many lapses.
func lapses(tb testing.TB, o *collectorstest.Oracle, n int) []string {
	tb.Helper()
	o.Await(tb, fmt.Sprintf("%d lapses", n), func(int, int, int) bool { return true })
	var out []string
	deadline := time.After(time.Minute)
	for {
		out = nil
		for _, l := range o.Lapses() {
			out = append(out, fmt.Sprintf("%s %d: %s", l.Kind, l.Missing, l.Text))
		}
		if len(out) >= n {
			return out
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-deadline:
			tb.Fatalf("waited in vain for %d lapses, there are %q", n, out)
		}
	}
}

func has(texts []string, parts ...string) bool {
	for _, text := range texts {
		all := true
		for _, p := range parts {
			all = all && strings.Contains(text, p)
		}
		if all {
			return true
		}
	}
	return false
}
