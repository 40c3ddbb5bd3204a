package nats_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"vigil/collectors"
	"vigil/collectors/collectorstest"
	"vigil/collectors/decode"
	"vigil/collectors/formats/catalog"
	"vigil/collectors/nats"
)

const (
	source = "audit"
	stream = "ACCESS"
)

// peer is a server within this process that keeps its stream in a folder, so that it can
// go away and come back.
type peer struct {
	tb      testing.TB
	opts    server.Options
	connect []natsgo.Option

	mu     sync.Mutex // guards all below
	server *server.Server
	client *natsgo.Conn
}

func newPeer(tb testing.TB, change func(*server.Options), connect ...natsgo.Option) *peer {
	tb.Helper()
	p := &peer{tb: tb, connect: connect, opts: server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: tb.TempDir(), NoSigs: true, NoLog: true,
	}}
	if change != nil {
		change(&p.opts)
	}
	if err := p.Up(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = p.Down(context.WithoutCancel(tb.Context())) })
	return p
}

// withStream also makes the stream.
func withStream(tb testing.TB, cfg jetstream.StreamConfig) *peer {
	tb.Helper()
	p := newPeer(tb, nil)
	p.makeStream(cfg)
	return p
}

func (p *peer) makeStream(cfg jetstream.StreamConfig) {
	p.tb.Helper()
	cfg.Name = stream
	if cfg.Subjects == nil {
		cfg.Subjects = []string{"access.>"}
	}
	if _, err := p.js().CreateStream(p.tb.Context(), cfg); err != nil {
		p.tb.Fatal(err)
	}
}

func (p *peer) Up(context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	opts := p.opts.Clone()
	s, err := server.NewServer(opts)
	if err != nil {
		return err
	}
	go s.Start()
	if !s.ReadyForConnections(30 * time.Second) {
		return fmt.Errorf("the server does not start")
	}
	p.server, p.opts.Port = s, opts.Port
	return nil
}

func (p *peer) Down(context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.client != nil {
		p.client.Close()
		p.client = nil
	}
	p.server.Shutdown()
	p.server.WaitForShutdown()
	return nil
}

func (p *peer) url() string { return fmt.Sprintf("nats://127.0.0.1:%d", p.opts.Port) }

func (p *peer) js() jetstream.JetStream {
	p.tb.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.client == nil {
		var err error
		if p.client, err = natsgo.Connect(p.url(), p.connect...); err != nil {
			p.tb.Fatal(err)
		}
	}
	js, err := jetstream.New(p.client)
	if err != nil {
		p.tb.Fatal(err)
	}
	return js
}

func (p *peer) Write(ctx context.Context, records ...collectorstest.Record) error {
	return p.write(ctx, "access.desk", records...)
}

func (p *peer) write(ctx context.Context, subject string, records ...collectorstest.Record) error {
	js := p.js()
	for _, r := range records {
		if _, err := js.PublishMsg(ctx, &natsgo.Msg{Subject: subject, Data: r.Line(), Header: natsgo.Header{"Trace": {"x"}}}); err != nil {
			return err
		}
	}
	return nil
}

func (p *peer) config() nats.Config {
	return nats.Config{
		Decode: decode.Config{Source: source, Formats: catalog.All(), Format: "native"}, URLs: []string{p.url()}, Stream: stream,
	}
}

var options = nats.Options{Logger: slog.New(slog.DiscardHandler), Look: 100 * time.Millisecond}

func (p *peer) Collector() (collectors.Collector, error) { return nats.New(p.config(), options) }

func TestSuite(t *testing.T) {
	t.Parallel()
	collectorstest.Run(t, collectorstest.Way{Source: source, Peer: func(t *testing.T) collectorstest.Peer {
		t.Helper()
		return withStream(t, jetstream.StreamConfig{})
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

func (p *peer) mustWrite(subject string, records ...collectorstest.Record) {
	p.tb.Helper()
	ctx, cancel := context.WithTimeout(p.tb.Context(), time.Minute)
	defer cancel()
	if err := p.write(ctx, subject, records...); err != nil {
		p.tb.Fatalf("write: %v", err)
	}
}

func oracle() *collectorstest.Oracle { return collectorstest.NewOracle(source, nil) }

// run runs a collector, again whenever it fails, as the supervisor does, until stop.
func run(tb testing.TB, cfg nats.Config, o *collectorstest.Oracle, position []byte) (stop func()) {
	tb.Helper()
	n, err := nats.New(cfg, options)
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(tb.Context()))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			if err := n.Run(ctx, position, o); err != nil {
				tb.Logf("Run: %v", err)
				select {
				case <-ctx.Done():
				case <-time.After(50 * time.Millisecond):
				}
			}
			position = o.Position()
		}
	}()
	stop = func() {
		cancel()
		<-done
	}
	tb.Cleanup(stop)
	return stop
}

// lapses waits for as many lapses.
func lapses(tb testing.TB, o *collectorstest.Oracle, n int) []string {
	tb.Helper()
	deadline := time.After(time.Minute)
	for {
		var out []string
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

func want(t *testing.T, got []string, parts ...string) {
	t.Helper()
	if len(got) != 1 {
		t.Fatalf("got %q, want one", got)
	}
	for _, part := range parts {
		if !strings.Contains(got[0], part) {
			t.Errorf("%q lacks %q", got[0], part)
		}
	}
}

// What the stream's limits, or somebody, deleted before it was read is told with its
// number; what was deleted after is nothing.
func TestDeleted(t *testing.T) {
	t.Parallel()
	for name, remove := range map[string]func(t *testing.T, s jetstream.Stream) error{
		"at the beginning": func(t *testing.T, s jetstream.Stream) error {
			t.Helper()
			return s.Purge(t.Context(), jetstream.WithPurgeSequence(71)) // 1 to 70
		},
		"within": func(t *testing.T, s jetstream.Stream) error {
			t.Helper()
			for seq := uint64(40); seq <= 70; seq++ {
				if err := s.DeleteMsg(t.Context(), seq); err != nil {
					return err
				}
			}
			return nil
		},
		"all": func(t *testing.T, s jetstream.Stream) error {
			t.Helper()
			return s.Purge(t.Context())
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := withStream(t, jetstream.StreamConfig{})
			o := oracle()
			stop := run(t, p.config(), o, nil)
			p.mustWrite("access.desk", records(1, 50)...)
			o.AwaitRecords(t, 50)
			stop()
			p.mustWrite("access.desk", records(51, 50)...)
			s, err := p.js().Stream(t.Context(), stream)
			if err != nil {
				t.Fatal(err)
			}
			if err := remove(t, s); err != nil {
				t.Fatal(err)
			}
			stop = run(t, p.config(), o, o.Position())
			if name == "all" {
				want(t, lapses(t, o, 1), "dropped 50:", "Messages 51 to 100 of stream ACCESS")
			} else {
				o.AwaitRecords(t, 80)
				want(t, lapses(t, o, 1), "dropped 20:", "Messages 51 to 70 of stream ACCESS")
			}
			p.mustWrite("access.desk", records(101, 1)...)
			o.Await(t, "the last record", func(events, _, _ int) bool { return events == 51 || events == 81 })
			stop()
			if got := o.Lapses(); len(got) != 1 {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// A stream that was made anew is read from its beginning, though its numbers are those of
// the old one.
func TestStreamMadeAnew(t *testing.T) {
	t.Parallel()
	for _, gone := range []bool{true, false} {
		t.Run(fmt.Sprintf("away %v", gone), func(t *testing.T) {
			t.Parallel()
			p := withStream(t, jetstream.StreamConfig{})
			o := oracle()
			stop := run(t, p.config(), o, nil)
			p.mustWrite("access.desk", records(1, 50)...)
			o.AwaitRecords(t, 50)
			if gone {
				stop()
			}
			if err := p.js().DeleteStream(t.Context(), stream); err != nil {
				t.Fatal(err)
			}
			p.makeStream(jetstream.StreamConfig{})
			p.mustWrite("access.desk", records(51, 60)...)
			if gone {
				stop = run(t, p.config(), o, o.Position())
			}
			o.AwaitRecords(t, 110)
			stop()
			o.Check(t, 110)
			want(t, lapses(t, o, 1), "reset -1:", "made anew")
			if a, z := o.Event(1), o.Event(51); a.Origin.File == z.Origin.File {
				t.Errorf("both streams are %q", a.Origin.File)
			}
		})
	}
}

// The ledger is right about where to go on: where it is older than the consumer, which was
// restored from a copy, what it lacks is read again; and where the consumer is gone, it is
// made anew at the right place.
func TestLedgerIsTheTruth(t *testing.T) {
	t.Parallel()
	for _, retention := range []jetstream.RetentionPolicy{jetstream.LimitsPolicy, jetstream.InterestPolicy, jetstream.WorkQueuePolicy} {
		t.Run(retention.String(), func(t *testing.T) {
			t.Parallel()
			p := withStream(t, jetstream.StreamConfig{Retention: retention})
			o := oracle()
			stop := run(t, p.config(), o, nil)
			p.await(t)
			p.mustWrite("access.desk", records(1, 50)...)
			o.AwaitRecords(t, 50)
			stop()
			old := o.Position()
			stop = run(t, p.config(), o, old)
			p.mustWrite("access.desk", records(51, 50)...)
			o.AwaitRecords(t, 100)
			stop()
			if retention != jetstream.LimitsPolicy {
				// What was acknowledged is deleted: nothing comes again, and nothing is wrong.
				stop = run(t, p.config(), o, o.Position())
				p.mustWrite("access.desk", records(101, 50)...)
				o.AwaitRecords(t, 150)
				stop()
				o.Check(t, 150)
				if got := o.Lapses(); len(got) > 0 {
					t.Errorf("got %+v", got)
				}
				return
			}
			restored := oracle()
			stop = run(t, p.config(), restored, old)
			restored.AwaitRecords(t, 50)
			stop()
			if restored.Event(51) == nil || restored.Event(50) != nil {
				t.Error("it was not read from where the ledger is")
			}
			if a, b := restored.Event(60), o.Event(60); a.ID != b.ID {
				t.Error("a message that came again has another id")
			}
			if err := p.js().DeleteConsumer(t.Context(), stream, "vigil-"+source); err != nil {
				t.Fatal(err)
			}
			p.mustWrite("access.desk", records(101, 50)...)
			stop = run(t, p.config(), restored, restored.Position())
			restored.AwaitRecords(t, 100)
			stop()
			if restored.Event(150) == nil || restored.Event(50) != nil {
				t.Error("it was not read from where the ledger is")
			}
		})
	}
}

// await waits until the consumer is there, without which an interest stream keeps nothing.
func (p *peer) await(t *testing.T) {
	t.Helper()
	deadline := time.After(time.Minute)
	for {
		if _, err := p.js().Consumer(t.Context(), stream, "vigil-"+source); err == nil {
			return
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-deadline:
			t.Fatal("there is no consumer")
		}
	}
}

// A consumer that is deleted under a run ends it, and the next one makes it anew.
func TestConsumerKilled(t *testing.T) {
	t.Parallel()
	p := withStream(t, jetstream.StreamConfig{})
	o := oracle()
	stop := run(t, p.config(), o, nil)
	n := 0
	for range 3 {
		p.mustWrite("access.desk", records(n+1, 50)...)
		n += 50
		o.AwaitRecords(t, n)
		if err := p.js().DeleteConsumer(t.Context(), stream, "vigil-"+source); err != nil {
			t.Fatal(err)
		}
	}
	p.mustWrite("access.desk", records(n+1, 50)...)
	n += 50
	o.AwaitRecords(t, n)
	stop()
	o.Check(t, n)
	if got := o.Lapses(); len(got) > 0 {
		t.Errorf("got %+v", got)
	}
}

// Subjects are picked out, and what others write beside them, or the stream deletes of
// it, is no hole.
func TestSubjects(t *testing.T) {
	t.Parallel()
	p := withStream(t, jetstream.StreamConfig{})
	cfg := p.config()
	cfg.Subjects = []string{"access.desk", "access.bot.*"}
	o := oracle()
	stop := run(t, cfg, o, nil)
	for i := range 20 {
		p.mustWrite("access.desk", records(1+2*i, 1)...)
		p.mustWrite("access.other", records(1000+i, 1)...)
		p.mustWrite("access.bot.a", records(2+2*i, 1)...)
	}
	o.AwaitRecords(t, 40)
	p.mustWrite("access.other", records(2000, 10)...)
	// The position passes over what is not ours, so that its deletion is nothing.
	o.Await(t, "the position to pass", func(int, int, int) bool { return strings.Contains(string(o.Position()), `"next":71`) })
	stop()
	s, err := p.js().Stream(t.Context(), stream)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	stop = run(t, cfg, o, o.Position())
	p.mustWrite("access.desk", records(41, 1)...)
	o.AwaitRecords(t, 41)
	stop()
	o.Check(t, 41)
	if got := o.Lapses(); len(got) > 0 {
		t.Errorf("got %+v", got)
	}
	// A consumer of other subjects is not ours to change.
	cfg.Subjects = nil
	n, err := nats.New(cfg, options)
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{n.Check(t.Context()), n.Run(t.Context(), o.Position(), o)} {
		if err == nil || !strings.Contains(err.Error(), "nats consumer rm ACCESS vigil-audit") {
			t.Errorf("got %v", err)
		}
	}
}

// A source that begins at the end reads what comes after its first start, also what came
// while it was away before anything was read.
func TestLatest(t *testing.T) {
	t.Parallel()
	p := withStream(t, jetstream.StreamConfig{})
	cfg := p.config()
	cfg.Start = nats.Latest
	o := oracle()
	p.mustWrite("access.desk", records(1001, 40)...)
	stop := run(t, cfg, o, nil)
	o.Await(t, "a position", func(int, int, int) bool { return len(o.Position()) > 0 })
	stop()
	p.mustWrite("access.desk", records(1, 40)...)
	stop = run(t, cfg, o, o.Position())
	o.AwaitRecords(t, 40)
	stop()
	o.Check(t, 40)
}

// A message larger than what is asked for at once comes alone.
func TestLargeMessage(t *testing.T) {
	t.Parallel()
	p := newPeer(t, func(o *server.Options) { o.MaxPayload = 32 << 20 })
	p.makeStream(jetstream.StreamConfig{})
	o := oracle()
	stop := run(t, p.config(), o, nil)
	p.mustWrite("access.desk", records(1, 10)...)
	rec := records(11, 1)[0]
	if _, err := p.js().Publish(t.Context(), "access.desk", append(rec.Line(), []byte(strings.Repeat(" ", 12<<20))...)); err != nil {
		t.Fatal(err)
	}
	p.mustWrite("access.desk", records(12, 10)...)
	o.Await(t, "the records around it", func(events, aside, _ int) bool { return events+aside >= 21 })
	stop()
	if o.Event(21) == nil {
		t.Error("what came after a large message did not come")
	}
}
