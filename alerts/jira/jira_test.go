package jira_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/alerts"
	"vigil/alerts/alertstest"
	"vigil/alerts/jira"
)

var update = flag.Bool("update", false, "rewrite the expected requests in testdata")

func config(url string, cloud bool) jira.Config {
	cfg := jira.Config{URL: url, Edition: "datacenter", Token: alertstest.Canary, Project: "SEC", Done: "done", AllowPrivate: true, ConsoleURL: alertstest.Console,
		Labels: []string{"soc"}, Fields: map[string]any{"customfield_10010": "Breach"}, Timeout: 30 * time.Second}
	if cloud {
		cfg.Edition, cfg.User = "", "vigil@example.com"
	}
	return cfg
}

func newNotifier(t testing.TB, h http.Handler, cloud bool, change func(*jira.Config)) *jira.Notifier {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	cfg := config(srv.URL, cloud)
	if change != nil {
		change(&cfg)
	}
	n, err := jira.New(cfg, jira.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestSuite(t *testing.T) {
	t.Parallel()
	for _, cloud := range []bool{true, false} {
		t.Run(fmt.Sprintf("cloud %v", cloud), func(t *testing.T) {
			alertstest.Run(t, alertstest.Suite{
				Name: "jira", Revisions: alertstest.Notable, Reads: true,
				Handler: func(testing.TB) http.Handler { return newFake(cloud) },
				New: func(t testing.TB, s *alertstest.Server) alerts.Notifier {
					cfg := config(s.URL, cloud)
					cfg.Timeout = s.Timeout
					n, err := jira.New(cfg, jira.Options{Logger: s.Logger})
					if err != nil {
						t.Fatal(err)
					}
					return n
				},
				Untold: []string{alerts.KindDigest, alerts.KindReply}, Minor: []string{"notice", "hostile-notice"},
				Leave: map[string]string{"400": "the search meets it first, and what it objects to holds for all: see the refusals"},
				Refusals: []alertstest.Refusal{
					{Name: "project", Answer: alertstest.Answer(400, "application/json", `{"errorMessages":["The value 'SEC' does not exist for the field 'project'."],"errors":{}}`), All: true, Remedy: "check jira.project"},
					{Name: "removed", Answer: alertstest.Answer(410, "application/json", `{"errorMessages":["The requested API has been removed."]}`), All: true, Remedy: "jira.edition"},
					{Name: "token", Answer: alertstest.Answer(401, "application/json", `{"errorMessages":["Client must be authenticated"]}`), All: true, Remedy: "jira.token"},
				},
			})
		})
	}
}

// TestGolden keeps the requests of each kind of message, in both forms.
func TestGolden(t *testing.T) {
	t.Parallel()
	for _, cloud := range []bool{true, false} {
		edition := map[bool]string{true: "cloud", false: "datacenter"}[cloud]
		samples := alertstest.Samples()
		for name, receipt := range map[string]string{
			"case-new": "", "case-grown": "SEC-1/high/open", "case-graver": "SEC-1/high/open", "case-acknowledged": "SEC-1/critical/open", "case-resolved": "SEC-1/critical/taken",
			"reply": "", "hostile-reply": "", "vendor": "", "hostile": "", "bare": "", "notice-flood": "",
		} {
			t.Run(edition+"/"+name, func(t *testing.T) {
				t.Parallel()
				f := newFake(cloud)
				f.issues = []*issue{{Fields: map[string]any{}, Status: "To Do"}}
				n := newNotifier(t, f, cloud, nil)
				m := samples[name]
				m.Receipt = receipt
				if m.Reply != nil {
					m.Parent = "SEC-1/high/open"
				}
				if _, err := n.Notify(t.Context(), m); err != nil {
					t.Fatal(err)
				}
				_, bodies := f.take()
				var got bytes.Buffer
				for _, b := range bodies {
					head, body, _ := strings.Cut(b, "\n")
					got.WriteString(head + "\n")
					if body != "" {
						if err := json.Indent(&got, []byte(body), "", "  "); err != nil {
							t.Fatal(err)
						}
						got.WriteString("\n")
					}
				}
				path := filepath.Join("testdata", edition, name+".txt")
				if *update {
					if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
						t.Fatal(err)
					}
					if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(string(want), got.String()); d != "" {
					t.Errorf("-want +got, -update rewrites:\n%s", d)
				}
			})
		}
	}
}

func story(state vigil.CaseState, s vigil.Severity) alerts.Message {
	m := alertstest.Story()["case-new"]
	c, f := *m.Case, *m.Finding
	c.State, c.Severity, f.Severity = state, s, s
	m.Case, m.Finding = &c, &f
	return m
}

// TestOneIssue: whatever is lost, a case has one issue.
func TestOneIssue(t *testing.T) {
	t.Parallel()
	f := newFake(true)
	lose := true
	n := newNotifier(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		f.ServeHTTP(rec, r)
		if lose && rec.Code == http.StatusCreated { // it was created, and nobody hears of it
			w.WriteHeader(http.StatusGatewayTimeout)
			return
		}
		w.WriteHeader(rec.Code)
		_, _ = w.Write(rec.Body.Bytes())
	}), true, nil)
	m := story(vigil.CaseNew, vigil.SeverityHigh)
	_, err := n.Notify(t.Context(), m)
	var retry *alerts.RetryError
	if !errors.As(err, &retry) || !retry.InDoubt || retry.After < time.Minute {
		t.Fatalf("%v: the search finds what was created only after a while", err)
	}
	lose = false
	found, err := n.Find(t.Context(), m)
	if err != nil || found != "SEC-1/high/open" {
		t.Fatal(found, err)
	}
	// A graver revision took its place meanwhile: the issue is brought up to date.
	m = story(vigil.CaseNew, vigil.SeverityCritical)
	if found, err = n.Find(t.Context(), m); err != nil || found != "SEC-1/none/open" {
		t.Fatal(found, err)
	}
	m.Receipt = found
	receipt, err := n.Notify(t.Context(), m)
	if err != nil || receipt != "SEC-1/critical/open" || len(f.issues) != 1 || !strings.HasPrefix(f.issues[0].Fields["summary"].(string), "Critical") {
		t.Fatal(receipt, err, len(f.issues))
	}
	// Without a receipt and in no doubt, as after a ledger was lost.
	m.Receipt = ""
	if receipt, err = n.Notify(t.Context(), m); err != nil || receipt != "SEC-1/critical/open" || len(f.issues) != 1 {
		t.Fatal(receipt, err, len(f.issues))
	}
	// Somebody deleted it: the case gets another when there is something to say.
	f.gone["SEC-1"] = true
	m = story(vigil.CaseAcknowledged, vigil.SeverityCritical)
	m.Receipt = receipt
	if receipt, err = n.Notify(t.Context(), m); err != nil || receipt != "SEC-2/critical/taken" {
		t.Fatal(receipt, err)
	}
}

// TestRefused: what Jira objects to in an issue is told by its field.
func TestRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		said, want string
		all        bool
	}{
		"field":   {`{"errorMessages":[],"errors":{"customfield_10011":"Detection is required."}}`, "Jira objects to customfield_10011", true},
		"summary": {`{"errorMessages":[],"errors":{"summary":"Too long.","customfield_1":"x"}}`, "report", false},
		"nothing": {`{"errorMessages":["Unexpected"]}`, "report", false},
		"page":    {`<html>`, "report", false},
	} {
		f := newFake(true)
		n := newNotifier(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/issue") {
				alertstest.Answer(400, "application/json", c.said)(w, r)
				return
			}
			f.ServeHTTP(w, r)
		}), true, nil)
		_, err := n.Notify(t.Context(), story(vigil.CaseNew, "high"))
		var refused *alerts.RefusedError
		if !errors.As(err, &refused) || refused.All != c.all || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestCreatedOnce: an issue that was created is not created again because something else
// failed after it, while the search does not find it yet.
func TestCreatedOnce(t *testing.T) {
	t.Parallel()
	f := newFake(true)
	f.blind = true
	broken := true
	n := newNotifier(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if broken && strings.HasSuffix(r.URL.Path, "/comment") {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		f.ServeHTTP(w, r)
	}), true, nil)
	m := story(vigil.CaseAcknowledged, "high")
	receipt, err := n.Notify(t.Context(), m)
	if err != nil || receipt != "SEC-1/high/open" {
		t.Fatal(receipt, err)
	}
	broken = false
	m.Receipt = receipt
	if receipt, err = n.Notify(t.Context(), m); err != nil || receipt != "SEC-1/high/taken" || len(f.issues) != 1 || len(f.issues[0].Comments) != 1 {
		t.Fatal(receipt, err, len(f.issues))
	}
}

// TestReplies: each comment is written once.
func TestReplies(t *testing.T) {
	t.Parallel()
	f := newFake(false)
	f.issues = []*issue{{Fields: map[string]any{}, Status: "To Do"}}
	n := newNotifier(t, f, false, nil)
	m := alertstest.Samples()["reply"]
	m.Parent = "SEC-1/high/open"
	if r, err := n.Find(t.Context(), m); err != nil || r != "" {
		t.Fatal(r, err)
	}
	for range 2 {
		if r, err := n.Notify(t.Context(), m); err != nil || r != "SEC-1/high/open" {
			t.Fatal(r, err)
		}
	}
	if r, err := n.Find(t.Context(), m); err != nil || r != "SEC-1/high/open" {
		t.Fatal(r, err)
	}
	if len(f.issues[0].Comments) != 1 || !strings.Contains(string(f.issues[0].Comments[0]), "it was me, for ticket 4711 (actor-91be07)") {
		t.Errorf("comments: %s", f.issues[0].Comments)
	}
	// What is told elsewhere, and what has nowhere to be told.
	for _, k := range []vigil.CaseEventKind{vigil.CaseOpened, vigil.CaseHeld, vigil.CaseTaken, vigil.CaseEnded, vigil.CaseSnoozed, vigil.CaseReminded} {
		m.Reply.Kind, m.ID = k, "reply/"+string(k)
		if r, err := n.Notify(t.Context(), m); err != nil || r != "not-sent" {
			t.Error(k, r, err)
		}
	}
	m.Reply.Kind = vigil.CaseNoted
	for _, parent := range []string{"", "not-sent", "SEC-9/high/open", "C1/17.2"} {
		m.Parent, m.ID = parent, "reply/"+parent
		if r, err := n.Notify(t.Context(), m); err != nil || r != "not-sent" {
			t.Error(parent, r, err)
		}
	}
	if len(f.issues[0].Comments) != 1 {
		t.Errorf("%d comments", len(f.issues[0].Comments))
	}
}

// TestStatus moves an issue through its workflow, as far as it goes.
func TestStatus(t *testing.T) {
	t.Parallel()
	type step struct {
		state   vigil.CaseState
		receipt string
		status  string
	}
	for name, c := range map[string]struct {
		change   func(*jira.Config)
		stuck    bool
		before   string // where people put it
		steps    []step
		comments int
	}{
		"there and back": {func(c *jira.Config) { c.Reopen = "To Do" }, false, "", []step{{vigil.CaseResolved, "SEC-1/high/done", "Done"}, {vigil.CaseResolved, "SEC-1/high/done", "Done"}, {vigil.CaseNew, "SEC-1/high/open", "To Do"}, {vigil.CaseResolved, "SEC-1/high/done", "Done"}}, 0},
		"no status":      {func(c *jira.Config) { c.Done = "" }, false, "", []step{{vigil.CaseResolved, "SEC-1/high/done", "To Do"}, {vigil.CaseNew, "SEC-1/high/open", "To Do"}}, 1},
		"no way":         {nil, true, "", []step{{vigil.CaseResolved, "SEC-1/high/done", "To Do"}}, 1},
		"done already":   {func(c *jira.Config) { c.Done = "Closed" }, true, "Done", []step{{vigil.CaseResolved, "SEC-1/high/done", "Done"}}, 0},
		"open already":   {func(c *jira.Config) { c.Done, c.Reopen = "", "To Do" }, false, "In Progress", []step{{vigil.CaseResolved, "SEC-1/high/done", "In Progress"}, {vigil.CaseNew, "SEC-1/high/open", "In Progress"}}, 1},
		"never told":     {nil, false, "", nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(true)
			n := newNotifier(t, f, true, c.change)
			if c.steps == nil {
				if r, err := n.Notify(t.Context(), story(vigil.CaseResolved, "high")); err != nil || r != "not-sent" || len(f.issues) != 0 {
					t.Error(r, err)
				}
				return
			}
			receipt, err := n.Notify(t.Context(), story(vigil.CaseNew, "high"))
			if err != nil {
				t.Fatal(err)
			}
			f.stuck = c.stuck
			if c.before != "" {
				f.issues[0].Status = c.before
			}
			for i, s := range c.steps {
				m := story(s.state, "high")
				m.ID, m.Receipt = fmt.Sprintf("c/%d", i), receipt
				if receipt, err = n.Notify(t.Context(), m); err != nil || receipt != s.receipt || f.issues[0].Status != s.status {
					t.Fatalf("step %d: receipt %q, %v, status %q", i, receipt, err, f.issues[0].Status)
				}
			}
			if len(f.issues[0].Comments) != c.comments {
				t.Errorf("comments: %s", f.issues[0].Comments)
			}
		})
	}
}

// TestPriority: a project without the priority gets the issue without it; one with other
// names is told by them.
func TestPriority(t *testing.T) {
	t.Parallel()
	f := newFake(true)
	f.priorities = nil
	n := newNotifier(t, f, true, nil)
	receipt, err := n.Notify(t.Context(), story(vigil.CaseNew, "high"))
	if err != nil || f.issues[0].Fields["priority"] != nil {
		t.Fatal(receipt, err)
	}
	m := story(vigil.CaseNew, "critical")
	m.Receipt = receipt
	if receipt, err = n.Notify(t.Context(), m); err != nil || receipt != "SEC-1/critical/open" {
		t.Fatal(receipt, err)
	}
	g := newFake(false)
	g.priorities = []string{"P1"}
	n = newNotifier(t, g, false, func(c *jira.Config) {
		c.Priorities = map[vigil.Severity]string{"critical": "P1", "high": ""}
	})
	for _, s := range []vigil.Severity{"high", "critical"} {
		m := story(vigil.CaseNew, s)
		m.Receipt = ""
		c := *m.Case
		c.ID = string(s)
		m.Case = &c
		if _, err := n.Notify(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	if g.issues[0].Fields["priority"] != nil || g.issues[1].Fields["priority"].(map[string]any)["name"] != "P1" {
		t.Errorf("priorities %v, %v", g.issues[0].Fields["priority"], g.issues[1].Fields["priority"])
	}
	// What a project asks for and is not given is said with the field's name.
	g.required = "components"
	c := story(vigil.CaseNew, "low")
	c.Case.ID = "c-other"
	_, err = n.Notify(t.Context(), c)
	var refused *alerts.RefusedError
	if !errors.As(err, &refused) || !refused.All || !strings.Contains(err.Error(), "components") {
		// Jira objects to the priority first; without it, to what is missing.
		t.Errorf("%v", err)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*jira.Config)
		want   string
	}{
		"well":      {nil, ""},
		"token":     {func(c *jira.Config) { c.Token = "other" }, "jira.token"},
		"type":      {func(c *jira.Config) { c.IssueType = "Incident" }, "one of: Task"},
		"status":    {func(c *jira.Config) { c.Done = "Closed" }, "set jira.done to one of: To Do, Done"},
		"reopen":    {func(c *jira.Config) { c.Reopen = "Open" }, "set jira.reopen"},
		"project":   {func(c *jira.Config) { c.Project = "OPS" }, "jira.project"},
		"edition":   {func(c *jira.Config) { c.Edition, c.User = "datacenter", "" }, "jira.edition"},
		"fine, low": {func(c *jira.Config) { c.IssueType = "task" }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(true)
			err := newNotifier(t, f, true, c.change).Check(t.Context())
			if (err == nil) != (c.want == "") || err != nil && (!strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), alertstest.Canary)) {
				t.Errorf("%v, want %q", err, c.want)
			}
			for _, call := range f.calls {
				if !strings.HasPrefix(call, "GET ") {
					t.Errorf("Check changes something: %s", call)
				}
			}
		})
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*jira.Config){
		"url is missing":     func(c *jira.Config) { c.URL = "" },
		"url":                func(c *jira.Config) { c.AllowPrivate = false },
		"edition":            func(c *jira.Config) { c.Edition = "server" },
		"token is missing":   func(c *jira.Config) { c.Token = "" },
		"token holds":        func(c *jira.Config) { c.Token += "\n" },
		"user is missing":    func(c *jira.Config) { c.User = "" },
		"colon":              func(c *jira.Config) { c.User = "a:b" },
		"project":            func(c *jira.Config) { c.Project = `SEC" OR 1=1` },
		"labels are more":    func(c *jira.Config) { c.Labels = make([]string, 30) },
		"begins with vigil-": func(c *jira.Config) { c.Labels = []string{"vigil-x"} },
		"holds a space":      func(c *jira.Config) { c.Labels = []string{"a b"} },
		"no severity":        func(c *jira.Config) { c.Priorities = map[vigil.Severity]string{"urgent": "P1"} },
		"set by vigil":       func(c *jira.Config) { c.Fields = map[string]any{"summary": "x"} },
		"as JSON":            func(c *jira.Config) { c.Fields = map[string]any{"x": func() {}} },
		"timeout":            func(c *jira.Config) { c.Timeout = -1 },
	} {
		cfg := config("http://127.0.0.1:8080", true)
		change(&cfg)
		if _, err := jira.New(cfg, jira.Options{}); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), alertstest.Canary) {
			t.Errorf("%s: %v", want, err)
		}
	}
	n, err := jira.New(config("http://127.0.0.1:8080/", true), jira.Options{Name: "soc"})
	if err != nil || n.Name() != "soc" || n.Pace() <= 0 || !n.Threads() {
		t.Error(err)
	}
}

// FuzzInjection: whatever a finding holds, it is text in both forms: in Cloud's within
// text nodes, in Data Center's within one block that is shown as it is.
func FuzzInjection(f *testing.F) {
	for _, s := range alertstest.Injections() {
		f.Add(s, s)
	}
	for _, s := range []string{"{noformat}", "a{noformat}[~admin]{noformat}", "{NOFORMAT}{code}x{code}", "\\{noformat}", "{no{noformat}format}", "&#123;noformat&#125;"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, s, link string) {
		if len(s)+len(link) > 4096 {
			t.Skip("what is long is cut like what is short")
		}
		m := alertstest.Message(alertstest.Evil(s))
		m.Link = link
		summary, cloud, markup := jira.Forms(m, alertstest.Console, s)
		if summary == "" || len([]rune(summary)) > 255 || strings.ContainsAny(summary, "\n\r\x1b\u202e\u200b") {
			t.Errorf("summary %q", summary)
		}
		for _, doc := range cloud {
			var v map[string]any
			if err := json.Unmarshal(doc, &v); err != nil || !adf(v) {
				t.Errorf("no document: %v: %s", err, doc)
			}
			for _, mark := range bytes.Split(doc, []byte(`"href":"`))[1:] {
				if !bytes.HasPrefix(mark, []byte("http")) {
					t.Errorf("a link: %s", mark)
				}
			}
		}
		for _, text := range markup {
			inside, ok := strings.CutPrefix(text, "{noformat}\n")
			inside, after, ended := strings.Cut(inside, "\n{noformat}")
			if !ok || !ended || strings.ContainsAny(inside, "{}") || strings.Contains(inside, "[~") || strings.Contains(inside, "://") {
				t.Errorf("foreign text acts: %q", text)
			}
			if after == "" {
				continue
			}
			href, ok := strings.CutPrefix(after, "\n[Open in vigil|http")
			if !ok || !strings.HasSuffix(href, "]") || strings.ContainsAny(href[:len(href)-1], "[]|{}!\n ") {
				t.Errorf("link %q", after)
			}
		}
	})
}
