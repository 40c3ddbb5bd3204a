package push_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"vigil"
	"vigil/collectors"
	"vigil/collectors/decode"
	"vigil/collectors/formats/catalog"
	"vigil/collectors/push"
)

// memory is a sink that keeps what it takes, and fails when told to.
type memory struct {
	mu      sync.Mutex // guards all below
	batches []collectors.Batch
	fail    int
}

func (m *memory) Accept(_ context.Context, b collectors.Batch) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail > 0 {
		m.fail--
		return errors.New("the disk is full at /secret/place")
	}
	m.batches = append(m.batches, b)
	return nil
}

func (m *memory) events() []*vigil.Event {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []*vigil.Event
	for _, b := range m.batches {
		out = append(out, b.Events...)
	}
	return out
}

// source is one that sends, with its store and format.
func source(name, token, format string) push.Source {
	store := ""
	if name == "bot" {
		store = "chat"
	}
	return push.Source{Token: token, Decode: decode.Config{Source: name, Store: store, Format: format, Formats: catalog.All()}}
}

func handler(t testing.TB, sink collectors.Sink, change func(*push.Config)) *push.Handler {
	t.Helper()
	cfg := push.Config{
		Sources: []push.Source{source("bot", "token-of-bot", ""), source("desk", "token-of-desk", "")},
		Now:     func() time.Time { return time.Unix(1793610999, 0) },
	}
	if change != nil {
		change(&cfg)
	}
	h, err := push.New(cfg, sink)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

type response struct {
	code   int
	header http.Header
	body   string
	json   struct {
		Accepted, Quarantined, Line int64
		Status                      int
		Detail                      string
		Errors                      []struct {
			Line         int64
			Code, Reason string
		}
	}
}

func send(t testing.TB, h http.Handler, body string, header ...string) response {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/v1/events", strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer token-of-bot")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	res := response{code: w.Code, header: w.Header(), body: w.Body.String()}
	if res.body != "" {
		if err := json.Unmarshal([]byte(res.body), &res.json); err != nil {
			t.Fatalf("%v: %s", err, res.body)
		}
	}
	return res
}

func event(n int) string {
	return fmt.Sprintf(`{"time":%d,"actor":"bot-1","action":"read","source":"forged","subjects":["c%d"]}`+"\n", 1793610845+n, n)
}

func events(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(event(i))
	}
	return b.String()
}

func TestTaken(t *testing.T) {
	t.Parallel()
	var packed, zpacked bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, err := io.WriteString(z, events(50))
	if err := errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	zw, err := zstd.NewWriter(&zpacked)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.WriteString(zw, events(50))
	if err := errors.Join(err, zw.Close()); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ body, encoding string }{
		"plain":  {events(50), ""},
		"no end": {strings.TrimSpace(events(50)), "identity"},
		"crlf":   {strings.ReplaceAll(events(50), "\n", "\r\n"), ""},
		"gzip":   {packed.String(), "gzip"},
		"zstd":   {zpacked.String(), "zstd"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sink := &memory{}
			res := send(t, handler(t, sink, nil), c.body, "Content-Encoding", c.encoding, "Content-Type", "application/x-ndjson; charset=utf-8")
			if res.code != http.StatusAccepted || res.json.Accepted != 50 || res.json.Quarantined != 0 {
				t.Fatalf("%d %s", res.code, res.body)
			}
			seen := map[string]bool{}
			for _, e := range sink.events() {
				if e.Source != "bot" || e.Store != "chat" || e.ID == "" || !e.Received.Equal(time.Unix(1793610999, 0)) {
					t.Fatalf("%+v", e)
				}
				seen[e.ID] = true
			}
			if len(seen) != 50 || sink.batches[0].Source != "bot" || sink.batches[0].Position != nil {
				t.Errorf("%d ids", len(seen))
			}
		})
	}
}

func TestBadLinesAreSetAside(t *testing.T) {
	t.Parallel()
	sink := &memory{}
	body := event(0) + "nonsense\n\n" + event(1) + `{"time":5}` + "\n" + `{"x":"` + strings.Repeat("y", 3<<20) + "\"}\n" + event(2)
	res := send(t, handler(t, sink, nil), body)
	if res.code != http.StatusAccepted || res.json.Accepted != 3 || res.json.Quarantined != 3 {
		t.Fatalf("%d %s", res.code, res.body)
	}
	var got []string
	for _, e := range res.json.Errors {
		got = append(got, fmt.Sprintf("%d %s", e.Line, e.Code))
	}
	if diff := cmp.Diff([]string{"2 json", "5 actor", "6 too-long"}, got); diff != "" {
		t.Error(diff)
	}
	q := sink.batches[0].Quarantined
	if len(q) != 3 || q[0].Line != 2 || q[0].Source != "bot" || q[0].Hash == 0 || q[2].Size < 3<<20 {
		t.Errorf("%+v", q)
	}
	res = send(t, handler(t, sink, nil), "nonsense\n")
	if res.code != http.StatusUnprocessableEntity || res.json.Line != 1 || !strings.HasPrefix(res.json.Detail, "line 1: ") ||
		res.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("%d %s", res.code, res.body)
	}
}

// A sender that sends again, after no answer or a failure half way, must send
// the same ids; two equal lines must have two; two requests too.
func TestSendingAgainKeepsTheIDs(t *testing.T) {
	t.Parallel()
	ids := func(sink *memory) map[string]int {
		m := map[string]int{}
		for _, e := range sink.events() {
			m[e.ID]++
		}
		return m
	}
	sink := &memory{}
	h := handler(t, sink, nil)
	body := strings.Repeat(event(7), 12_000)
	sink.fail = 1
	if res := send(t, h, body); res.code != http.StatusServiceUnavailable || res.header.Get("Retry-After") == "" || strings.Contains(res.body, "secret") {
		t.Fatalf("%d %s", res.code, res.body)
	}
	for range 2 {
		if res := send(t, h, body); res.code != http.StatusAccepted {
			t.Fatalf("%d %s", res.code, res.body)
		}
	}
	if got := ids(sink); len(got) != 12_000 {
		t.Fatalf("%d ids", len(got))
	}
	for _, b := range sink.batches {
		if len(b.Events) > 10_000 {
			t.Errorf("a batch of %d", len(b.Events))
		}
	}
	sink = &memory{}
	h = handler(t, sink, nil)
	for _, key := range []string{"k1", "k2", "k1"} {
		send(t, h, event(7), "Idempotency-Key", key)
	}
	if got := ids(sink); len(got) != 2 {
		t.Errorf("ids %v", got)
	}
	send(t, h, event(8), "Idempotency-Key", "k1")
	if got := ids(sink); len(got) != 3 {
		t.Errorf("another event under the same key has an old id: %v", got)
	}
}

func TestCurlsContentTypeIsTaken(t *testing.T) {
	t.Parallel()
	sink := &memory{}
	res := send(t, handler(t, sink, nil), event(0), "Content-Type", "application/x-www-form-urlencoded")
	if res.code != http.StatusAccepted {
		t.Errorf("%d %s", res.code, res.body)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	zeros := make([]byte, 1<<20)
	for range 40 {
		if _, err := z.Write(zeros); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, body string
		header     []string
		code       int
	}{
		{"no token", event(0), []string{"Authorization", ""}, 401},
		{"wrong token", event(0), []string{"Authorization", "Bearer token-of-bog"}, 401},
		{"other scheme", event(0), []string{"Authorization", "Basic token-of-bot"}, 401},
		{"content type", event(0), []string{"Content-Type", "image/png"}, 415},
		{"encoding", event(0), []string{"Content-Encoding", "br"}, 415},
		{"too large", strings.Repeat(event(0), 3000), nil, 413},
		{"unpacks too large", bomb.String(), []string{"Content-Encoding", "gzip"}, 413},
		{"not gzip", event(0), []string{"Content-Encoding", "gzip"}, 400},
		{"cut gzip", bomb.String()[:200], []string{"Content-Encoding", "gzip"}, 400},
		{"not zstd", event(0), []string{"Content-Encoding", "zstd"}, 400},
		{"long key", event(0), []string{"Idempotency-Key", strings.Repeat("k", 300)}, 400},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			sink := &memory{}
			h := handler(t, sink, func(cfg *push.Config) { cfg.MaxBody, cfg.MaxUnpacked = 200_000, 30<<20 })
			res := send(t, h, c.body, c.header...)
			if res.code != c.code || len(sink.events()) != 0 {
				t.Fatalf("%d %s, %d events", res.code, res.body, len(sink.events()))
			}
			if c.code == 401 && (res.body != "" || len(res.header) != 0) {
				t.Errorf("401 tells %q %v", res.body, res.header)
			}
			if c.code != 401 && (res.json.Detail == "" || res.json.Status != c.code) {
				t.Errorf("problem %s", res.body)
			}
		})
	}
	h := handler(t, &memory{}, nil)
	r := httptest.NewRequest(http.MethodGet, "/v1/events", nil)
	r.Header.Set("Authorization", "Bearer token-of-bot")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "POST" {
		t.Errorf("GET gives %d", w.Code)
	}
}

func TestTooManyAtOnce(t *testing.T) {
	t.Parallel()
	started, release := make(chan struct{}), make(chan struct{})
	sink := collectors.SinkFunc(func(context.Context, collectors.Batch) error {
		close(started)
		<-release
		return nil
	})
	h := handler(t, sink, func(cfg *push.Config) { cfg.MaxRequests = 1 })
	first := make(chan response, 1)
	go func() { first <- send(t, h, event(0)) }()
	<-started
	if res := send(t, h, event(1)); res.code != http.StatusTooManyRequests || res.header.Get("Retry-After") == "" {
		t.Errorf("%d %s", res.code, res.body)
	}
	close(release)
	if res := <-first; res.code != http.StatusAccepted {
		t.Errorf("%d %s", res.code, res.body)
	}
}

// A sink that blocks is behind: the sender is told to come back.
func TestSinkBehind(t *testing.T) {
	t.Parallel()
	sink := collectors.SinkFunc(func(ctx context.Context, _ collectors.Batch) error {
		<-ctx.Done()
		return ctx.Err()
	})
	h := handler(t, sink, func(cfg *push.Config) { cfg.Timeout = time.Millisecond })
	if res := send(t, h, event(0)); res.code != http.StatusServiceUnavailable || res.header.Get("Retry-After") == "" {
		t.Errorf("%d %s", res.code, res.body)
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	for name, sources := range map[string][]push.Source{
		"none":   nil,
		"empty":  {source("a", "", "")},
		"shared": {source("a", "x-secret", ""), source("b", "x-secret", "")},
		"format": {source("a", "x-secret", "no-such-format")},
	} {
		_, err := push.New(push.Config{Sources: sources}, &memory{})
		if err == nil || strings.Contains(err.Error(), "x-secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Through a real server, from several senders at once.
func TestServer(t *testing.T) {
	t.Parallel()
	sink := &memory{}
	srv := httptest.NewServer(handler(t, sink, func(cfg *push.Config) { cfg.MaxRequests = 100 }))
	defer srv.Close()
	var wg sync.WaitGroup
	for n := range 20 {
		wg.Go(func() {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL+"/v1/events", strings.NewReader(events(30)))
			if err != nil {
				t.Error(err)
				return
			}
			req.Header.Set("Authorization", "Bearer token-of-desk")
			req.Header.Set("Idempotency-Key", fmt.Sprint(n))
			res, err := srv.Client().Do(req)
			if err != nil {
				t.Error(err)
				return
			}
			_ = res.Body.Close()
			if res.StatusCode != http.StatusAccepted {
				t.Error(res.Status)
			}
		})
	}
	wg.Wait()
	if n := len(sink.events()); n != 600 {
		t.Errorf("%d events", n)
	}
}

func FuzzBody(f *testing.F) {
	f.Add([]byte(event(0)), "", "k")
	f.Add([]byte{0x1f, 0x8b, 8, 0}, "gzip", "")
	f.Add([]byte{0x28, 0xb5, 0x2f, 0xfd, 0, 0}, "zstd", "")
	f.Fuzz(func(t *testing.T, body []byte, encoding, key string) {
		sink := &memory{}
		h := handler(t, sink, func(cfg *push.Config) { cfg.MaxUnpacked = 1 << 20 })
		r := httptest.NewRequest(http.MethodPost, "/v1/events", bytes.NewReader(body))
		r.Header = http.Header{"Authorization": {"Bearer token-of-bot"}, "Content-Encoding": {encoding}, "Idempotency-Key": {key}}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		for _, e := range sink.events() {
			if err := e.Validate(); err != nil || e.Source != "bot" {
				t.Fatal(err, e.Source)
			}
		}
	})
}
