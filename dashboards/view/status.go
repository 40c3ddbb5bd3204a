package view

import (
	"html/template"
	"slices"
	"time"

	"vigil/dashboards/chart"
	"vigil/dashboards/phrase"
	"vigil/internal/api"
)

// Status is the program's state ready to print.
type Status struct {
	Note     string
	Judged   Figure
	SetAside Figure
	UpTo     Moment
	Budget   string
	// Replaying says that a bounded replay runs; Progress is 0 to 100.
	Replaying    bool
	Progress     int
	ProgressText string
	Lanes        []Lane
	// Speaking and Silent list the lanes by their state, for one line of words.
	Speaking, Silent []string
	Sources          []Source
	MoreSources      int
	// RulesOff are the rules that don't run, MoreRulesOff how many more.
	RulesOff     []RuleOff
	MoreRulesOff int
}

// RuleOff is a rule that does not run ready to print.
type RuleOff struct{ ID, Name, Why string }

// Lane is a lane's standing ready to print.
type Lane struct {
	// Name names it, Asks says what it asks, Why what it waits for.
	Name, Asks, Why string
	Ready           bool
	Line, Theory    string
	// Bar draws how far its learning is, and Percent says it; empty where nobody
	// tells.
	Bar     template.HTML
	Percent string
}

// Source is a source's standing ready to print.
type Source struct {
	Name, Events, SetAside string
	Last                   Moment
	Reasons                []Reason
}

// Reason is a reason for setting records aside, and how many.
type Reason struct{ Code, Count string }

// NewStatus makes the program's state ready to print. now is the time by which
// "ago" is told.
func NewStatus(s api.Status, now time.Time) Status {
	v := Status{
		Note:     phrase.Prose(s.Note, maxSentence),
		Judged:   count(s.Events, "access judged", "accesses judged"),
		SetAside: count(s.Quarantined, "record set aside", "records set aside"),
		UpTo:     moment(s.Watermark, now),
		Budget:   budget(s.Budget),
	}
	if s.Progress >= 0 && s.Progress <= 1 {
		v.Replaying, v.Progress = true, int(s.Progress*100)
		v.ProgressText = phrase.Percent(float64(v.Progress) / 100)
	}
	for _, l := range s.Lanes[:min(len(s.Lanes), maxList)] {
		lane := Lane{Name: phrase.Lane(l.Name), Asks: phrase.LaneAsks(l.Name), Ready: l.Ready}
		var part float64
		if lane.Why, part = phrase.Learning(l.Why); part >= 0 && !l.Ready {
			lane.Bar, lane.Percent = chart.Share(part), phrase.Percent(part)
		}
		if l.Threshold > 0 {
			lane.Line = phrase.Number(round1(l.Threshold))
		}
		if l.Theory > 0 {
			lane.Theory = phrase.Number(round1(l.Theory))
		}
		if l.Ready {
			v.Speaking = append(v.Speaking, lane.Name)
		} else {
			v.Silent = append(v.Silent, lane.Name)
		}
		v.Lanes = append(v.Lanes, lane)
	}
	const most = 100
	for i := range s.Sources {
		if i == most {
			v.MoreSources = len(s.Sources) - most
			break
		}
		v.Sources = append(v.Sources, newSource(&s.Sources[i], now))
	}
	for i, r := range s.RulesOff {
		if i == most {
			v.MoreRulesOff = len(s.RulesOff) - most
			break
		}
		v.RulesOff = append(v.RulesOff, RuleOff{ID: phrase.Text(r.ID, maxName), Name: phrase.Text(r.Name, maxSentence), Why: whyOff(&r)})
	}
	return v
}

func newSource(s *api.Source, now time.Time) Source {
	return Source{
		Name: phrase.Text(s.Name, maxName), Events: phrase.Count(s.Events), SetAside: phrase.Count(s.Quarantined),
		Last: moment(s.Last, now), Reasons: Reasons(s.QuarantineReasons),
	}
}

// whyOff says why a rule does not run.
func whyOff(r *api.RuleOff) string {
	switch {
	case r.Why == api.RuleOffByFailure:
		return "could not be judged too often; mend its file"
	case r.Builtin:
		return "switched off"
	}
	return "switched off by your file"
}

// Reasons orders reasons by their count, largest first, then by name; at most
// maxList of them.
func Reasons(m map[string]int64) []Reason {
	codes := make([]string, 0, len(m))
	for code := range m {
		codes = append(codes, code)
	}
	slices.SortFunc(codes, func(a, b string) int {
		if m[a] != m[b] {
			if m[a] > m[b] {
				return -1
			}
			return 1
		}
		if a < b {
			return -1
		}
		return 1
	})
	var out []Reason
	for _, code := range codes[:min(len(codes), maxList)] {
		out = append(out, Reason{Code: phrase.Text(code, 60), Count: phrase.Count(m[code])})
	}
	return out
}

// budget says the alert budget, in findings a day, as people would.
func budget(perDay float64) string {
	switch {
	case !(perDay > 0) || perDay > 1e9:
		return ""
	case perDay >= 0.95:
		return falseFindings(perDay) + " a day"
	case perDay*7 >= 0.95:
		return falseFindings(perDay*7) + " a week"
	}
	return falseFindings(perDay*30) + " a month"
}

func falseFindings(n float64) string {
	if n = round1(n); n == 1 {
		return "about 1 false finding"
	}
	return "about " + phrase.Number(n) + " false findings"
}
