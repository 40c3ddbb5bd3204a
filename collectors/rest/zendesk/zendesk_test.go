package zendesk_test

import (
	"context"
	"encoding/base64"
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
	"vigil/collectors/rest/zendesk"
)

// account is a server that speaks Zendesk's API as it is documented: an OAuth client,
// cursors, filters of whole seconds and limits. It filters by when it got an entry.
type account struct {
	srv *httptest.Server

	mu     sync.Mutex
	access []entry
	audit  []entry
	down   bool
	// tokens are those given; the last is good for uses more requests, -1 for ever.
	tokens, uses int
	// every answers every so many requests with 429; 0 none.
	every, asked int
	// next, where not empty, is told as the next page.
	next string
	// noAddOn forbids the access log.
	noAddOn bool
}

type entry struct {
	at   time.Time
	text string
}

func newAccount(t testing.TB) *account {
	a := &account{uses: -1}
	a.srv = httptest.NewServer(a)
	t.Cleanup(a.srv.Close)
	return a
}

func (a *account) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.down {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	if r.URL.Path == "/oauth/tokens" {
		a.token(w, r)
		return
	}
	want := fmt.Sprintf("Bearer token-%d", a.tokens)
	if got := r.Header.Get("Authorization"); got != "Bearer static" && got != "Basic "+base64.StdEncoding.EncodeToString([]byte("ana@example.com/token:api")) &&
		(got != want || a.uses == 0) {
		w.WriteHeader(http.StatusUnauthorized)
		io.WriteString(w, `{"error":"invalid_token","error_description":"The access token provided is expired, revoked, malformed or invalid for other reasons."}`)
		return
	}
	if a.uses > 0 {
		a.uses--
	}
	if a.asked++; a.every > 0 && a.asked%a.every == 0 {
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(http.StatusTooManyRequests)
		return
	}
	q := r.URL.Query()
	switch r.URL.Path {
	case "/api/v2/access_logs":
		if a.noAddOn {
			w.WriteHeader(http.StatusForbidden)
			io.WriteString(w, `{"error":{"title":"Forbidden","message":"You do not have access to this page."}}`)
			return
		}
		a.list(w, r, "access_logs", a.access, q.Get("filter[start]"), q.Get("filter[end]"))
	case "/api/v2/audit_logs":
		between := q["filter[created_at][]"]
		if len(between) != 2 || q.Get("sort") != "created_at" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		a.list(w, r, "audit_logs", a.audit, between[0], between[1])
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func (a *account) token(w http.ResponseWriter, r *http.Request) {
	var asked map[string]string
	if r.Method != http.MethodPost || json.NewDecoder(r.Body).Decode(&asked) != nil || asked["grant_type"] != "client_credentials" ||
		asked["client_id"] != "vigil" || asked["client_secret"] != "canary" || asked["scope"] != "read" {
		w.WriteHeader(http.StatusUnauthorized)
		io.WriteString(w, `{"error":"invalid_client"}`)
		return
	}
	a.tokens++
	if a.uses == 0 {
		a.uses = 5
	}
	fmt.Fprintf(w, `{"access_token":"token-%d","token_type":"bearer","scope":"read","expires_in":1800}`, a.tokens)
}

// list gives a page: the cursor is the number of the entry behind which it begins.
func (a *account) list(w http.ResponseWriter, r *http.Request, name string, entries []entry, start, end string) {
	q := r.URL.Query()
	from, err1 := time.Parse(time.RFC3339, start)
	to, err2 := time.Parse(time.RFC3339, end)
	size, err3 := strconv.Atoi(q.Get("page[size]"))
	behind, err4 := strconv.Atoi("0" + q.Get("page[after]"))
	if err := errors.Join(err1, err2, err3, err4); err != nil || size < 1 || size > 100 {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	found, after := []json.RawMessage{}, 0
	more := false
	for i, e := range entries {
		if i < behind || e.at.Truncate(time.Second).Before(from) || e.at.Truncate(time.Second).After(to) {
			continue
		}
		if more = len(found) == size; more {
			break
		}
		found, after = append(found, json.RawMessage(e.text)), i+1
	}
	links := map[string]any{"prev": nil, "next": nil}
	if q.Set("page[after]", strconv.Itoa(after)); more {
		links["next"] = a.srv.URL + r.URL.Path + "?" + q.Encode()
	}
	if a.next != "" {
		more, links["next"] = true, a.next
	}
	_ = json.NewEncoder(w).Encode(map[string]any{
		name: found, "links": links, "meta": map[string]any{"has_more": more, "after_cursor": strconv.Itoa(after), "before_cursor": "1"},
	})
}

// Write adds entries to the access log; those that can't be read have no time.
func (a *account) Write(_ context.Context, rs ...collectorstest.Record) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, r := range rs {
		at := r.Time.UTC().Format(time.RFC3339Nano)
		if r.Poison {
			at = "yesterday"
		}
		a.access = append(a.access, entry{time.Now(), fmt.Sprintf(
			`{"id":"01J%08d","timestamp":%q,"user_id":%d,"ip_address":"192.0.2.10","method":"GET","url":"/api/v2/users/%d.json","status":200,"authorization_type":"bearer","graphql":null,"bytes_sent":4096}`,
			r.N, at, r.N%7, r.N)})
	}
	return nil
}

func (a *account) Down(context.Context) error { return a.set(func() { a.down = true }) }

func (a *account) Up(context.Context) error { return a.set(func() { a.down = false }) }

func (a *account) set(f func()) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	f()
	return nil
}

func (a *account) config() zendesk.Config {
	return zendesk.Config{
		Decode: decode.Config{Source: "zendesk", Formats: catalog.All()}, URL: a.srv.URL, ClientID: "vigil", ClientSecret: "canary", Poll: 20 * time.Millisecond,
	}
}

func (a *account) Collector() (collectors.Collector, error) {
	return zendesk.New(a.config(), zendesk.Options{})
}

func TestSuite(t *testing.T) {
	t.Parallel()
	collectorstest.Run(t, collectorstest.Way{Source: "zendesk", Peer: func(t *testing.T) collectorstest.Peer { return newAccount(t) }})
}

// TestSuiteHarried runs the suite with tokens that end after five requests, and limits.
func TestSuiteHarried(t *testing.T) {
	t.Parallel()
	collectorstest.Run(t, collectorstest.Way{Source: "zendesk", Peer: func(t *testing.T) collectorstest.Peer {
		a := newAccount(t)
		a.uses, a.every = 5, 3
		return a
	}})
}

func records(first, n int) []collectorstest.Record {
	out := make([]collectorstest.Record, n)
	for i := range out {
		out[i] = collectorstest.Record{N: first + i, Time: time.Now()}
	}
	return out
}

// TestBothLogs reads the audit log beside the access log, by each way to show who asks.
func TestBothLogs(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*zendesk.Config){
		"client": func(*zendesk.Config) {},
		"token":  func(c *zendesk.Config) { c.ClientID, c.ClientSecret, c.Token = "", "", "static" },
		"api token": func(c *zendesk.Config) {
			c.ClientID, c.ClientSecret, c.Token, c.Email = "", "", "api", "ana@example.com"
		},
	} {
		a := newAccount(t)
		if err := a.Write(t.Context(), records(1, 150)...); err != nil {
			t.Fatal(err)
		}
		for n := 151; n <= 300; n++ {
			a.audit = append(a.audit, entry{time.Now(), fmt.Sprintf(
				`{"url":"https://x.zendesk.com/api/v2/audit_logs/%d.json","id":%d,"action_label":"Deleted","actor_id":7,"actor_name":"Ana","source_id":%d,"source_type":"user","source_label":"x","action":"destroy","change_description":"","ip_address":"192.0.2.10","created_at":%q}`,
				n, n, n, time.Now().UTC().Format(time.RFC3339))})
		}
		cfg := a.config()
		change(&cfg)
		z, err := zendesk.New(cfg, zendesk.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := z.Check(t.Context()); err != nil {
			t.Errorf("%s: Check: %v", name, err)
		}
		o := collectorstest.NewOracle("zendesk", nil)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- z.Run(ctx, nil, o) }()
		o.AwaitRecords(t, 300)
		cancel()
		if err := <-done; err != nil {
			t.Errorf("%s: %v", name, err)
		}
		o.Check(t, 300)
		if e := o.Event(200); e == nil || e.Action != vigil.ActionDelete || e.Origin.File != "audit_logs" {
			t.Errorf("%s: the audit log's entry is %+v", name, e)
		}
	}
}

// TestRefusals shows what is said of a wrong secret, a missing add-on, a page elsewhere.
func TestRefusals(t *testing.T) {
	t.Parallel()
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("another server was asked") }))
	t.Cleanup(inside.Close)
	for _, test := range []struct {
		name, want string
		change     func(*zendesk.Config, *account)
	}{
		{"secret", "check client_id and client_secret", func(c *zendesk.Config, _ *account) { c.ClientSecret = "canary-2" }},
		{"token", "the token is not known", func(c *zendesk.Config, _ *account) { c.ClientID, c.Token = "", "canary-3" }},
		{"add-on", "Advanced Data Privacy", func(_ *zendesk.Config, a *account) { a.noAddOn = true }},
		{"elsewhere", "set url to it", func(_ *zendesk.Config, a *account) { a.next = inside.URL + "/api/v2/access_logs?page[after]=1" }},
		{"metadata", "set url to it", func(_ *zendesk.Config, a *account) { a.next = "http://169.254.169.254/latest/meta-data/" }},
	} {
		a := newAccount(t)
		cfg := a.config()
		test.change(&cfg, a)
		z, err := zendesk.New(cfg, zendesk.Options{})
		if err != nil {
			t.Fatal(err)
		}
		err = z.Run(t.Context(), nil, collectorstest.NewOracle("zendesk", nil))
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	good := newAccount(t).config()
	for name, change := range map[string]func(*zendesk.Config){
		"no url":   func(c *zendesk.Config) { c.URL = "" },
		"http":     func(c *zendesk.Config) { c.URL = "http://acme.zendesk.com" },
		"nobody":   func(c *zendesk.Config) { c.ClientID = "" },
		"no pair":  func(c *zendesk.Config) { c.ClientSecret = "" },
		"both":     func(c *zendesk.Config) { c.Token = "x" },
		"log":      func(c *zendesk.Config) { c.Logs = []string{"access", "chat"} },
		"twice":    func(c *zendesk.Config) { c.Logs = []string{"access", "access"} },
		"negative": func(c *zendesk.Config) { c.Overlap = -1 },
		"source":   func(c *zendesk.Config) { c.Decode.Source = "" },
		"format":   func(c *zendesk.Config) { c.Decode.Format = "none" },
	} {
		cfg := good
		change(&cfg)
		if _, err := zendesk.New(cfg, zendesk.Options{}); err == nil {
			t.Errorf("%s: it was taken", name)
		} else if strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if text := fmt.Sprintf("%+v", good); strings.Contains(text, "canary") {
		t.Error(text)
	}
	good.Logs = []string{zendesk.Audit}
	if _, err := zendesk.New(good, zendesk.Options{}); err != nil {
		t.Error(err)
	}
}

func BenchmarkZendesk(b *testing.B) {
	a := newAccount(b)
	const all = 10_000
	_ = a.Write(b.Context(), records(1, all)...)
	for b.Loop() {
		z, err := zendesk.New(a.config(), zendesk.Options{})
		if err != nil {
			b.Fatal(err)
		}
		ctx, cancel := context.WithCancel(b.Context())
		n := 0
		err = z.Run(ctx, nil, collectors.SinkFunc(func(_ context.Context, batch collectors.Batch) error {
			if n += len(batch.Events); n >= all {
				cancel()
			}
			return nil
		}))
		if err != nil || n != all {
			b.Fatal(n, err)
		}
		cancel()
	}
	b.ReportMetric(float64(all)*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
