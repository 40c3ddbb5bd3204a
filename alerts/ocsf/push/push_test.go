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
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"vigil/alerts"
	"vigil/alerts/alertstest"
	"vigil/alerts/ocsf/push"
)

func notifier(t testing.TB, cfg push.Config, opts push.Options) *push.Notifier {
	t.Helper()
	cfg.AllowPrivate = true
	n, err := push.New(cfg, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close() })
	return n
}

// unpacked is a request's body without its packing.
func unpacked(t testing.TB, header http.Header, body []byte) []byte {
	t.Helper()
	if header.Get("Content-Encoding") != "gzip" {
		return body
	}
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		t.Error(err)
		return nil
	}
	out, err := io.ReadAll(z)
	if err != nil {
		t.Error(err)
	}
	return out
}

var pseudonym = regexp.MustCompile(`subject-[0-9a-z]{13}`)

// TestConformance tries the plainest form and the one that is most put about by the suite
// of all channels.
func TestConformance(t *testing.T) {
	t.Parallel()
	for _, f := range []push.Format{push.JSON, push.Splunk} {
		t.Run(string(f), func(t *testing.T) {
			alertstest.Run(t, alertstest.Suite{
				Name: "siem",
				Handler: func(t testing.TB) http.Handler {
					return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						if !strings.Contains(r.Header.Get("Authorization"), alertstest.Canary) {
							t.Errorf("it signs in as %q", r.Header.Get("Authorization"))
						}
						fmt.Fprint(w, `{"text":"Success","code":0}`)
					})
				},
				New: func(t testing.TB, s *alertstest.Server) alerts.Notifier {
					return notifier(t, push.Config{URL: push.Secret(s.URL + "/services/collector/event"), Format: f, Token: alertstest.Canary, Gzip: f == push.Splunk, Timeout: s.Timeout},
						push.Options{Name: "siem", Console: alertstest.Console})
				},
				Shown: func(t testing.TB, r alertstest.Request) (string, []string) {
					r.Body = unpacked(t, r.Header, r.Body)
					return alertstest.Strings(t, r)
				},
				Revisions: alertstest.Appends, Machine: true, Untold: []string{alerts.KindDigest}, Minor: []string{"notice"},
				// Customers are not named.
				Title: func(m alerts.Message) string {
					return pseudonym.ReplaceAllString(alerts.CardOf(m, alertstest.Console).Title, "[withheld]")
				},
				Leave: map[string]string{
					"400": "of a Splunk most of it is configuration: TestAnswers",
					"401": "an event is not given up for what can be mended: TestAnswers", "403": "see 401", "404": "see 401",
				},
			})
		})
	}
}

// TestAnswers: only what is held against the one event is for good.
func TestAnswers(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		format push.Format
		status int
		body   string
		retry  bool
		says   string
	}{
		{push.JSON, 401, "", true, "credentials"},
		{push.JSON, 403, "", true, "credentials"},
		{push.JSON, 404, "", true, "address"},
		{push.JSON, 302, "", true, "redirect"},
		{push.JSON, 400, `{"error":"what?"}`, false, "what?"},
		{push.JSON, 422, "", false, "report"},
		{push.JSON, 413, "", false, "max_bytes"},
		{push.JSON, 409, "", true, "409"},
		{push.Splunk, 403, `{"text":"Invalid token","code":4}`, true, "Invalid token"},
		{push.Splunk, 400, `{"text":"Incorrect index","code":7,"invalid-event-number":0}`, true, "Incorrect index"},
		{push.Splunk, 400, `{"text":"Data channel is missing","code":10}`, true, "channel"},
		{push.Splunk, 400, `{"text":"Invalid data format","code":6,"invalid-event-number":0}`, false, "Invalid data format"},
		{push.Splunk, 400, `<html>`, true, "400"},
		{push.Splunk, 503, `{"text":"Server is busy","code":9}`, true, "busy"},
	} {
		srv := httptest.NewServer(alertstest.Answer(tc.status, "application/json", tc.body))
		n := notifier(t, push.Config{URL: push.Secret(srv.URL + "/services/collector/event"), Format: tc.format, Token: alertstest.Canary}, push.Options{})
		_, err := n.Notify(t.Context(), alertstest.Samples()["case-new"])
		var retry *alerts.RetryError
		var refused *alerts.RefusedError
		isRetry := errors.As(err, &retry)
		if err == nil || isRetry != tc.retry || !tc.retry && (!errors.As(err, &refused) || refused.All) || !strings.Contains(err.Error(), tc.says) || strings.Contains(err.Error(), alertstest.Canary) {
			t.Errorf("%s %d %s: %T %v", tc.format, tc.status, tc.body, err, err)
		}
		srv.Close()
	}
}

// TestForms looks at bodies and headers.
func TestForms(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var header http.Header
	var body []byte
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		header, body = r.Header.Clone(), unpacked(t, r.Header, b)
	}))
	defer srv.Close()
	m := alertstest.Samples()["case-resolved"]
	send := func(cfg push.Config) (http.Header, []byte) {
		t.Helper()
		cfg.URL = push.Secret(srv.URL + "/x")
		receipt, err := notifier(t, cfg, push.Options{}).Notify(t.Context(), m)
		if err != nil || receipt != m.ID {
			t.Fatalf("%q, %v", receipt, err)
		}
		return header, body
	}
	h, whole := send(push.Config{Token: "t-1", Headers: map[string]push.Secret{"X-Team": "soc"}})
	if h.Get("Authorization") != "Bearer t-1" || h.Get("Content-Type") != "application/json" || h.Get("X-Team") != "soc" || !json.Valid(whole) {
		t.Errorf("json: %v", h)
	}
	if h, b := send(push.Config{Format: push.NDJSON, Gzip: true, Token: "t-2", TokenHeader: "X-Api-Key"}); h.Get("X-Api-Key") != "t-2" || h.Get("Authorization") != "" ||
		h.Get("Content-Type") != "application/x-ndjson" || h.Get("Content-Encoding") != "gzip" || string(b) != string(whole)+"\n" {
		t.Errorf("ndjson: %v %.80q", h, b)
	}
	if _, b := send(push.Config{Format: push.Array, TokenHeader: "authorization"}); string(b) != "["+string(whole)+"]" {
		t.Errorf("array: %.80q", b)
	}
	h, b := send(push.Config{Format: push.Splunk, Token: "t-3", Index: "security", Host: "watcher"})
	var envelope struct {
		Time                            json.Number
		Host, Source, SourceType, Index string
		Event                           json.RawMessage
	}
	if err := json.Unmarshal(b, &envelope); err != nil {
		t.Fatal(err)
	}
	var event, want any
	_ = json.Unmarshal(envelope.Event, &event)
	_ = json.Unmarshal(whole, &want)
	at := want.(map[string]any)["finding_info"].(map[string]any)["modified_time"].(float64) / 1000
	if h.Get("Authorization") != "Splunk t-3" || envelope.Time != json.Number(fmt.Sprintf("%.3f", at)) || envelope.Host != "watcher" || envelope.Source != "vigil" ||
		envelope.SourceType != push.DefaultSourceType || envelope.Index != "security" || fmt.Sprint(event) != fmt.Sprint(want) {
		t.Errorf("splunk: %v %.200s", h, b)
	}
}

// indexer is a Splunk that acknowledges, when it is told to.
type indexer struct {
	t  *testing.T
	mu sync.Mutex // guards all below
	// taken are the uids of the events, by the order in which they came.
	taken   []string
	asked   int
	indexed bool
	status  int
	channel string
}

func (x *indexer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.status != 0 {
		w.WriteHeader(x.status)
		return
	}
	if x.channel == "" {
		x.channel = r.Header.Get("X-Splunk-Request-Channel")
	}
	if c := r.Header.Get("X-Splunk-Request-Channel"); c == "" || c != x.channel {
		x.t.Errorf("channel %q after %q", c, x.channel)
	}
	if r.URL.Path == "/services/collector/ack" {
		if r.URL.Query().Get("channel") != x.channel {
			x.t.Errorf("it asks for the channel %q", r.URL.RawQuery)
		}
		var ask struct{ Acks []int }
		if err := json.NewDecoder(r.Body).Decode(&ask); err != nil || len(ask.Acks) != 1 {
			x.t.Errorf("it asks for %v: %v", ask.Acks, err)
		}
		x.asked++
		fmt.Fprintf(w, `{"acks":{"%d":%v}}`, ask.Acks[0], x.indexed)
		return
	}
	var e struct {
		Event struct{ Metadata struct{ UID string } }
	}
	if err := json.NewDecoder(r.Body).Decode(&e); err != nil {
		x.t.Error(err)
	}
	x.taken = append(x.taken, e.Event.Metadata.UID)
	fmt.Fprintf(w, `{"text":"Success","code":0,"ackId":%d}`, len(x.taken)-1)
}

// TestAcknowledge: what Splunk took is sent once, and done with only when it is indexed.
func TestAcknowledge(t *testing.T) {
	t.Parallel()
	x := &indexer{t: t}
	srv := httptest.NewServer(x)
	defer srv.Close()
	now := time.Now()
	n := notifier(t, push.Config{URL: push.Secret(srv.URL + "/services/collector/event"), Format: push.Splunk, Token: "t", Acknowledge: true}, push.Options{Now: func() time.Time { return now }})
	n.Poll(time.Millisecond)
	m := alertstest.Samples()["case-new"]
	attempt := func(want int, done bool) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		receipt, err := n.Notify(ctx, m)
		x.mu.Lock()
		defer x.mu.Unlock()
		var retry *alerts.RetryError
		if done != (err == nil) || done != (receipt == m.ID) || !done && (!errors.As(err, &retry) || !retry.InDoubt) || len(x.taken) != want || x.asked == 0 {
			t.Errorf("receipt %q, %v; taken %q, asked %d", receipt, err, x.taken, x.asked)
		}
	}
	attempt(1, false)
	attempt(1, false) // asked about, and not sent again
	now = now.Add(6 * time.Minute)
	attempt(2, false) // it did not come through: sent again
	x.mu.Lock()
	x.indexed = true
	x.mu.Unlock()
	attempt(2, true)
	m.ID = "another"
	attempt(3, true)
	x.mu.Lock()
	x.status = 503
	x.mu.Unlock()
	m.ID = "third"
	if _, err := n.Notify(t.Context(), m); err == nil {
		t.Error("a busy Splunk is believed")
	}

	plain := httptest.NewServer(alertstest.Answer(200, "application/json", `{"text":"Success","code":0}`))
	defer plain.Close()
	n = notifier(t, push.Config{URL: push.Secret(plain.URL + "/services/collector/event"), Format: push.Splunk, Token: "t", Acknowledge: true}, push.Options{})
	if _, err := n.Notify(t.Context(), m); err == nil || !strings.Contains(err.Error(), "indexer acknowledgement") {
		t.Errorf("a token without acknowledgement: %v", err)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		status int
		body   string
		ok     bool
	}{
		{400, `{"text":"No data","code":5}`, true}, {403, `{"text":"Invalid token","code":4}`, false}, {400, `{"text":"Data channel is missing","code":10}`, false}, {404, "", false}, {200, "{}", true},
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if b, _ := io.ReadAll(r.Body); len(b) != 0 {
				t.Errorf("a check sends %q", b)
			}
			w.WriteHeader(tc.status)
			fmt.Fprint(w, tc.body)
		}))
		n := notifier(t, push.Config{URL: push.Secret(srv.URL), Format: push.Splunk, Token: "t", Gzip: true}, push.Options{})
		if err := n.Check(t.Context()); (err == nil) != tc.ok {
			t.Errorf("%d %s: %v", tc.status, tc.body, err)
		}
		srv.Close()
		other := notifier(t, push.Config{URL: push.Secret(srv.URL)}, push.Options{})
		if other.Check(t.Context()) == nil {
			t.Error("a check of an endpoint that is gone says nothing")
		}
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]push.Config{
		"no url": {}, "http": {URL: "http://siem.example.org/"}, "private": {URL: "https://10.0.0.1/"}, "metadata": {URL: "https://169.254.169.254/", AllowPrivate: true},
		"format": {URL: "https://siem.example.org/", Format: "cef"}, "splunk without token": {URL: "https://siem.example.org/", Format: push.Splunk},
		"acknowledge": {URL: "https://siem.example.org/", Acknowledge: true}, "acknowledge elsewhere": {URL: "https://siem.example.org/x", Format: push.Splunk, Token: "t", Acknowledge: true},
		"token": {URL: "https://siem.example.org/", Token: "canary\r\nX: y"}, "header": {URL: "https://siem.example.org/", Headers: map[string]push.Secret{"X Y": "z"}},
		"small": {URL: "https://siem.example.org/", MaxBytes: 1}, "ca": {URL: "https://siem.example.org/", CAFile: "/none"},
	} {
		if _, err := push.New(cfg, push.Options{}); err == nil || strings.Contains(err.Error(), "canary") || !strings.Contains(err.Error(), "siem http") {
			t.Errorf("%s: %v", name, err)
		}
	}
	n, err := push.New(push.Config{URL: "https://siem.example.org/"}, push.Options{})
	if err != nil || n.Name() != "siem-http" {
		t.Errorf("%v", err)
	}
	if text := fmt.Sprintf("%v %+v %#v", push.Config{Token: "canary"}, push.Config{URL: "canary"}, push.Config{Headers: map[string]push.Secret{"X": "canary"}}); strings.Contains(text, "canary") {
		t.Errorf("a secret is shown: %s", text)
	}
}
