package relay_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"vigil"
	"vigil/collectors"
	"vigil/collectors/collectorstest"
	"vigil/collectors/relay"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var key = []byte("0123456789abcdef0123456789abcdef")

// queue holds frames in memory, as a spool does on disk.
type queue struct {
	mu       sync.Mutex // guards all below
	stream   string
	sequence uint64
	sum      relay.Sum
	frames   []*relay.Frame
	news     chan struct{}
}

func newQueue(stream string) *queue { return &queue{stream: stream, news: make(chan struct{})} }

func (q *queue) add(t testing.TB, b collectors.Batch) *relay.Frame {
	t.Helper()
	body, err := relay.Pack(&b)
	if err != nil {
		t.Fatal(err)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.sequence++
	f := &relay.Frame{Stream: q.stream, Source: "db", Sequence: q.sequence, Previous: q.sum, Body: body}
	q.sum = f.Sum()
	q.frames = append(q.frames, f)
	close(q.news)
	q.news = make(chan struct{})
	return f
}

func (q *queue) Sources(context.Context) ([]string, error) { return []string{"db"}, nil }

func (q *queue) Next(context.Context, string) (*relay.Frame, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.frames) == 0 {
		return nil, nil
	}
	return q.frames[0], nil
}

func (q *queue) Sent(_ context.Context, f *relay.Frame) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.frames = q.frames[1:]
	return nil
}

func (q *queue) News() <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.news
}

func batch(from, n int) collectors.Batch {
	b := collectors.Batch{Source: "db"}
	for i := from; i < from+n; i++ {
		e := vigil.NewEvent()
		e.ID, e.Source = fmt.Sprintf("id-%d", i), "forged"
		e.Time = time.Date(2026, 11, 2, 9, 0, i, 5, time.UTC)
		e.Actor.ID, e.Action, e.Subjects = "ann", vigil.ActionRead, []string{fmt.Sprintf("c%d", i)}
		b.Events = append(b.Events, e)
	}
	return b
}

func receiver(t testing.TB, o *collectorstest.Oracle) http.Handler {
	t.Helper()
	r, err := relay.New(relay.Config{
		Peers:    []relay.Peer{{Name: "edge", Key: key, Sources: []string{"db"}}},
		Position: func(context.Context, string) ([]byte, error) { return o.Position(), nil },
	}, stamping(o))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// stamping does what the central intake does: the receiver says which source it is.
func stamping(o collectors.Sink) collectors.Sink {
	return collectors.SinkFunc(func(ctx context.Context, b collectors.Batch) error {
		for _, e := range b.Events {
			e.Source = b.Source
		}
		return o.Accept(ctx, b)
	})
}

func sender(t testing.TB, url string, change func(*relay.SenderConfig)) *relay.Sender {
	t.Helper()
	cfg := relay.SenderConfig{URL: url, Collector: "edge", Key: key}
	if change != nil {
		change(&cfg)
	}
	s, err := relay.NewSender(cfg, relay.SenderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func kinds(ls []vigil.Lapse) (out []vigil.LapseKind) {
	for _, l := range ls {
		out = append(out, l.Kind)
	}
	return out
}

func TestABatchArrivesWhole(t *testing.T) {
	t.Parallel()
	in := batch(1, 3)
	in.Quarantined = []vigil.Quarantined{{File: "x.log", Line: 7, Code: "json", Reason: "broken", Hash: 1 << 63}}
	in.Lapses = []vigil.Lapse{{Source: "db", Kind: vigil.LapseDropped, Missing: vigil.Unknown, Text: "dropped"}}
	in.Events[0].Destination = &vigil.Destination{Kind: "bucket"}
	body, err := relay.Pack(&in)
	if err != nil {
		t.Fatal(err)
	}
	out, err := relay.Unpack(body)
	if err != nil {
		t.Fatal(err)
	}
	in.Source = ""
	if diff := cmp.Diff(in, out); diff != "" {
		t.Error(diff)
	}
}

// While the receiver fails, is away, or its answers are lost, frames wait; then each
// counts once.
func TestNothingIsLostOrDoubled(t *testing.T) {
	t.Parallel()
	o := collectorstest.NewOracle("db", nil)
	var n atomic.Int64
	inner := receiver(t, o)
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch n.Add(1) % 5 {
		case 1:
			w.WriteHeader(http.StatusBadGateway)
		case 2: // taken, and the answer lost
			inner.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		default:
			inner.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(srv.Close)
	srv.Config.ErrorLog = nil
	q := newQueue("s1")
	s := sender(t, srv.URL, func(c *relay.SenderConfig) {
		c.TLS = srv.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { s.Run(ctx, q); done <- nil }()
	for i := range 10 {
		q.add(t, batch(1+i*10, 10))
	}
	o.AwaitRecords(t, 100)
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	o.Check(t, 100)
	if ls := o.Lapses(); len(ls) > 0 {
		t.Errorf("lapses: %+v", ls)
	}
}

// Another receiver, as after a restart, goes on where the position says.
func TestTheChainOutlivesARestart(t *testing.T) {
	t.Parallel()
	o := collectorstest.NewOracle("db", nil)
	q := newQueue("s1")
	for i := range 3 {
		srv := httptest.NewServer(receiver(t, o))
		f := q.add(t, batch(1+i, 1))
		s := sender(t, srv.URL, nil)
		for range 2 { // the second time the answer was lost
			if err := s.Send(t.Context(), f); err != nil {
				t.Fatal(err)
			}
		}
		srv.Close()
	}
	o.Check(t, 3)
	if ls := o.Lapses(); len(ls) > 0 {
		t.Errorf("lapses: %+v", ls)
	}
}

func TestLapses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		send func(t *testing.T, s *relay.Sender)
		want []vigil.LapseKind
	}{
		"hole": {func(t *testing.T, s *relay.Sender) {
			q := newQueue("s1")
			must(t, s, q.add(t, batch(1, 1)))
			q.add(t, batch(50, 1))
			q.add(t, batch(51, 1))
			must(t, s, q.add(t, batch(2, 1)))
		}, []vigil.LapseKind{vigil.LapseHole}},
		"begun in the middle": {func(t *testing.T, s *relay.Sender) {
			q := newQueue("s1")
			q.add(t, batch(50, 1))
			must(t, s, q.add(t, batch(1, 1)))
			must(t, s, q.add(t, batch(2, 1)))
		}, []vigil.LapseKind{vigil.LapseHole}},
		"new spool": {func(t *testing.T, s *relay.Sender) {
			must(t, s, newQueue("s1").add(t, batch(1, 1)))
			must(t, s, newQueue("s2").add(t, batch(2, 1)))
		}, []vigil.LapseKind{vigil.LapseReset}},
		"replayed": {func(t *testing.T, s *relay.Sender) {
			q := newQueue("s1")
			first := q.add(t, batch(1, 1))
			must(t, s, first)
			must(t, s, q.add(t, batch(2, 1)))
			must(t, s, first)
			must(t, s, q.add(t, collectors.Batch{})) // and nothing is missing now
		}, []vigil.LapseKind{vigil.LapseForged}},
		"fork": {func(t *testing.T, s *relay.Sender) {
			a, b := newQueue("s1"), newQueue("s1")
			must(t, s, a.add(t, batch(1, 1)))
			b.add(t, batch(60, 1))
			must(t, s, b.add(t, batch(2, 1)))
		}, []vigil.LapseKind{vigil.LapseForged}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := collectorstest.NewOracle("db", nil)
			srv := httptest.NewServer(receiver(t, o))
			t.Cleanup(srv.Close)
			c.send(t, sender(t, srv.URL, nil))
			if diff := cmp.Diff(c.want, kinds(o.Lapses())); diff != "" {
				t.Error(diff)
			}
			o.Check(t, 2)
		})
	}
}

// What another way in has left is no place in a chain.
func TestAfterAnotherWay(t *testing.T) {
	t.Parallel()
	for _, left := range []string{`{"stream":"ORDERS","created":"2026-01-01T00:00:00Z","next":7}`, `{"logs":{}}`, `no JSON`, `[1]`} {
		o := collectorstest.NewOracle("db", nil)
		r, err := relay.New(relay.Config{
			Peers:    []relay.Peer{{Name: "edge", Key: key, Sources: []string{"db"}}},
			Position: func(context.Context, string) ([]byte, error) { return []byte(left), nil },
		}, o)
		if err != nil {
			t.Fatal(err)
		}
		srv := httptest.NewServer(r)
		t.Cleanup(srv.Close)
		must(t, sender(t, srv.URL, nil), newQueue("s1").add(t, batch(1, 1)))
		if ls := o.Lapses(); len(ls) != 0 {
			t.Errorf("after %s: %+v", left, ls)
		}
	}
}

// What the receiver sees stands before what the collector says, of which there may be
// too much.
func TestWhatTheReceiverSeesComesFirst(t *testing.T) {
	t.Parallel()
	o := collectorstest.NewOracle("db", nil)
	srv := httptest.NewServer(receiver(t, o))
	t.Cleanup(srv.Close)
	q := newQueue("s1")
	q.add(t, batch(1, 1))
	must(t, sender(t, srv.URL, nil), q.add(t, collectors.Batch{Lapses: make([]vigil.Lapse, 200)}))
	if ls := o.Lapses(); len(ls) != 201 || ls[0].Kind != vigil.LapseHole {
		t.Errorf("%d lapses, the first is %q", len(ls), ls[0].Kind)
	}
}

// Text that is not UTF-8 arrives: logs hold such, and a frame that is refused would hold
// up its source.
func TestWhatIsNotUTF8Arrives(t *testing.T) {
	t.Parallel()
	b := batch(1, 1)
	b.Events[0].UserAgent = "a\xffb"
	body, err := relay.Pack(&b)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := relay.Unpack(body); err != nil || got.Events[0].UserAgent != "a\xffb" {
		t.Errorf("%+v, %v", got.Events, err)
	}
}

// streams is a queue of several sources.
type streams map[string]*queue

func (q streams) Sources(context.Context) ([]string, error) {
	return slices.Sorted(maps.Keys(q)), nil
}
func (q streams) Next(ctx context.Context, source string) (*relay.Frame, error) {
	return q[source].Next(ctx, source)
}
func (q streams) Sent(ctx context.Context, f *relay.Frame) error { return q[f.Source].Sent(ctx, f) }
func (q streams) News() <-chan struct{}                          { return q["db"].News() }

// endless has the same frame again and again.
type endless struct{ streams }

func (q endless) Sent(ctx context.Context, f *relay.Frame) error {
	if f.Source == "flood" {
		return nil
	}
	return q.streams.Sent(ctx, f)
}

// A source that is refused for ever is asked about ever more rarely, and one that floods
// has its turn only: the others' frames go at once.
func TestOneSourceHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	var refusals, taken atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Header.Get("Vigil-Source") {
		case "a":
			refusals.Add(1)
			w.Header().Set("Retry-After", "30")
			w.WriteHeader(http.StatusForbidden)
		case "db":
			taken.Add(1)
			fallthrough
		default:
			w.WriteHeader(http.StatusNoContent)
		}
	}))
	t.Cleanup(srv.Close)
	q := endless{streams{"a": newQueue("s"), "db": newQueue("s"), "flood": newQueue("s")}}
	q.streams["a"].add(t, batch(1, 1)).Source = "a"
	q.streams["flood"].add(t, batch(1, 1)).Source = "flood"
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { sender(t, srv.URL, nil).Run(ctx, q); done <- nil }()
	deadline := time.Now().Add(25 * time.Second)
	for i := range 20 {
		q.streams["db"].add(t, batch(i, 1))
		for taken.Load() < int64(i+1) && time.Now().Before(deadline) {
			runtime.Gosched()
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if taken.Load() != 20 || refusals.Load() != 1 {
		t.Errorf("%d frames were taken beside %d refusals", taken.Load(), refusals.Load())
	}
}

func must(t *testing.T, s *relay.Sender, f *relay.Frame) {
	t.Helper()
	if err := s.Send(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

func TestClockSkew(t *testing.T) {
	t.Parallel()
	o := collectorstest.NewOracle("db", nil)
	srv := httptest.NewServer(receiver(t, o))
	t.Cleanup(srv.Close)
	s := sender(t, srv.URL, func(c *relay.SenderConfig) {
		c.Now = func() time.Time { return time.Now().Add(-10 * time.Minute) }
	})
	q := newQueue("s1")
	must(t, s, q.add(t, batch(1, 1)))
	must(t, s, q.add(t, batch(2, 1))) // told once
	if diff := cmp.Diff([]vigil.LapseKind{vigil.LapseClock}, kinds(o.Lapses())); diff != "" {
		t.Error(diff)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	o := collectorstest.NewOracle("db", nil)
	srv := httptest.NewServer(receiver(t, o))
	t.Cleanup(srv.Close)
	wrong := bytes.Repeat([]byte("x"), 32)
	f := newQueue("s1").add(t, batch(1, 1))
	for name, c := range map[string]struct {
		change func(*relay.SenderConfig)
		frame  relay.Frame
		want   string
	}{
		"wrong key":    {func(c *relay.SenderConfig) { c.Key = wrong }, *f, "by this key"},
		"unknown name": {func(c *relay.SenderConfig) { c.Collector = "other" }, *f, "by this key"},
		"other source": {nil, relay.Frame{Stream: "s1", Source: "crm", Sequence: 1, Body: f.Body}, "expects no source"},
		"no batch":     {nil, relay.Frame{Stream: "s1", Source: "db", Sequence: 1, Body: []byte("nonsense")}, "422"},
		"no sequence":  {nil, relay.Frame{Stream: "s1", Source: "db", Body: f.Body}, "400"},
		"too large":    {nil, relay.Frame{Stream: "s1", Source: "db", Sequence: 1, Body: make([]byte, relay.MaxBody+1)}, "413"},
		"empty stream": {nil, relay.Frame{Source: "db", Sequence: 1, Body: f.Body}, "400"},
	} {
		t.Run(name, func(t *testing.T) {
			err := sender(t, srv.URL, c.change).Send(t.Context(), &c.frame)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), string(wrong)) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

// What is changed on the way is not taken.
func TestTamperedWith(t *testing.T) {
	t.Parallel()
	o := collectorstest.NewOracle("db", nil)
	inner := receiver(t, o)
	for _, header := range []string{"Vigil-Stream", "Vigil-Source", "Vigil-Sequence", "Vigil-Sent", "Vigil-Signature", "body"} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch header {
			case "body":
				r.Body = http.NoBody
			case "Vigil-Sequence":
				r.Header.Set(header, "2")
			case "Vigil-Signature":
				r.Header.Set(header, strings.Repeat("0", 64))
			default:
				r.Header.Set(header, r.Header.Get(header)+"1")
			}
			inner.ServeHTTP(w, r)
		}))
		if err := sender(t, srv.URL, nil).Send(t.Context(), newQueue("s1").add(t, batch(1, 1))); err == nil || !strings.Contains(err.Error(), "by this key") {
			t.Errorf("%s changed: %v", header, err)
		}
		srv.Close()
	}
	o.Check(t, 0)
}

// The key goes nowhere else: a redirect is not followed.
func TestARedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	t.Cleanup(elsewhere.Close)
	srv := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	t.Cleanup(srv.Close)
	err := sender(t, srv.URL, nil).Send(t.Context(), newQueue("s1").add(t, batch(1, 1)))
	if err == nil || !strings.Contains(err.Error(), "redirect") || asked.Load() != 0 {
		t.Errorf("error %v, the other server was asked %d times", err, asked.Load())
	}
}

// Certificates are verified.
func TestAnUnknownAuthorityIsNotTrusted(t *testing.T) {
	t.Parallel()
	srv := httptest.NewUnstartedServer(receiver(t, collectorstest.NewOracle("db", nil)))
	srv.Config.ErrorLog = nil
	srv.StartTLS()
	t.Cleanup(srv.Close)
	if err := sender(t, srv.URL, nil).Send(t.Context(), newQueue("s1").add(t, batch(1, 1))); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("error %v", err)
	}
}

func FuzzUnpack(f *testing.F) {
	b := batch(1, 2)
	body, err := relay.Pack(&b)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body)
	f.Add([]byte("x"))
	f.Fuzz(func(t *testing.T, body []byte) {
		b, err := relay.Unpack(body)
		if err != nil {
			return
		}
		for _, e := range b.Events {
			if e == nil {
				t.Error("an event is nil")
			}
		}
	})
}
