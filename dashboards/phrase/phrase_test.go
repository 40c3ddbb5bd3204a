package phrase_test

import (
	"math"
	"testing"
	"time"
	"unicode/utf8"

	"vigil"
	"vigil/dashboards/phrase"
)

func TestNumbers(t *testing.T) {
	t.Parallel()
	for _, x := range []struct{ got, want string }{
		{phrase.Count(0), "0"}, {phrase.Count(999), "999"}, {phrase.Count(2140), "2,140"}, {phrase.Count(1204332), "1,204,332"},
		{phrase.Count(-1), "not told"}, {phrase.Count(-2140), "-2,140"}, {phrase.Count(math.MinInt64), "-9,223,372,036,854,775,808"},
		{phrase.Number(0), "0"}, {phrase.Number(3.1), "3.1"}, {phrase.Number(3.14159), "3.14"}, {phrase.Number(12.34), "12.3"}, {phrase.Number(140), "140"},
		{phrase.Number(8420.6), "8,421"}, {phrase.Number(0.004), "0.004"}, {phrase.Number(0.00001), "1 × 10⁻⁵"}, {phrase.Number(1.25e15), "1.2 × 10¹⁵"},
		{phrase.Number(math.NaN()), "–"}, {phrase.Number(math.Inf(1)), "–"}, {phrase.Number(-2), "-2"},
		{phrase.Times(178.3), "178×"}, {phrase.Times(2.5), "2.5×"}, {phrase.Times(math.Inf(1)), "–"},
		{phrase.OneIn(0.0004), "1 in 2,500"}, {phrase.OneIn(3.2e-9), "1 in 310 million"}, {phrase.OneIn(2e-10), "1 in 5 billion"}, {phrase.OneIn(1e-13), "1 in 1 × 10¹³"},
		{phrase.OneIn(0.5), "1 in 2"}, {phrase.OneIn(1), "nearly always"}, {phrase.OneIn(0), "never before"}, {phrase.OneIn(math.NaN()), "–"}, {phrase.OneIn(0.013), "1 in 77"},
		{phrase.OneIn(1.0 / 999_999), "1 in 1 million"}, {phrase.OneIn(1.0 / 9.6), "1 in 10"},
		{phrase.Percent(0.614), "61\u202f%"}, {phrase.Percent(0.001), "under 1\u202f%"}, {phrase.Percent(0), "0\u202f%"}, {phrase.Percent(math.NaN()), "–"},
		{phrase.Plural(1, "event", "events"), "1 event"}, {phrase.Plural(2140, "event", "events"), "2,140 events"},
	} {
		if x.got != x.want {
			t.Errorf("got %q, want %q", x.got, x.want)
		}
	}
}

func TestExpectationsAndHeadlines(t *testing.T) {
	t.Parallel()
	for f, want := range map[float64]string{1.16: "1.2", 13.6: "14", 52.6: "53", 0.794: "0.79", 0: "0", 8420.4: "8,420", 9.96: "10", math.Inf(1): "–"} {
		if got := phrase.About(f); got != want {
			t.Errorf("About(%g) = %q, want %q", f, got, want)
		}
	}
	for _, x := range []struct{ in, head, rest string }{
		{"Actor a read data of 9 customers between 12:03 and 20:48 UTC. Unusual: 13 things.", "Actor a read data of 9 customers between 12:03 and 20:48 UTC.", "Unusual: 13 things."},
		{"Short. But no headline is that short, so it is one.", "Short. But no headline is that short, so it is one.", ""},
		{"The person whom all of the others know as J. Smith read 3 customers.", "The person whom all of the others know as J. Smith read 3 customers.", ""},
		{"", "", ""},
	} {
		head, rest := phrase.Headline(x.in)
		if head != x.head || rest != x.rest {
			t.Errorf("Headline(%q) = %q, %q", x.in, head, rest)
		}
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 2, 14, 5, 9, 0, time.UTC)
	zone := time.FixedZone("elsewhere", 7200)
	for _, x := range []struct{ got, want string }{
		{phrase.Moment(at.In(zone)), "Mon 2 Nov 2026, 14:05 UTC"}, {phrase.Moment(time.Time{}), "–"}, {phrase.ISO(at), "2026-11-02T14:05:09Z"}, {phrase.ISO(time.Time{}), ""},
		{phrase.Second(at), "2026-11-02 14:05:09"},
		{phrase.Range(at, at.Add(2*time.Hour)), "Mon 2 Nov 2026, 14:05 to 16:05 UTC"}, {phrase.Range(at, at.Add(20*time.Second)), "Mon 2 Nov 2026, 14:05 UTC"},
		{phrase.Range(at, at.Add(20*time.Hour)), "Mon 2 Nov, 14:05 to Tue 3 Nov 2026, 10:05 UTC"}, {phrase.Range(time.Time{}, at), "Mon 2 Nov 2026, 14:05 UTC"},
		{phrase.Length(0), "an instant"}, {phrase.Length(38 * time.Second), "38 s"}, {phrase.Length(11 * time.Minute), "11 min"}, {phrase.Length(125 * time.Minute), "2 h 5 min"},
		{phrase.Length(2 * time.Hour), "2 h"}, {phrase.Length(25 * time.Hour), "1 day 1 h"}, {phrase.Length(400 * time.Hour), "16 days"}, {phrase.Length(-time.Hour), "1 h"},
		{phrase.Ago(at, at.Add(30*time.Second)), "just now"}, {phrase.Ago(at, at.Add(42*time.Minute)), "42 min ago"}, {phrase.Ago(at, at.Add(47*time.Hour)), "47 h ago"},
		{phrase.Ago(at, at.Add(72*time.Hour)), "3 days ago"}, {phrase.Ago(at.Add(2*time.Hour), at), "in 2 h"}, {phrase.Ago(time.Time{}, at), ""}, {phrase.Ago(at, time.Time{}), ""},
		{phrase.Bucket(15 * time.Minute), "quarter-hour"}, {phrase.Bucket(6 * time.Hour), "6 h"}, {phrase.Bucket(0), "bucket"},
	} {
		if x.got != x.want {
			t.Errorf("got %q, want %q", x.got, x.want)
		}
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	for _, x := range []struct{ got, want string }{
		{phrase.Severity(vigil.SeverityCritical), "Critical"}, {phrase.Severity("odd"), "Unrated"},
		{phrase.Kind(vigil.KindVendor), "vendor"}, {phrase.Kind(vigil.KindUnspecified), ""},
		{phrase.Found("day", ""), "by comparing days"}, {phrase.Found("rule", "one_conversation_one_customer"), "by the rule one conversation one customer"},
		{phrase.Observation("subjects"), "customers read"}, {phrase.Observation("something_new"), "something new"},
		{phrase.Span("quarter"), "in a quarter-hour"}, {phrase.Span("fortnight"), "in a fortnight"}, {phrase.Frame("self"), "its own past"},
		{phrase.Found("network", ""), "by who comes from one network"}, {phrase.Lane("subject"), "customers"}, {phrase.Observation("strangers"), "customers new to it and its team"},
		{phrase.Usual(0.0018), "almost none"}, {phrase.Usual(0.4), "0.4"}, {phrase.Usual(math.NaN()), "–"},
		{phrase.Rare(1e-9), "under 1 in 1 billion"}, {phrase.Rare(0.02), "1 in 50"},
		{phrase.NotJudged("rows"), "rows returned: the source does not tell them"}, {phrase.NotJudged("odd_thing"), "odd thing"},
	} {
		if x.got != x.want {
			t.Errorf("got %q, want %q", x.got, x.want)
		}
	}
}

// Every word that the detector has is known here: none shows as it is in code.
func TestNoCodeNameOnAPage(t *testing.T) {
	t.Parallel()
	for _, lane := range []string{"quarter", "day", "week", "subject", "network", "team", "source", "rule"} {
		if phrase.LaneAsks(lane) == "" {
			t.Errorf("lane %q: no words", lane)
		}
		if lane != "rule" && phrase.Found(lane, "") == "by "+lane {
			t.Errorf("found by %q: no words", lane)
		}
	}
	for _, o := range []string{
		"subjects", "rows", "bytes", "events", "conversations", "new", "denied", "strangers", "unbounded", "splits", "silent", "unreasoned", "neighbours",
		"action", "shape", "agent", "resource", "hour", "readers", "newcomers", "refused", "team", "silence", "drift",
		"order", "burst", "return", "together", "rhythm", "sequence", "combination",
	} {
		got := phrase.Observation(o)
		if got == o || utf8.RuneCountInString(got) > 34 {
			t.Errorf("observation %q: %q", o, got)
		}
	}
	for _, o := range []string{"order", "burst", "return", "together", "rhythm", "sequence", "combination"} {
		if seen, usual := phrase.Pattern(o); seen == usual || seen == "out of the ordinary" {
			t.Errorf("pattern %q: %q, %q", o, seen, usual)
		}
	}
}

func TestLearning(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		why, want string
		part      float64
	}{
		{"learning: 3.2 of 7 days, 60 of 60 spans", "3.2 of 7 days", 3.2 / 7},
		{"learning: 3.5 of 7 days, 6 of 60 spans", "3.5 of 7 days, 6 of 60 examples", 0.1},
		{"learning: 7.0 of 7 days, 18 of 20 spans", "18 of 20 examples", 0.9},
		{"learning: 7.0 of 7 days, 0 of 20 spans", "no examples yet", 0},
		{"learning: 7.0 of 7 days, 20 of 20 spans", "nearly done", 1},
		{"nothing has been seen yet", "nothing has been seen yet", -1},
		{"learning: NaN of 7 days, 20 of 20 spans", "learning: NaN of 7 days, 20 of 20 spans", -1},
		{"learning: 1 of 0 days, 20 of 20 spans", "learning: 1 of 0 days, 20 of 20 spans", -1},
		{"a\x00b", `a\x00b`, -1}, {"", "", -1},
	} {
		if got, part := phrase.Learning(x.why); got != x.want || math.Abs(part-x.part) > 1e-9 {
			t.Errorf("%q: %q, %g", x.why, got, part)
		}
	}
}

func TestTextShowsWhatHides(t *testing.T) {
	t.Parallel()
	for _, x := range []struct{ in, want string }{
		{"maria", "maria"}, {"Ünï 漢字 🙂", "Ünï 漢字 🙂"}, {"שלום", "שלום"},
		{"adm\u200bin", `adm\u200bin`}, {"\u202efdp.exe", `\u202efdp.exe`}, {"a\nb\tc\x00", `a\nb\tc\x00`}, {"\xff", `\xff`}, {"a\u00a0b", `a\u00a0b`}, {"e\u0301", "e\u0301"},
		{"e\u0301\u0301\u0301\u0301\u0301", "e\u0301\u0301\u0301\u0301" + `\u0301`}, {"<b>", "<b>"}, {"\ufeffx", `\ufeffx`},
	} {
		if got := phrase.Text(x.in, 100); got != x.want {
			t.Errorf("Text(%q) = %q, want %q", x.in, got, x.want)
		}
	}
	if got := phrase.Text("abcdef", 3); got != "abc…" {
		t.Errorf("cut: %q", got)
	}
	if got := phrase.Prose("2,140\u200b", 100); got != "2,140"+`\u200b` {
		t.Errorf("prose: %q", got)
	}
	if got := phrase.Shorten("0123456789abcdef", 10); got != "012345…def" {
		t.Errorf("shorten: %q", got)
	}
}
