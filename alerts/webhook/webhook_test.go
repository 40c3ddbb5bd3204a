package webhook_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"vigil"
	"vigil/alerts"
	"vigil/alerts/alertstest"
	"vigil/alerts/webhook"
)

var update = flag.Bool("update", false, "write the golden files anew")

const (
	secret    = alertstest.Canary + "-of-the-signature"
	oldSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
)

// cloudEvent is an event as a receiver reads it.
type cloudEvent struct {
	SpecVersion     string                     `json:"specversion"`
	ID              string                     `json:"id"`
	Source          string                     `json:"source"`
	Type            string                     `json:"type"`
	Subject         string                     `json:"subject"`
	Time            time.Time                  `json:"time"`
	DataContentType string                     `json:"datacontenttype"`
	Data            map[string]json.RawMessage `json:"data"`
}

// receiver takes what is signed and is an event, and nothing else.
type receiver struct {
	tb testing.TB

	mu     sync.Mutex // guards events
	events []cloudEvent
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return
	}
	for _, s := range []string{secret, oldSecret} {
		if err := verify(s, req.Header, body, time.Now()); err != nil {
			r.tb.Errorf("the signature: %v", err)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
	}
	var e cloudEvent
	if err := json.Unmarshal(body, &e); err != nil {
		r.tb.Errorf("%v: %s", err, body)
	}
	if e.SpecVersion != "1.0" || e.ID == "" || e.ID != req.Header.Get("webhook-id") || e.Source == "" || !strings.HasPrefix(e.Type, "dev.vigil.") || e.Time.IsZero() || e.Time.Location() != time.UTC ||
		e.DataContentType != "application/json" || req.Header.Get("Content-Type") != "application/cloudevents+json; charset=utf-8" || len(body) > 256<<10 {
		r.tb.Errorf("no event: %d bytes, %v, %s", len(body), req.Header, body[:min(len(body), 500)])
	}
	if _, err := url.Parse(e.Source); err != nil {
		r.tb.Errorf("source: %v", err)
	}
	if strings.Contains(string(body), "subject_ids") {
		r.tb.Errorf("customers' identifiers are told: %s", body)
	}
	if req.Header.Get("Authorization") != "Bearer "+alertstest.Canary {
		r.tb.Error("the header is missing")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
	w.WriteHeader(http.StatusNoContent)
}

func (r *receiver) take() []cloudEvent {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := r.events
	r.events = nil
	return out
}

func config(address string) webhook.Config {
	return webhook.Config{URL: webhook.Secret(address + "/hooks/" + alertstest.Canary), Secret: secret, OldSecret: oldSecret,
		Headers: map[string]webhook.Secret{"authorization": "Bearer " + alertstest.Canary}, AllowPrivate: true, ConsoleURL: alertstest.Console}
}

func notifier(tb testing.TB, cfg webhook.Config, opts webhook.Options) *webhook.Notifier {
	tb.Helper()
	n, err := webhook.New(cfg, opts)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = n.Close() })
	return n
}

func TestSuite(t *testing.T) {
	alertstest.Run(t, alertstest.Suite{
		Name: "webhook", Revisions: alertstest.Appends, Machine: true,
		Handler: func(tb testing.TB) http.Handler { return &receiver{tb: tb} },
		New: func(tb testing.TB, s *alertstest.Server) alerts.Notifier {
			cfg := config(s.URL)
			cfg.Timeout = s.Timeout
			return notifier(tb, cfg, webhook.Options{Logger: s.Logger})
		},
		// The one address in an event that is there to be opened.
		Shown: func(tb testing.TB, r alertstest.Request) (string, []string) {
			text, _ := alertstest.Strings(tb, r)
			var e struct{ Data struct{ Link string } }
			if err := json.Unmarshal(r.Body, &e); err != nil || e.Data.Link == "" {
				return text, nil
			}
			return text, []string{e.Data.Link}
		},
		Refusals: []alertstest.Refusal{
			{Name: "wrong key", Answer: alertstest.Answer(401, "text/plain", "bad signature"), All: true, Remedy: "webhook.secret"},
			{Name: "gone", Answer: alertstest.Answer(410, "text/plain", ""), All: true, Remedy: "webhook.url"},
		},
	})
}

// TestStory: types, ids and subjects of one case.
func TestStory(t *testing.T) {
	t.Parallel()
	r := &receiver{tb: t}
	srv := httptest.NewServer(r)
	t.Cleanup(srv.Close)
	n := notifier(t, config(srv.URL), webhook.Options{})
	story, receipt := alertstest.Story(), ""
	var err error
	for i, want := range []string{"opened", "updated", "updated", "updated", "resolved"} {
		m := story[alertstest.Chapters[i]]
		m.Receipt = receipt
		for range 2 {
			if receipt, err = n.Notify(t.Context(), m); err != nil {
				t.Fatal(err)
			}
		}
		got := r.take()
		if len(got) != 2 || got[0].ID != got[1].ID || got[0].ID != m.ID || got[0].Type != "dev.vigil.case."+want || got[0].Subject != m.Case.ID || !got[0].Time.Equal(m.Case.End) {
			t.Fatalf("%s: %+v", alertstest.Chapters[i], got)
		}
		var c vigil.Case
		if err := json.Unmarshal(got[0].Data["case"], &c); err != nil || c.Revision != m.Case.Revision {
			t.Errorf("%v: %+v", err, c)
		}
	}
	for name, want := range map[string]string{"reply": "dev.vigil.reply", "notice": "dev.vigil.notice", "digest": "dev.vigil.digest", "week": "dev.vigil.digest", "vendor": "dev.vigil.finding.opened", "rule": "dev.vigil.finding.resolved"} {
		if _, err := n.Notify(t.Context(), alertstest.Samples()[name]); err != nil {
			t.Fatal(err)
		}
		if got := r.take(); len(got) != 1 || got[0].Type != want {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if !n.Threads() {
		t.Error("replies are not told")
	}
	if err := n.Check(t.Context()); err != nil || len(r.take()) != 0 {
		t.Errorf("check: %v", err)
	}
}

// TestOddNumbers: what JSON can't say does not keep a finding from being told, and what
// is secret about customers stays.
func TestOddNumbers(t *testing.T) {
	t.Parallel()
	r := &receiver{tb: t}
	srv := httptest.NewServer(r)
	t.Cleanup(srv.Close)
	n := notifier(t, config(srv.URL), webhook.Options{})
	f := alertstest.Vendor()
	f.SubjectIDs = []string{"customer-4711"}
	f.Evidence, f.Harm, f.Contributions[0].E, f.Contributions[1].P = math.Inf(1), math.NaN(), math.Inf(1), math.NaN()
	f.Triage = &vigil.Triage{}
	m := alertstest.Message(f)
	m.Case = alertstest.Story()["case-new"].Case
	m.Case.Harm = math.Inf(-1)
	d := alerts.Message{ID: "digest/x", Kind: alerts.KindDigest, Digest: &alerts.Digest{Findings: []vigil.Finding{*f}, Budget: math.NaN()}}
	for _, m := range []alerts.Message{m, d} {
		if _, err := n.Notify(t.Context(), m); err != nil {
			t.Error(err)
		}
		got := r.take()
		if len(got) != 1 || strings.Contains(fmt.Sprintf("%s", got[0].Data), "4711") {
			t.Errorf("%+v", got)
		}
	}
	if f.SubjectIDs == nil || !math.IsInf(f.Evidence, 1) || f.Triage == nil {
		t.Error("the pipeline's finding was changed")
	}
	// Far too much is cut.
	for i := range 4_000 {
		f.Resources = append(f.Resources, fmt.Sprint("table_", i, strings.Repeat("x", 200)))
	}
	if _, err := n.Notify(t.Context(), alertstest.Message(f)); err != nil || len(r.take()) != 1 {
		t.Errorf("a long finding: %v", err)
	}
}

// TestVector is the example of the Standard Webhooks specification.
func TestVector(t *testing.T) {
	t.Parallel()
	got, err := webhook.Sign("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", []byte(`{"test": 2432232314}`), oldSecret, "a key of twenty-four bytes and more")
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE= v1,"; err != nil || !strings.HasPrefix(got, want) {
		t.Errorf("%q, %v", got, err)
	}
}

func TestVerify(t *testing.T) {
	t.Parallel()
	body, now := []byte(`{"a":1}`), time.Unix(1_762_160_000, 0)
	at := "1762160000"
	sig, err := webhook.Sign("m-1", at, body, secret, oldSecret)
	if err != nil {
		t.Fatal(err)
	}
	header := func(change func(http.Header)) http.Header {
		h := http.Header{}
		h.Set("webhook-id", "m-1")
		h.Set("webhook-timestamp", at)
		h.Set("webhook-signature", sig)
		if change != nil {
			change(h)
		}
		return h
	}
	for _, s := range []string{secret, oldSecret} {
		if err := verify(s, header(nil), body, now.Add(time.Minute)); err != nil {
			t.Error(err)
		}
	}
	for name, err := range map[string]error{
		"other key":    verify("another key of twenty-four bytes", header(nil), body, now),
		"other body":   verify(secret, header(nil), []byte(`{"a":2}`), now),
		"other id":     verify(secret, header(func(h http.Header) { h.Set("webhook-id", "m-2") }), body, now),
		"other time":   verify(secret, header(func(h http.Header) { h.Set("webhook-timestamp", "1762160001") }), body, now),
		"replayed":     verify(secret, header(nil), body, now.Add(time.Hour)),
		"early":        verify(secret, header(nil), body, now.Add(-time.Hour)),
		"no time":      verify(secret, header(func(h http.Header) { h.Del("webhook-timestamp") }), body, now),
		"no signature": verify(secret, header(func(h http.Header) { h.Del("webhook-signature") }), body, now),
		"empty":        verify(secret, header(func(h http.Header) { h.Set("webhook-signature", "v1,") }), body, now),
	} {
		if err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

// TestDocumented: what the documentation shows is what is tested here.
func TestDocumented(t *testing.T) {
	t.Parallel()
	code, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := os.ReadFile("../../docs/alerts/webhook.md")
	if err != nil {
		t.Fatal(err)
	}
	_, fn, ok := strings.Cut(string(code), "// verify tells")
	if !ok || !strings.Contains(string(doc), "// verify tells"+fn) {
		t.Error("docs/alerts/webhook.md shows another verify")
	}
	for _, typ := range []string{"case.opened", "case.updated", "case.resolved", "finding.opened", "digest", "notice", "reply"} {
		if !strings.Contains(string(doc), "`dev.vigil."+typ) {
			t.Errorf("docs/alerts/webhook.md does not tell of dev.vigil.%s", typ)
		}
	}
}

// TestGolden compares events with files that people have read.
func TestGolden(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"case-new", "hostile-reply", "notice-flood", "digest"} {
		var body []byte
		srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { body, _ = io.ReadAll(r.Body) }))
		n := notifier(t, config(srv.URL), webhook.Options{Now: func() time.Time { return time.Date(2026, 11, 3, 16, 0, 0, 0, time.UTC) }})
		_, err := n.Notify(t.Context(), alertstest.Samples()[name])
		srv.Close()
		if err != nil {
			t.Fatal(err)
		}
		var v any
		if err := json.Unmarshal(body, &v); err != nil {
			t.Fatal(err)
		}
		got, _ := json.MarshalIndent(v, "", " ")
		got = append(got, '\n')
		file := filepath.Join("testdata", name+".json")
		if *update {
			if err := os.WriteFile(file, got, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if want, err := os.ReadFile(file); err != nil || string(want) != string(got) {
			t.Errorf("%s has changed (%v): look at it and run with -update\n%s", file, err, got)
		}
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	good := webhook.Config{URL: "https://hooks.acme.example/" + alertstest.Canary, Secret: secret}
	if n, err := webhook.New(good, webhook.Options{}); err != nil || n.Name() != "webhook" {
		t.Fatal(err)
	}
	for i, change := range []func(*webhook.Config){
		func(c *webhook.Config) { c.URL = "" },
		func(c *webhook.Config) { c.URL = "http://hooks.acme.example/" + alertstest.Canary },
		func(c *webhook.Config) { c.URL = "https://169.254.169.254/" + alertstest.Canary },
		func(c *webhook.Config) { c.Secret = "" },
		func(c *webhook.Config) { c.Secret = "canary" },
		func(c *webhook.Config) { c.Secret = "whsec_" + alertstest.Canary + "!" },
		func(c *webhook.Config) { c.OldSecret = "short" },
		func(c *webhook.Config) { c.Timeout = -1 },
		func(c *webhook.Config) { c.Source = "a b" },
		func(c *webhook.Config) { c.Source = strings.Repeat("x", 600) },
		func(c *webhook.Config) { c.CAFile = "/nowhere" },
		func(c *webhook.Config) { c.Headers = map[string]webhook.Secret{"Host": "x"} },
		func(c *webhook.Config) { c.Headers = map[string]webhook.Secret{"webhook-signature": "x"} },
		func(c *webhook.Config) { c.Headers = map[string]webhook.Secret{"content-type": "x"} },
		func(c *webhook.Config) { c.Headers = map[string]webhook.Secret{"a b": "x"} },
		func(c *webhook.Config) {
			c.Headers = map[string]webhook.Secret{"X-A": alertstest.Canary + "\r\nX-B: 1"}
		},
		func(c *webhook.Config) {
			c.Headers = map[string]webhook.Secret{}
			for i := range 30 {
				c.Headers[fmt.Sprint("X-", i)] = "x"
			}
		},
	} {
		cfg := good
		change(&cfg)
		if _, err := webhook.New(cfg, webhook.Options{}); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%d: %v", i, err)
		}
	}
	js, _ := json.Marshal(config("https://x"))
	if all := fmt.Sprintf("%v %+v %#v %s", good, good, config("https://x"), js); strings.Contains(all, alertstest.Canary) {
		t.Errorf("a secret shows: %s", all)
	}
}

// FuzzEvent: whatever stands in a message, the receiver gets an event that it can read,
// signed, of a bounded size.
func FuzzEvent(f *testing.F) {
	for _, s := range alertstest.Injections() {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r := &receiver{tb: t}
		srv := httptest.NewServer(r)
		defer srv.Close()
		n := notifier(t, config(srv.URL), webhook.Options{})
		m := alertstest.Message(alertstest.Evil(s))
		m.ID, m.Link = s, s
		samples := alertstest.Samples()
		reply := samples["reply"]
		reply.ID, reply.Reply.Text = s, s
		for _, m := range []alerts.Message{m, reply} {
			if _, err := n.Notify(t.Context(), m); err != nil {
				var retry *alerts.RetryError
				if !errors.As(err, &retry) {
					t.Fatal(err)
				}
			}
		}
		ids := map[string]bool{}
		for _, e := range r.take() {
			ids[e.ID] = true
			if link := string(e.Data["link"]); link != "" && !slices.ContainsFunc([]string{`"http://`, `"https://`}, func(p string) bool { return strings.HasPrefix(link, p) }) {
				t.Fatalf("the link is %s", link)
			}
		}
		if len(slices.Collect(maps.Keys(ids))) != 1 {
			t.Fatalf("the same id becomes %v", ids)
		}
	})
}
