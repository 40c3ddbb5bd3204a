package rest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"vigil"
	"vigil/collectors"
	"vigil/collectors/collectorstest"
	"vigil/collectors/decode"
	"vigil/collectors/formats/catalog"
	"vigil/collectors/rest"
)

// shelf is an API with one list, of native records, read by windows of time. Its clock is
// ours with an offset.
type shelf struct {
	srv *httptest.Server

	mu      sync.Mutex
	records []stored
	ahead   time.Duration
	// broken answers in place of the list; nil does not.
	broken func(w http.ResponseWriter, r *http.Request) bool
	asked  []string
	// most is the client's MaxAnswer.
	most int64
}

// stored is a record and when it was.
type stored struct {
	at   time.Time
	text string
}

func newShelf(t testing.TB) *shelf {
	s := &shelf{}
	s.srv = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.srv.Close)
	return s
}

func (s *shelf) now() time.Time { return time.Now().Add(s.ahead) }

// put adds the record n, which was at a time.
func (s *shelf) put(n int, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records = append(s.records, stored{at: at, text: string(collectorstest.Record{N: n, Time: at}.Line())})
}

// add adds a record as it stands.
func (s *shelf) add(at time.Time, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records = append(s.records, stored{at: at, text: text})
}

func (s *shelf) breakWith(f func(w http.ResponseWriter, r *http.Request) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = f
}

func (s *shelf) requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.asked)
}

func (s *shelf) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, r.URL.RequestURI())
	w.Header().Set("Date", s.now().UTC().Format(http.TimeFormat))
	if s.broken != nil && s.broken(w, r) {
		return
	}
	q := r.URL.Query()
	from, _ := time.Parse(time.RFC3339, q.Get("from"))
	to, _ := time.Parse(time.RFC3339, q.Get("to"))
	size, _ := strconv.Atoi(q.Get("size"))
	skip, _ := strconv.Atoi(q.Get("skip"))
	var found []json.RawMessage
	for _, rec := range s.records {
		if !rec.at.Before(from) && rec.at.Before(to) {
			found = append(found, json.RawMessage(rec.text))
		}
	}
	page := map[string]any{"list": found[min(skip, len(found)):min(skip+size, len(found))]}
	if skip+size < len(found) {
		q.Set("skip", strconv.Itoa(skip+size))
		page["next"] = "/list?" + q.Encode()
	}
	_ = json.NewEncoder(w).Encode(page)
}

func (s *shelf) feed() rest.Feed {
	return rest.Feed{
		Name: "list", Size: 10,
		First: func(from, to time.Time, n int) string {
			return rest.Query("/list", "from", from.Format(time.RFC3339), "to", to.Format(time.RFC3339), "size", strconv.Itoa(n))
		},
		Parse: func(c *rest.Client, a *rest.Answer) (rest.Page, error) {
			records, v, err := c.List(a, "list")
			return rest.Page{Records: records, Next: v.Get("next").Str}, err
		},
	}
}

func (s *shelf) puller(t testing.TB, cfg rest.PullerConfig, feeds ...rest.Feed) *rest.Puller {
	t.Helper()
	c, err := rest.NewClient(rest.ClientConfig{Product: "Test", URL: s.srv.URL, MaxAnswer: s.most}, direct(rest.ClientOptions{Auth: rest.NewStatic("Bearer canary")}))
	if err != nil {
		t.Fatal(err)
	}
	if len(feeds) == 0 {
		feeds = []rest.Feed{s.feed()}
	}
	cfg.Decode = decode.Config{Source: "src", Formats: catalog.All(), Format: "native"}
	if cfg.Poll == 0 {
		cfg.Poll = 5 * time.Millisecond
	}
	p, err := rest.NewPuller(cfg, rest.PullerOptions{Client: c, Feeds: feeds})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// going is a run in the background.
func going(t testing.TB, p collectors.Collector, position []byte, sink collectors.Sink) (stop func() error, done <-chan error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ch := make(chan error, 1)
	go func() { ch <- p.Run(ctx, position, sink) }()
	stop = func() error {
		cancel()
		err := <-ch
		ch <- err
		return err
	}
	t.Cleanup(func() { _ = stop() })
	return stop, ch
}

func lapses(o *collectorstest.Oracle, kind vigil.LapseKind) int {
	n := 0
	for _, l := range o.Lapses() {
		if l.Kind == kind {
			n++
		}
	}
	return n
}

// TestLate shows records after the window of their time was read, in the middle of an
// overlap and at its end.
func TestLate(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	o := collectorstest.NewOracle("src", nil)
	stop, _ := going(t, s.puller(t, rest.PullerConfig{Overlap: 2 * time.Second}), nil, o)
	s.put(1, s.now())
	o.AwaitRecords(t, 1)
	s.put(2, s.now().Add(-1900*time.Millisecond))
	s.put(3, s.now().Add(-1500*time.Millisecond))
	o.AwaitRecords(t, 3)
	if err := stop(); err != nil {
		t.Error(err)
	}
	o.Check(t, 3)
}

// TestGoesOnWithinWindow stops after each page: each run goes on where the last one
// stopped, and no page is read twice.
func TestGoesOnWithinWindow(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	for n := 1; n <= 95; n++ {
		s.put(n, s.now().Add(-time.Hour))
	}
	o := collectorstest.NewOracle("src", nil)
	var position []byte
	for range 9 {
		ctx, cancel := context.WithCancel(t.Context())
		once := collectors.SinkFunc(func(ctx context.Context, b collectors.Batch) error {
			defer cancel()
			return o.Accept(ctx, b)
		})
		if err := s.puller(t, rest.PullerConfig{}).Run(ctx, position, once); err != nil {
			t.Fatal(err)
		}
		position = o.Position()
	}
	if n := s.requests(); n > 10 {
		t.Errorf("%d requests for nine pages: %v", n, s.asked)
	}
	stop, _ := going(t, s.puller(t, rest.PullerConfig{}), position, o)
	o.AwaitRecords(t, 95)
	if err := stop(); err != nil {
		t.Error(err)
	}
	o.Check(t, 95)
}

// TestCursorRefused answers a cursor as one that is too old.
func TestCursorRefused(t *testing.T) {
	t.Parallel()
	for _, status := range []int{400, 404, 410, 422} {
		s := newShelf(t)
		for n := 1; n <= 35; n++ {
			s.put(n, s.now().Add(-time.Hour))
		}
		refused := 0
		s.breakWith(func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Query().Get("skip") == "20" && refused == 0 {
				refused++
				w.WriteHeader(status)
				return true
			}
			return false
		})
		o := collectorstest.NewOracle("src", nil)
		stop, _ := going(t, s.puller(t, rest.PullerConfig{}), nil, o)
		o.AwaitRecords(t, 35)
		if err := stop(); err != nil {
			t.Error(err)
		}
		o.Check(t, 35)
		if lapses(o, vigil.LapseReset) != 1 {
			t.Errorf("%d: lapses %+v", status, o.Lapses())
		}
	}
	// One that is refused always ends in an error.
	s := newShelf(t)
	for n := 1; n <= 35; n++ {
		s.put(n, s.now().Add(-time.Hour))
	}
	s.breakWith(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Query().Get("skip") != "" {
			w.WriteHeader(410)
			return true
		}
		return false
	})
	err := s.puller(t, rest.PullerConfig{}).Run(t.Context(), nil, collectorstest.NewOracle("src", nil))
	var e *rest.StatusError
	if !errors.As(err, &e) || e.Status != 410 {
		t.Errorf("%v, want a 410", err)
	}
}

// TestPagesWithoutEnd gives the same page as the next one, two in turn, and ever others
// with nothing new.
func TestPagesWithoutEnd(t *testing.T) {
	t.Parallel()
	for name, next := range map[string]func(r *http.Request, asked int) string{
		"the same":    func(r *http.Request, _ int) string { return r.URL.RequestURI() },
		"two in turn": func(_ *http.Request, asked int) string { return "/list?turn=" + strconv.Itoa(asked%2) },
		"no end":      func(_ *http.Request, asked int) string { return "/list?turn=" + strconv.Itoa(asked) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShelf(t)
			text := collectorstest.Record{N: 1, Time: time.Now()}.Line()
			s.breakWith(func(w http.ResponseWriter, r *http.Request) bool {
				fmt.Fprintf(w, `{"list":[%s],"next":%q}`, text, next(r, len(s.asked)))
				return true
			})
			o := collectorstest.NewOracle("src", nil)
			stop, done := going(t, s.puller(t, rest.PullerConfig{}), nil, o)
			o.Await(t, "a lapse", func(_, _, _ int) bool { return lapsesNow(o) > 0 })
			// It reads on.
			s.breakWith(nil)
			s.put(2, s.now())
			o.AwaitRecords(t, 2)
			select {
			case err := <-done:
				t.Fatalf("Run ended: %v", err)
			default:
			}
			if err := stop(); err != nil {
				t.Error(err)
			}
			o.Check(t, 2)
		})
	}
}

// lapsesNow is for within Await, which holds no lock.
func lapsesNow(o *collectorstest.Oracle) int { return len(o.Lapses()) }

// TestElsewhereNext names a next page at another server, which is not connected to.
func TestElsewhereNext(t *testing.T) {
	t.Parallel()
	inside, connections := counted(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"list":[]}`) }))
	inside.Start()
	s := newShelf(t)
	s.breakWith(func(w http.ResponseWriter, _ *http.Request) bool {
		fmt.Fprintf(w, `{"list":[%s],"next":%q}`, collectorstest.Record{N: 1, Time: time.Now()}.Line(), inside.URL+"/list")
		return true
	})
	o := collectorstest.NewOracle("src", nil)
	err := s.puller(t, rest.PullerConfig{}).Run(t.Context(), nil, o)
	o.Check(t, 1) // what is on the page is kept
	var elsewhere *rest.ElsewhereError
	if !errors.As(err, &elsewhere) || strings.Contains(err.Error(), "canary") {
		t.Errorf("%v, want an ElsewhereError", err)
	}
	if n := connections.Load(); n != 0 {
		t.Errorf("%d connections to another server", n)
	}
}

// TestOneFails has two lists, of which one is forbidden: the other is read nevertheless.
func TestOneFails(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	for n := 1; n <= 35; n++ {
		s.put(n, s.now().Add(-time.Hour))
	}
	s.breakWith(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/forbidden" {
			w.WriteHeader(403)
			return true
		}
		return false
	})
	bad := s.feed()
	bad.Name = "forbidden"
	bad.First = func(_, _ time.Time, _ int) string { return "/forbidden" }
	o := collectorstest.NewOracle("src", nil)
	err := s.puller(t, rest.PullerConfig{}, bad, s.feed()).Run(t.Context(), nil, o)
	if err == nil || !strings.Contains(err.Error(), "forbidden: Test answers 403") {
		t.Errorf("Run: %v", err)
	}
	o.Check(t, 35)
	if err := s.puller(t, rest.PullerConfig{}, bad, s.feed()).Check(t.Context()); err == nil || !strings.Contains(err.Error(), "403") {
		t.Errorf("Check: %v", err)
	}
	if err := s.puller(t, rest.PullerConfig{}).Check(t.Context()); err != nil {
		t.Errorf("Check: %v", err)
	}
}

// TestClocks reads from a server whose clock is another, and told once.
func TestClocks(t *testing.T) {
	t.Parallel()
	for _, ahead := range []time.Duration{48 * time.Hour, -48 * time.Hour} {
		s := newShelf(t)
		s.ahead = ahead
		o := collectorstest.NewOracle("src", nil)
		n := 0
		for range 3 {
			stop, _ := going(t, s.puller(t, rest.PullerConfig{Start: time.Hour}), o.Position(), o)
			n++
			s.put(n, s.now())
			o.AwaitRecords(t, n)
			n++
			s.put(n, s.now())
			o.AwaitRecords(t, n)
			if err := stop(); err != nil {
				t.Error(err)
			}
		}
		o.Check(t, n)
		if got := lapses(o, vigil.LapseClock); got != 1 {
			t.Errorf("ahead %s: told %d times: %+v", ahead, got, o.Lapses())
		}
	}
}

// TestClockPutBack reads from a server whose clock was ahead by mistake.
func TestClockPutBack(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	o := collectorstest.NewOracle("src", nil)
	position := fmt.Appendf(nil, `{"lists":{"list":{"done":%q,"final":%q}}}`, s.now().Add(5*time.Hour).Format(time.RFC3339), s.now().Add(4*time.Hour).Format(time.RFC3339))
	stop, _ := going(t, s.puller(t, rest.PullerConfig{}), position, o)
	s.put(1, s.now())
	o.AwaitRecords(t, 1)
	if err := stop(); err != nil {
		t.Error(err)
	}
	if lapses(o, vigil.LapseReset) != 1 {
		t.Errorf("lapses %+v", o.Lapses())
	}
}

// TestLongAway comes back when the product has thrown away what was not read.
func TestLongAway(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	f := s.feed()
	f.Keeps = 24 * time.Hour
	o := collectorstest.NewOracle("src", nil)
	position := fmt.Appendf(nil, `{"lists":{"list":{"done":%q}}}`, s.now().Add(-72*time.Hour).UTC().Format(time.RFC3339))
	s.put(1, s.now().Add(-23*time.Hour))
	stop, _ := going(t, s.puller(t, rest.PullerConfig{}, f), position, o)
	o.AwaitRecords(t, 1)
	if err := stop(); err != nil {
		t.Error(err)
	}
	told := o.Lapses()
	if len(told) != 1 || told[0].Kind != vigil.LapseDropped || told[0].End.Sub(told[0].Start).Round(time.Hour) != 48*time.Hour {
		t.Errorf("lapses %+v", told)
	}
}

// TestSpans reads a long time in short windows.
func TestSpans(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	f := s.feed()
	f.Span = time.Hour
	for n := 1; n <= 240; n++ {
		s.put(n, s.now().Add(-time.Duration(n)*6*time.Minute))
	}
	o := collectorstest.NewOracle("src", nil)
	stop, _ := going(t, s.puller(t, rest.PullerConfig{Start: 30 * time.Hour}, f), nil, o)
	o.AwaitRecords(t, 240)
	if err := stop(); err != nil {
		t.Error(err)
	}
	o.Check(t, 240)
}

// TestTooLarge has records of which a page is too large: pages become smaller.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	s.most = 64 << 10
	pad := strings.Repeat("x", 20<<10)
	for n := 1; n <= 25; n++ {
		line := collectorstest.Record{N: n, Time: s.now()}.Line()
		s.add(s.now(), strings.TrimSuffix(string(line), "}")+`,"note":"`+pad+`"}`)
	}
	o := collectorstest.NewOracle("src", nil)
	stop, _ := going(t, s.puller(t, rest.PullerConfig{}), nil, o)
	o.Await(t, "all, or their being set aside", func(events, aside, _ int) bool { return events+aside >= 25 })
	if err := stop(); err != nil {
		t.Error(err)
	}
	// One that is too large alone is an error.
	s.add(s.now(), `{"note":"`+strings.Repeat("x", 65<<10)+`"}`)
	if err := s.puller(t, rest.PullerConfig{}).Run(t.Context(), nil, o); !errors.Is(err, rest.ErrTooLarge) {
		t.Errorf("%v, want ErrTooLarge", err)
	}
}

// TestLargeRecord has a record of 11 MB among others, which is set aside.
func TestLargeRecord(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	s.put(1, s.now())
	s.add(s.now(), `{"time":"2026-11-02T09:00:00Z","actor":"big","action":"read","note":"`+strings.Repeat("x", 11<<20)+`"}`)
	s.put(2, s.now())
	o := collectorstest.NewOracle("src", nil)
	stop, _ := going(t, s.puller(t, rest.PullerConfig{Poll: time.Minute}), nil, o)
	o.Await(t, "all, one of them aside", func(events, aside, _ int) bool { return events == 2 && aside == 1 })
	if err := stop(); err != nil {
		t.Error(err)
	}
	o.Check(t, 2)
	if q := o.Quarantined(); len(q) != 1 || q[0].Code == "" || q[0].Reason == "" {
		t.Errorf("set aside: %+v", q)
	}
}

// TestOddRecords has what is no record in its list: it is set aside, once.
func TestOddRecords(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	for _, text := range []string{`7`, `"text"`, `null`, `[]`, `{}`, `{"time":"never"}`, "{\n  \"pretty\": 1\n}"} {
		s.add(s.now().Add(-time.Minute), text)
	}
	s.put(1, s.now().Add(-time.Minute))
	o := collectorstest.NewOracle("src", nil)
	for range 2 {
		stop, _ := going(t, s.puller(t, rest.PullerConfig{}), nil, o)
		o.AwaitRecords(t, 1)
		if err := stop(); err != nil {
			t.Error(err)
		}
	}
	o.Check(t, 1)
	if n := len(o.Quarantined()); n < 3 || n > 7 {
		t.Errorf("%d were set aside: %+v", n, o.Quarantined())
	}
}

func FuzzPosition(f *testing.F) {
	f.Add([]byte(`{"lists":{"list":{"done":"2026-11-02T09:00:00Z","next":"/list?x"}},"seen":"AAAA"}`))
	f.Add([]byte(`{"lists":{"list":null}}`))
	f.Add([]byte(`{"lists":{"list":{"next":"http://127.0.0.1:1/"}}}`))
	f.Fuzz(func(t *testing.T, position []byte) {
		s := newShelf(t)
		defer s.srv.Close()
		ctx, cancel := context.WithCancel(t.Context())
		s.breakWith(func(_ http.ResponseWriter, _ *http.Request) bool {
			cancel()
			return false
		})
		_ = s.puller(t, rest.PullerConfig{}).Run(ctx, position, collectorstest.NewOracle("src", nil))
	})
}

// BenchmarkPull reads pages of a thousand records.
func BenchmarkPull(b *testing.B) {
	s := newShelf(b)
	var page strings.Builder
	page.WriteString(`{"list":[`)
	const per = 1000
	for n := range per {
		if n > 0 {
			page.WriteByte(',')
		}
		page.Write(collectorstest.Record{N: n, Time: time.Now()}.Line())
	}
	page.WriteString(`],"next":"/list?skip=`)
	s.breakWith(func(w http.ResponseWriter, _ *http.Request) bool {
		n := strconv.Itoa(len(s.asked))
		// Each page holds other records than the last.
		io.WriteString(w, strings.ReplaceAll(page.String(), `"actor":"agent-`, `"actor":"agent-`+n+`-`)+n+`"}`)
		return true
	})
	ctx, cancel := context.WithCancel(b.Context())
	events, want := 0, b.N
	b.ResetTimer()
	err := s.puller(b, rest.PullerConfig{}).Run(ctx, nil, collectors.SinkFunc(func(_ context.Context, batch collectors.Batch) error {
		if events += len(batch.Events); events >= want {
			cancel()
		}
		return nil
	}))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(events)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(events)/per/b.Elapsed().Seconds(), "pages/s")
}
