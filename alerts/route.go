package alerts

import (
	"slices"

	"vigil"
)

// route says who is told of a finding: the targets of the first route that fits, and of
// those below it as long as they say "continue"; of all taken together, the first
// escalation counts. What no route fits goes to the default. Nobody named means that
// the finding is held.
func (p *Policy) route(f *vigil.Finding, all []string) Target {
	var t Target
	fits := false
	for i := range p.Routes {
		r := &p.Routes[i]
		if !r.Match.Fits(f) {
			continue
		}
		fits = true
		for _, n := range r.Notify {
			if !slices.Contains(t.Notify, n) {
				t.Notify = append(t.Notify, n)
			}
		}
		if t.Escalation == "" {
			t.Escalation = r.Escalation
		}
		if !r.Continue {
			return t
		}
	}
	switch {
	case fits:
		return t
	case len(p.Default.Notify) == 0:
		return Target{Notify: slices.Clone(all), Escalation: p.Default.Escalation}
	}
	return Target{Notify: slices.Clone(p.Default.Notify), Escalation: p.Default.Escalation}
}
