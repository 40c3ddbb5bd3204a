package view

import (
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"

	"vigil/dashboards/phrase"
	"vigil/internal/api"
)

// Replay is a back-test as it is shown in a list.
type Replay struct {
	ID, Path       string
	State, Class   string
	By             string
	Asked          Moment
	Running        bool
	Percent        int
	Error, Budgets string
	// Rule is the text of the rule that is tried, empty where history is judged again.
	Rule string
}

func replayPath(id string) string { return "/tuning/replays/" + url.PathEscape(id) }

// NewReplay makes it.
func NewReplay(r *api.Replay, now time.Time) Replay {
	v := Replay{
		ID: phrase.Text(r.ID, 40), Path: replayPath(r.ID), Class: "is-" + string(r.State), By: phrase.Text(r.By, 80),
		Asked: moment(r.Asked, now), Running: r.State == api.ReplayRunning, Percent: percent(r.Done), Error: phrase.Prose(r.Error, 300),
	}
	switch r.State {
	case api.ReplayRunning:
		v.State = "running"
	case api.ReplayDone:
		v.State = "done"
	case api.ReplayFailed:
		v.State = "failed"
	case api.ReplayStopped:
		v.State = "stopped"
	default:
		v.State, v.Class = phrase.Text(string(r.State), 20), ""
	}
	for i, n := range r.Ask.Budgets {
		if i > 0 {
			v.Budgets += ", "
		}
		v.Budgets += BudgetWords(n)
	}
	switch {
	case r.Ask.Proposal != "":
		v.Budgets = "as it was proposed"
	case r.Ask.Rule != "":
		v.Budgets, v.Rule = "a rule alone", phrase.Shorten(strings.ToValidUTF8(r.Ask.Rule, "\uFFFD"), api.MaxRuleText)
	case v.Budgets == "":
		v.Budgets = "as it was live"
	}
	if len(r.Ask.Without) > 0 {
		v.Budgets += ", without " + listWords(r.Ask.Without)
	}
	return v
}

// percent is a part in whole hundredths, 0 for what is none.
func percent(part float64) int {
	if !(part > 0) {
		return 0
	}
	return int(100 * min(part, 1))
}

// BudgetWords says an alert budget: "5 a day".
func BudgetWords(perDay float64) string {
	if perDay == 0 {
		return "the default"
	}
	return phrase.Number(perDay) + " a day"
}

// ReplayReport is what came of judging history again, as it is shown.
type ReplayReport struct {
	Budget, Setting, Range string
	Events                 string
	// Nothing says that nothing differs.
	Nothing     bool
	PerDay      string
	Rows        []ReplayRow
	Lanes       []ReplayLane
	Differences []ReplayDifference
	More        string
	Warnings    []string
	Models      []Calibrated
	// Breaches and Expected say in a sentence what becomes of what people judged.
	Breaches, Expected, Unjudged string
}

// ReplayRow counts one sort of findings.
type ReplayRow struct {
	Name                                         string
	Live, Again, Same, Earlier, Later, New, Gone string
}

// ReplayLane counts those of a lane.
type ReplayLane struct{ Name, Live, Again string }

// ReplayDifference is one finding that differs.
type ReplayDifference struct {
	Change, Class, By string
	Severity          string
	Who, Word         string
	Found             string
	Detected          Moment
	Sentence          string
	// Path leads to the finding, empty where it was not found live.
	Path string
}

// NewReplayReport makes it. at is its place among the reports of a page.
func NewReplayReport(r *api.ReplayReport, at int, now time.Time) ReplayReport {
	v := ReplayReport{
		Budget: phrase.Number(r.Budget) + " a day", Range: phrase.Range(r.From, r.To), Events: phrase.Count(r.Events), Nothing: r.All.Differ() == 0,
		Setting: "with the setting that was live",
	}
	if r.Changed {
		v.Setting = "with another " + listWords(r.Used)
	}
	if d := r.To.Sub(r.From).Hours() / 24; d > 0 {
		v.PerDay = phrase.Number(float64(r.All.Again) / d)
	}
	for _, row := range []struct {
		name string
		c    api.ReplayCounts
	}{{"All findings", r.All}, {"Judged a breach or misuse", r.Breaches}, {"Judged expected", r.Expected}, {"Not judged", r.Unjudged}} {
		n := func(i int) string { return phrase.Count(int64(i)) }
		c := row.c
		v.Rows = append(v.Rows, ReplayRow{row.name, n(c.Live), n(c.Again), n(c.Same), n(c.Earlier), n(c.Later), n(c.New), n(c.Gone)})
	}
	for _, l := range r.Lanes {
		v.Lanes = append(v.Lanes, ReplayLane{phrase.Lane(l.Lane), phrase.Count(int64(l.Live)), phrase.Count(int64(l.Again))})
	}
	for i := range r.Differences {
		v.Differences = append(v.Differences, newReplayDifference(&r.Differences[i], now))
	}
	if r.More > 0 {
		v.More = phrase.Count(int64(r.More))
	}
	for _, w := range r.Warnings {
		v.Warnings = append(v.Warnings, phrase.Prose(w, 400))
	}
	v.Models = newCalibrated("calibration-"+strconv.Itoa(at), r.Models)
	v.Breaches = fate(r.Breaches, "breach or misuse", "breaches or misuses", "confirmed")
	v.Expected = fate(r.Expected, "finding", "findings", "judged expected")
	v.Unjudged = fate(r.Unjudged, "finding", "findings", "not judged")
	return v
}

// fate says what becomes of findings of one sort.
func fate(c api.ReplayCounts, one, many, sort string) string {
	plural := func(n int) string { return phrase.Plural(int64(n), one, many) }
	if c.Live+c.New == 0 {
		return "None " + sort + "."
	}
	s := phrase.Count(int64(c.Again)) + " of " + plural(c.Live+c.New) + " " + sort + " found"
	for _, part := range []struct {
		n    int
		what string
	}{{c.Earlier, "earlier"}, {c.Later, "later"}, {c.New, "new"}, {c.Gone, "no more"}} {
		if part.n > 0 {
			s += ", " + phrase.Count(int64(part.n)) + " " + part.what
		}
	}
	return s + "."
}

func newReplayDifference(d *api.ReplayDifference, now time.Time) ReplayDifference {
	f := d.Again
	if f == nil {
		f = d.Live
	}
	v := ReplayDifference{
		Class: "is-" + string(d.Change), Severity: phrase.Severity(f.Severity), Who: phrase.Text(f.Who, 80), Found: phrase.Found(f.Lane, f.Rule),
		Detected: moment(f.Detected, now), Sentence: phrase.Prose(f.Sentence, 400), Word: "nobody judged it",
	}
	if d.Word != "" {
		v.Word = phrase.Verdict(d.Word)
	}
	switch d.Change {
	case api.ReplayEarlier:
		v.Change = "found earlier"
	case api.ReplayLater:
		v.Change = "found later"
	case api.ReplayNew:
		v.Change = "found newly"
	case api.ReplayGone:
		v.Change = "not found any more"
	default:
		v.Change, v.Class = phrase.Text(string(d.Change), 20), ""
	}
	if d.Seconds != 0 {
		v.By = phrase.Length(time.Duration(d.Seconds * float64(time.Second)).Abs())
	}
	if d.Live != nil {
		v.Path = "/findings/" + url.PathEscape(d.Live.ID)
	}
	return v
}

// listWords says words as a list.
func listWords(words []string) string {
	s := ""
	for i, w := range words {
		if i > 0 {
			s += " and "
		}
		s += phrase.Text(w, 40)
	}
	return s
}

// NewMoment writes a time for a page.
func NewMoment(t, now time.Time) Moment { return moment(t, now) }

// OneIn says how far evidence must go, of which log10 is given: by chance alone it goes so
// far once in so many spans.
func OneIn(log10 float64) string { return phrase.OneIn(math.Pow(10, -log10)) }
