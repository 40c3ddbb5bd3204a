package app

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"vigil"
	"vigil/dashboards/audit"
	"vigil/dashboards/phrase"
	"vigil/internal/ledger"
)

const (
	// auditListed bounds the findings that a report lists as the gravest.
	auditListed = 100
	// auditCases bounds the cases that are asked for at once.
	auditCases = 500
	// consentRule is the rule that tells of reads after consent had ended.
	consentRule = "consent-withdrawn"
)

// listed is a finding with what it is sorted by.
type listed struct {
	audit.Finding
	harm float64
}

// findings counts what was found and what people said of it.
func (g *gathering) findings(ctx context.Context) error {
	f := &g.report.Findings
	bySeverity, byScenario := map[vigil.Severity]*audit.Outcomes{}, map[string]*audit.Outcomes{}
	var all []listed
	var verdicts []time.Duration
	consent := &g.report.Consent
	consent.Told = g.told[vigil.FactConsent]
	damaged, err := g.ledger.EachFinding(ctx, g.from, g.to, func(x *vigil.Finding) {
		f.Total++
		row := findingRow(x)
		outcomesOf(bySeverity, x.Severity, phrase.Severity(x.Severity)).Add(row.Verdict)
		outcomesOf(byScenario, row.Scenario, row.Scenario).Add(row.Verdict)
		if v := x.Verdict; v != nil && !v.Time.Before(x.Detected) {
			verdicts = append(verdicts, v.Time.Sub(x.Detected))
		}
		switch {
		case x.About == vigil.AboutSource:
			g.report.Coverage.Silences = append(g.report.Coverage.Silences, row)
		case x.Rule == "":
			f.Spent++
			if row.Verdict == vigil.WordExpected {
				f.Wrong++
			}
		case x.Rule == consentRule:
			consent.Findings = append(consent.Findings, row)
			consent.Reads += x.Events
			consent.Customers += max(0, x.Subjects)
		}
		all = append(all, listed{row, x.Harm})
	})
	if err != nil {
		return err
	}
	g.damaged += damaged
	slices.SortStableFunc(all, func(a, b listed) int {
		bad := func(l *listed) int {
			if l.Verdict.Bad() {
				return 1
			}
			return 0
		}
		return cmp.Or(cmp.Compare(bad(&b), bad(&a)), cmp.Compare(b.Severity.Rank(), a.Severity.Rank()), cmp.Compare(b.harm, a.harm), cmp.Compare(a.ID, b.ID))
	})
	for i := range all[:min(len(all), auditListed)] {
		f.List = append(f.List, all[i].Finding)
	}
	f.More = len(all) - len(f.List)
	for _, s := range []vigil.Severity{vigil.SeverityCritical, vigil.SeverityHigh, vigil.SeverityMedium, vigil.SeverityLow} {
		if o := bySeverity[s]; o != nil {
			f.Severities = append(f.Severities, *o)
		}
		delete(bySeverity, s)
	}
	for _, s := range slices.Sorted(maps.Keys(bySeverity)) {
		f.Severities = append(f.Severities, *bySeverity[s])
	}
	for _, s := range slices.Sorted(maps.Keys(byScenario)) {
		f.Scenarios = append(f.Scenarios, *byScenario[s])
	}
	f.ToVerdict, f.Judged = median(verdicts), len(verdicts)
	f.Asked, f.Days = cmp.Or(g.cfg.Budget, g.budget), min(g.to.Sub(g.from), max(0, g.report.Made.Sub(g.from))).Hours()/24
	if err := g.cases(ctx); err != nil {
		return err
	}
	return g.excused(ctx)
}

func outcomesOf[K comparable](m map[K]*audit.Outcomes, key K, name string) *audit.Outcomes {
	if m[key] == nil {
		m[key] = &audit.Outcomes{Name: name}
	}
	return m[key]
}

func findingRow(f *vigil.Finding) audit.Finding {
	row := audit.Finding{ID: f.ID, Severity: f.Severity, Detected: f.Detected, Sentence: f.Sentence, Scenario: phrase.Found(f.Lane, f.Rule)}
	switch f.About {
	case vigil.AboutSubject:
		row.Who = f.Subject
	case vigil.AboutNetwork:
		row.Who = f.Network
	case vigil.AboutTeam:
		row.Who = f.Team
	case vigil.AboutSource:
		row.Who = f.Source
	default:
		row.Who = f.Actor
	}
	if f.Verdict != nil {
		row.Verdict = f.Verdict.Word
	}
	return row
}

// median is the middle one, the lower of two; zero for none.
func median(all []time.Duration) time.Duration {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[(len(all)-1)/2]
}

// cases counts what people worked on of those that were opened in the period.
func (g *gathering) cases(ctx context.Context) error {
	out := &audit.Cases{}
	var times []time.Duration
	for offset := 0; ; offset += auditCases {
		some, total, err := g.ledger.Cases(ctx, ledger.CaseFilter{OpenedFrom: g.from, OpenedTo: g.to, Limit: auditCases, Offset: offset})
		if err != nil {
			return err
		}
		out.Total = total
		for i := range some {
			c := &some[i]
			switch c.State {
			case vigil.CaseNew:
				out.New++
			case vigil.CaseAcknowledged:
				out.Acknowledged++
			case vigil.CaseResolved:
				out.Resolved++
			}
			if c.Held != "" {
				out.Held++
			}
			if c.Aware != nil {
				out.Aware++
			}
			if m := c.Acknowledged; m != nil && !m.Time.Before(c.Opened) {
				times = append(times, m.Time.Sub(c.Opened))
			}
		}
		if offset+auditCases >= total {
			break
		}
	}
	g.report.Findings.Cases, g.report.Findings.ToAcknowledge, g.report.Findings.Acknowledged = out, median(times), len(times)
	return nil
}

// excused lists exceptions and silences that had to do with the period.
func (g *gathering) excused(ctx context.Context) error {
	f := &g.report.Findings
	exceptions, err := g.ledger.Exceptions(ctx)
	if err != nil {
		return err
	}
	for i := range exceptions {
		x := &exceptions[i]
		if !g.concerns(x.Time, x.From, x.To) {
			continue
		}
		f.Exceptions = append(f.Exceptions, audit.Exception{
			ID: x.ID, By: x.By, Scope: string(x.Scope), Who: cmp.Or(x.Who.Actor, x.Who.Role), Made: x.Time, To: x.To, Note: x.Note,
			State: g.state(x.Ended, x.To),
		})
	}
	silences, err := g.ledger.Silences(ctx)
	if err != nil {
		return err
	}
	for i := range silences {
		s := &silences[i]
		if !g.concerns(s.Time, s.From, s.To) {
			continue
		}
		f.Silences = append(f.Silences, audit.Silence{
			ID: s.ID, By: s.By, What: matches(&s.Match), Made: s.Time, To: s.To, Note: s.Note, State: g.state(s.Ended, s.To),
		})
	}
	slices.SortFunc(f.Exceptions, func(a, b audit.Exception) int { return cmp.Or(a.Made.Compare(b.Made), cmp.Compare(a.ID, b.ID)) })
	slices.SortFunc(f.Silences, func(a, b audit.Silence) int { return cmp.Or(a.Made.Compare(b.Made), cmp.Compare(a.ID, b.ID)) })
	return nil
}

// concerns says that something was made in the period, or held at some time of it.
func (g *gathering) concerns(made, from, to time.Time) bool {
	return !made.Before(g.from) && made.Before(g.to) || from.Before(g.to) && to.After(g.from)
}

func (g *gathering) state(ended bool, to time.Time) string {
	switch {
	case ended:
		return "ended by hand"
	case !to.After(g.to):
		return "over"
	}
	return "holds"
}

// matches says in words what a silence is for.
func matches(m *vigil.Match) string {
	var parts []string
	add := func(what string, of []string) {
		if len(of) > 0 {
			parts = append(parts, what+" "+strings.Join(of[:min(len(of), 5)], ", "))
		}
	}
	if m.MinSeverity != "" {
		parts = append(parts, "from severity "+string(m.MinSeverity))
	}
	if m.MaxSeverity != "" {
		parts = append(parts, "up to severity "+string(m.MaxSeverity))
	}
	var about []string
	for _, a := range m.About {
		about = append(about, string(a))
	}
	add("about", about)
	for _, l := range []struct {
		what string
		of   []string
	}{
		{"scenario", m.Scenarios}, {"store", m.Stores}, {"source", m.Sources}, {"tenant", m.Tenants},
		{"team", m.Teams}, {"role", m.Roles}, {"actor", m.Actors},
	} {
		add(l.what, l.of)
	}
	return strings.Join(parts, "; ")
}
