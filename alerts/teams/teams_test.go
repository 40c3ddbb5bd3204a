package teams_test

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
	"testing"
	"time"
	"unicode"

	"vigil"
	"vigil/alerts"
	"vigil/alerts/alertstest"
	"vigil/alerts/teams"
)

var update = flag.Bool("update", false, "write the golden files and pictures anew")

// workflow answers as Power Automate does: 202 with nothing, or 4xx with a code.
func workflow(tb testing.TB) http.Handler {
	tb.Helper()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("sig") != alertstest.Canary {
			alertstest.Answer(401, "application/json", `{"error":{"code":"DirectApiAuthorizationRequired","message":"The request must be authenticated only by Shared Access scheme."}}`)(w, r)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		harmless(tb, "request", body)
		w.WriteHeader(http.StatusAccepted)
	})
}

// harmless looks for what an attacker's words might have become.
func harmless(tb testing.TB, name string, body []byte) {
	tb.Helper()
	if len(body) > 28_000 {
		tb.Errorf("%s: %d bytes", name, len(body))
	}
	preview(tb, body)
	var walk func(v any, key string)
	walk = func(v any, key string) {
		switch v := v.(type) {
		case map[string]any:
			for k, e := range v {
				if !slices.Contains(strings.Fields("type summary attachments contentType content $schema version msteams width fallbackText body actions title url text inlines weight size color isSubtle fontType spacing separator items columns style bleed"), k) {
					tb.Errorf("%s: a key %q", name, k)
				}
				walk(e, k)
			}
		case []any:
			for _, e := range v {
				walk(e, key)
			}
		case string:
			if key == "type" && !slices.Contains(strings.Fields("message AdaptiveCard RichTextBlock TextRun ColumnSet Column Container Action.OpenUrl"), v) {
				tb.Errorf("%s: an element %q", name, v)
			}
			if key == "url" && !strings.HasPrefix(v, alertstest.Console+"/") {
				tb.Errorf("%s: a link to %q", name, v)
			}
			if key == "text" || key == "summary" || key == "fallbackText" {
				if strings.Contains(v, "://") || strings.Contains(v, "{{") || strings.ContainsFunc(v, func(r rune) bool { return !unicode.IsPrint(r) }) {
					tb.Errorf("%s: the text %q", name, v)
				}
			}
		}
	}
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		tb.Fatalf("%s: %v", name, err)
	}
	walk(v, "")
}

func address(s string) teams.Secret {
	return teams.Secret(s + "/workflows/0123/triggers/manual/paths/invoke?api-version=1&sig=" + alertstest.Canary)
}

func TestSuite(t *testing.T) {
	code := func(status int, code string) http.HandlerFunc {
		return alertstest.Answer(status, "application/json", fmt.Sprintf(`{"error":{"code":%q,"message":"no"}}`, code))
	}
	alertstest.Run(t, alertstest.Suite{
		Name: "teams", Revisions: alertstest.Notable, Handler: workflow,
		New: func(tb testing.TB, s *alertstest.Server) alerts.Notifier {
			n, err := teams.New(teams.Config{URL: address(s.URL), AllowPrivate: true, Timeout: s.Timeout, ConsoleURL: alertstest.Console}, teams.Options{Logger: s.Logger})
			if err != nil {
				tb.Fatal(err)
			}
			tb.Cleanup(func() { _ = n.Close() })
			return n
		},
		Refusals: []alertstest.Refusal{
			{Name: "wrong key", Answer: code(401, "DirectApiAuthorizationRequired"), All: true, Remedy: "teams.url"},
			{Name: "switched off", Answer: code(400, "WorkflowTriggerIsNotEnabled"), All: true, Remedy: "switched off"},
			{Name: "deleted", Answer: code(404, "WorkflowNotFound"), All: true, Remedy: "make a new one"},
			{Name: "not its form", Answer: code(400, "TriggerInputSchemaMismatch"), Remedy: "finding's ID"},
		},
	})
}

func TestCheck(t *testing.T) {
	t.Parallel()
	asked := false
	srv := serve(t, func(http.ResponseWriter, *http.Request) { asked = true })
	n, err := teams.New(teams.Config{URL: address(srv), AllowPrivate: true}, teams.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Check(t.Context()); err != nil || asked || n.Pace() <= 0 {
		t.Errorf("%v, asked %v", err, asked)
	}
}

// TestGolden compares cards with files that people have read.
func TestGolden(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, sample, news string
		// height is the picture's, zero for none.
		height int
	}{
		{"vendor", "vendor", "", 0},
		{"acknowledged", "case-acknowledged", "now critical; acknowledged", 850},
		{"digest", "digest", "", 620},
		{"hostile", "hostile", "", 0},
	} {
		body, short, err := teams.Rendered(alertstest.Samples()[tc.sample], alertstest.Console, tc.news)
		if err != nil || short {
			t.Fatalf("%s: short %v, %v", tc.name, short, err)
		}
		harmless(t, tc.name, body)
		var got bytes.Buffer
		if err := json.Indent(&got, body, "", " "); err != nil {
			t.Fatal(err)
		}
		got.WriteByte('\n')
		file := filepath.Join("testdata", tc.name+".json")
		if *update {
			if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
			if tc.height > 0 {
				page := preview(t, body)
				alertstest.Picture(t, page, filepath.Join("testdata", tc.name+"-light.png"), 690, tc.height, false)
				alertstest.Picture(t, page, filepath.Join("testdata", tc.name+"-dark.png"), 690, tc.height, true)
			}
			continue
		}
		if want, err := os.ReadFile(file); err != nil || string(want) != got.String() {
			t.Errorf("%s has changed (%v): look at it and run with -update\n%s", file, err, got.String())
		}
	}
}

// TestLength: however long its texts are, a card fits, and says the most important.
func TestLength(t *testing.T) {
	t.Parallel()
	for _, letter := range []string{"x", "é", "日", "😀", `"`, `\`, "\u2028"} {
		s := strings.Repeat(letter, 700)
		long := alerts.Card{Severity: vigil.SeverityCritical, Title: strings.Repeat(letter, 140), Sentence: s, Counterfactual: s, NotJudged: s, Footer: s, Link: "https://vigil.example/" + strings.Repeat("x", 1900), More: 7}
		for range 8 {
			long.Standing = append(long.Standing, alerts.Field{Label: s, Value: alerts.Text{{S: s}}})
			long.Fields = append(long.Fields, alerts.Field{Label: s, Value: alerts.Text{{S: s}, {S: "\n" + s, Name: true}, {S: "\n" + s}}})
		}
		for range 10 {
			long.Lines = append(long.Lines, alerts.Line{Severity: vigil.SeverityHigh, Who: s, Text: s, At: time.Unix(0, 0)})
			long.Why = append(long.Why, alerts.Reason{Text: s, Share: .5})
			long.Notes = append(long.Notes, s)
		}
		body, short, err := teams.RenderCard(long)
		if err != nil || !short || len(body) > teams.MaxCard {
			t.Errorf("%q: %d bytes, short %v, %v", letter, len(body), short, err)
		}
		if !strings.Contains(string(body), "Open in the console") {
			t.Errorf("%q: the link is left out", letter)
		}
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	good := teams.Config{URL: address("https://prod-01.westeurope.logic.azure.com:443")}
	if _, err := teams.New(good, teams.Options{}); err != nil {
		t.Fatal(err)
	}
	for i, change := range []func(*teams.Config){
		func(c *teams.Config) { c.URL = "" },
		func(c *teams.Config) { c.URL = address("http://prod-01.westeurope.logic.azure.com") },
		func(c *teams.Config) { c.URL = address("https://127.0.0.1") },
		func(c *teams.Config) { c.URL = address("https://acme.webhook.office.com") },
		func(c *teams.Config) { c.URL = address("https://outlook.office.com") },
		func(c *teams.Config) { c.Timeout = -1 },
		func(c *teams.Config) { c.CAFile = "/nowhere" },
	} {
		cfg := good
		change(&cfg)
		if _, err := teams.New(cfg, teams.Options{}); err == nil || strings.Contains(err.Error(), alertstest.Canary) {
			t.Errorf("%d: %v", i, err)
		}
	}
	if all := fmt.Sprintf("%v %+v %#v", good, good, good); strings.Contains(all, alertstest.Canary) {
		t.Errorf("the address shows: %s", all)
	}
}

// FuzzCard: whatever stands in a finding, the card has our elements and links alone.
func FuzzCard(f *testing.F) {
	for _, s := range alertstest.Injections() {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, m := range []alerts.Message{alertstest.Message(alertstest.Evil(s)), {ID: s, Kind: alerts.KindNotice, Notice: &alerts.Notice{Title: s, Sentence: s, Lines: []string{s}}, Link: "javascript:" + s}} {
			body, _, err := teams.Rendered(m, alertstest.Console, alerts.Clean(s))
			if err != nil {
				t.Fatal(err)
			}
			harmless(t, m.Kind, body)
		}
	})
}

func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv.URL
}
