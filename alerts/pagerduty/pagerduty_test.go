package pagerduty_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/alerts"
	"vigil/alerts/alertstest"
	"vigil/alerts/pagerduty"
)

var update = flag.Bool("update", false, "rewrite the expected requests in testdata")

const key = "0123456789abcdefABCDEF0123456789"

// fake is PagerDuty as its documentation describes it.
type fake struct {
	mu        sync.Mutex // guards the rest
	incidents map[string]string
	actions   []string
	bodies    [][]byte
	pages     int
}

func newFake() *fake { return &fake{incidents: map[string]string{}} }

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body) // what came before the client gave up is looked at as it is
	refuse := func(errs ...string) {
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]any{"status": "invalid event", "message": "Event object is invalid", "errors": errs})
	}
	var e struct {
		RoutingKey string `json:"routing_key"`
		Action     string `json:"event_action"`
		DedupKey   string `json:"dedup_key"`
		Payload    *struct{ Summary, Source, Severity string }
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	switch {
	case r.Method != http.MethodPost || r.URL.Path != "/v2/enqueue":
		http.NotFound(w, r)
		return
	case len(body) > 512<<10:
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	case dec.Decode(&e) != nil:
		refuse("no JSON")
		return
	case e.RoutingKey != key && e.RoutingKey != alertstest.Canary:
		refuse("Length of 'routing_key' is incorrect (should be 32 characters)")
		return
	case len(e.DedupKey) > 255 || e.DedupKey == "":
		refuse("dedup_key")
		return
	case e.Action == "trigger" && (e.Payload == nil || e.Payload.Summary == "" || len([]rune(e.Payload.Summary)) > 1024 || e.Payload.Source == "" ||
		!slices.Contains([]string{"critical", "error", "warning", "info"}, e.Payload.Severity)):
		refuse("payload")
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.actions = append(f.actions, e.Action)
	f.bodies = append(f.bodies, body)
	state := f.incidents[e.DedupKey]
	switch e.Action {
	case "trigger":
		if state == "" || state == "resolved" {
			f.pages++
			f.incidents[e.DedupKey] = "triggered"
		}
	case "acknowledge", "resolve":
		if state != "" && state != "resolved" {
			f.incidents[e.DedupKey] = e.Action + "d"
		}
	default:
		refuse("event_action")
		return
	}
	w.WriteHeader(http.StatusAccepted)
	fmt.Fprintf(w, `{"status":"success","message":"Event processed","dedup_key":%q}`, e.DedupKey)
}

func (f *fake) take() (actions []string, bodies [][]byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	actions, bodies = f.actions, f.bodies
	f.actions, f.bodies = nil, nil
	return actions, bodies
}

func newNotifier(t testing.TB, h http.Handler) *pagerduty.Notifier {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	n, err := pagerduty.New(pagerduty.Config{RoutingKey: key, APIURL: srv.URL + "/", AllowPrivate: true, ConsoleURL: alertstest.Console}, pagerduty.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestSuite(t *testing.T) {
	alertstest.Run(t, alertstest.Suite{
		Name: "pagerduty", Revisions: alertstest.Notable, Reads: true,
		Handler: func(testing.TB) http.Handler { return newFake() },
		New: func(t testing.TB, s *alertstest.Server) alerts.Notifier {
			n, err := pagerduty.New(pagerduty.Config{RoutingKey: key, APIURL: s.URL, AllowPrivate: true, ConsoleURL: alertstest.Console, Timeout: s.Timeout}, pagerduty.Options{})
			if err != nil {
				t.Fatal(err)
			}
			n.SetKey(alertstest.Canary)
			return n
		},
		Untold: []string{alerts.KindDigest, alerts.KindReply}, Minor: []string{"notice", "hostile-notice"},
		Refusals: []alertstest.Refusal{
			{Name: "key", Answer: alertstest.Answer(400, "application/json", `{"status":"invalid event","message":"Event object is invalid","errors":["Length of 'routing_key' is incorrect (should be 32 characters)"]}`), All: true, Remedy: "check pagerduty.routing_key"},
			{Name: "event", Answer: alertstest.Answer(400, "application/json", `{"status":"invalid event","message":"Event object is invalid","errors":["'payload.summary' is missing or blank"]}`), Remedy: "report"},
			{Name: "forbidden", Answer: alertstest.Answer(403, "application/json", `{}`), All: true, Remedy: "pagerduty.routing_key"},
		},
	})
}

// TestGolden keeps the requests of each kind of message.
func TestGolden(t *testing.T) {
	t.Parallel()
	f := newFake()
	n := newNotifier(t, f)
	samples := alertstest.Samples()
	for name, receipt := range map[string]string{
		"case-new": "", "case-grown": "trigger/high", "case-graver": "trigger/high", "case-acknowledged": "trigger/critical", "case-resolved": "acknowledge/critical",
		"vendor": "", "source": "", "customer": "", "bare": "", "hostile": "", "notice-flood": "",
	} {
		m := samples[name]
		m.Receipt = receipt
		if _, err := n.Notify(t.Context(), m); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		_, bodies := f.take()
		var got bytes.Buffer
		for _, b := range bodies {
			if err := json.Indent(&got, b, "", "  "); err != nil {
				t.Fatal(err)
			}
			got.WriteByte('\n')
		}
		path := filepath.Join("testdata", name+".json")
		if *update {
			if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), got.String()); d != "" {
			t.Errorf("%s (-want +got, -update rewrites):\n%s", name, d)
		}
	}
}

func caseIn(state vigil.CaseState, s vigil.Severity) alerts.Message {
	m := alertstest.Story()["case-new"]
	c := *m.Case
	c.State, c.Severity = state, s
	m.Case = &c
	return m
}

// TestStates goes from what PagerDuty knows to where the case is.
func TestStates(t *testing.T) {
	t.Parallel()
	const fresh, taken, done = vigil.CaseNew, vigil.CaseAcknowledged, vigil.CaseResolved
	for _, c := range []struct {
		name, receipt string
		state         vigil.CaseState
		severity      vigil.Severity
		doubt         bool
		want          string
		next          string
	}{
		{"first", "", fresh, "high", false, "trigger", "trigger/high"},
		{"the same", "trigger/high", fresh, "high", false, "", "trigger/high"},
		{"milder", "trigger/high", fresh, "low", false, "", "trigger/high"},
		{"graver", "trigger/high", fresh, "critical", false, "trigger", "trigger/critical"},
		{"taken", "trigger/high", taken, "high", false, "acknowledge", "acknowledge/high"},
		{"taken, the same", "acknowledge/high", taken, "high", false, "", "acknowledge/high"},
		{"taken and graver", "acknowledge/high", taken, "critical", false, "trigger acknowledge", "acknowledge/critical"},
		{"taken before it was told", "", taken, "critical", false, "trigger acknowledge", "acknowledge/critical"},
		{"resolved", "acknowledge/high", done, "high", false, "resolve", "resolve/high"},
		{"resolved, the same", "resolve/high", done, "high", false, "", "resolve/high"},
		{"resolved before it was told", "", done, "high", false, "", "not-sent"},
		{"resolved, perhaps told", "", done, "high", true, "resolve", "resolve/high"},
		{"opened anew", "resolve/critical", fresh, "medium", false, "trigger", "trigger/medium"},
		{"not sent before", "not-sent", fresh, "low", false, "trigger", "trigger/low"},
		{"no severity", "", fresh, "", false, "trigger", "trigger/none"},
		{"no severity, the same", "trigger/none", fresh, "", false, "", "trigger/none"},
		{"another's receipt", "C1/1762160000.000001", fresh, "high", false, "trigger", "trigger/high"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := newFake()
			n := newNotifier(t, f)
			m := caseIn(c.state, c.severity)
			m.Receipt, m.InDoubt = c.receipt, c.doubt
			next, err := n.Notify(t.Context(), m)
			if err != nil {
				t.Fatal(err)
			}
			acts, _ := f.take()
			if got := strings.Join(acts, " "); got != c.want || next != c.next {
				t.Errorf("sent %q, receipt %q; want %q, %q", got, next, c.want, c.next)
			}
		})
	}
}

// TestOnce: what is sent again pages nobody again.
func TestOnce(t *testing.T) {
	t.Parallel()
	f := newFake()
	n := newNotifier(t, f)
	m := caseIn(vigil.CaseNew, vigil.SeverityHigh)
	for range 3 { // receipts lost
		if _, err := n.Notify(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	if err := n.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	if f.pages != 1 || len(f.incidents) != 1 {
		t.Errorf("%d pages, incidents %v", f.pages, f.incidents)
	}
	// A finding by itself stays until it has a verdict, also when it is quiet.
	quiet := alertstest.Message(alertstest.Rule())
	receipt, err := n.Notify(t.Context(), quiet)
	if err != nil || receipt != "trigger/medium" {
		t.Fatal(receipt, err)
	}
	judged := alertstest.Rule()
	judged.Verdict = &vigil.Verdict{Word: vigil.WordExpected}
	quiet.Finding, quiet.Receipt = judged, receipt
	if receipt, err = n.Notify(t.Context(), quiet); err != nil || receipt != "resolve/medium" || f.incidents[judged.ID] != "resolved" {
		t.Fatal(receipt, err, f.incidents)
	}
}

// TestHalf: when the second of two events fails, both are sent again.
func TestHalf(t *testing.T) {
	t.Parallel()
	f := newFake()
	fail := true
	n := newNotifier(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // what came before the client gave up is looked at as it is
		r.Body = io.NopCloser(bytes.NewReader(body))
		if fail && strings.Contains(string(body), `"acknowledge"`) {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		f.ServeHTTP(w, r)
	}))
	m := caseIn(vigil.CaseAcknowledged, vigil.SeverityHigh)
	var retry *alerts.RetryError
	if _, err := n.Notify(t.Context(), m); !errors.As(err, &retry) {
		t.Fatal(err)
	}
	fail = false
	if _, err := n.Notify(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if f.pages != 1 || f.incidents[m.Case.ID] != "acknowledged" {
		t.Errorf("%d pages, %v", f.pages, f.incidents)
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		cfg  pagerduty.Config
		want string
	}{
		"no key":     {pagerduty.Config{}, "routing_key is missing"},
		"short key":  {pagerduty.Config{RoutingKey: "secretkey"}, "not 32 letters and digits"},
		"odd key":    {pagerduty.Config{RoutingKey: pagerduty.Secret(key[:31] + "\n")}, "not 32 letters and digits"},
		"region":     {pagerduty.Config{RoutingKey: key, Region: "mars"}, "say us or eu"},
		"http":       {pagerduty.Config{RoutingKey: key, APIURL: "http://pagerduty.example"}, "api_url"},
		"loopback":   {pagerduty.Config{RoutingKey: key, APIURL: "https://127.0.0.1"}, "api_url"},
		"no address": {pagerduty.Config{RoutingKey: key, APIURL: "pagerduty"}, "api_url"},
		"timeout":    {pagerduty.Config{RoutingKey: key, Timeout: -1}, "timeout"},
		"ca":         {pagerduty.Config{RoutingKey: key, CAFile: "testdata/none.pem"}, "ca_file"},
	} {
		_, err := pagerduty.New(c.cfg, pagerduty.Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), key[:31]) || strings.Contains(err.Error(), "secretkey") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for region, host := range map[string]string{"": "events.pagerduty.com", "us": "events.pagerduty.com", "eu": "events.eu.pagerduty.com"} {
		n, err := pagerduty.New(pagerduty.Config{RoutingKey: key, Region: region}, pagerduty.Options{Name: "night"})
		if err != nil || n.Name() != "night" || n.Pace() <= 0 || n.Host() != host {
			t.Errorf("region %q: %v", region, err)
		}
	}
	if s := fmt.Sprintf("%v %+v %#v", pagerduty.Config{RoutingKey: key}, pagerduty.Config{RoutingKey: key}, pagerduty.Config{RoutingKey: key}); strings.Contains(s, key) {
		t.Error("the configuration prints its key")
	}
}

// FuzzInjection: whatever a finding holds, what is sent is within PagerDuty's bounds and
// holds nothing that acts.
func FuzzInjection(f *testing.F) {
	for _, s := range alertstest.Injections() {
		f.Add(s, s)
	}
	server := newFake()
	n := newNotifier(f, server)
	f.Fuzz(func(t *testing.T, s, id string) {
		if len(s)+len(id) > 4096 {
			t.Skip("what is long is cut like what is short")
		}
		m := alertstest.Message(alertstest.Evil(s))
		m.Finding.ID = id
		m.Link = s
		if _, err := n.Notify(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		_, bodies := server.take()
		for _, b := range bodies {
			text, links := alertstest.Strings(t, alertstest.Request{Body: b})
			for _, l := range links {
				if !strings.HasPrefix(l, "http://") && !strings.HasPrefix(l, "https://") {
					t.Errorf("link %q", l)
				}
			}
			if strings.ContainsAny(text, "\x1b\u202e\u200b\x00\r") {
				t.Errorf("something invisible is sent: %q", text)
			}
		}
	})
}
