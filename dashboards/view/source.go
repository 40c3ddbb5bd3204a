package view

import (
	"html/template"
	"time"

	"vigil/dashboards/chart"
	"vigil/dashboards/phrase"
	"vigil/internal/api"
)

// SourceHealth is a source with all that is known of it, ready to print.
type SourceHealth struct {
	Source

	// State is a word, Class a name for style sheets, Bad that it asks for somebody.
	State, Class string
	Bad          bool
	Fault        string
	Accepted     Moment
	// Lag is how far behind it was, empty where it was not.
	Lag        string
	Duplicates string
	// LastHour is how many events it had in the last full hour, Usual how many it has in
	// such an hour, empty where nobody knows; Spark draws the day.
	LastHour, Usual string
	Spark           template.HTML
	Findings        []SourceFinding
}

// SourceFinding is an open finding about a source.
type SourceFinding struct{ Severity, Class, Path, Headline string }

// maxSources bounds the sources on a page.
const maxSources = 500

// NewSources makes sources ready to print: those first that ask for somebody. more is how
// many there are besides. path makes the address of a finding.
func NewSources(all []api.Source, now time.Time, path func(id string) string) (out []SourceHealth, more int) {
	for _, bad := range [...]bool{true, false} {
		for i := range all {
			s := &all[i]
			if asksForSomebody(s) != bad {
				continue
			}
			if len(out) == maxSources {
				more++
				continue
			}
			out = append(out, newSourceHealth(s, now, path))
		}
	}
	return out, more
}

func asksForSomebody(s *api.Source) bool {
	return s.State == api.SourceFailing || s.State == api.SourceSilent || len(s.Findings) > 0
}

func newSourceHealth(s *api.Source, now time.Time, path func(id string) string) SourceHealth {
	v := SourceHealth{
		Source: newSource(s, now), State: phrase.Text(string(s.State), 20), Class: sourceClass(s.State), Bad: asksForSomebody(s),
		Fault: phrase.Prose(s.Fault, maxSentence), Accepted: moment(s.Accepted, now), Duplicates: phrase.Count(s.Duplicates), Spark: chart.Spark(s.PerHour),
	}
	if s.Lag >= time.Second {
		v.Lag = phrase.Length(s.Lag)
	}
	if n := len(s.PerHour); n > 0 {
		v.LastHour = phrase.Count(s.PerHour[n-1])
	}
	if s.Usual >= 0 {
		v.Usual = phrase.Count(int64(s.Usual + 0.5))
	}
	for _, f := range s.Findings[:min(len(s.Findings), maxList)] {
		headline, _ := phrase.Headline(f.Sentence)
		v.Findings = append(v.Findings, SourceFinding{
			Severity: phrase.Severity(f.Severity), Class: class(f.Severity), Path: path(f.ID), Headline: phrase.Prose(headline, maxSentence),
		})
	}
	return v
}

// sourceClass names a state for style sheets, of the closed set.
func sourceClass(s api.SourceState) string {
	switch s {
	case api.SourceFailing, api.SourceSilent, api.SourceBehind, api.SourceReading:
		return "is-" + string(s)
	}
	return "is-never"
}
