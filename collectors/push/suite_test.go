package push_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"vigil"
	"vigil/collectors"
	"vigil/collectors/collectorstest"
	"vigil/collectors/formats"
	"vigil/collectors/push"
)

// sender is an application that pushes as the documentation asks it to: it keeps each
// request until it is answered with 202, and sends the same again until then.
type sender struct {
	format string
	encode func(collectorstest.Record) []byte

	ctx     context.Context
	client  *http.Client
	waiting chan []byte

	mu   sync.Mutex // guards all below
	addr string
}

// newSender makes one that ends with the test.
func newSender(t *testing.T, format string, encode func(collectorstest.Record) []byte) *sender {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &sender{format: format, encode: encode, ctx: t.Context(), client: &http.Client{Timeout: 10 * time.Second}, waiting: make(chan []byte, 10_000), addr: l.Addr().String()}
	_ = l.Close() // the receiver takes the address
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(s.send)
	}
	t.Cleanup(func() {
		wg.Wait()
		s.client.CloseIdleConnections()
	})
	return s
}

func (s *sender) Write(_ context.Context, rs ...collectorstest.Record) error {
	for len(rs) > 0 {
		n := min(len(rs), 25)
		var body bytes.Buffer
		for _, r := range rs[:n] {
			body.Write(s.encode(r))
			body.WriteByte('\n')
		}
		s.waiting <- body.Bytes()
		rs = rs[n:]
	}
	return nil
}

func (s *sender) send() {
	for {
		select {
		case <-s.ctx.Done():
			return
		case body := <-s.waiting:
			for s.ctx.Err() == nil && !s.try(body) {
				select {
				case <-s.ctx.Done():
				case <-time.After(5 * time.Millisecond): // a polite client waits longer
				}
			}
		}
	}
}

func (s *sender) try(body []byte) bool {
	s.mu.Lock()
	url := "http://" + s.addr + "/v1/events"
	s.mu.Unlock()
	r, err := http.NewRequestWithContext(s.ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return false
	}
	r.Header.Set("Authorization", "Bearer token-of-bot")
	res, err := s.client.Do(r)
	if err != nil {
		return false
	}
	_ = res.Body.Close()
	// 422 says that nothing of it can be read, and that it is kept as such.
	return res.StatusCode == http.StatusAccepted || res.StatusCode == http.StatusUnprocessableEntity
}

// Collector runs the receiver as a server on the sender's address.
func (s *sender) Collector() (collectors.Collector, error) { return server{s}, nil }

type server struct{ s *sender }

func (v server) Run(ctx context.Context, _ []byte, sink collectors.Sink) error {
	from := source("bot", "token-of-bot", v.s.format)
	from.Decode.Mapping = &formats.Mapping{Paths: []formats.Path{{Template: "/api/conversations/{conversation}/messages"}}}
	h, err := push.New(push.Config{Sources: []push.Source{from}, Timeout: time.Minute}, sink)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", v.s.addr)
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute, BaseContext: func(net.Listener) context.Context { return ctx }}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	<-ctx.Done()
	err = srv.Shutdown(context.WithoutCancel(ctx))
	if s := <-served; !errors.Is(s, http.ErrServerClosed) {
		err = errors.Join(err, s)
	}
	return err
}

func TestSuiteNative(t *testing.T) {
	t.Parallel()
	collectorstest.Run(t, collectorstest.Way{Source: "bot", Peer: func(t *testing.T) collectorstest.Peer {
		return newSender(t, "", collectorstest.Record.Line)
	}})
}

// Logs of any format can be pushed.
func TestSuiteNginx(t *testing.T) {
	t.Parallel()
	line := func(r collectorstest.Record) []byte {
		if r.Poison {
			return fmt.Appendf(nil, "poison %d", r.N)
		}
		return fmt.Appendf(nil, `192.0.2.7 - ann [%s] "GET /api/conversations/%d/messages HTTP/1.1" 200 1024 "-" "curl/8"`, r.Time.UTC().Format("02/Jan/2006:15:04:05 -0700"), r.N)
	}
	collectorstest.Run(t, collectorstest.Way{
		Source: "bot",
		Peer:   func(t *testing.T) collectorstest.Peer { return newSender(t, "nginx", line) },
		Number: numberOfPath,
	})
}

// numberOfPath reads a record's number from the conversation in its path.
func numberOfPath(e *vigil.Event) int {
	n, err := strconv.Atoi(e.Conversation)
	if err != nil {
		return 0
	}
	return n
}
