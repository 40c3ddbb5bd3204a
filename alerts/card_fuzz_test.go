package alerts_test

import (
	"math"
	"strings"
	"testing"
	"testing/fstest"
	"time"
	"unicode"
	"unicode/utf8"

	"vigil"
	"vigil/alerts"
)

// hostile puts one string in all text of one message of each kind.
func hostile(s string, n int, at time.Time) []alerts.Message {
	many := make([]string, max(0, min(n, 60)))
	for i := range many {
		many[i] = s
	}
	v := math.Float64frombits(uint64(n) * 0x9e3779b97f4a7c15)
	f := vigil.Finding{
		ID: s, Revision: n, State: vigil.FindingState(s), About: vigil.About(s), Actor: s, ActorKind: vigil.ActorKind(s), Role: s, Team: s, Tenant: s,
		Subject: s, Source: s, Network: s, Actors: many, Sources: many, Start: at, End: at.Add(time.Duration(n)), Detected: at, Severity: vigil.Severity(s),
		Rule: s, Lane: s, Evidence: v, Threshold: -v, Harm: v, Sentence: s, Counterfactual: s, NotJudged: many, ReasonsLooked: many, Unreasoned: int64(n),
		ReasonsMissing: many, Subjects: int64(n), Events: int64(n), Rows: int64(-n), Conversations: int64(n), Stores: many, Resources: many, Networks: many, Classes: many,
	}
	for _, model := range []string{"volume", "novelty", "sequence", "rule", s} {
		f.Contributions = append(f.Contributions, vigil.Contribution{Model: model, Observation: s + model, Span: s, Frame: s, Seen: v, Expected: -v, Low: v, High: 2 * v,
			SeenLabel: s, ExpectedLabel: s, P: v, E: v, Share: v, Text: s}, vigil.Contribution{Model: model, Observation: s, Seen: float64(n), Expected: v})
	}
	c := vigil.Case{
		ID: s, Revision: n, State: vigil.CaseState(s), About: vigil.About(s), Actor: s, ActorKind: vigil.ActorKind(s), Role: s, Team: s, Tenant: s, Subject: s,
		Source: s, Network: s, Findings: many, Total: n, Lead: s, Severity: vigil.Severity(s), Harm: v, Start: at, End: at, Opened: at, Owner: s,
		Acknowledged: &vigil.Mark{By: s, Time: at}, Aware: &vigil.Mark{By: s, Time: at}, Snoozed: at, SnoozedBy: s,
		Asked: &vigil.Asked{Mark: vigil.Mark{By: s, Time: at}, Answered: at, Mine: n%2 == 0, Why: s}, Word: vigil.Word(s), Held: vigil.MuteReason(s),
	}
	bare := vigil.Case{ID: s}
	abouts := []vigil.About{vigil.AboutActor, vigil.AboutNetwork, vigil.AboutTeam, vigil.AboutSubject, vigil.AboutSource}
	f2 := f
	f2.About, f2.State, f2.Severity, f2.Rule, f2.Sentence = abouts[((n%5)+5)%5], vigil.StateClosed, vigil.SeverityHigh, "", ""
	c2 := c
	c2.State, c2.Severity, c2.About = vigil.CaseResolved, vigil.SeverityCritical, f2.About
	digest := alerts.NewDigest(alerts.Day{From: at, To: at.Add(time.Duration(n) * time.Hour), Events: int64(n), Quarantined: int64(n), Findings: []vigil.Finding{f, f2}, Budget: v, Notes: many,
		Waiting: []vigil.Case{c, c2, bare}, Reviews: []alerts.Review{{Kind: s, Says: s, By: s, Ends: at.Add(time.Duration(n) * time.Hour)}}, Held: map[vigil.MuteReason]int{vigil.HeldFlood: n, vigil.MuteReason(s): n}})
	return []alerts.Message{
		{ID: s, Kind: alerts.KindFinding, Finding: &f, Link: s}, {ID: s, Kind: alerts.KindFinding, Finding: &f2, Link: s},
		{ID: s, Kind: alerts.KindCase, Finding: &f, Case: &c, Link: s}, {ID: s, Kind: alerts.KindCase, Finding: &f2, Case: &c2}, {ID: s, Kind: alerts.KindCase, Case: &bare},
		{ID: s, Kind: alerts.KindReply, Case: &c, Reply: &alerts.Reply{Kind: vigil.CaseEventKind(s), Time: at, By: s, Text: s, Call: many}}, {ID: s, Kind: alerts.KindReply, Reply: &alerts.Reply{}},
		digest, {ID: s, Kind: alerts.KindNotice, Notice: &alerts.Notice{Severity: vigil.Severity(s), Title: s, Sentence: s, Lines: many}}, {ID: s, Kind: s, Link: s},
	}
}

// plain fails unless a text is clean and at most max runes long.
func plain(t *testing.T, what, s string, max int) {
	t.Helper()
	if !utf8.ValidString(s) || utf8.RuneCountInString(s) > max {
		t.Fatalf("%s is not plain: %q", what, s)
	}
	for _, r := range s {
		if !unicode.IsPrint(r) {
			t.Fatalf("%s has %U: %q", what, r, s)
		}
	}
}

// lines is plain for a text whose runs may break lines.
func lines(t *testing.T, what string, v alerts.Text) {
	t.Helper()
	for _, r := range v {
		if r.Name {
			plain(t, what, r.S, 80)
		}
	}
	for l := range strings.SplitSeq(v.String(), "\n") {
		plain(t, what, l, 2000)
	}
}

func checkCard(t *testing.T, c alerts.Card) {
	t.Helper()
	if c.Title == "" || c.Sentence == "" && c.Severity.Rank() > 0 {
		t.Fatalf("an empty card: %+v", c)
	}
	if c.Severity != "" && c.Severity.Rank() == 0 {
		t.Fatalf("severity %q", c.Severity)
	}
	plain(t, "title", c.Title, 140)
	plain(t, "sentence", c.Sentence, 700)
	plain(t, "counterfactual", c.Counterfactual, 700)
	plain(t, "not judged", c.NotJudged, 1000)
	plain(t, "footer", c.Footer, 400)
	plain(t, "case", c.CaseID, 80)
	if len(c.Fields) > alerts.MaxFields || len(c.Standing) > alerts.MaxStanding || len(c.Bars) > alerts.MaxBars || len(c.Why) > alerts.MaxReasons || len(c.Notes) > 40 {
		t.Fatalf("%d fields, %d of standing, %d bars, %d reasons, %d notes", len(c.Fields), len(c.Standing), len(c.Bars), len(c.Why), len(c.Notes))
	}
	for _, f := range append(c.Fields, c.Standing...) {
		plain(t, "label", f.Label, 80)
		lines(t, f.Label, f.Value)
	}
	for _, b := range c.Bars {
		plain(t, "bar", b.Label, 80)
		for _, v := range []float64{b.Seen, b.Expected, b.Low, b.High} {
			if !(v >= 0) || math.IsInf(v, 0) {
				t.Fatalf("a bar that can't be drawn: %+v", b)
			}
		}
	}
	for _, r := range c.Why {
		plain(t, "reason", r.Text, 300)
		if !(r.Share >= 0 && r.Share <= 1) {
			t.Fatalf("share %v", r.Share)
		}
	}
	for _, l := range c.Lines {
		plain(t, "who", l.Who, 200)
		plain(t, "line", l.Text, 300)
	}
	for _, n := range c.Notes {
		plain(t, "note", n, 400)
	}
	if c.Link != "" && !strings.HasPrefix(c.Link, "http://") && !strings.HasPrefix(c.Link, "https://") {
		t.Fatalf("link %q", c.Link)
	}
}

func FuzzCard(f *testing.F) {
	for _, s := range []string{"", "ann", "a\nb\r\x00\x1b[31m", "<!channel> {{.}}", "\u202e\u200b\xff", strings.Repeat("é", 900), "javascript:alert(1)", "closed", "high"} {
		f.Add(s, 7, int64(1_790_000_000))
	}
	f.Add("x", -1, int64(math.MinInt64))
	f.Add("x", math.MaxInt, int64(0))
	f.Fuzz(func(t *testing.T, s string, n int, sec int64) {
		for _, m := range hostile(s, n, time.Unix(sec, 0)) {
			checkCard(t, alerts.CardOf(m, "http://console"))
		}
	})
}

// FuzzTemplate: whatever the data and whatever the template, what comes out is plain text
// within its bounds, and soon.
func FuzzTemplate(f *testing.F) {
	for _, text := range []string{
		"{{.Title}}", "{{range .Fields}}{{.Label}}: {{.Value}}\n{{end}}", "{{.Who}} {{number .Events}} {{span .Length}} {{moment .Start}} {{cut 5 .Sentence}} {{join .Stores}}",
		"{{range 100000000}}{{end}}", "{{$x := `a`}}{{range 1000}}{{$x = print $x $x}}{{end}}{{$x}}", "{{printf `%999999d` 1}}", "{{template `x`}}", "{{.Actor}}\x1b[31m\n\n: x", "{{nothing}}", "{{$ := 1}}{{range 9}}{{end}}",
	} {
		f.Add(text, "a\nb: c\x00<!channel>", 3)
	}
	f.Fuzz(func(t *testing.T, text, s string, n int) {
		folder := fstest.MapFS{}
		for _, part := range []string{"title", "sentence", "fields", "footer"} {
			folder[part+".tmpl"] = &fstest.MapFile{Data: []byte(text)}
		}
		ts, err := alerts.ReadTemplates(folder, []string{"slack"})
		if err != nil {
			t.Fatal(err)
		}
		if p := ts.Problem(); p != nil {
			plain(t, "problem", strings.ReplaceAll(p.Error(), "\n", " "), 8000)
		}
		for _, m := range hostile(s, n, began) {
			m.Words = ts.Words("slack", m)
			checkCard(t, alerts.CardOf(m, ""))
		}
	})
}
