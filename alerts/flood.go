package alerts

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"vigil"
)

const (
	// floodNames bounds the sources and scenarios that a flood counts by name.
	floodNames = 100
	// floodTop is how many of them its notice names.
	floodTop = 3
	// A flood's notice changes after floodGap, and then after twice as long each time, up
	// to floodGapMax: what has gone on for an hour need not be said anew each minute.
	floodGap    = time.Minute
	floodGapMax = 10 * time.Minute
)

// Flood counts the cases that were too many to be told one by one.
type Flood struct {
	ID       string    `json:"id"`
	Notifier string    `json:"notifier"`
	Grade    string    `json:"grade"`
	Since    time.Time `json:"since"`
	// Counts is by severity, Sources and Scenarios by name.
	Counts    map[vigil.Severity]int `json:"counts"`
	Sources   map[string]int         `json:"sources,omitempty"`
	Scenarios map[string]int         `json:"scenarios,omitempty"`
	// Arrived came since Window began.
	Window  time.Time `json:"window"`
	Arrived int       `json:"arrived"`
	// Revision counts the notices, the last one Said; News says that more came since.
	Revision int           `json:"revision"`
	Said     time.Time     `json:"said"`
	Gap      time.Duration `json:"gap"`
	News     bool          `json:"news"`
}

// FloodNotice is what one notifier is told of a flood. All of one flood have the same
// message ID, so that the later edit the first; Revision tells them apart.
type FloodNotice struct {
	Notifier string
	Revision int
	Message  Message
	// Began and Ended mark the first and the last: the former is worth a record in the
	// log.
	Began, Ended bool
}

func newFlood(notifier, grade string, now time.Time) *Flood {
	return &Flood{
		ID:       "flood/" + notifier + "/" + grade + "/" + now.Format("20060102T150405.000Z"),
		Notifier: notifier, Grade: grade, Since: now, Window: now, Gap: floodGap,
		Counts: map[vigil.Severity]int{}, Sources: map[string]int{}, Scenarios: map[string]int{},
	}
}

func (f *Flood) clone() *Flood {
	if f == nil {
		return nil
	}
	c := *f
	c.Counts, c.Sources, c.Scenarios = maps.Clone(f.Counts), maps.Clone(f.Sources), maps.Clone(f.Scenarios)
	return &c
}

// count takes a case in.
func (f *Flood) count(c *vigil.Case, lead *vigil.Finding) {
	f.Arrived++
	f.News = true
	f.Counts[c.Severity]++
	add := func(m map[string]int, name string) {
		if _, ok := m[name]; name != "" && (ok || len(m) < floodNames) {
			m[name]++
		}
	}
	for _, s := range slices.Compact(slices.Sorted(slices.Values(sourcesOf(lead)))) {
		add(f.Sources, Cut(s, maxName))
	}
	// Findings about actors name their stores, those about sources their source.
	if lead.Source == "" && len(lead.Sources) == 0 {
		for _, s := range lead.Stores {
			add(f.Sources, Cut(s, maxName))
		}
	}
	add(f.Scenarios, Cut(cmp.Or(lead.Rule, lead.Lane), maxName))
}

// ebbs reports whether fewer came in a whole period than the bucket holds.
func (f *Flood) ebbs(size int, period time.Duration, now time.Time) bool {
	if f.Window.After(now) { // the clock was set back
		f.Window = now
	}
	if now.Sub(f.Window) < period {
		return false
	}
	// What arrived did so in the first period of the window: each one that comes later
	// asks here before.
	if f.Arrived < size || now.Sub(f.Window) >= 2*period {
		return true
	}
	f.Window, f.Arrived = now, 0
	return false
}

// say returns the notice when it is time for one.
func (f *Flood) say(now time.Time, link string) []FloodNotice {
	if !f.News || f.Revision > 0 && !now.Before(f.Said) && now.Before(f.Said.Add(f.Gap)) {
		return nil
	}
	if f.Revision > 0 {
		f.Gap = min(2*f.Gap, floodGapMax)
	}
	return []FloodNotice{f.notice(now, link, false)}
}

// over is the last notice.
func (f *Flood) over(now time.Time, link string) FloodNotice { return f.notice(now, link, true) }

func (f *Flood) notice(now time.Time, link string, ended bool) FloodNotice {
	f.Revision++
	f.Said, f.News = now, false
	total := 0
	var by []string
	for _, s := range []vigil.Severity{vigil.SeverityHigh, vigil.SeverityMedium, vigil.SeverityLow} {
		if n := f.Counts[s]; n > 0 {
			total += n
			by = append(by, thousands(int64(n))+" "+string(s))
		}
	}
	n := Notice{Title: "Too many cases to tell one by one", Severity: vigil.SeverityMedium}
	if f.Grade == gradeHigh {
		n.Severity = vigil.SeverityHigh
	}
	since := "Since " + Moment(f.Since)
	if ended {
		n.Title, n.Severity = "The flood of cases is over", ""
		since = "From " + Moment(f.Since) + " to " + Moment(now)
	}
	n.Sentence = fmt.Sprintf("%s, %s (%s) in no message of their own.", since, Count(int64(total), "case is told", "cases are told"), strings.Join(by, ", "))
	if !ended {
		if f.Grade == gradeMild {
			n.Sentence += " High and critical ones still are."
		} else {
			n.Sentence += " Critical ones still are."
		}
	}
	for _, t := range []struct {
		label string
		m     map[string]int
	}{{"From", f.Sources}, {"By", f.Scenarios}} {
		if s := top(t.m); s != "" {
			n.Lines = append(n.Lines, t.label+": "+s)
		}
	}
	return FloodNotice{
		Notifier: f.Notifier, Revision: f.Revision, Began: f.Revision == 1, Ended: ended,
		Message: Message{ID: f.ID, Kind: KindNotice, Notice: &n, Link: link},
	}
}

// top names the most frequent.
func top(m map[string]int) string {
	names := slices.SortedFunc(maps.Keys(m), func(a, b string) int {
		return cmp.Or(cmp.Compare(m[b], m[a]), cmp.Compare(a, b))
	})
	var parts []string
	for _, n := range names[:min(len(names), floodTop)] {
		parts = append(parts, fmt.Sprintf("%s %s", name(n), thousands(int64(m[n]))))
	}
	return strings.Join(parts, ", ")
}
