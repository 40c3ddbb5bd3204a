package audit

import (
	"strings"
	"time"

	"vigil"
	"vigil/dashboards/phrase"
)

// document is a report as it stands on paper: what the page and the PDF both say.
type document struct {
	Title, Period string
	Facts         []fact
	Summary       []figure
	Notes         []string
	Sections      []section
}

// fact is a line of the head.
type fact struct{ Name, Value string }

// figure is a number with its word.
type figure struct {
	Value, Word string
	Tone        tone
}

// tone is how a value is set off.
type tone string

const (
	toneBad  tone = "bad"
	toneWarn tone = "warn"
	toneGood tone = "good"
	toneSoft tone = "soft"
)

type section struct {
	Key, Heading string
	Lead         []string
	Figures      []figure
	Tables       []table
}

type table struct {
	Title   string
	Columns []column
	Rows    [][]cell
	// Empty stands instead of a table without rows; Note below one with.
	Empty, Note string
}

// column is a column's head; Weight is its share of the width.
type column struct {
	Name   string
	Weight float64
	Number bool
}

// cell is one value: ID says that it is a name as logs give it, By that counts by day
// are drawn in it.
type cell struct {
	Text string
	ID   bool
	Tone tone
	By   []int64
}

func (c column) right() bool { return c.Number }

// text is foreign text in a cell, name such a name.
func text(s string) cell { return cell{Text: phrase.Prose(s, 320)} }

func name(s string) cell {
	if s == "" {
		return cell{Text: phrase.None, Tone: toneSoft}
	}
	return cell{Text: phrase.Text(s, 80), ID: true}
}

func number(n int64) cell { return cell{Text: phrase.Count(n)} }

func day(t time.Time) cell {
	if t.IsZero() {
		return cell{Text: phrase.None, Tone: toneSoft}
	}
	return cell{Text: t.UTC().Format("2 Jan 2006")}
}

func moment(t time.Time) cell {
	if t.IsZero() {
		return cell{Text: phrase.None, Tone: toneSoft}
	}
	return cell{Text: t.UTC().Format("2 Jan 2006 15:04")}
}

func (c cell) toned(t tone) cell { c.Tone = t; return c }

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
func newDocument(r *Report) document {
	d := document{
		Title: "Audit report", Period: PeriodName(r.From, r.To),
		Facts: []fact{
			{"Report", phrase.Text(r.ID, 60)},
			{"Period", r.From.UTC().Format("2 January 2006 15:04") + " to " + r.To.UTC().Format("2 January 2006 15:04 UTC")},
			{"Made", r.Made.UTC().Format("2 January 2006 15:04 UTC")},
			{"Audit log", phrase.Plural(int64(r.Watcher.Records), "record", "records") + ", head " + r.Watcher.Head},
			{"Signed with", phrase.Text(r.Key, 120)},
		},
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
	chain := figure{"whole", "audit log of vigil itself", toneGood}
	if r.Watcher.Broken != "" {
		chain = figure{"broken", "audit log of vigil itself", toneBad}
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
