package objects_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"gocloud.dev/blob"

	"vigil/collectors"
	"vigil/collectors/collectorstest"
	"vigil/collectors/decode"
	"vigil/collectors/formats/catalog"
	"vigil/collectors/objects"
)

const source = "trail"

// config is one for a place that is looked at all the time.
func config(url string) objects.Config {
	return objects.Config{
		Config: decode.Config{Source: source, Store: "desk", Formats: catalog.All(), Format: "native"},
		URL:    url, Poll: 10 * time.Millisecond,
	}
}

func collector(t testing.TB, cfg objects.Config, opts objects.Options) *objects.Collector {
	t.Helper()
	c, err := objects.New(cfg, opts)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// server is S3 as a fake keeps it, over HTTP; what it holds outlives its connections.
type server struct {
	t     testing.TB
	fake  http.Handler
	mu    sync.Mutex
	http  *http.Server
	addr  string
	gate  func(w http.ResponseWriter, r *http.Request) bool
	write *blob.Bucket
}

// newServer starts one with a bucket called "logs".
func newServer(t testing.TB) *server {
	t.Helper()
	s := &server{t: t, addr: "127.0.0.1:0"}
	back := s3mem.New()
	if err := back.CreateBucket("logs"); err != nil {
		t.Fatal(err)
	}
	s.fake = gofakes3.New(back).Server()
	if err := s.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Down(context.WithoutCancel(t.Context())) })
	var err error
	if s.write, err = blob.OpenBucket(t.Context(), s.url()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.write.Close() })
	return s
}

func (s *server) url() string {
	return "s3://logs?region=us-east-1&anonymous=true&use_path_style=true&request_checksum_calculation=when_required&endpoint=http://" + s.addr
}

// Down breaks all connections.
func (s *server) Down(context.Context) error { return s.http.Close() }

// Up listens where it did before.
func (s *server) Up(ctx context.Context) error {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", s.addr)
	if err != nil {
		return err
	}
	s.addr = l.Addr().String()
	h := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		gate := s.gate
		s.mu.Unlock()
		if gate == nil || gate(w, r) {
			s.fake.ServeHTTP(w, r)
		}
	})}
	s.http = h
	go func() { _ = h.Serve(l) }()
	return nil
}

// guard sets what looks at requests before they are served.
func (s *server) guard(gate func(w http.ResponseWriter, r *http.Request) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gate = gate
}

func (s *server) put(key string, content []byte) {
	s.t.Helper()
	if err := s.write.WriteAll(context.WithoutCancel(s.t.Context()), key, content, nil); err != nil {
		s.t.Fatal(err)
	}
}

// s3Peer is a bucket into which each Write puts one object.
type s3Peer struct {
	*server
	n int
}

func (p *s3Peer) Write(ctx context.Context, rs ...collectorstest.Record) error {
	p.n++
	return p.write.WriteAll(ctx, fmt.Sprintf("a/%04d.log.gz", p.n), packed(p.t, text(rs...)), nil)
}

func (p *s3Peer) Collector() (collectors.Collector, error) {
	return objects.New(config(p.url()), objects.Options{})
}

// folderPeer is a folder into which each Write puts one file.
type folderPeer struct {
	dir string
	n   int
}

func (p *folderPeer) Write(_ context.Context, rs ...collectorstest.Record) error {
	p.n++
	name := filepath.Join(p.dir, fmt.Sprintf("%04d.log", p.n))
	if err := os.WriteFile(name+".part", text(rs...), 0o600); err != nil {
		return err
	}
	return os.Rename(name+".part", name)
}

func (p *folderPeer) Collector() (collectors.Collector, error) {
	cfg := config(p.dir)
	cfg.Match = "*.log"
	return objects.New(cfg, objects.Options{})
}

func text(rs ...collectorstest.Record) []byte {
	var b bytes.Buffer
	for _, r := range rs {
		b.Write(r.Line())
		b.WriteByte('\n')
	}
	return b.Bytes()
}

func packed(t testing.TB, text []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestS3(t *testing.T) {
	t.Parallel()
	collectorstest.Run(t, collectorstest.Way{Source: source, Peer: func(t *testing.T) collectorstest.Peer {
		return &s3Peer{server: newServer(t)}
	}})
}

func TestFolder(t *testing.T) {
	t.Parallel()
	collectorstest.Run(t, collectorstest.Way{Source: source, Peer: func(t *testing.T) collectorstest.Peer {
		return &folderPeer{dir: t.TempDir()}
	}})
}

// begin makes an oracle and runs a collector into it from the oracle's position; stop ends
// it and returns what Run returned.
func begin(t *testing.T, o *collectorstest.Oracle, c *objects.Collector) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx, o.Position(), o) }()
	var once sync.Once
	var err error
	stop = func() error {
		once.Do(func() { cancel(); err = <-done })
		return err
	}
	t.Cleanup(func() { _ = stop() })
	return stop
}

func records(first, n int) []collectorstest.Record {
	out := make([]collectorstest.Record, n)
	for i := range out {
		out[i] = collectorstest.Record{N: first + i, Time: time.Date(2026, 11, 2, 9, 0, first+i, 0, time.UTC)}
	}
	return out
}

func newOracle() *collectorstest.Oracle { return collectorstest.NewOracle(source, nil) }

// context5 ends soon: what is asked for never answers.
func context5(t testing.TB) (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.Context(), 20*time.Second)
}
