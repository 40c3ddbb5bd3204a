package view

import (
	"cmp"
	"fmt"
	"html/template"
	"math"
	"slices"
	"time"

	"vigil/dashboards/chart"
	"vigil/dashboards/phrase"
	"vigil/internal/api"
)

// Drill is one that is over, ready to print.
type Drill struct {
	ID, By      string
	Traffic     string
	Intensity   string
	Began       Moment
	Took        string
	Failed      string
	Stopped     bool
	Counts      []DrillCount
	Rows        []DrillRow
	Size        string
	False       string
	Traps       string
	URL         string
	Current     bool
	HasOutcomes bool
}

// DrillCount is how many breaches came to a state.
type DrillCount struct {
	Word, Class, N string
	n              int
}

// DrillRow is what became of one breach.
type DrillRow struct {
	ID, Name, About   string
	State, Class, Why string
	After, Exposed    string
}

// drillStates are the states in the order in which they stand, worst first: those that
// somebody can do something about.
func drillStates() []api.DrillState {
	return []api.DrillState{api.DrillMissed, api.DrillPartly, api.DrillUnseen, api.DrillFound}
}

// drillState says a state in words, and names it for style sheets, of the closed set.
func drillState(s api.DrillState) (word, class string) {
	switch s {
	case api.DrillFound:
		return "found", "good"
	case api.DrillPartly:
		return "partly", "warn"
	case api.DrillMissed:
		return "missed", "bad"
	}
	return "cannot be seen", "unseen"
}

// maxDrillRows bounds the breaches of one drill that are shown.
const maxDrillRows = 200

// NewDrill makes a drill ready to print. path makes its address.
func NewDrill(d *api.Drill, now time.Time, path func(id string) string) Drill {
	v := Drill{
		ID: phrase.Text(d.ID, maxName), By: phrase.Text(d.By, maxName), Traffic: drillTraffic(d.On), Intensity: phrase.Number(d.Intensity),
		Began: moment(d.Began, now), Failed: phrase.Prose(d.Failed, maxSentence), Stopped: d.Stopped, URL: path(d.ID), HasOutcomes: len(d.Rows) > 0,
	}
	if took := d.Ended.Sub(d.Began); took >= time.Second {
		v.Took = phrase.Length(took)
	}
	if d.Events > 0 {
		v.Size = phrase.Count(d.Events) + " accesses by " + phrase.Count(int64(d.Actors)) + " people and programs"
		if days := d.To.Sub(d.From).Hours() / 24; days >= 1 {
			v.Size += fmt.Sprintf(" in %.0f days", math.Round(days))
		}
	}
	if d.Traps > 0 {
		v.Traps = phrase.Count(int64(d.TrapsQuiet)) + " of " + phrase.Count(int64(d.Traps))
		v.False = phrase.Number(d.False)
	}
	counts := map[api.DrillState]int{}
	for i := range d.Rows[:min(len(d.Rows), maxDrillRows)] {
		r := &d.Rows[i]
		counts[r.State]++
		row := DrillRow{ID: phrase.Text(r.ID, 20), Name: phrase.Text(r.Name, 120), About: phrase.Prose(r.About, maxSentence), Why: phrase.Prose(r.Why, maxSentence)}
		row.State, row.Class = drillState(r.State)
		if r.Of > 0 {
			row.After = drillAfter(r.Seconds)
			row.Exposed = phrase.Number(r.Exposed) + " of " + phrase.Number(r.Taken)
		}
		v.Rows = append(v.Rows, row)
	}
	order := map[string]int{}
	for i, s := range drillStates() {
		word, class := drillState(s)
		order[word] = i
		v.Counts = append(v.Counts, DrillCount{Word: word, Class: class, N: phrase.Count(int64(counts[s])), n: counts[s]})
	}
	slices.SortStableFunc(v.Rows, func(a, b DrillRow) int { return cmp.Compare(order[a.State], order[b.State]) })
	return v
}

func drillTraffic(on api.DrillTraffic) string {
	if on == api.DrillRecorded {
		return "recorded traffic"
	}
	return "made-up traffic"
}

// drillAfter says the time to detection.
func drillAfter(seconds float64) string {
	switch {
	case !(seconds >= 0) || seconds > 1e9:
		return "never"
	case seconds < 1:
		return "at once"
	}
	return phrase.Length(time.Duration(seconds * float64(time.Second)))
}

// DrillTrend draws what became of the breaches of drills, given newest first, over time.
func DrillTrend(all []Drill) template.HTML {
	var columns [][]int
	classes := []string{"is-good", "is-warn", "is-bad", "is-unseen"}
	for _, d := range slices.Backward(all) {
		if !d.HasOutcomes {
			continue
		}
		of := map[string]int{}
		for _, c := range d.Counts {
			of[c.Class] = c.n
		}
		columns = append(columns, []int{of["good"], of["warn"], of["bad"], of["unseen"]})
	}
	if len(columns) < 2 {
		return ""
	}
	return chart.Stack("drill-trend", "Drills over time", "Each column is a drill, the newest last: found at the bottom, then partly, missed, and what cannot be seen. The table says the same.", classes, columns)
}
