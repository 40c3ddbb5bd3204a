package opsgenie_test

import (
	"bytes"
	"encoding/json"
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
	"time"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/alerts"
	"vigil/alerts/alertstest"
	"vigil/alerts/opsgenie"
)

var update = flag.Bool("update", false, "rewrite the expected requests in testdata")

// held is one alert of the fake.
type held struct {
	state, priority string
	notes           []string
}

// fake is the API as its documentation describes it: of requests it says that they are
// accepted, and then does what it can.
type fake struct {
	mu     sync.Mutex // guards the rest
	alerts map[string]*held
	calls  []string
	bodies []string
	pages  int
}

func newFake() *fake { return &fake{alerts: map[string]*held{}} }

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body) // what came before the client gave up is looked at as it is
	f.mu.Lock()
	defer f.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	refuse := func(code int, why string) {
		w.WriteHeader(code)
		_ = json.NewEncoder(w).Encode(map[string]any{"message": why, "took": .1, "requestId": "r-0"})
	}
	if r.Header.Get("Authorization") != "GenieKey "+alertstest.Canary {
		refuse(http.StatusUnauthorized, "Could not authenticate")
		return
	}
	path, ok := strings.CutPrefix(r.URL.Path, "/v2/alerts")
	if !ok || r.Method != http.MethodPost {
		refuse(http.StatusNotFound, "Not found")
		return
	}
	f.bodies = append(f.bodies, r.Method+" "+r.URL.RequestURI()+"\n"+string(body))
	var in struct {
		Message, Alias, Description, Priority, Entity, Source, Note string
		Tags                                                        []string
		Details                                                     map[string]string
		Responders                                                  []struct{ Name, Type string }
	}
	if err := json.Unmarshal(body, &in); err != nil {
		refuse(http.StatusBadRequest, "Json is invalid")
		return
	}
	runes := func(s string) int { return len([]rune(s)) }
	if path == "" {
		f.calls = append(f.calls, "create "+in.Alias+" "+in.Priority)
		size := 0
		for k, v := range in.Details {
			size += len(k) + len(v)
		}
		if in.Message == "" || runes(in.Message) > 130 || runes(in.Alias) > 512 || runes(in.Description) > 15000 || runes(in.Entity) > 512 || len(in.Tags) > 20 ||
			slices.ContainsFunc(in.Tags, func(t string) bool { return runes(t) > 50 || t == "" }) || size > 8000 || !slices.Contains([]string{"P1", "P2", "P3", "P4", "P5"}, in.Priority) {
			refuse(http.StatusUnprocessableEntity, "Request body is not processable")
			return
		}
		if a := f.alerts[in.Alias]; a == nil || a.state == "closed" {
			f.alerts[in.Alias] = &held{state: "open", priority: in.Priority}
			f.pages++
		}
	} else {
		parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
		if len(parts) != 2 || r.URL.Query().Get("identifierType") != "alias" || runes(in.Note) > 25000 {
			refuse(http.StatusUnprocessableEntity, "Request is not processable")
			return
		}
		f.calls = append(f.calls, parts[1]+" "+parts[0])
		if a := f.alerts[parts[0]]; a != nil && a.state != "closed" {
			switch parts[1] {
			case "acknowledge":
				a.state = "acknowledged"
			case "close":
				a.state = "closed"
			case "notes":
				a.notes = append(a.notes, in.Note)
			default:
				refuse(http.StatusNotFound, "Not found")
				return
			}
		}
	}
	w.WriteHeader(http.StatusAccepted)
	fmt.Fprint(w, `{"result":"Request will be processed","took":0.302,"requestId":"43a29c5c-3dbf-4fa4-9c26-f4f71023e120"}`)
}

func (f *fake) take() (calls, bodies []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	calls, bodies = f.calls, f.bodies
	f.calls, f.bodies = nil, nil
	return calls, bodies
}

func newNotifier(t testing.TB, f http.Handler) *opsgenie.Notifier {
	t.Helper()
	srv := httptest.NewServer(f)
	t.Cleanup(srv.Close)
	n, err := opsgenie.New(opsgenie.Config{APIKey: alertstest.Canary, APIURL: srv.URL + "/v2/", Teams: []string{"SOC"}, Tags: []string{"prod"}, AllowPrivate: true, ConsoleURL: alertstest.Console, Timeout: 30 * time.Second}, opsgenie.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestSuite(t *testing.T) {
	alertstest.Run(t, alertstest.Suite{
		Name: "opsgenie", Revisions: alertstest.Notable, Reads: true,
		Handler: func(testing.TB) http.Handler { return newFake() },
		New: func(t testing.TB, s *alertstest.Server) alerts.Notifier {
			n, err := opsgenie.New(opsgenie.Config{APIKey: alertstest.Canary, APIURL: s.URL + "/v2", AllowPrivate: true, ConsoleURL: alertstest.Console, Timeout: s.Timeout}, opsgenie.Options{})
			if err != nil {
				t.Fatal(err)
			}
			return n
		},
		Untold: []string{alerts.KindDigest, alerts.KindReply}, Minor: []string{"notice", "hostile-notice"},
		Refusals: []alertstest.Refusal{
			{Name: "key", Answer: alertstest.Answer(401, "application/json", `{"message":"Could not authenticate","took":0.0,"requestId":"r"}`), All: true, Remedy: "opsgenie.api_key"},
			{Name: "plan", Answer: alertstest.Answer(402, "application/json", `{"message":"Your plan does not support it"}`), All: true, Remedy: "plan"},
			{Name: "not to create", Answer: alertstest.Answer(403, "application/json", `{"message":"You are not authorized","code":40301}`), All: true, Remedy: "Create and Update"},
			{Name: "alert", Answer: alertstest.Answer(422, "application/json", `{"message":"Request body is not processable"}`), Remedy: "report"},
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
		"case-new": "", "case-grown": "open/high/c-20261103-5d20", "case-graver": "open/high/c-20261103-5d20", "case-acknowledged": "open/critical/c-20261103-5d20-critical",
		"case-resolved": "acknowledged/critical/c-20261103-5d20-critical", "reply": "", "hostile-reply": "", "vendor": "", "source": "", "bare": "", "hostile": "", "notice-flood": "",
	} {
		m := samples[name]
		m.Receipt = receipt
		if m.Reply != nil {
			m.Parent = "open/high/c-20261103-5d20"
		}
		if _, err := n.Notify(t.Context(), m); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		_, bodies := f.take()
		var got bytes.Buffer
		for _, b := range bodies {
			head, body, _ := strings.Cut(b, "\n")
			got.WriteString(head + "\n")
			if err := json.Indent(&got, []byte(body), "", "  "); err != nil {
				t.Fatal(err)
			}
			got.WriteByte('\n')
		}
		path := filepath.Join("testdata", name+".txt")
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

// TestStates goes from what the service knows to where the case is.
func TestStates(t *testing.T) {
	t.Parallel()
	const fresh, taken, done = vigil.CaseNew, vigil.CaseAcknowledged, vigil.CaseResolved
	for _, c := range []struct {
		name, receipt string
		state         vigil.CaseState
		severity      vigil.Severity
		doubt         bool
		want, next    string
	}{
		{"first", "", fresh, "high", false, "create c-1 P2", "open/high/c-1"},
		{"the same", "open/high/c-1", fresh, "high", false, "", "open/high/c-1"},
		{"milder", "open/high/c-1", fresh, "low", false, "", "open/high/c-1"},
		{"graver", "open/medium/c-1", fresh, "critical", false, "create c-1-critical P1, close c-1", "open/critical/c-1-critical"},
		{"graver again", "open/high/c-1-high", fresh, "critical", false, "create c-1-critical P1, close c-1-high", "open/critical/c-1-critical"},
		{"taken", "open/high/c-1", taken, "high", false, "acknowledge c-1", "acknowledged/high/c-1"},
		{"taken, the same", "acknowledged/high/c-1", taken, "high", false, "", "acknowledged/high/c-1"},
		{"taken and graver", "acknowledged/high/c-1", taken, "critical", false, "create c-1-critical P1, close c-1, acknowledge c-1-critical", "acknowledged/critical/c-1-critical"},
		{"taken before it was told", "", taken, "low", false, "create c-1 P4, acknowledge c-1", "acknowledged/low/c-1"},
		{"resolved", "acknowledged/critical/c-1-critical", done, "critical", false, "close c-1-critical", "closed/critical/c-1-critical"},
		{"resolved, the same", "closed/high/c-1", done, "high", false, "", "closed/high/c-1"},
		{"resolved before it was told", "", done, "high", false, "", "not-sent"},
		{"resolved, perhaps told", "", done, "high", true, "close c-1", "closed/high/c-1"},
		{"opened anew", "closed/critical/c-1-critical", fresh, "medium", false, "create c-1 P3", "open/medium/c-1"},
		{"no severity", "", fresh, "", false, "create c-1 P5", "open/none/c-1"},
		{"no severity, the same", "open/none/c-1", fresh, "", false, "", "open/none/c-1"},
		{"another's receipt", "SEC-1/high/open", fresh, "high", false, "create c-1 P2", "open/high/c-1"},
		{"no alias", "open/high/../../x", fresh, "high", false, "create c-1 P2", "open/high/c-1"},
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
			calls, _ := f.take()
			if got := strings.Join(calls, ", "); got != c.want || next != c.next {
				t.Errorf("sent %q, receipt %q; want %q, %q", got, next, c.want, c.next)
			}
		})
	}
}

// TestOnce: what is sent again pages nobody again; replies are notes of the alert that
// is there.
func TestOnce(t *testing.T) {
	t.Parallel()
	f := newFake()
	n := newNotifier(t, f)
	receipt := ""
	for range 3 { // receipts lost
		var err error
		if receipt, err = n.Notify(t.Context(), caseIn(vigil.CaseNew, vigil.SeverityHigh)); err != nil {
			t.Fatal(err)
		}
	}
	if err := n.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	if f.pages != 1 || len(f.alerts) != 1 {
		t.Errorf("%d pages, alerts %v", f.pages, f.alerts)
	}
	reply := alertstest.Samples()["reply"]
	reply.Parent = receipt
	if r, err := n.Notify(t.Context(), reply); err != nil || r != receipt {
		t.Fatal(r, err)
	}
	if notes := f.alerts["c-1"].notes; len(notes) != 1 || notes[0] != "answered the question: it was me, for ticket 4711 (actor-91be07)" {
		t.Errorf("notes %q", notes)
	}
	for _, parent := range []string{"", "not-sent"} {
		reply.Parent = parent
		if r, err := n.Notify(t.Context(), reply); err != nil || r != "not-sent" {
			t.Error(r, err)
		}
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	const key = "0a1b2c3d-secret"
	for name, c := range map[string]struct {
		cfg  opsgenie.Config
		want string
	}{
		"no key":    {opsgenie.Config{}, "api_key is missing"},
		"odd key":   {opsgenie.Config{APIKey: key + "\n"}, "api_key holds"},
		"service":   {opsgenie.Config{APIKey: key, Service: "jira"}, "say opsgenie or jsm"},
		"region":    {opsgenie.Config{APIKey: key, Region: "mars"}, "say us or eu"},
		"jsm teams": {opsgenie.Config{APIKey: key, Service: "jsm", Teams: []string{"SOC"}}, "teams"},
		"teams":     {opsgenie.Config{APIKey: key, Teams: make([]string, 51)}, "teams are more"},
		"tags":      {opsgenie.Config{APIKey: key, Tags: make([]string, 11)}, "tags are more"},
		"tag":       {opsgenie.Config{APIKey: key, Tags: []string{"a,b"}}, "a comma"},
		"http":      {opsgenie.Config{APIKey: key, APIURL: "http://opsgenie.example/v2"}, "api_url"},
		"timeout":   {opsgenie.Config{APIKey: key, Timeout: time.Hour}, "timeout"},
	} {
		if _, err := opsgenie.New(c.cfg, opsgenie.Options{}); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for want, cfg := range map[string]opsgenie.Config{
		"https://api.opsgenie.com/v2":                      {APIKey: key},
		"https://api.eu.opsgenie.com/v2":                   {APIKey: key, Region: "eu"},
		"https://api.atlassian.com/jsm/ops/integration/v2": {APIKey: key, Service: "jsm", Region: "eu"},
	} {
		n, err := opsgenie.New(cfg, opsgenie.Options{Name: "night"})
		if err != nil || n.Name() != "night" || n.Pace() <= 0 || !n.Threads() || n.Base() != want {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// FuzzInjection: whatever a finding holds, the alert is within Opsgenie's bounds and
// holds no HTML.
func FuzzInjection(f *testing.F) {
	for _, s := range alertstest.Injections() {
		f.Add(s, s)
	}
	n := newNotifier(f, newFake())
	f.Fuzz(func(t *testing.T, s, link string) {
		if len(s)+len(link) > 4096 {
			t.Skip("what is long is cut like what is short")
		}
		m := alertstest.Message(alertstest.Evil(s))
		m.Link = link
		form := n.Form(m)
		text, links := alertstest.Strings(t, alertstest.Request{Body: form})
		for _, l := range links {
			text = strings.ReplaceAll(text, l, "")
			if !strings.HasPrefix(l, "http://") && !strings.HasPrefix(l, "https://") {
				t.Errorf("link %q", l)
			}
		}
		if strings.ContainsAny(text, "<>&\x1b\u202e\u200b\x00\r") || strings.Contains(text, "://") {
			t.Errorf("something acts: %q", text)
		}
		var a struct {
			Message, Alias, Description, Entity string
			Tags                                []string
		}
		if err := json.Unmarshal(form, &a); err != nil || a.Message == "" || a.Alias == "" || len([]rune(a.Message)) > 130 || len(a.Alias) > 512 || len([]rune(a.Description)) > 15000 || len(a.Tags) > 20 {
			t.Errorf("out of bounds: %s", form)
		}
	})
}
