package slack_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/alerts"
	"vigil/alerts/alertstest"
	"vigil/alerts/slack"
	"vigil/alerts/slack/preview"
)

var update = flag.Bool("update", false, "rewrite the expected cards and their pictures in testdata")

// blocksOf are a message's blocks with all buttons, by the real notifier.
func blocksOf(t testing.TB, m alerts.Message) []byte {
	t.Helper()
	n, err := slack.New(slack.Config{Token: canary, Channel: "C1", ConsoleURL: console, Interactive: true}, slack.Options{Mention: mention})
	if err != nil {
		t.Fatal(err)
	}
	b, err := n.Blocks(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const console = "https://vigil.example:8443/base/"

func TestCards(t *testing.T) {
	t.Parallel()
	for name, m := range samples() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := blocksOf(t, m)
			file := filepath.Join("testdata", name+".json")
			if *update {
				if err := os.WriteFile(file, append(got, '\n'), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(strings.TrimSpace(string(want)), string(got)); d != "" {
				t.Error(d)
			}
			checkBlocks(t, got)
		})
	}
}

type textObject struct {
	Type     string `json:"type"`
	Text     string `json:"text"`
	Verbatim bool   `json:"verbatim"`
}

var (
	goodEntity = regexp.MustCompile(`&(amp|lt|gt);`)
	emojiName  = regexp.MustCompile(`:[A-Za-z0-9_+'-]+:`)
)

// checkBlocks holds a card to Slack's limits, and looks for anything in it that
// would act: a mention, a link, a mark that foreign text opened.
func checkBlocks(t testing.TB, raw []byte) {
	t.Helper()
	var blocks []struct {
		Type     string            `json:"type"`
		BlockID  string            `json:"block_id"`
		Text     *textObject       `json:"text"`
		Fields   []textObject      `json:"fields"`
		Elements []json.RawMessage `json:"elements"`
		AltText  string            `json:"alt_text"`
	}
	if err := json.Unmarshal(raw, &blocks); err != nil {
		t.Fatal(err)
	}
	if len(blocks) == 0 || len(blocks) > 50 {
		t.Fatalf("%d blocks", len(blocks))
	}
	for _, b := range blocks {
		var texts []textObject
		if b.Text != nil {
			texts = append(texts, *b.Text)
		}
		if len(b.Fields) > 10 || len(b.Elements) > 10 || len(b.BlockID) > 255 {
			t.Errorf("%d fields, %d elements, block_id %q", len(b.Fields), len(b.Elements), b.BlockID)
		}
		for _, f := range b.Fields {
			if n := utf8.RuneCountInString(f.Text); n > 2000 {
				t.Errorf("field of %d", n)
			}
			texts = append(texts, f)
		}
		if b.Type == "image" {
			if n := utf8.RuneCountInString(b.AltText); n > 2000 {
				t.Errorf("alt text of %d", n)
			}
			texts = append(texts, textObject{"plain_text", b.AltText, false})
		}
		for _, raw := range b.Elements {
			if b.Type == "actions" {
				texts = append(texts, checkButton(t, raw, b.BlockID)...)
				continue
			}
			var x textObject
			if err := json.Unmarshal(raw, &x); err != nil {
				t.Fatal(err)
			}
			texts = append(texts, x)
		}
		limit := 3000
		if b.Type == "header" {
			limit = 150
		}
		for _, x := range texts {
			n := utf8.RuneCountInString(x.Text)
			if n == 0 || n > limit {
				t.Errorf("text of %d characters in %s", n, b.Type)
			}
			checkText(t, x)
		}
	}
}

// checkButton holds a button or a menu to Slack's limits, and to what talk answers.
func checkButton(t testing.TB, raw []byte, blockID string) []textObject {
	t.Helper()
	var e struct {
		Type, Value, URL, Style string
		ActionID                string `json:"action_id"`
		Text                    textObject
		Options                 []struct {
			Text  textObject
			Value string
		}
	}
	if err := json.Unmarshal(raw, &e); err != nil {
		t.Fatal(err)
	}
	id, _, ok := slack.CaseOf(blockID)
	switch {
	case e.ActionID == slack.ActionOpen:
		if !strings.HasPrefix(e.URL, console) && !strings.HasPrefix(e.URL, alertstest.Console+"/") || len(e.URL) > 3000 {
			t.Errorf("button opens %q", e.URL)
		}
	case e.Type == "overflow":
		if len(e.Options) < 1 || len(e.Options) > 5 || !ok {
			t.Errorf("a menu of %d in %q", len(e.Options), blockID)
		}
	case e.URL != "" || !ok || e.Value != id || len(e.Value) > 2000:
		t.Errorf("button %s", raw)
	}
	texts := []textObject{}
	if e.Type == "button" {
		texts = append(texts, e.Text)
	}
	for _, o := range e.Options {
		if len(o.Value) > 150 {
			t.Errorf("option %q", o.Value)
		}
		texts = append(texts, o.Text)
	}
	for _, x := range texts {
		if utf8.RuneCountInString(x.Text) > 75 {
			t.Errorf("label %q", x.Text)
		}
	}
	return texts
}

func checkText(t testing.TB, x textObject) {
	t.Helper()
	if !utf8.ValidString(x.Text) {
		t.Errorf("no UTF-8: %q", x.Text)
	}
	if x.Type == "mrkdwn" {
		for _, id := range []string{"U0ANA11", "W0BO222"} { // the only ones that Slack knows
			x.Text = strings.ReplaceAll(x.Text, "<@"+id+">", "somebody")
		}
	}
	if strings.ContainsAny(x.Text, "<>") || strings.Contains(goodEntity.ReplaceAllString(x.Text, ""), "&") {
		t.Errorf("not escaped: %q", x.Text)
	}
	if strings.Contains(x.Text, "://") {
		t.Errorf("an address that may become a link: %q", x.Text)
	}
	for _, r := range x.Text {
		if r != '\n' && !unicode.IsPrint(r) {
			t.Errorf("%U shows nothing or acts: %q", r, x.Text)
		}
	}
	if x.Type != "mrkdwn" {
		return
	}
	if !x.Verbatim {
		t.Errorf("mrkdwn that Slack may make links in: %q", x.Text)
	}
	for _, line := range strings.Split(x.Text, "\n") {
		// A code span may hold anything but its own end; outside, all marks are ours.
		if strings.Count(line, "`")%2 != 0 {
			t.Errorf("a code span is left open: %q", line)
		}
		outside := ""
		for i, part := range strings.Split(line, "`") {
			if i%2 == 0 {
				outside += part + " "
			}
		}
		if left := boldText.ReplaceAllStringFunc(outside, heading); strings.Contains(left, "*") {
			t.Errorf("foreign bold: %q", line)
		}
		if strings.Contains(outside, "~") || emojiName.MatchString(outside) || strings.HasPrefix(line, "&gt;") {
			t.Errorf("a foreign mark: %q", line)
		}
	}
}

var boldText = regexp.MustCompile(`\*[^*]*\*`)

// headings are what the cards themselves set in bold.
var headings = []string{
	"Who", "Customer", "Network", "Team", "Source", "Read by", "Who came", "Who did most", "When", "How much", "How unusual", "Whose data", "Looked for", "Where",
	"Why", "Judged", "Set aside", "Alert budget", "To know", "Low", "Medium", "High", "Critical", "Finding",
	"New, not acknowledged yet", "Acknowledged by", "Resolved", "Owner", "Verdict", "Snoozed", "Asked", "Answer", "72-hour clock", "Findings", "Called",
	"New case", "Graver than before", "More about it", "Not told by itself", "Acknowledged", "Assigned", "Expected from now on", "The person was asked",
	"The person answered", "The 72-hour clock runs", "Reminder", "Nobody answered", "Note", "Quiet now", "Opened anew", "News",
	"Held back", "Not acknowledged", "To be reviewed",
}

// heading takes one of ours away.
func heading(s string) string {
	if slices.Contains(headings, strings.Trim(s, "*")) {
		return ""
	}
	return s
}

// about is the finding, about something else.
func about(f *vigil.Finding, a vigil.About) *vigil.Finding {
	other := *f
	other.About = a
	return &other
}

// FuzzCard puts hostile text in every field of a finding and of a digest.
func FuzzCard(f *testing.F) {
	for _, s := range []string{hostileText, "", "`", "*", "<", "&amp;", ":a:b:c:", "_a_", "a_b", "\xff", "://", "x://y://", "\u202e", "e\u0301\u0301\u0301\u0301\u0301\u0301", "http:\u200b//x", "🔴", strings.Repeat("<&>`", 2000), "&gt; quote", "\n\n*x*\n"} {
		f.Add(s, 1.5, .5)
	}
	f.Fuzz(func(t *testing.T, s string, seen, share float64) {
		fd := evil(s)
		for i := range fd.Contributions {
			c := &fd.Contributions[i]
			c.Seen, c.Expected, c.Low, c.High, c.P, c.Share = seen, -seen, seen/3, seen*3, share, share
		}
		fd.Evidence, fd.Threshold = seen, share
		k := func(a vigil.About) alerts.Message {
			m := inCase(about(fd, a), func(c *vigil.Case) {
				c.ID, c.Owner, c.Word, c.Snoozed, c.SnoozedBy = s, s, vigil.Word(s), fd.End, s
				c.Acknowledged, c.Aware = &vigil.Mark{By: s}, &vigil.Mark{By: s, Time: fd.End}
				c.Asked = &vigil.Asked{Mark: vigil.Mark{By: s}, Answered: fd.End, Why: s}
			})
			m.Finding.ReasonsLooked, m.Link, m.Receipt = []string{s, s}, "/findings/"+s, pictured
			return m
		}
		r := reply(alerts.Reply{Kind: vigil.CaseEventKind(s), By: s, Text: s, Call: []string{s, s}}, s)
		r.Link, r.Case.ID, r.Case.Actor, r.Case.ActorKind = "/findings/"+s, s, s, vigil.ActorKind(s)
		for _, m := range []alerts.Message{
			k(vigil.AboutActor), k(vigil.AboutSubject), k(vigil.AboutTeam), k(vigil.AboutNetwork), k(vigil.AboutSource), r,
			notice(alerts.Notice{Severity: vigil.Severity(s), Title: s, Sentence: s, Lines: []string{s, s}}),
			{ID: s, Finding: fd, Link: "/findings/" + s},
			{ID: s, Finding: fd, Link: s},
			{ID: s, Finding: about(fd, vigil.AboutSubject), Link: "/findings/" + s},
			{ID: s, Finding: about(fd, vigil.AboutNetwork), Link: "/findings/" + s},
			{ID: s, Finding: about(fd, vigil.AboutTeam), Link: "/findings/" + s},
			{ID: s, Finding: about(fd, vigil.AboutSource), Link: "/findings/" + s},
			alerts.NewDigest(alerts.Day{From: fd.Start, To: fd.End, Findings: []vigil.Finding{*fd}, Notes: []string{s}, Budget: seen}),
		} {
			raw := blocksOf(t, m)
			if m.Link != s {
				checkBlocks(t, raw)
			}
			if page := preview.HTML(raw, nil); strings.Contains(strings.ToLower(string(page)), "<script") {
				t.Fatal("the preview runs foreign text")
			}
		}
	})
}

// labels are those of a message's buttons.
func labels(t *testing.T, raw []byte) []string {
	t.Helper()
	var blocks []struct {
		Type     string
		Elements []struct {
			Type string
			Text json.RawMessage
		}
	}
	if err := json.Unmarshal(raw, &blocks); err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, b := range blocks {
		for _, e := range b.Elements {
			var x textObject
			if e.Type == "button" && json.Unmarshal(e.Text, &x) == nil {
				out = append(out, x.Text)
			}
		}
	}
	return out
}
