package influx_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigil/internal/series"
	"vigil/internal/series/influx"
	"vigil/internal/series/influx/influxtest"
)

// pivot reads all points of a database, one row each.
func pivot(db string) string {
	return `from(bucket:"` + db + `/autogen") |> range(start: 2026-11-01T00:00:00Z, stop: 2026-12-01T00:00:00Z)
 |> filter(fn: (r) => r._measurement == "vigil_access")
 |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")`
}

var start = time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC)

// newWriter makes a database and a writer to one of its retention policies.
func newWriter(t *testing.T, s *influxtest.Server, db, policy string) *influx.Writer {
	t.Helper()
	s.InfluxQL(t, "CREATE DATABASE "+db)
	if policy != "autogen" {
		s.InfluxQL(t, "CREATE RETENTION POLICY "+policy+" ON "+db+" DURATION 1h REPLICATION 1")
	}
	w, err := influx.New(influx.Config{URL: s.URL(), Token: influx.Secret(s.Token()), Bucket: db + "/" + policy}, influx.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

func point(minute int, key series.Key, n int64) series.Point {
	return series.Point{Start: start.Add(time.Duration(minute) * time.Minute), Key: key, Events: n, Rows: 12 * n, Bytes: 3400 * n, Subjects: n, Denied: n % 3}
}

func TestRealServer(t *testing.T) {
	t.Parallel()
	s := influxtest.New(t)
	for name, test := range map[string]func(*testing.T, *influxtest.Server){
		"round trip": roundTrip, "hostile tags": hostileTags, "set aside": setAside, "remedies": remedies,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, s)
		})
	}
}

func roundTrip(t *testing.T, s *influxtest.Server) {
	w := newWriter(t, s, "trip", "autogen")
	ctx := t.Context()
	if err := w.Check(ctx); err != nil {
		t.Fatal(err)
	}
	key := series.Key{Source: "pg", Store: "helpdesk", Action: "read", ActorKind: "human", Role: "agent", Tenant: "acme"}
	var points []series.Point
	for i := range 3 {
		points = append(points, point(i, key, int64(i+1)))
	}
	// Twice: the same point written again replaces itself.
	for range 2 {
		if err := w.Write(ctx, points); err != nil {
			t.Fatal(err)
		}
	}
	rows := s.Flux(t, pivot("trip"))
	if len(rows) != 3 {
		t.Fatalf("got %d points, want 3: %v", len(rows), rows)
	}
	want := map[string]string{
		"source": "pg", "store": "helpdesk", "action": "read", "actor_kind": "human", "role": "agent", "tenant": "acme",
		"events": "2", "rows": "24", "bytes": "6800", "subjects": "2", "denied": "2", "_time": "2026-11-03T09:01:00Z",
	}
	got := map[string]string{}
	for k := range want {
		got[k] = rows[1][k]
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	// A total that grew replaces the earlier one.
	grown := point(1, key, 50)
	if err := w.Write(ctx, []series.Point{grown}); err != nil {
		t.Fatal(err)
	}
	rows = s.Flux(t, pivot("trip"))
	if len(rows) != 3 || rows[1]["events"] != "50" {
		t.Errorf("after a rewrite: %v", rows)
	}
	if err := w.WriteFindings(ctx, []series.FindingPoint{{Start: start, Key: series.FindingKey{Severity: "high", Lane: "day", About: "actor", ActorKind: "vendor"}, Opened: 1}}); err != nil {
		t.Fatal(err)
	}
	rows = s.Flux(t, strings.ReplaceAll(pivot("trip"), "vigil_access", "vigil_findings"))
	if len(rows) != 1 || rows[0]["severity"] != "high" || rows[0]["opened"] != "1" || rows[0]["closed"] != "0" {
		t.Errorf("findings: %v", rows)
	}
	ofCases := []series.CasePoint{{Start: start, Key: series.CaseKey{Severity: "high", About: "actor-1f"}, Opened: 3, Acknowledged: 2, Resolved: 1, Waited: 90}}
	if err := w.WriteCases(ctx, ofCases); err != nil {
		t.Fatal(err)
	}
	rows = s.Flux(t, strings.ReplaceAll(pivot("trip"), "vigil_access", "vigil_cases"))
	if len(rows) != 1 || rows[0]["about"] != "other" || rows[0]["severity"] != "high" || rows[0]["opened"] != "3" || rows[0]["acknowledged"] != "2" ||
		rows[0]["resolved"] != "1" || rows[0]["waited_seconds"] != "90" {
		t.Errorf("cases: %v", rows)
	}
	// A reading keeps to the fields that are known, and one without any is no point.
	readings := []series.Reading{
		{Start: start, Values: map[string]int64{series.ProgramPending: 7, "of another version": 1}},
		{Start: start, Source: "pg", Values: map[string]int64{series.SourceState: series.StateSilent}},
		{Start: start.Add(time.Minute), Values: map[string]int64{"of another version": 1}},
	}
	if err := w.WriteReadings(ctx, readings); err != nil {
		t.Fatal(err)
	}
	rows = s.Flux(t, strings.ReplaceAll(pivot("trip"), "vigil_access", "vigil_program"))
	if len(rows) != 1 || rows[0]["pending_events"] != "7" || rows[0]["of another version"] != "" {
		t.Errorf("program: %v", rows)
	}
	rows = s.Flux(t, strings.ReplaceAll(pivot("trip"), "vigil_access", "vigil_sources"))
	if len(rows) != 1 || rows[0]["source"] != "pg" || rows[0]["state"] != "2" {
		t.Errorf("sources: %v", rows)
	}
	// What a finding is about is one of five words: never whom.
	for i, about := range []string{"subject", "network", "team", "source", "subject-1f", "subject-2f"} {
		err := w.WriteFindings(ctx, []series.FindingPoint{{Start: start, Key: series.FindingKey{Severity: "low", Lane: about, About: about}, Opened: int64(i + 1)}})
		if err != nil {
			t.Fatal(err)
		}
	}
	rows = s.Flux(t, strings.ReplaceAll(pivot("trip"), "vigil_access", "vigil_findings"))
	got = map[string]string{}
	for _, r := range rows {
		got[r["lane"]+" "+r["about"]] = r["opened"]
	}
	if d := cmp.Diff(map[string]string{"day actor": "1", "subject subject": "1", "network network": "2", "team team": "3", "source source": "4", "other other": "6"}, got); d != "" {
		t.Error(d)
	}
}

// hostileTags writes values that try to end the point, begin another, or
// lose the next tag: each must come back as exactly one point, with its value.
func hostileTags(t *testing.T, s *influxtest.Server) {
	w := newWriter(t, s, "hostile", "autogen")
	hostile := []string{
		`ends in a backslash\`, `\`, `\\`, `a\,b=c`, `a,b=c`, `x events=1i 1`, "line\nvigil_access,source=evil events=999i 1",
		"\r\n", " ", " leading", "trailing ", `"quoted"`, `'`, "\x00", "\xff\xfe", "nul\x00in", "tab\tin", "\u202egnp.exe", "zero\u200bwidth",
		"# comment", "=", ",", "==,,  ", "%", "%5C", "100%", "日本語", "e\u0301", "🔴", strings.Repeat("long ", 200), strings.Repeat("long ", 200) + "!",
		`${env}`, `'; DROP MEASUREMENT "vigil_access"; --`, "\u2028", "\ufeff", "a\\ b", "a\\=b", strings.Repeat("%", 300), strings.Repeat("日", 300),
	}
	var points []series.Point
	for i, h := range hostile {
		points = append(points, point(i, series.Key{Source: h, Store: h, Action: "read", ActorKind: "human", Role: h, Tenant: "t"}, 1))
	}
	if err := w.Write(t.Context(), points); err != nil {
		t.Fatal(err)
	}
	if st := w.Stats(); st.Written != int64(len(points)) || st.Rejected != 0 {
		t.Fatalf("stats %+v, want %d written", st, len(points))
	}
	rows := s.Flux(t, pivot("hostile")+` |> group() |> sort(columns: ["_time"])`)
	if len(rows) != len(hostile) {
		t.Fatalf("got %d points, want %d", len(rows), len(hostile))
	}
	seen := map[string]bool{}
	for i, h := range hostile {
		for _, tag := range []string{"source", "store", "role"} {
			got := rows[i][tag]
			if got != influx.EncodeTag(h) {
				t.Errorf("%q in %s came back as %q, want %q", h, tag, got, influx.EncodeTag(h))
			}
			if len(influx.EncodeTag(h)) < influx.MaxTag-8 && influx.DecodeTag(got) != h {
				t.Errorf("%q in %s decodes to %q", h, tag, influx.DecodeTag(got))
			}
		}
		if rows[i]["events"] != "1" || rows[i]["tenant"] != "t" {
			t.Errorf("%q: events %q, tenant %q", h, rows[i]["events"], rows[i]["tenant"])
		}
		if seen[rows[i]["source"]] {
			t.Errorf("%q is no longer told apart", h)
		}
		seen[rows[i]["source"]] = true
	}
}

// spool is a ledger's spool in memory: points by window, until they are marked.
type spool struct {
	mu    sync.Mutex // guards dirty
	dirty []series.Point
	more  chan struct{}
}

func (s *spool) add(points ...series.Point) {
	s.mu.Lock()
	s.dirty = append(s.dirty, points...)
	s.mu.Unlock()
	select {
	case s.more <- struct{}{}:
	default:
	}
}

func (s *spool) left() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.dirty)
}

func (s *spool) DirtyPoints(_ context.Context, most int) (series.Dirty, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := min(most, 100, len(s.dirty))
	return series.Dirty{Points: slices.Clone(s.dirty[:n]), Token: n}, nil
}

func (s *spool) MarkWritten(_ context.Context, token series.Token) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dirty = s.dirty[token.(int):]
	return nil
}

func (s *spool) DropDirty(context.Context, int) (int64, error) { return 0, nil }

func (s *spool) WaitDirty(ctx context.Context) error {
	for s.left() == 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.more:
		}
	}
	return nil
}

// TestServerDown kills the server while points are shipped to it, lets more come
// meanwhile, and starts it again: every point is there at the end, once.
func TestServerDown(t *testing.T) {
	t.Parallel()
	s := influxtest.New(t)
	w := newWriter(t, s, "down", "autogen")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	sp := &spool{more: make(chan struct{}, 1)}
	key := series.Key{Source: "pg", Store: "helpdesk", Action: "read"}
	const total = 1200
	next := 0
	feed := func(n int) {
		for range n {
			sp.add(point(next, key, int64(next)))
			next++
		}
	}
	shipped := make(chan series.Shipped, 1000)
	ended := make(chan error, 1)
	go func() {
		ended <- series.Ship(ctx, sp, w, series.ShipConfig{Interval: time.Millisecond, MaxBackoff: time.Second}, series.ShipOptions{Report: func(st series.Shipped) {
			select {
			case shipped <- st:
			default:
			}
		}})
	}()
	until := func(what string, ok func(series.Shipped) bool) {
		t.Helper()
		for {
			select {
			case <-ctx.Done():
				t.Fatalf("never %s: %d points wait", what, sp.left())
			case st := <-shipped:
				if ok(st) {
					return
				}
			}
		}
	}
	feed(400)
	until("written", func(st series.Shipped) bool { return st.Points >= 200 })
	s.Kill()
	feed(400)
	until("refused twice", func(st series.Shipped) bool { return st.Failures >= 2 })
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	feed(400)
	until("all written", func(st series.Shipped) bool { return st.Points >= total && sp.left() == 0 })
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	rows := s.Flux(t, pivot("down")+` |> group() |> sort(columns: ["_time"])`)
	if len(rows) != total {
		t.Fatalf("got %d points, want %d", len(rows), total)
	}
	for i, r := range rows {
		if r["events"] != fmt.Sprint(i) {
			t.Fatalf("point %d: %v", i, r)
		}
	}
}

// setAside shows that what the server will never take does not hold back
// the rest.
func setAside(t *testing.T, s *influxtest.Server) {
	w := newWriter(t, s, "aside", "short")
	key := series.Key{Source: "pg"}
	now := time.Now().UTC().Truncate(time.Minute)
	points := []series.Point{
		{Start: now.Add(-100 * time.Hour), Key: key, Events: 1},
		{Start: now, Key: key, Events: 2},
	}
	if err := w.Write(t.Context(), points); err != nil {
		t.Fatal(err)
	}
	st := w.Stats()
	if st.Written != 1 || st.Rejected != 1 || st.LastRejection == "" {
		t.Errorf("stats %+v", st)
	}
	// A field of another type, which no retry mends.
	w2 := newWriter(t, s, "other", "autogen")
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL()+"/write?db=other", strings.NewReader(fmt.Sprintf("vigil_access events=\"text\" %d", now.UnixNano())))
	if err != nil {
		t.Fatal(err)
	}
	user, pass, _ := strings.Cut(s.Token(), ":")
	req.SetBasicAuth(user, pass)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		t.Fatalf("write a text: %d", resp.StatusCode)
	}
	if err := w2.Write(t.Context(), points[1:]); err != nil {
		t.Fatal(err)
	}
	if st := w2.Stats(); st.Rejected != 1 {
		t.Errorf("stats %+v, want one rejected for its type", st)
	}
}

// remedies: an error says what to do, and never the token.
func remedies(t *testing.T, s *influxtest.Server) {
	s.InfluxQL(t, "CREATE DATABASE vigil")
	key := series.Key{Source: "pg"}
	for _, tc := range []struct {
		name string
		cfg  influx.Config
		want string
	}{
		{"bad token", influx.Config{URL: s.URL(), Token: "vigil:wrong-canary", Bucket: "vigil/autogen"}, "check the token"},
		{"no token", influx.Config{URL: s.URL(), Bucket: "vigil/autogen"}, "check the token"},
		{"no such bucket", influx.Config{URL: s.URL(), Token: influx.Secret(s.Token()), Bucket: "nowhere/autogen"}, `bucket "nowhere/autogen"`},
		{"nobody there", influx.Config{URL: "http://" + influxtest.FreePort(t), Token: "vigil:wrong-canary", Bucket: "vigil/autogen"}, "does not answer"},
	} {
		w, err := influx.New(tc.cfg, influx.Options{})
		if err != nil {
			t.Fatal(err)
		}
		err = w.Write(t.Context(), []series.Point{point(0, key, 1)})
		w.Close()
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want %q", tc.name, err, tc.want)
		}
		if err != nil && strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: the error tells the token: %v", tc.name, err)
		}
		if st := w.Stats(); st.Failures != 1 || st.Written != 0 {
			t.Errorf("%s: stats %+v", tc.name, st)
		}
	}
}

// TestBadServers uses servers of ours for what a real one seldom does.
func TestBadServers(t *testing.T) {
	t.Parallel()
	var large atomic.Int64
	for _, tc := range []struct {
		name    string
		handler http.HandlerFunc
		want    string // "" means that Write succeeds
	}{
		{"busy", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusServiceUnavailable)
		}, "busy or ill"},
		{"html", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusBadGateway)
			fmt.Fprint(w, "<html>"+strings.Repeat("x", 1<<20))
		}, "502"},
		{"redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/steal", http.StatusTemporaryRedirect)
		}, "redirects"},
		{"reset", func(w http.ResponseWriter, _ *http.Request) {
			c, _, _ := w.(http.Hijacker).Hijack()
			c.Close()
		}, "does not answer"},
		{"hang", func(_ http.ResponseWriter, r *http.Request) {
			// Without the body read, the server does not see that the client left.
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		}, "does not answer"},
		{"garbage json", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"code":`)
		}, "400"},
		{"too large", func(w http.ResponseWriter, _ *http.Request) {
			if large.Add(1) == 1 {
				w.WriteHeader(http.StatusRequestEntityTooLarge)
				return
			}
			w.WriteHeader(http.StatusNoContent)
		}, ""},
		{"always too large", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusRequestEntityTooLarge) }, "413"},
		{"echoes the token", func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, "no: "+r.Header.Get("Authorization"))
		}, "check the token"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(tc.handler)
			defer srv.Close()
			timeout := time.Minute // a busy machine is no bad server
			if tc.name == "hang" {
				timeout = 300 * time.Millisecond
			}
			w, err := influx.New(influx.Config{URL: srv.URL, Token: "canary-token", Bucket: "b", Timeout: timeout}, influx.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			err = w.Write(t.Context(), []series.Point{point(0, series.Key{}, 1), point(1, series.Key{}, 1)})
			switch {
			case tc.want == "" && err != nil:
				t.Fatal(err)
			case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
				t.Fatalf("got %v, want %q", err, tc.want)
			case err != nil && (strings.Contains(err.Error(), "canary") || len(err.Error()) > 2000):
				t.Fatalf("error tells too much: %v", err)
			}
			if err := w.Check(t.Context()); err == nil && tc.want != "" {
				t.Error("the check finds a bad server healthy")
			} else if err != nil && strings.Contains(err.Error(), "canary") {
				t.Errorf("check tells the token: %v", err)
			}
		})
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	for _, cfg := range []influx.Config{
		{}, {URL: "http://h:1"}, {URL: "127.0.0.1:8086", Bucket: "b"}, {URL: "ftp://h", Bucket: "b"}, {URL: "http://", Bucket: "b"},
		{URL: "http://user:canary@h", Bucket: "b"}, {URL: "http://user:canary@h:x y", Bucket: "b"}, {URL: "http://h", Bucket: "b", Timeout: -1},
	} {
		_, err := influx.New(cfg, influx.Options{})
		if err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%q: got %v", cfg.URL, err)
		}
	}
	cfg := influx.Config{Token: "canary"}
	js, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "token", cfg.Token, "cfg", cfg)
	if all := fmt.Sprintf("%v %+v %#v %s", cfg, cfg, cfg, js) + log.String(); strings.Contains(all, "canary") {
		t.Errorf("the token shows: %s", all)
	}
}

func FuzzEncodeTag(f *testing.F) {
	for _, s := range []string{"", "plain", `a\`, "a b,c=d\n", "%", "\xff", "\u202e", strings.Repeat("日", 100)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e := influx.EncodeTag(s)
		if strings.ContainsAny(e, "\\\n\r\t\x00") || len(e) > influx.MaxTag {
			t.Fatalf("%q becomes %q", s, e)
		}
		if _, err := url.PathUnescape(e); err != nil {
			t.Fatalf("%q becomes %q, which does not decode: %v", s, e, err)
		}
		if len(e) < influx.MaxTag-8 && influx.DecodeTag(e) != s {
			t.Fatalf("%q becomes %q becomes %q", s, e, influx.DecodeTag(e))
		}
	})
}
