package alerts_test

import (
	"context"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/alerts"
)

func templates(t *testing.T, files map[string]string) *alerts.Templates {
	t.Helper()
	folder := fstest.MapFS{}
	for name, text := range files {
		folder[name] = &fstest.MapFile{Data: []byte(text)}
	}
	ts, err := alerts.ReadTemplates(folder, []string{"slack", "mail"})
	if err != nil {
		t.Fatal(err)
	}
	return ts
}

func card(ts *alerts.Templates, channel string, m alerts.Message) alerts.Card {
	m.Words = ts.Words(channel, m)
	return alerts.CardOf(m, "")
}

func caseMessage(f vigil.Finding) alerts.Message {
	c, _ := alerts.Join(nil, nil, &f, began)
	return alerts.Message{ID: c.ID, Kind: alerts.KindCase, Case: &c, Finding: &f}
}

func TestTemplates(t *testing.T) {
	t.Parallel()
	ts := templates(t, map[string]string{
		"title.tmpl":       "{{upper .Severity}} / {{.Who}}\n",
		"slack.title.tmpl": "slack: {{.Actor}}",
		"fields.tmpl":      "Who: {{.Actor}}\n\nEvents: {{number .Events}}\nRows: {{number .Rows}}\n{{range .Stores}}Store: {{.}}\n{{end}}free text\n",
		"footer.tmpl":      "",
		"README.md":        "not a template",
	})
	f := about("f", "a\nEvil: 1", vigil.SeverityHigh)
	f.Events = 2113
	c := card(ts, "mail", caseMessage(f))
	if c.Title != `HIGH / person a\nEvil: 1` || c.Sentence != `a\nEvil: 1 read much.` {
		t.Errorf("title %q, sentence %q", c.Title, c.Sentence)
	}
	var got []string
	for _, f := range c.Fields {
		got = append(got, f.Label+"="+f.Value.String())
	}
	if s := strings.Join(got, "|"); s != `Who=a\nEvil: 1|Events=2,113|Rows=?|Store=crm|=free text` {
		t.Errorf("fields %s", s)
	}
	if c.Footer != "" {
		t.Errorf("an empty file leaves the footer %q", c.Footer)
	}
	if c := card(templates(t, map[string]string{"title.tmpl": "", "sentence.tmpl": " \n{{if false}}x{{end}}"}), "mail", caseMessage(f)); c.Title == "" || c.Sentence == "" {
		t.Errorf("a card without words: %+v", c)
	}
	if c := card(ts, "slack", caseMessage(f)); c.Title != `slack: a\nEvil: 1` || len(c.Fields) != 5 {
		t.Errorf("%+v", c)
	}
	// What is no finding keeps its words; a nil set changes nothing.
	m := alerts.Message{Kind: alerts.KindNotice, Notice: &alerts.Notice{Title: "T"}}
	if c := card(ts, "mail", m); c.Title != "T" {
		t.Errorf("%+v", c)
	}
	var none *alerts.Templates
	if c := card(none, "mail", m); c.Title != "T" || none.Problem() != nil || none.Failed() != 0 {
		t.Errorf("%+v", c)
	}
}

// TestDocumentedTemplates: what the documentation shows works, and names each value.
func TestDocumentedTemplates(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../docs/alerts/templates.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(data)
	files := map[string]string{}
	for _, m := range regexp.MustCompile("`([a-z.]+\\.tmpl)`:\n\n```\n([^`]*)```").FindAllStringSubmatch(page, -1) {
		files[m[1]] = m[2]
	}
	if len(files) != 2 {
		t.Fatalf("the page shows %d templates", len(files))
	}
	// Each value and function of the tables.
	var all strings.Builder
	for _, m := range regexp.MustCompile("`(\\.[A-Z][A-Za-z]+|[a-z]+ [^`]*\\.[A-Z][^`]*)`").FindAllStringSubmatch(page, -1) {
		if m[1] != ".Label" && m[1] != ".Value" {
			all.WriteString("{{" + m[1] + "}} ")
		}
	}
	files["sentence.tmpl"] = all.String()
	ts := templates(t, files)
	if err := ts.Problem(); err != nil {
		t.Fatal(err)
	}
	f := about("f", "ann", vigil.SeverityHigh)
	f.Role, f.Tenant, f.ReasonsLooked = "agent", "acme", []string{"assignment", "shift"}
	c := card(ts, "slack", caseMessage(f))
	if diff := cmp.Diff([]string{
		"Who: ann, agent", "Since: Tue 3 Nov 2026, 09:00 UTC, for 1 hour", "How much: ? customers, 3 accesses", "Store: crm", "Looked for: assignment, shift",
	}, texts(c.Fields)); diff != "" || c.Title != "HIGH · person ann · acme" || ts.Failed() != 0 {
		t.Errorf("%q, %d failed\n%s", c.Title, ts.Failed(), diff)
	}
	// And no value is left out.
	values := regexp.MustCompile(`(?m)^\t([A-Z][A-Za-z, ]+?) +(string|\[\]string|\[\]fieldData|float64|bool|time\.Time|time\.Duration)$`)
	source, err := os.ReadFile("templatedata.go")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, m := range values.FindAllStringSubmatch(string(source), -1) {
		for name := range strings.SplitSeq(m[1], ", ") {
			if n++; !strings.Contains(page, "`."+name+"`") {
				t.Errorf(".%s is not documented", name)
			}
		}
	}
	if n < 30 {
		t.Errorf("only %d values are known", n)
	}
}

// TestBadTemplates: each is named with what is wrong with it; the built-in words stay.
func TestBadTemplates(t *testing.T) {
	t.Parallel()
	for file, tc := range map[string]struct{ name, text, want string }{
		"syntax":         {"title.tmpl", "{{.Title", "unclosed action"},
		"no field":       {"title.tmpl", "{{.Titel}}", "can't evaluate field Titel"},
		"no function":    {"title.tmpl", "{{env `HOME`}}", `function "env" not defined`},
		"no part":        {"titel.tmpl", "x", `"titel" is no part of a card`},
		"no channel":     {"slak.title.tmpl", "x", `there is no channel "slak"; configured are: slack, mail`},
		"too long":       {"title.tmpl", strings.Repeat("x", 20_000), "it has 20000 bytes, at most 16384"},
		"endless":        {"title.tmpl", "{{range 1000000000000}}{{end}}", "its loops go round more than 2000 times"},
		"slow":           {"title.tmpl", "{{$y := cut 5000 `" + strings.Repeat("y", 4000) + "`}}{{range 3000}}" + strings.Repeat("{{$y = print $y}}", 600) + "{{end}}", "or take more than 250ms"},
		"nested":         {"title.tmpl", "{{range 1000}}{{range 1000}}{{range 1000}}{{end}}{{end}}{{end}}", "its loops go round"},
		"in an else":     {"title.tmpl", "{{range .Stores}}{{else}}{{range 100000000}}{{end}}{{end}}", "its loops go round"},
		"long output":    {"title.tmpl", "{{range 2000}}0123456789{{end}}", "it writes more than 8192 bytes"},
		"doubling":       {"title.tmpl", "{{$x := `ab`}}{{range 40}}{{$x = print $x $x}}{{end}}", "it makes a text of more than 8192 bytes"},
		"wide":           {"title.tmpl", "{{printf `%900000d` 1}}", "printf is not there"},
		"escaping":       {"title.tmpl", "{{html .Title}}", "each channel escapes by itself"},
		"itself":         {"title.tmpl", `{{define "a"}}{{template "a"}}{{end}}{{template "a"}}`, "it defines further templates"},
		"itself by name": {"title.tmpl", `{{template "title.tmpl" .}}`, "it calls a template"},
		"deep":           {"title.tmpl", strings.Repeat("{{if true}}", 30) + strings.Repeat("{{end}}", 30), "lie more than 20 deep"},
		"no data":        {"title.tmpl", "{{$ := 1}}{{range 9}}{{end}}", "title.tmpl"},
	} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			ts := templates(t, map[string]string{tc.name: tc.text})
			if err := ts.Problem(); err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), "template "+tc.name) {
				t.Errorf("problem %v", err)
			}
			m := caseMessage(about("f", "ann", vigil.SeverityLow))
			if got, want := card(ts, "slack", m), alerts.CardOf(m, ""); got.Title != want.Title {
				t.Errorf("title %q", got.Title)
			}
		})
	}
	if _, err := alerts.ReadTemplates(fstest.MapFS{"x/y": {}}, nil); err != nil {
		t.Error(err)
	}
}

// TestTemplateFailsLater: what only fails on some data keeps the built-in words, is
// counted and said; the message goes out.
func TestTemplateFailsLater(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ts := templates(t, map[string]string{
			"title.tmpl":    "{{if .Stores}}{{index .Stores 5}}{{end}}",
			"sentence.tmpl": "In short: {{.Sentence}}",
		})
		if err := ts.Problem(); err != nil {
			t.Fatal(err)
		}
		o := newOutbox()
		var got alerts.Card
		n := &notifier{name: "slack", send: func(_ context.Context, _ int, m alerts.Message) (string, error) {
			got = alerts.CardOf(m, "")
			return "r", nil
		}}
		o.add(caseMessage(about("f", "ann", vigil.SeverityLow)))
		_, stop := run(t, alerts.Config{}, alerts.Options{Outbox: o, Notifiers: []alerts.Notifier{n}, Templates: ts})
		pass(time.Second)
		stop()
		if got.Title != "Low: person ann" || got.Sentence != "In short: ann read much." {
			t.Errorf("title %q, sentence %q", got.Title, got.Sentence)
		}
		if err := ts.Problem(); ts.Failed() != 1 || err == nil || !strings.Contains(err.Error(), "1 part of a card was told in the words that are built in; the last: template title.tmpl") {
			t.Errorf("%d failed, problem %v", ts.Failed(), err)
		}
	})
}
