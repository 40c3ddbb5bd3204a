package email_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"vigil/alerts"
	"vigil/alerts/alertstest"
	"vigil/alerts/email"
)

var update = flag.Bool("update", false, "write the golden files and pictures anew")

func fixed(tb testing.TB) *email.Notifier {
	tb.Helper()
	n, err := email.New(email.Config{Host: "mail.acme.example", From: "vigil@acme.example", To: []string{"soc@acme.example", "On call <oncall@acme.example>"}, ConsoleURL: alertstest.Console},
		email.Options{Now: func() time.Time { return time.Date(2026, 11, 3, 15, 32, 0, 0, time.UTC) }})
	if err != nil {
		tb.Fatal(err)
	}
	return n
}

// TestGolden compares both parts of some mails with files that people have read.
func TestGolden(t *testing.T) {
	t.Parallel()
	n := fixed(t)
	for _, tc := range []struct {
		name, sample, news string
		// height is the picture's, zero for none.
		height int
	}{
		{"vendor", "vendor", "", 0},
		{"acknowledged", "case-acknowledged", "now critical; acknowledged", 955},
		{"digest", "digest", "", 860},
		{"hostile", "hostile", "", 0},
	} {
		_, text, html, err := n.Written(alertstest.Samples()[tc.sample], tc.news)
		if err != nil {
			t.Fatal(err)
		}
		for ext, got := range map[string]string{".txt": text, ".html": html} {
			file := filepath.Join("testdata", tc.name+ext)
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
				continue
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("%s has changed: look at it and run with -update\n%s", file, got)
			}
		}
		if *update && tc.height > 0 {
			alertstest.Picture(t, []byte(html), filepath.Join("testdata", tc.name+"-light.png"), 680, tc.height, false)
			alertstest.Picture(t, []byte(html), filepath.Join("testdata", tc.name+"-dark.png"), 680, tc.height, true)
		}
	}
}

// FuzzMail: whatever stands in a finding, the mail is one that mail programs read, with
// our headers, elements and links alone.
func FuzzMail(f *testing.F) {
	for _, s := range alertstest.Injections() {
		f.Add(s, "now critical")
	}
	n := fixed(f)
	f.Fuzz(func(t *testing.T, s, news string) {
		for _, m := range []alerts.Message{alertstest.Message(alertstest.Evil(s)), {ID: s, Kind: alerts.KindNotice, Notice: &alerts.Notice{Title: s, Sentence: s}, Link: s}} {
			mail, _, _, err := n.Written(m, alerts.Clean(news))
			if err != nil {
				t.Fatal(err)
			}
			for _, line := range splitLines(string(mail)) {
				if len(line) > 998 {
					t.Fatalf("a line of %d bytes", len(line))
				}
			}
			harmless(t, m.Kind, parse(t, string(mail)))
		}
	})
}
