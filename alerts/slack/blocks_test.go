package slack_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/alerts"
	"vigil/alerts/slack"
	"vigil/alerts/slack/preview"
)

var (
	update = flag.Bool("update", false, "rewrite the expected cards in testdata")
	pages  = flag.String("pages", "", "folder to write a page of each card to, to look at")
)

const console = "https://vigil.example:8443/base/"

func TestCards(t *testing.T) {
	t.Parallel()
	for name, m := range samples() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := slack.Blocks(m, console)
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", name+".json")
			if *update {
				if err := os.WriteFile(file, append(got, '\n'), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if *pages != "" {
				if err := os.WriteFile(filepath.Join(*pages, name+".html"), preview.HTML(got), 0o644); err != nil {
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
		Text     *textObject       `json:"text"`
		Fields   []textObject      `json:"fields"`
		Elements []json.RawMessage `json:"elements"`
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
		if len(b.Fields) > 10 {
			t.Errorf("%d fields", len(b.Fields))
		}
		for _, f := range b.Fields {
			if n := utf8.RuneCountInString(f.Text); n > 2000 {
				t.Errorf("field of %d", n)
			}
			texts = append(texts, f)
		}
		for _, raw := range b.Elements {
			var e struct {
				Type     string          `json:"type"`
				Text     json.RawMessage `json:"text"`
				Verbatim bool            `json:"verbatim"`
				URL      string          `json:"url"`
			}
			if err := json.Unmarshal(raw, &e); err != nil {
				t.Fatal(err)
			}
			if e.Type == "button" {
				if !strings.HasPrefix(e.URL, console) || len(e.URL) > 3000 {
					t.Errorf("button opens %q", e.URL)
				}
				continue
			}
			var s string
			if err := json.Unmarshal(e.Text, &s); err != nil {
				t.Fatal(err)
			}
			texts = append(texts, textObject{e.Type, s, e.Verbatim})
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

func checkText(t testing.TB, x textObject) {
	t.Helper()
	if !utf8.ValidString(x.Text) {
		t.Errorf("no UTF-8: %q", x.Text)
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
		if n := strings.Count(outside, "*"); n != 0 && (n != 2 || !ours(outside)) {
			t.Errorf("foreign bold: %q", line)
		}
		if strings.Contains(outside, "~") || emojiName.MatchString(outside) || strings.HasPrefix(line, "&gt;") {
			t.Errorf("a foreign mark: %q", line)
		}
	}
}

// ours tells the headings that the card itself sets in bold.
func ours(line string) bool {
	for _, h := range []string{"Who", "Customer", "Network", "Team", "Source", "Read by", "Who came", "Who did most", "When", "How much", "How unusual", "Whose data", "Where", "Why", "Judged", "Set aside", "Alert budget", "To know", "Low", "Medium", "High", "Critical", "Finding"} {
		if strings.Contains(line, "*"+h+"*") {
			return true
		}
	}
	return false
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
		for _, m := range []alerts.Message{
			{ID: s, Finding: fd, Link: "/findings/" + s},
			{ID: s, Finding: fd, Link: s},
			{ID: s, Finding: about(fd, vigil.AboutSubject), Link: "/findings/" + s},
			{ID: s, Finding: about(fd, vigil.AboutNetwork), Link: "/findings/" + s},
			{ID: s, Finding: about(fd, vigil.AboutTeam), Link: "/findings/" + s},
			{ID: s, Finding: about(fd, vigil.AboutSource), Link: "/findings/" + s},
			alerts.NewDigest(alerts.Day{From: fd.Start, To: fd.End, Findings: []vigil.Finding{*fd}, Notes: []string{s}, Budget: seen}),
		} {
			raw, err := slack.Blocks(m, console)
			if err != nil {
				t.Fatal(err)
			}
			if m.Link != s {
				checkBlocks(t, raw)
			}
			if page := preview.HTML(raw); strings.Contains(strings.ToLower(string(page)), "<script") {
				t.Fatal("the preview runs foreign text")
			}
		}
	})
}
