package view

import (
	"time"

	"vigil/dashboards/phrase"
	"vigil/internal/api"
)

// RulePreview is what a rule would have told, as it is shown.
type RulePreview struct {
	Rule, Range, Sentence string
	PerDay, Budget        string
	Top                   []PreviewActor
	Warnings              []string
}

// PreviewActor is one whom the rule hit.
type PreviewActor struct {
	Name, Tenant, Hits string
	First, Last        Moment
}

// NewRulePreview makes it; nil for nil.
func NewRulePreview(p *api.RulePreview, now time.Time) *RulePreview {
	if p == nil {
		return nil
	}
	v := &RulePreview{
		Rule: phrase.Text(p.Rule, 64), Range: phrase.Range(p.From, p.To), PerDay: phrase.Number(p.PerDay), Budget: phrase.Number(p.Budget),
		Sentence: "It fires on " + phrase.Count(p.Hits) + " of " + phrase.Plural(p.Events, "access", "accesses") + ", of " + phrase.Count(int64(p.HitActors)) +
			" of " + phrase.Plural(int64(p.Actors), "actor", "actors") + ", on " + phrase.Count(int64(p.HitDays)) + " of " + phrase.Plural(int64(p.Days), "day", "days") +
			". It would have told " + phrase.Plural(int64(p.Findings), "finding", "findings") + " or more.",
	}
	for _, a := range p.Top {
		v.Top = append(v.Top, PreviewActor{phrase.Text(a.Actor, 80), phrase.Text(a.Tenant, 80), phrase.Count(a.Hits), moment(a.First, now), moment(a.Last, now)})
	}
	for _, w := range p.Warnings {
		v.Warnings = append(v.Warnings, phrase.Prose(w, 400))
	}
	return v
}
