package alerts_test

import (
	"math"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"vigil"
	"vigil/alerts"
)

func TestWords(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ got, want string }{
		{alerts.Number(0), "0"}, {alerts.Number(2113), "2,113"}, {alerts.Number(1234567), "1,234,567"}, {alerts.Number(-4200), "-4,200"},
		{alerts.Number(6.24), "6.2"}, {alerts.Number(6.04), "6"}, {alerts.Number(47.6), "48"}, {alerts.Number(.034), "0.03"}, {alerts.Number(.0001), "almost 0"},
		{alerts.Number(math.NaN()), "?"}, {alerts.Number(math.Inf(1)), "?"}, {alerts.Number(1e20), "1e+20"}, {alerts.Number(101.5), "102"},
		{alerts.Count(1, "customer", "customers"), "1 customer"}, {alerts.Count(0, "customer", "customers"), "0 customers"},
		{alerts.Span(0), "a moment"}, {alerts.Span(-time.Hour), "a moment"}, {alerts.Span(time.Second), "1 second"}, {alerts.Span(59 * time.Minute), "59 minutes"},
		{alerts.Span(time.Hour), "1 hour"}, {alerts.Span(128 * time.Minute), "2 h 8 min"}, {alerts.Span(50 * time.Hour), "2 days 2 h"}, {alerts.Span(20 * 24 * time.Hour), "20 days"},
		{alerts.Rarity(2.4e-5, "day"), "about one in 40,000 such days"}, {alerts.Rarity(.001, "quarter"), "about one in 1,000 such quarter-hours"},
		{alerts.Rarity(.01, "week"), "about one in 100 such weeks"}, {alerts.Rarity(.05, "hour"), "about one in 20 such hours"}, {alerts.Rarity(1.0/15, "event"), "about one in 10 such accesses"},
		{alerts.Rarity(1e-9, "day"), "rarer than one in a million such days"}, {alerts.Rarity(0, "day"), "rarer than one in a million such days"},
		{alerts.Rarity(.4, "day"), "not unusual by itself"}, {alerts.Rarity(2, "day"), ""}, {alerts.Rarity(-1, "day"), ""}, {alerts.Rarity(math.NaN(), "day"), ""},
		{alerts.Clean("plain text"), "plain text"}, {alerts.Clean("日本語 🔴 é"), "日本語 🔴 é"}, {alerts.Clean("a\nb\tc\x00"), `a\nb\tc\x00`},
		{alerts.Clean("adm\u200bin"), `adm\u200bin`}, {alerts.Clean("\u202etxt.exe"), `\u202etxt.exe`}, {alerts.Clean("\xff"), `\xff`}, {alerts.Clean("\ufeff\u00a0\u2028\u3164\U000e0041"), `\ufeff\u00a0\u2028\u3164\U000e0041`},
		{alerts.Clean("e\u0301\u0301\u0301\u0301x"), "e\u0301\u0301\u0301" + `\u0301x`},
		{alerts.Cut("abc", 3), "abc"}, {alerts.Cut("abcd", 3), "ab…"}, {alerts.Cut("日本語日本語", 4), "日本語…"}, {alerts.Cut("ab cd", 4), "ab…"}, {alerts.Cut("a", 0), ""}, {alerts.Cut("", 5), ""},
	} {
		if tc.got != tc.want {
			t.Errorf("got %q, want %q", tc.got, tc.want)
		}
	}
}

func FuzzClean(f *testing.F) {
	f.Add("a\u0301\u200b\xff", 3)
	f.Fuzz(func(t *testing.T, s string, n int) {
		c := alerts.Clean(s)
		for _, r := range c {
			if !unicode.IsPrint(r) {
				t.Fatalf("%q keeps %U", s, r)
			}
		}
		if alerts.Clean(c) != c || !utf8.ValidString(c) {
			t.Fatalf("%q is not clean", c)
		}
		if k := alerts.Cut(c, n); utf8.RuneCountInString(k) > max(n, 0) || !utf8.ValidString(k) {
			t.Fatalf("cut to %d: %q", n, k)
		}
	})
}

func TestLinks(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ link, console, want string }{
		{"", "http://c", ""}, {"/findings/1", "", ""}, {"/findings/1", "http://c:1", "http://c:1/findings/1"}, {"/findings/1", "http://c/base/", "http://c/base/findings/1"},
		{"http://h/x?y=1", "http://c", "http://h/x?y=1"}, {"javascript:alert(1)", "http://c", ""}, {"//evil/x", "http://c", ""}, {"data:text/html,x", "", ""},
		{"http://u:p@h/", "", ""}, {"\x00", "http://c", ""}, {"/../../x", "http://c/base", "http://c/x"}, {"http://h/" + strings.Repeat("x", 3000), "", ""},
	} {
		if got := alerts.CardOf(alerts.Message{Finding: &vigil.Finding{}, Link: tc.link}, tc.console).Link; got != tc.want {
			t.Errorf("%q on %q: got %q, want %q", tc.link, tc.console, got, tc.want)
		}
	}
}

func TestDigest(t *testing.T) {
	t.Parallel()
	from := time.Date(2026, 11, 3, 0, 0, 0, 0, time.UTC)
	day := alerts.Day{From: from, To: from.AddDate(0, 0, 1), Events: 1000, Budget: .1}
	for i := range 30 {
		s := []vigil.Severity{"low", "high", "medium"}[i%3]
		day.Findings = append(day.Findings, vigil.Finding{ID: string(rune('a' + i)), Revision: 1, Severity: s, Harm: float64(i), Detected: from.Add(time.Duration(i) * time.Minute)})
	}
	// A later revision that grew worse takes the place of its earlier one.
	day.Findings = append(day.Findings, vigil.Finding{ID: "a", Revision: 2, Severity: "critical"}, vigil.Finding{ID: "b", Revision: 0, Severity: "low"})
	m := alerts.NewDigest(day)
	if m.ID != alerts.NewDigest(day).ID || m.Kind != alerts.KindDigest || m.Thread() != m.ID {
		t.Errorf("id %q, kind %q", m.ID, m.Kind)
	}
	d := m.Digest
	if d.Total != 30 || len(d.Findings) != alerts.MaxDigestFindings || d.Findings[0].ID != "a" || d.Findings[1].Severity != "high" || d.Findings[1].Harm != 28 {
		t.Errorf("total %d, %d findings, first %+v", d.Total, len(d.Findings), d.Findings[0])
	}
	if d.Counts["critical"] != 1 || d.Counts["high"] != 10 || d.Counts["low"] != 9 || d.Counts["medium"] != 10 {
		t.Errorf("counts %v", d.Counts)
	}
	c := alerts.CardOf(m, "")
	if c.Sentence != "30 findings: 1 critical, 10 high, 10 medium, 9 low." || c.More != 20 || c.Title != "Digest · Tuesday 3 November 2026" || c.Severity != "critical" {
		t.Errorf("card %+v", c)
	}
	if c := alerts.CardOf(alerts.NewDigest(alerts.Day{From: from, To: from.Add(6 * time.Hour)}), ""); c.Sentence != "No findings." || !strings.Contains(c.Title, "06:00 UTC") || !strings.Contains(c.Fields[0].Value.String(), "does anything arrive") {
		t.Errorf("empty card %+v", c)
	}
	if c := alerts.CardOf(alerts.Message{}, ""); c.Title == "" || c.Sentence == "" {
		t.Errorf("card of nothing: %+v", c)
	}
}

// TestUnknownIsNotZero: what the source does not tell is said so.
func TestUnknownIsNotZero(t *testing.T) {
	t.Parallel()
	c := alerts.CardOf(alerts.Message{Finding: &vigil.Finding{Subjects: vigil.Unknown, Rows: vigil.Unknown, Conversations: vigil.Unknown, Events: 3}}, "")
	var whose string
	for _, f := range c.Fields {
		if f.Label == "Whose data" {
			whose = f.Value.String()
		}
		if strings.Contains(f.Value.String(), "-1") {
			t.Errorf("%s shows the unknown as a number: %q", f.Label, f.Value.String())
		}
	}
	if whose != "the source does not tell" {
		t.Errorf("whose data: %q", whose)
	}
}
