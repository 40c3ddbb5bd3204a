package triage

import (
	"slices"
	"strconv"
	"time"

	"vigil"
)

// Features names what holds of a finding, in plain words and sorted: what fired, how
// clearly, and the circumstances. Nothing in it names anybody.
func Features(f *vigil.Finding) []string {
	set := map[string]bool{}
	add := func(name string, holds bool) {
		if holds {
			set[name] = true
		}
	}
	add("about: "+string(f.About), f.About != "")
	add("role: "+f.Role, f.Role != "")
	add("kind: "+string(f.ActorKind), f.ActorKind != "")
	add("lane: "+f.Lane, f.Lane != "")
	add("rule: "+f.Rule, f.Rule != "")
	add("severity: "+string(f.Severity), f.Severity != "")
	add("begins: "+hours(f.Start), !f.Start.IsZero())
	for _, s := range f.NotJudged {
		add("not told: "+s, true)
	}
	reasons(f, add)
	for i := range f.Contributions {
		fired(&f.Contributions[i], add)
	}
	for _, s := range steps("customers", float64(f.Subjects), 10, 30, 100, 1000) {
		add(s, true)
	}
	for _, s := range steps("conversations", float64(f.Conversations), 10, 100) {
		add(s, true)
	}
	for _, s := range steps("rows", float64(f.Rows), 1_000, 100_000) {
		add(s, true)
	}
	for _, s := range steps("decades over the line", f.Evidence-f.Threshold, 1, 3, 6) {
		add(s, true)
	}
	for _, s := range steps("hours long", f.End.Sub(f.Start).Hours(), 1, 12, 72) {
		add(s, true)
	}
	for _, s := range steps("actors", float64(len(f.Actors)), 2, 5, 20) {
		add(s, true)
	}
	add("several networks", len(f.Networks) > 1)
	add("several resources", len(f.Resources) > 1)
	out := make([]string, 0, len(set))
	for name := range set {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// reasons names what was looked for to make the reads legitimate, and for how many of
// the customers it was found. Where nobody is named no share is told.
func reasons(f *vigil.Finding, add func(string, bool)) {
	if len(f.ReasonsLooked) == 0 {
		return
	}
	add("reasons were looked for", true)
	if f.Subjects <= 0 {
		return
	}
	add("no reason for most customers", 2*f.Unreasoned > f.Subjects)
	add("a reason for some customers", f.Unreasoned < f.Subjects)
}

// The contributions that count: those with a part of the evidence, and those that are
// rare. clear is how rare is beyond doubt, main what part carries the finding.
const (
	leastShare = 0.02
	rareP      = 1e-2
	clearP     = 1e-4
	mainShare  = 0.25
)

// fired names one contribution.
func fired(c *vigil.Contribution, add func(string, bool)) {
	if c.Share < leastShare && c.P > rareP {
		return
	}
	what := c.Observation
	if c.Model == "novelty" && c.Form() == vigil.FormValue {
		what = "new " + c.Observation
	}
	add(what, true)
	add(what+" by the "+c.Span, c.Span != "")
	add(what+" for "+c.Frame, c.Frame != "")
	add(what+", beyond doubt", c.P <= clearP)
	add(what+", mainly", c.Share >= mainShare)
	add("mainly "+c.Model, c.Share >= mainShare)
}

// steps names the bounds that a value reaches.
func steps(what string, v float64, bounds ...float64) (out []string) {
	for _, b := range bounds {
		if v >= b {
			out = append(out, what+" from "+strconv.FormatFloat(b, 'f', -1, 64)+" on")
		}
	}
	return out
}

// hours is the class of the hour, UTC.
func hours(t time.Time) string {
	t = t.UTC()
	switch h := t.Hour(); {
	case t.Weekday() == time.Saturday || t.Weekday() == time.Sunday:
		return "at the weekend"
	case h < 6 || h >= 22:
		return "at night"
	case h >= 18:
		return "in the evening"
	}
	return "by day"
}
