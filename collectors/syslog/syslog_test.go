package syslog_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"vigil/collectors"
	"vigil/collectors/collectorstest"
	"vigil/collectors/decode"
	"vigil/collectors/formats/catalog"
	"vigil/collectors/syslog"
)

// source is the name of the source under test.
const source = "logs"

func decoding(format string) decode.Config {
	return decode.Config{Source: source, Store: "desk", Formats: catalog.All(), Format: format}
}

// freePort finds an address for a receiver that is started again and again.
func freePort(t testing.TB, network string) string {
	t.Helper()
	if network == "udp" {
		c, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		return c.LocalAddr().String()
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// forwarder is a sender with a queue, as daemons are: it holds what was written until it
// can be sent.
type forwarder struct {
	cfg syslog.Config
	// send sends one connection's worth, and returns when the connection ended.
	send func(f *forwarder, conn net.Conn)
	dial func(ctx context.Context) (net.Conn, error)

	mu      sync.Mutex // guards all below
	queue   [][]byte
	number  int
	changed chan struct{}
	heard   chan struct{} // closed while a receiver listens
	conn    net.Conn
}

// Down breaks the connection off; it comes back by itself.
func (f *forwarder) Down(context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.conn != nil {
		f.conn.Close()
	}
	return nil
}

func (f *forwarder) Up(context.Context) error { return nil }

// start begins to send. The end of the test ends it.
func start(t *testing.T, f *forwarder) *forwarder {
	t.Helper()
	f.changed = make(chan struct{})
	f.heard = make(chan struct{})
	if f.dial == nil {
		f.dial = func(ctx context.Context) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", f.cfg.Listen)
		}
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			if conn, err := f.dial(ctx); err == nil {
				f.mu.Lock()
				f.conn = conn
				f.mu.Unlock()
				end := context.AfterFunc(ctx, func() { conn.Close() })
				f.send(f, conn)
				end()
				conn.Close()
			}
			select {
			case <-ctx.Done():
			case <-time.After(10 * time.Millisecond):
			}
		}
	}()
	t.Cleanup(func() {
		cancel()
		f.mu.Lock()
		f.wake()
		f.mu.Unlock()
		<-done
	})
	return f
}

func (f *forwarder) wake() {
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *forwarder) Write(_ context.Context, rs ...collectorstest.Record) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range rs {
		f.number++
		f.queue = append(f.queue, fmt.Appendf(nil, `<134>1 %s web vigil-test %d - [meta sequenceId="%d"] %s`,
			time.Now().UTC().Format("2006-01-02T15:04:05.000000Z"), r.N, f.number, r.Line()))
	}
	f.wake()
	return nil
}

// at is the message at i, nil when there is none yet; changed is closed when there may be.
func (f *forwarder) at(i int) (message []byte, changed <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if i < len(f.queue) {
		return f.queue[i], nil
	}
	return nil, f.changed
}

// sent takes the first n messages out.
func (f *forwarder) sent(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.queue = f.queue[n:]
}

// listened is a collector that says when it listens.
type listened struct {
	f *forwarder
	collectors.Collector
}

func (l listened) Run(ctx context.Context, position []byte, sink collectors.Sink) error {
	defer func() {
		l.f.mu.Lock()
		defer l.f.mu.Unlock()
		select {
		case <-l.f.heard:
			l.f.heard = make(chan struct{})
		default:
		}
	}()
	return l.Collector.Run(ctx, position, sink)
}

func (f *forwarder) Collector() (collectors.Collector, error) {
	r, err := syslog.New(f.cfg, syslog.Options{Listening: func(net.Addr) {
		f.mu.Lock()
		defer f.mu.Unlock()
		close(f.heard)
	}})
	return listened{f, r}, err
}

// sendStream sends over a connection that acknowledges nothing, until the receiver closes
// its side.
func sendStream(counted bool) func(f *forwarder, conn net.Conn) {
	return func(f *forwarder, conn net.Conn) {
		gone := make(chan struct{})
		go func() {
			defer close(gone)
			_, _ = io.Copy(io.Discard, conn)
		}()
		for {
			message, changed := f.at(0)
			select {
			case <-gone:
				return
			default:
			}
			if message == nil {
				select {
				case <-changed:
					continue
				case <-gone:
					return
				}
			}
			frame := append(bytes.Clone(message), '\n')
			if counted {
				frame = fmt.Appendf(nil, "%d %s", len(message), message)
			}
			if _, err := conn.Write(frame); err != nil {
				return
			}
			f.sent(1)
		}
	}
}

// relpWindow is how many messages librelp sends ahead of their acknowledgement.
const relpWindow = 128

// sendRELP sends as librelp does: what was not acknowledged is sent again over the next
// connection, in its order.
func sendRELP(f *forwarder, conn net.Conn) {
	const offer = "relp_version=0\nrelp_software=test\ncommands=syslog"
	if _, err := fmt.Fprintf(conn, "1 open %d %s\n", len(offer), offer); err != nil {
		return
	}
	in := bufio.NewReader(conn)
	if txnr, answer, err := readAnswer(in); err != nil || txnr != 1 || !strings.HasPrefix(answer, "200 OK") {
		return
	}
	var mu sync.Mutex
	under, acked := 0, make(chan struct{}, 1)
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		for next := 2; ; next++ {
			txnr, answer, err := readAnswer(in)
			if err != nil || txnr != next || answer != "200 OK" {
				return
			}
			mu.Lock()
			f.sent(1)
			under--
			mu.Unlock()
			select {
			case acked <- struct{}{}:
			default:
			}
		}
	}()
	for txnr := 2; ; {
		mu.Lock()
		message, changed := f.at(under)
		free := under < relpWindow
		if message != nil && free {
			under++
		}
		mu.Unlock()
		switch {
		case !free || message == nil:
			if !free {
				changed = nil
			}
			select {
			case <-acked:
			case <-changed:
			case <-gone:
				return
			}
		default:
			if _, err := fmt.Fprintf(conn, "%d syslog %d %s\n", txnr, len(message), message); err != nil {
				<-gone
				return
			}
			txnr++
		}
	}
}

// readAnswer reads a rsp frame.
func readAnswer(in *bufio.Reader) (txnr int, text string, err error) {
	var length int
	var command string
	if _, err := fmt.Fscanf(in, "%d %s %d", &txnr, &command, &length); err != nil {
		return 0, "", err
	}
	if length > 0 {
		raw := make([]byte, length+1)
		if _, err := io.ReadFull(in, raw); err != nil {
			return 0, "", err
		}
		text = string(raw[1:])
		if _, err := in.ReadByte(); err != nil {
			return 0, "", err
		}
	}
	if command != "rsp" {
		return 0, "", fmt.Errorf("the answer is %s", command)
	}
	return txnr, text, nil
}

func TestTCP(t *testing.T) {
	t.Parallel()
	collectorstest.Run(t, collectorstest.Way{Source: source, Unacknowledged: true, Peer: func(t *testing.T) collectorstest.Peer {
		return start(t, &forwarder{cfg: syslog.Config{Decode: decoding("native"), Listen: freePort(t, "tcp")}, send: sendStream(false)})
	}})
}

func TestTLS(t *testing.T) {
	t.Parallel()
	collectorstest.Run(t, collectorstest.Way{Source: source, Unacknowledged: true, Peer: func(t *testing.T) collectorstest.Peer {
		a := newAuthority(t)
		cfg := a.receiver(freePort(t, "tcp"), syslog.TLS)
		return start(t, &forwarder{cfg: cfg, send: sendStream(true), dial: func(ctx context.Context) (net.Conn, error) {
			d := tls.Dialer{Config: a.client(t, "web.example.org")}
			return d.DialContext(ctx, "tcp", cfg.Listen)
		}})
	}})
}

func TestRELP(t *testing.T) {
	t.Parallel()
	collectorstest.Run(t, collectorstest.Way{Source: source, Peer: func(t *testing.T) collectorstest.Peer {
		return start(t, &forwarder{cfg: syslog.Config{Decode: decoding("native"), Listen: freePort(t, "tcp"), Transport: syslog.RELP}, send: sendRELP})
	}})
}

func TestUDP(t *testing.T) {
	t.Parallel()
	collectorstest.Run(t, collectorstest.Way{Source: source, Forgets: true, Peer: func(t *testing.T) collectorstest.Peer {
		f := &forwarder{cfg: syslog.Config{Decode: decoding("native"), Listen: freePort(t, "udp"), Transport: syslog.UDP}}
		f.dial = func(ctx context.Context) (net.Conn, error) {
			f.mu.Lock()
			heard := f.heard
			f.mu.Unlock()
			select {
			case <-heard:
			case <-ctx.Done():
				return nil, ctx.Err()
			}
			return new(net.Dialer).DialContext(ctx, "udp", f.cfg.Listen)
		}
		f.send = func(f *forwarder, conn net.Conn) {
			message, changed := f.at(0)
			for ; message != nil; message, changed = f.at(0) {
				if _, err := conn.Write(message); err != nil {
					return
				}
				f.sent(1)
			}
			<-changed
		}
		return start(t, f)
	}})
}

// receiver runs one for a test and returns its address, and what ends it.
func receiver(t testing.TB, cfg syslog.Config, opts syslog.Options, position []byte, sink collectors.Sink) (addr string, stop func() error) {
	t.Helper()
	if cfg.Listen == "" {
		cfg.Listen = "127.0.0.1:0"
	}
	if cfg.Decode.Source == "" {
		cfg.Decode = decoding("native")
	}
	at := make(chan net.Addr, 1)
	opts.Listening = func(a net.Addr) { at <- a }
	r, err := syslog.New(cfg, opts)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx, position, sink) }()
	ended := sync.OnceValue(func() error {
		cancel()
		return <-done
	})
	t.Cleanup(func() { _ = ended() })
	select {
	case a := <-at:
		return a.String(), ended
	case err := <-done:
		done <- err
		t.Fatalf("it does not listen: %v", err)
	}
	return "", nil
}

func dial(t testing.TB, network, addr string) net.Conn {
	t.Helper()
	conn, err := net.Dial(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func line(n int) string {
	return string(collectorstest.Record{N: n, Time: time.Date(2026, 11, 2, 9, 0, n, 0, time.UTC)}.Line())
}

func message(n int) string {
	return "<134>1 2026-11-02T09:00:00." + fmt.Sprintf("%06d", n) + "Z web app " + strconv.Itoa(n) + " - - " + line(n)
}
