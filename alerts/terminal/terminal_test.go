package terminal_test

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/alerts"
	"vigil/alerts/terminal"
)

var update = flag.Bool("update", false, "rewrite the expected cards in testdata")

func finding(s string) *vigil.Finding {
	start := time.Date(2026, 11, 3, 11, 2, 0, 0, time.UTC)
	f := &vigil.Finding{
		ID: "f-7c41d9", Revision: 1, State: vigil.StateOpen, About: vigil.AboutActor, Actor: "v-3f9a2c", ActorKind: vigil.KindVendor, Role: "sync",
		Start: start, End: start.Add(128 * time.Minute), Detected: start.Add(4 * time.Minute),
		Severity: vigil.SeverityCritical, Lane: "quarter", Evidence: 6.4, Threshold: 3.9,
		Sentence: "Vendor account v-3f9a2c read 2,113 customers' cases within two hours, from a network that it never used before.",
		Contributions: []vigil.Contribution{
			{Model: "volume", Observation: "subjects", Span: "quarter", Frame: "self", Seen: 412, Expected: 6.2, High: 19, P: 2.4e-5, Share: .7, Text: "412 customers in a quarter-hour, by its own past 6 (0 to 19)"},
			{Model: "novelty", Observation: "network", Span: "event", Frame: "self", SeenLabel: "198.51.100.0/24", P: .0004, Share: .3, Text: "network 198.51.100.0/24, never seen before for this account; usually 192.0.2.0/24"},
		},
		Counterfactual: "No finding below 41 customers in a quarter-hour.", NotJudged: []string{"bytes"},
		Subjects: 2113, Events: 640, Rows: 18220, Conversations: vigil.Unknown, Stores: []string{"helpdesk"}, Resources: []string{"cases"}, Networks: []string{"198.51.100.0/24"}, Classes: []string{"case"},
	}
	if s != "" {
		f.ID, f.Actor, f.Role, f.Sentence, f.Counterfactual, f.Stores, f.Classes = s, s, s, s, s, []string{s}, []string{s}
		f.Contributions[0].Text = s
	}
	return f
}

// about is a finding about each thing that there can be one about, with hostile
// names.
func about(a vigil.About, k vigil.Contribution) *vigil.Finding {
	f := finding("")
	f.About, f.Contributions, f.Lane = a, []vigil.Contribution{k}, string(a)
	f.Sentence, f.Counterfactual, f.NotJudged = "What happened.", "", []string{"subjects", "bytes"}
	if a != vigil.AboutActor {
		f.Actor, f.ActorKind, f.Role, f.Stores, f.Resources, f.Networks, f.Classes = "", "", "", nil, nil, nil, nil
		f.Subject, f.Network, f.Team, f.Source = "subject-5r8q1", "203.0.113.0/24\x1b[2J", "emea \u202e(agent)", "postgres\r\neu"
		for i := range 50 {
			f.Actors = append(f.Actors, "actor-\x1b[31m"+string(rune('a'+i%26)))
		}
	}
	return f
}

func TestCards(t *testing.T) {
	t.Parallel()
	day := alerts.Day{From: time.Date(2026, 11, 3, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 11, 4, 0, 0, 0, 0, time.UTC), Events: 214_332, Quarantined: 3, Budget: 1,
		Findings: []vigil.Finding{*finding("")}, Notes: []string{"Source nginx was silent from 02:00 to 06:30 UTC."}}
	for name, tc := range map[string]struct {
		m   alerts.Message
		cfg terminal.Config
	}{
		"finding": {alerts.Message{Finding: finding(""), Link: "/findings/f-7c41d9"}, terminal.Config{Color: "never", ConsoleURL: "http://127.0.0.1:8080"}},
		"narrow":  {alerts.Message{Finding: finding("")}, terminal.Config{Width: 40, Color: "never"}},
		"colour":  {alerts.Message{Finding: finding("")}, terminal.Config{Color: "always"}},
		"again":   {alerts.Message{Finding: finding(""), Receipt: "printed"}, terminal.Config{Color: "never"}},
		"hostile": {alerts.Message{Finding: finding("\x1b[2J\x1b]0;gone\x07\u202e\r\nfake line")}, terminal.Config{Color: "never"}},
		"pattern": {alerts.Message{Finding: about(vigil.AboutActor, vigil.Contribution{
			Model: "sequence", Observation: "order", Span: "day", Frame: "self", Seen: 41, Expected: .3, P: 1e-9, Share: 1,
			Text: "ids read one after the other, up or down, within a day: one chance in a billion or more if they had come in any order"})}, terminal.Config{Color: "never"}},
		"customer": {alerts.Message{Finding: about(vigil.AboutSubject, vigil.Contribution{
			Model: "volume", Observation: "readers", Span: "day", Frame: "self", Seen: 14, Expected: .4, High: 3, P: 8e-7, Share: 1})}, terminal.Config{Color: "never"}},
		"network": {alerts.Message{Finding: about(vigil.AboutNetwork, vigil.Contribution{
			Model: "volume", Observation: "refused", Span: "quarter", Frame: "self", Seen: 197, Expected: .1, High: 1, P: 1e-9, Share: 1})}, terminal.Config{Color: "never"}},
		"team": {alerts.Message{Finding: about(vigil.AboutTeam, vigil.Contribution{
			Model: "volume", Observation: "team", Span: "day", Frame: "self", Seen: 431, Expected: 204, Low: 131, High: 297, P: 2e-5, Share: 1})}, terminal.Config{Color: "never"}},
		"source": {alerts.Message{Finding: about(vigil.AboutSource, vigil.Contribution{
			Model: "volume", Observation: "silence", Span: "hour", Frame: "self", Seen: 4, Expected: 912, Low: 640, High: 1210, P: 4e-7, Share: 1})}, terminal.Config{Color: "never"}},
		"digest": {alerts.NewDigest(day), terminal.Config{Color: "never"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			n, err := terminal.New(&out, tc.cfg)
			if err != nil {
				t.Fatal(err)
			}
			receipt, err := n.Notify(t.Context(), tc.m)
			if err != nil || receipt == "" {
				t.Fatal(receipt, err)
			}
			file := filepath.Join("testdata", name+".txt")
			if *update {
				if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), out.String()); d != "" {
				t.Error(d)
			}
			width := tc.cfg.Width
			if width == 0 {
				width = 80
			}
			check(t, out.String(), width, tc.cfg.Color == "always")
		})
	}
}

var ansi = regexp.MustCompile("\x1b\\[[0-9;]*m")

// check finds what a terminal would act upon, and lines that are too long.
func check(t testing.TB, s string, width int, colour bool) {
	t.Helper()
	if colour {
		s = ansi.ReplaceAllString(s, "")
	}
	for _, line := range strings.Split(s, "\n") {
		for _, r := range line {
			if !unicode.IsPrint(r) {
				t.Errorf("%U is sent to the terminal: %q", r, line)
			}
		}
		if n := terminal.Columns(line); n > width && !strings.Contains(line, "Open: ") {
			t.Errorf("%d columns: %q", n, line)
		}
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("closed") }

func TestErrors(t *testing.T) {
	t.Parallel()
	if _, err := terminal.New(broken{}, terminal.Config{Color: "pink"}); err == nil {
		t.Error("pink is no choice")
	}
	n, err := terminal.New(broken{}, terminal.Config{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = n.Notify(t.Context(), alerts.Message{Finding: finding("")})
	var retry *alerts.RetryError
	if !errors.As(err, &retry) {
		t.Errorf("got %v, want a RetryError", err)
	}
}

func FuzzNotify(f *testing.F) {
	f.Add("\x1b[31m", 40)
	f.Add("日本語日本語日本語日本語日本語日本語日本語日本語", 41)
	f.Add("e\u0301\u0301\u0301\u0301", 80)
	f.Fuzz(func(t *testing.T, s string, width int) {
		var out bytes.Buffer
		n, err := terminal.New(&out, terminal.Config{Width: width, Color: "never"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := n.Notify(t.Context(), alerts.Message{Finding: finding(s)}); err != nil {
			t.Fatal(err)
		}
		check(t, out.String(), 200, false)
	})
}

// Where a case stands is printed: to whoever steps in for a channel it is the news.
func TestStanding(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC)
	c := vigil.Case{
		ID: "c-1", State: vigil.CaseAcknowledged, About: vigil.AboutActor, Actor: "actor-1", Severity: vigil.SeverityHigh, Total: 1, Owner: "actor-2",
		Acknowledged: &vigil.Mark{By: "actor-2", Time: at}, Asked: &vigil.Asked{Mark: vigil.Mark{By: "actor-2", Time: at}},
	}
	for _, receipt := range []string{"", "printed"} {
		var out strings.Builder
		n, err := terminal.New(&out, terminal.Config{Color: "never", Width: 90})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := n.Notify(t.Context(), alerts.Message{ID: "c-1-2", Kind: alerts.KindCase, Case: &c, Receipt: receipt}); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"State        acknowledged by actor-2 · Tue 3 Nov 2026, 09:00 UTC", "Owner        actor-2", "Answer       none yet"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%q is not in %s", want, out.String())
			}
		}
	}
}
