package alerts

import (
	"slices"
	"time"

	"vigil"
)

// inhibitFor is how long ago a case may have been told last and still stand for another.
const inhibitFor = 24 * time.Hour

// Standing is a case that people were told of.
type Standing struct {
	Case vigil.Case
	// Lead is the finding that speaks for it, Told what was told of it.
	Lead *vigil.Finding
	Told Told
}

func (s *Standing) member() Member {
	return Member{ID: s.Case.ID, Severity: s.Case.Severity, Harm: s.Case.Harm}
}

// Cases is what the pipeline asks of who keeps the cases. It is called on the pipeline's
// goroutine, at most once per decision, for few findings; it should answer from memory.
type Cases interface {
	// Told returns the cases that are not resolved and of which a message was sent since
	// a time. More do no harm.
	Told(since time.Time) []Standing
}

// CasesFunc is a func as Cases.
type CasesFunc func(since time.Time) []Standing

// Told calls the func.
func (f CasesFunc) Told(since time.Time) []Standing { return f(since) }

// inhibitor returns the case that tells a finding already, nil when none does: such a
// finding is said below that case's card instead of by a card of its own. The gravest
// that does is taken.
//
//   - What a network, a team or a customer's readers did is told by the cases of the
//     people who did it, where each of them has one that is at least as grave.
//   - A source's silence is told by the outage that lists the source.
//   - Rules of the user's own say what else is.
//
// A critical finding is told by itself unless the other is critical too, or the rule's
// mute says critical.
func (p *Policy) inhibitor(f *vigil.Finding, own string, cases Cases, now time.Time) *Standing {
	byPeople := f.About != vigil.AboutActor && f.About != vigil.AboutSource && len(f.Actors) > 0 && len(f.Actors) < actorList
	bySource := f.About == vigil.AboutSource && len(f.Sources) == 0 && silent(f)
	byRule := slices.ContainsFunc(p.Inhibit, func(r InhibitRule) bool { return reaches(&r.Mute, f) })
	if cases == nil || !byPeople && !bySource && !byRule {
		return nil
	}
	since := now.Add(-inhibitFor)
	open := slices.Clone(cases.Told(since))
	open = slices.DeleteFunc(open, func(s Standing) bool {
		return s.Case.ID == own || s.Case.State == vigil.CaseResolved || s.Lead == nil || s.Told.At.Before(since) || len(s.Told.Notifiers) == 0
	})
	slices.SortStableFunc(open, func(a, b Standing) int {
		return -a.member().Compare(b.member())
	})
	if byPeople {
		if s := peopleTell(f, open); s != nil {
			return s
		}
	}
	for i := range open {
		s := &open[i]
		if bySource && s.Case.Tenant == f.Tenant && s.Case.Severity.Rank() >= f.Severity.Rank() &&
			s.Lead.About == vigil.AboutSource && slices.Contains(s.Lead.Sources, f.Source) {
			return s
		}
		if byRule && slices.ContainsFunc(p.Inhibit, func(r InhibitRule) bool {
			return r.When.Fits(s.Lead) && reaches(&r.Mute, f) && !slices.ContainsFunc(r.Equal, func(e string) bool { return !equals[e](s.Lead, f) })
		}) {
			return s
		}
	}
	return nil
}

// peopleTell returns the gravest case of those who took part, when each has one. The
// cases are sorted, the gravest first.
func peopleTell(f *vigil.Finding, open []Standing) *Standing {
	first := len(open)
	for _, a := range f.Actors {
		i := slices.IndexFunc(open, func(s Standing) bool {
			return s.Case.About == vigil.AboutActor && s.Case.Actor == a && (f.Tenant == "" || s.Case.Tenant == f.Tenant) &&
				s.Case.Severity.Rank() >= f.Severity.Rank()
		})
		if i < 0 {
			return nil
		}
		first = min(first, i)
	}
	return &open[first]
}

// silent reports whether a finding about a source says that nothing comes of it.
func silent(f *vigil.Finding) bool {
	return slices.ContainsFunc(f.Contributions, func(c vigil.Contribution) bool { return c.Observation == "silence" })
}

// equals are what two findings can agree in. What neither tells they do not agree in.
var equals = map[string]func(a, b *vigil.Finding) bool{
	"actor":  func(a, b *vigil.Finding) bool { return shares(actorsOf(a), actorsOf(b)) },
	"team":   func(a, b *vigil.Finding) bool { return a.Team != "" && a.Team == b.Team },
	"tenant": func(a, b *vigil.Finding) bool { return a.Tenant == b.Tenant },
	"store":  func(a, b *vigil.Finding) bool { return shares(a.Stores, b.Stores) },
	"source": func(a, b *vigil.Finding) bool { return shares(sourcesOf(a), sourcesOf(b)) },
}

func actorsOf(f *vigil.Finding) []string  { return append([]string{f.Actor}, f.Actors...) }
func sourcesOf(f *vigil.Finding) []string { return append([]string{f.Source}, f.Sources...) }

func shares(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return s != "" && slices.Contains(b, s) })
}
