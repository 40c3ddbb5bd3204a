package alertmanager_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/alerts"
	"vigil/alerts/alertmanager"
	"vigil/alerts/alertstest"
)

var update = flag.Bool("update", false, "rewrite the expected requests in testdata")

// now is the clock of the tests.
var now = time.Date(2026, 11, 3, 16, 0, 0, 0, time.UTC)

func clock() time.Time { return now }

// alert is what is sent.
type alert struct {
	Labels, Annotations map[string]string
	StartsAt, EndsAt    time.Time
	GeneratorURL        string
}

// fake is an Alertmanager as its API is described.
type fake struct {
	auth string

	mu     sync.Mutex       // guards the rest
	alerts map[string]alert // by their labels
	bodies [][]byte
	posts  int
}

func newFake() *fake {
	return &fake{alerts: map[string]alert{}, auth: "Bearer " + alertstest.Canary}
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != f.auth {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if r.Method == http.MethodGet && r.URL.Path == "/am/api/v2/status" {
		fmt.Fprint(w, `{"versionInfo":{"version":"0.28.0"}}`)
		return
	}
	if r.Method != http.MethodPost || r.URL.Path != "/am/api/v2/alerts" {
		http.NotFound(w, r)
		return
	}
	body, _ := io.ReadAll(r.Body) // what came before the client gave up is looked at as it is
	var list []alert
	if err := json.Unmarshal(body, &list); err != nil || len(list) == 0 {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	for _, a := range list {
		for k := range a.Annotations {
			if k == "" || strings.Trim(k, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" || k[0] >= '0' && k[0] <= '9' {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
		}
		if a.StartsAt.After(a.EndsAt) || len(a.Labels) == 0 || a.StartsAt.IsZero() {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.posts++
	f.bodies = append(f.bodies, body)
	for _, a := range list {
		f.alerts[labelsOf(a)] = a
	}
}

func labelsOf(a alert) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(a.Labels)) {
		out = append(out, k+"="+a.Labels[k])
	}
	return strings.Join(out, ",")
}

// firing are the labels of the alerts that have not ended.
func (f *fake) firing() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []string
	for k, a := range f.alerts {
		if a.EndsAt.After(now) {
			out = append(out, k)
		}
	}
	slices.Sort(out)
	return out
}

func (f *fake) take() [][]byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	b := f.bodies
	f.bodies = nil
	return b
}

func newNotifier(t testing.TB, log *slog.Logger, fakes ...http.Handler) *alertmanager.Notifier {
	t.Helper()
	cfg := alertmanager.Config{Token: alertstest.Canary, AllowPrivate: true, ConsoleURL: alertstest.Console, Labels: map[string]string{"env": "prod"}, Timeout: 30 * time.Second}
	for _, f := range fakes {
		srv := httptest.NewServer(f)
		t.Cleanup(srv.Close)
		cfg.URLs = append(cfg.URLs, srv.URL+"/am/")
	}
	n, err := alertmanager.New(cfg, alertmanager.Options{Logger: log, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestSuite(t *testing.T) {
	alertstest.Run(t, alertstest.Suite{
		Name: "alertmanager", Revisions: alertstest.Appends,
		Handler: func(testing.TB) http.Handler { return newFake() },
		New: func(t testing.TB, s *alertstest.Server) alerts.Notifier {
			n, err := alertmanager.New(alertmanager.Config{URLs: []string{s.URL + "/am"}, Token: alertstest.Canary, AllowPrivate: true, ConsoleURL: alertstest.Console, Timeout: s.Timeout},
				alertmanager.Options{Logger: s.Logger})
			if err != nil {
				t.Fatal(err)
			}
			return n
		},
		Untold: []string{alerts.KindDigest, alerts.KindReply}, Minor: []string{"notice"},
		Refusals: []alertstest.Refusal{
			{Name: "prefix", Answer: alertstest.Answer(404, "text/plain", "404 page not found"), All: true, Remedy: "alertmanager.urls"},
			{Name: "token", Answer: alertstest.Answer(401, "text/plain", "Unauthorized"), All: true, Remedy: "alertmanager.user"},
			{Name: "label", Answer: alertstest.Answer(400, "application/json", `"invalid label set"`), Remedy: "report"},
		},
	})
}

// TestGolden keeps the requests of each kind of message.
func TestGolden(t *testing.T) {
	t.Parallel()
	f := newFake()
	n := newNotifier(t, nil, f)
	samples := alertstest.Samples()
	for name, receipt := range map[string]string{
		"case-new": "", "case-grown": "open/high/actor/1793715600", "case-graver": "open/high/actor/1793715600", "case-acknowledged": "open/critical/actor/1793715600",
		"case-resolved": "open/critical/actor/1793715600", "vendor": "", "source": "", "bare": "", "hostile": "", "notice-flood": "",
	} {
		m := samples[name]
		m.Receipt = receipt
		if _, err := n.Notify(t.Context(), m); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var got bytes.Buffer
		for _, b := range f.take() {
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
	c.ID, c.State, c.Severity = "c-1", state, s
	m.Case = &c
	return m
}

func labels(s vigil.Severity) string {
	return "about=actor,alertname=VigilCase,case=c-1,env=prod,service=vigil,severity=" + string(s)
}

// TestOneAlert: a case has one alert that fires, whatever becomes of it.
func TestOneAlert(t *testing.T) {
	t.Parallel()
	f := newFake()
	n := newNotifier(t, nil, f)
	receipt := ""
	for i, s := range []struct {
		state    vigil.CaseState
		severity vigil.Severity
		firing   string
	}{
		{vigil.CaseNew, "high", labels("high")},
		{vigil.CaseNew, "high", labels("high")},
		{vigil.CaseAcknowledged, "high", labels("high")},
		{vigil.CaseNew, "critical", labels("critical")},
		{vigil.CaseNew, "medium", labels("critical")}, // the gravest speaks
		{vigil.CaseResolved, "critical", ""},
		{vigil.CaseResolved, "critical", ""},
		{vigil.CaseNew, "low", labels("low")}, // opened anew
		{vigil.CaseResolved, "low", ""},
	} {
		m := caseIn(s.state, s.severity)
		m.Receipt = receipt
		var err error
		if receipt, err = n.Notify(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(f.firing(), " "); got != s.firing {
			t.Errorf("step %d: firing %q, want %q", i, got, s.firing)
		}
	}
	// What was over before it was told is not sent, unless it may have been.
	m := caseIn(vigil.CaseResolved, "high")
	posts := f.posts
	if r, err := n.Notify(t.Context(), m); err != nil || r != "not-sent" || f.posts != posts {
		t.Error(r, err)
	}
	m.InDoubt = true
	if _, err := n.Notify(t.Context(), m); err != nil || f.posts != posts+1 || len(f.firing()) != 0 {
		t.Error(err, f.posts, f.firing())
	}
}

// TestRefresh: an Alertmanager that was restarted has all open cases again.
func TestRefresh(t *testing.T) {
	t.Parallel()
	f := newFake()
	n := newNotifier(t, nil, f)
	var open []alerts.Message
	for i := range 250 {
		m := caseIn(vigil.CaseNew, "high")
		m.Case.ID = fmt.Sprintf("c-%d", i)
		receipt, err := n.Notify(t.Context(), m)
		if err != nil {
			t.Fatal(err)
		}
		m.Receipt = receipt
		open = append(open, m)
	}
	before := f.firing()
	f.mu.Lock()
	f.alerts, f.posts = map[string]alert{}, 0
	f.mu.Unlock()
	over, unsent := caseIn(vigil.CaseResolved, "high"), caseIn(vigil.CaseNew, "high")
	over.Receipt, unsent.Receipt = open[0].Receipt, "not-sent"
	over.Case.ID, unsent.Case.ID = "c-over", "c-unsent"
	if err := n.Refresh(t.Context(), append(open, over, unsent, alertstest.Samples()["digest"])); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(before, f.firing()); d != "" || f.posts != 3 {
		t.Errorf("%d posts:\n%s", f.posts, d)
	}
	if err := n.Refresh(t.Context(), nil); err != nil || f.posts != 3 {
		t.Error(err, f.posts)
	}
}

// TestSeveral: it is delivered when one of them took it, and those that did not are told
// of once.
func TestSeveral(t *testing.T) {
	t.Parallel()
	one, two := newFake(), newFake()
	down := true
	var mu sync.Mutex
	flaky := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if down {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		two.ServeHTTP(w, r)
	})
	var log bytes.Buffer
	n := newNotifier(t, slog.New(slog.NewTextHandler(&log, nil)), one, flaky)
	for range 3 {
		if _, err := n.Notify(t.Context(), caseIn(vigil.CaseNew, "high")); err != nil {
			t.Fatal(err)
		}
	}
	if err := n.Check(t.Context()); err == nil {
		t.Error("Check does not see that one is down")
	}
	mu.Lock()
	down = false
	mu.Unlock()
	if _, err := n.Notify(t.Context(), caseIn(vigil.CaseNew, "high")); err != nil {
		t.Fatal(err)
	}
	if one.posts != 4 || two.posts != 1 {
		t.Errorf("%d and %d posts", one.posts, two.posts)
	}
	if s := log.String(); strings.Count(s, "does not take alerts") != 1 || strings.Count(s, "takes alerts again") != 1 || strings.Contains(s, alertstest.Canary) {
		t.Errorf("log: %s", s)
	}
	if err := n.Check(t.Context()); err != nil {
		t.Error(err)
	}

	// Where none takes it, one that may later decides.
	refuses, busy := alertstest.Answer(401, "text/plain", "no"), alertstest.Answer(503, "text/plain", "")
	for i, pair := range [][]http.Handler{{refuses, busy}, {busy, refuses}} {
		_, err := newNotifier(t, nil, pair...).Notify(t.Context(), caseIn(vigil.CaseNew, "high"))
		var retry *alerts.RetryError
		if !errors.As(err, &retry) {
			t.Errorf("pair %d: %v", i, err)
		}
	}
	_, err := newNotifier(t, nil, refuses, refuses).Notify(t.Context(), caseIn(vigil.CaseNew, "high"))
	var refused *alerts.RefusedError
	if !errors.As(err, &refused) || !refused.All {
		t.Error(err)
	}
	page := alertstest.Answer(200, "text/html", "<html>Sign in")
	if _, err := newNotifier(t, nil, page).Notify(t.Context(), caseIn(vigil.CaseNew, "high")); err == nil {
		t.Error("a page is taken for an Alertmanager")
	}
	if err := newNotifier(t, nil, page).Check(t.Context()); err == nil || !strings.Contains(err.Error(), "no Alertmanager") {
		t.Error(err)
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	good := func() alertmanager.Config {
		return alertmanager.Config{URLs: []string{"https://am.example:9093"}}
	}
	for want, change := range map[string]func(*alertmanager.Config){
		"urls are missing":       func(c *alertmanager.Config) { c.URLs = nil },
		"more than 10":           func(c *alertmanager.Config) { c.URLs = make([]string, 11) },
		"urls[1]":                func(c *alertmanager.Config) { c.URLs = append(c.URLs, "http://am.example") },
		"an hour is the least":   func(c *alertmanager.Config) { c.Lasts = time.Minute },
		"both a token":           func(c *alertmanager.Config) { c.User, c.Password, c.Token = "a", "secret", "secret" },
		"together":               func(c *alertmanager.Config) { c.User = "a" },
		"colon":                  func(c *alertmanager.Config) { c.User, c.Password = "a:b", "secret" },
		"token holds":            func(c *alertmanager.Config) { c.Token = "secret\n" },
		"is vigil's own":         func(c *alertmanager.Config) { c.Labels = map[string]string{"severity": "x"} },
		"no name of a label":     func(c *alertmanager.Config) { c.Labels = map[string]string{"a-b": "x"} },
		"has a value":            func(c *alertmanager.Config) { c.Labels = map[string]string{"a": ""} },
		"alertmanager timeout -": func(c *alertmanager.Config) { c.Timeout = -1 },
	} {
		cfg := good()
		change(&cfg)
		if _, err := alertmanager.New(cfg, alertmanager.Options{}); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", want, err)
		}
	}
	if n, err := alertmanager.New(good(), alertmanager.Options{Name: "am"}); err != nil || n.Name() != "am" {
		t.Error(err)
	}
}

// FuzzInjection: whatever a finding holds, the labels are of closed sets but for the id,
// and nothing in a value acts.
func FuzzInjection(f *testing.F) {
	for _, s := range alertstest.Injections() {
		f.Add(s, s)
	}
	server := newFake()
	n := newNotifier(f, nil, server)
	f.Fuzz(func(t *testing.T, s, link string) {
		if len(s)+len(link) > 4096 {
			t.Skip("what is long is cut like what is short")
		}
		m := alertstest.Message(alertstest.Evil(s))
		m.Link = link
		if _, err := n.Notify(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		for _, b := range server.take() {
			var list []alert
			if err := json.Unmarshal(b, &list); err != nil {
				t.Fatal(err)
			}
			for _, a := range list {
				if a.Labels["severity"] != "critical" || !slices.Contains([]string{"actor", "network", "team", "subject", "source", "other"}, a.Labels["about"]) || a.Labels["case"] == "" || len(a.Labels) != 6 {
					t.Errorf("labels %v", a.Labels)
				}
				for k, v := range a.Annotations {
					if k != "link" && (strings.ContainsAny(v, "<>&`*\x1b\u202e\u200b\x00\r") || strings.Contains(v, "://")) {
						t.Errorf("%s acts: %q", k, v)
					}
				}
			}
		}
	})
}

// TestAnnotationName: a label may be of a user's template, and must not keep the alert
// from being taken.
func TestAnnotationName(t *testing.T) {
	t.Parallel()
	for label, want := range map[string]string{"Who": "who", "How much": "how_much", "72-hour clock": "_72_hour_clock", "Größe": "gr__e", "": "", "a\"}": "a__"} {
		if got := alertmanager.AnnotationName(label); got != want {
			t.Errorf("%q becomes %q, want %q", label, got, want)
		}
	}
}
