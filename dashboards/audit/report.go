package audit

import (
	"io"
	"strings"
	"time"

	"vigil"
	"vigil/dashboards/document"
	"vigil/dashboards/phrase"
)

// What a report is written down in.
type (
	section = document.Section
	table   = document.Table
	column  = document.Column
	cell    = document.Cell
	figure  = document.Figure
	tone    = document.Tone
)

const (
	toneBad  = document.ToneBad
	toneWarn = document.ToneWarn
	toneGood = document.ToneGood
	toneSoft = document.ToneSoft
)

// HTML writes the report to w as one page without scripts that loads nothing. It writes
// nothing when the report can't be made; an error of w is returned as it is.
func HTML(w io.Writer, r *Report) error { return document.HTML(w, newDocument(r)) }

// PDF writes the report to w as a PDF on A4; see document.PDF.
func PDF(w io.Writer, r *Report) error { return document.PDF(w, newDocument(r)) }

// people counts people: fewer than Few are not told apart.
func people(n int) string {
	if n > 0 && n < Few {
		return "<5"
	}
	return phrase.Count(int64(n))
}

// more says in a note how many rows are left out.
func more(n int, what string) string {
	if n <= 0 {
		return ""
	}
	return phrase.Count(int64(n)) + " more " + what + " not listed."
}

func join(parts ...string) string {
	var out []string
	for _, p := range parts {
		if p != "" {
			out = append(out, p)
		}
	}
	return strings.Join(out, " ")
}

// cut bounds rows and says how many are left out.
func cut[T any](rows []T, most int) (some []T, left int) {
	if len(rows) > most {
		return rows[:most], len(rows) - most
	}
	return rows, 0
}

// PeriodName names a time as people do: a month of the calendar, else its days.
func PeriodName(from, to time.Time) string {
	from, to = from.UTC(), to.UTC()
	if from.Equal(time.Date(from.Year(), from.Month(), 1, 0, 0, 0, 0, time.UTC)) && from.AddDate(0, 1, 0).Equal(to) {
		return from.Format("January 2006")
	}
	if whole(from) && whole(to) {
		return from.Format("2 January 2006") + " to " + to.Add(-time.Hour).Format("2 January 2006")
	}
	return phrase.Range(from, to)
}

func whole(t time.Time) bool { return t.Equal(t.Truncate(24 * time.Hour)) }

// newDocument writes a report down.
func newDocument(r *Report) document.Document {
	period := r.From.UTC().Format("2 January 2006 15:04") + " to " + r.To.UTC().Format("2 January 2006 15:04 UTC")
	d := document.Document{
		Kind: "Audit report", About: PeriodName(r.From, r.To), Subject: "Accesses to customers' conversations from " + period,
		Number: phrase.Text(r.ID, 60), Made: r.Made, Mark: "audit log " + r.Watcher.Head[:min(len(r.Watcher.Head), 16)],
		Facts: []document.Fact{
			{Name: "Report", Value: phrase.Text(r.ID, 60)},
			{Name: "Period", Value: period},
			{Name: "Made", Value: r.Made.UTC().Format("2 January 2006 15:04 UTC")},
			{Name: "Audit log", Value: phrase.Plural(int64(r.Watcher.Records), "record", "records") + ", head " + r.Watcher.Head},
			{Name: "Signed with", Value: phrase.Text(r.Key, 120)},
		},
		Closing: "Verify this report and its signature with:", Command: "vigil reports verify FOLDER --key PUBLIC-KEY",
	}
	for _, n := range r.Notes {
		d.Notes = append(d.Notes, phrase.Prose(n, 600))
	}
	d.Sections = []section{
		access(&r.Access), dormant(&r.Dormant, r.To), vendors(&r.Vendors), consent(&r.Consent),
		coverage(&r.Coverage), findings(&r.Findings, r.To), watcher(&r.Watcher),
	}
	d.Summary = summary(r)
	return d
}

// summary is what a reader who reads nothing else should have read.
func summary(r *Report) []figure {
	breaches := 0
	unjudged := 0
	for _, o := range r.Findings.Severities {
		breaches += o.Breach + o.Misuse
		unjudged += o.Unjudged
	}
	outside := 0
	for i := range r.Vendors.Rows {
		if len(r.Vendors.Rows[i].Outside) > 0 {
			outside++
		}
	}
	blind := 0
	for _, b := range r.Coverage.Blind {
		if b.Sight == SightBlind {
			blind++
		}
	}
	chain := figure{Value: "whole", Word: "audit log of vigil itself", Tone: toneGood}
	if r.Watcher.Broken != "" {
		chain = figure{Value: "broken", Word: "audit log of vigil itself", Tone: toneBad}
	}
	count := func(n int, one, many string, bad tone) figure {
		f := counts(n, one, many)
		if n > 0 {
			f.Tone = bad
		}
		return f
	}
	out := []figure{
		{Value: phrase.Count(r.Access.Accesses), Word: "accesses to customers' data"},
		count(breaches, "finding was a breach or misuse", "findings were a breach or misuse", toneBad),
		count(unjudged, "finding has no verdict yet", "findings have no verdict yet", toneWarn),
		count(len(r.Consent.Findings)+r.Consent.More, "finding of reads after consent had ended", "findings of reads after consent had ended", toneBad),
		count(len(r.Dormant.Leavers), "account used after its person left", "accounts used after their people left", toneBad),
		count(outside, "vendor or machine outside its contract", "vendors or machines outside their contracts", toneBad),
		count(blind, "kind of breach could not be seen", "kinds of breach could not be seen", toneWarn),
		chain,
	}
	return out
}

// verdict is a word's cell.
func verdict(w vigil.Word) cell {
	switch {
	case w == "":
		return cell{Text: "none yet", Tone: toneWarn}
	case w.Bad():
		return cell{Text: string(w), Tone: toneBad}
	case w == vigil.WordExpected:
		return cell{Text: string(w), Tone: toneGood}
	}
	return cell{Text: string(w)}
}

func severity(s vigil.Severity) cell {
	c := cell{Text: phrase.Severity(s)}
	if s.Rank() >= vigil.SeverityHigh.Rank() {
		c.Tone = toneBad
	}
	return c
}
