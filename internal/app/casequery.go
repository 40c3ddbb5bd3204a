package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"vigil"
	"vigil/alerts"
	"vigil/internal/api"
	"vigil/internal/ledger"
)

func sortedReadings(by map[string]*readingBy) []readingBy {
	out := make([]readingBy, 0, len(by))
	for _, r := range by {
		out = append(out, *r)
	}
	slices.SortFunc(out, func(a, b readingBy) int { return cmp.Or(b.last.Compare(a.last), cmp.Compare(a.actor, b.actor)) })
	return out
}

// topCases is how many cases are told at most when the gravest are asked for.
const topCases = 10

// top tells the gravest cases that are not resolved.
func (d *caseDesk) top(ctx context.Context, who *person) (alerts.Outcome, error) {
	if err := d.desk.audit(ctx, who.by, "look", "cases"); err != nil {
		return alerts.Outcome{}, err
	}
	cases, total, err := d.desk.ledger.Cases(ctx, ledger.CaseFilter{Unresolved: true, Limit: topCases})
	if err != nil {
		return alerts.Outcome{}, err
	}
	out := alerts.Outcome{Text: "No case is open.", Cases: cases, Link: "/"}
	if total > 0 {
		out.Text = alerts.Count(int64(total), "case is", "cases are") + " not resolved."
	}
	for i := range cases {
		out.Lines = append(out.Lines, caseLine(&cases[i]))
	}
	return out, nil
}

// caseLine says a case on one line.
func caseLine(c *vigil.Case) string {
	parts := []string{alerts.SeverityWord(c.Severity) + ": " + alerts.CaseTitle(c), "since " + alerts.Moment(c.Start), string(c.State)}
	if c.Total > 1 {
		parts = append(parts, alerts.Count(int64(c.Total), "finding", "findings"))
	}
	return strings.Join(parts, " · ")
}

// standing tells how vigil is.
func (d *caseDesk) standing(ctx context.Context) (alerts.Outcome, error) {
	s, err := d.status(ctx)
	if err != nil {
		return alerts.Outcome{}, err
	}
	_, open, err := d.desk.ledger.Cases(ctx, ledger.CaseFilter{Unresolved: true, Limit: 1})
	if err != nil {
		return alerts.Outcome{}, err
	}
	out := alerts.Outcome{Text: "vigil watches " + alerts.Count(int64(len(s.Sources)), "source", "sources") + ".", Link: "/"}
	out.Lines = append(out.Lines,
		alerts.Count(s.Events, "access", "accesses")+" judged, up to "+alerts.Moment(s.Watermark),
		alerts.Count(int64(open), "case is", "cases are")+" not resolved")
	if s.Quarantined > 0 {
		out.Lines = append(out.Lines, alerts.Count(s.Quarantined, "record", "records")+" set aside that could not be read")
	}
	for _, l := range s.Lanes {
		if !l.Ready {
			out.Lines = append(out.Lines, fmt.Sprintf("the lane %q warms up: %s", l.Name, l.Why))
		}
	}
	if s.Note != "" {
		out.Lines = append(out.Lines, "to know: "+alerts.Cut(alerts.Clean(s.Note), 500))
	}
	return out, nil
}

// covered tells an exception's preview in the words of messages.
func (d *caseDesk) covered(ctx context.Context, c *api.Covered) *alerts.Covered {
	x := &c.Exception
	out := &alerts.Covered{
		Since: c.Since, Says: exceptionWords(x), Events: c.Events, Of: c.Of,
		WhollyTotal: len(c.Wholly), PartlyTotal: len(c.Partly),
	}
	take := func(ids []string, into *[]vigil.Finding) {
		for _, id := range ids {
			f, err := d.desk.ledger.Finding(ctx, id)
			if err != nil {
				continue // it was pruned meanwhile, or is damaged: it is counted
			}
			if f.Verdict != nil && f.Verdict.Word.Bad() {
				out.Breaches++
			}
			if len(*into) < alerts.MaxCovered {
				*into = append(*into, f)
			}
		}
	}
	take(c.Wholly, &out.Wholly)
	take(c.Partly, &out.Partly)
	return out
}

// exceptionWords says what an exception expects.
func exceptionWords(x *vigil.Exception) string {
	who := "this account"
	if x.Who.Actor == "" {
		who = "everybody of the role " + alerts.Clean(x.Who.Role)
	}
	switch x.Scope {
	case vigil.ScopeNetwork:
		return who + " from " + alerts.Cut(alerts.Clean(strings.Join(x.Values, ", ")), 200)
	case vigil.ScopeResource:
		return who + " in " + alerts.Cut(alerts.Clean(strings.Join(x.Values, ", ")), 200)
	}
	var bounds []string
	for _, b := range x.Bounds {
		bounds = append(bounds, "up to "+alerts.Bound(b.Observation, b.Span, b.Most))
	}
	return who + ": " + alerts.Cut(strings.Join(bounds, ", "), 300)
}

// silence makes or previews a silence.
func (d *caseDesk) silence(ctx context.Context, who *person, a alerts.Act) (alerts.Outcome, error) {
	now := d.book.now().UTC().Round(0)
	s := vigil.Silence{ID: silenceID(who.by, now), By: who.by, Note: a.Note, Time: now, Match: a.Match, From: now, To: now.Add(a.For)}
	covered, err := d.desk.silence(ctx, &s, who.logins, a.ID, a.Preview)
	if err != nil {
		return alerts.Outcome{}, notDone(err)
	}
	if a.Preview {
		return alerts.Outcome{Covered: covered}, nil
	}
	return alerts.Outcome{Text: "Until " + alerts.Moment(s.To) + " nothing is told of " + covered.Says + ". It is still in the console and in the digest.", Covered: covered}, nil
}

// maxSilences bounds those that hold at once.
const maxSilences = 200

// silence makes a silence, or tells what it would have kept back, of somebody with these
// logins.
func (d *desk) silence(ctx context.Context, s *vigil.Silence, names []string, deedID string, preview bool) (*alerts.Covered, error) {
	refuse := func(err error) (*alerts.Covered, error) { return nil, fmt.Errorf("%w: %w", api.ErrRefused, err) }
	if preview && s.Note == "" {
		s.Note = "preview"
	}
	if err := s.Clean(); err != nil {
		return refuse(err)
	}
	out, err := d.silenced(ctx, s)
	if err != nil || preview {
		return out, err
	}
	if d.people != nil && len(s.Match.Actors) > 0 {
		for _, t := range append([]string{""}, s.Match.Tenants...) {
			if d.people().is(names, t, s.Match.Actors...) {
				return refuse(errors.New("whom a silence protects can't make it: ask somebody else"))
			}
		}
	}
	all, err := d.ledger.Silences(ctx)
	if err != nil {
		return nil, err
	}
	if holding := slices.DeleteFunc(all, func(x vigil.Silence) bool { return !x.Holds(s.From) }); len(holding) >= maxSilences {
		return refuse(fmt.Errorf("%d silences hold already, at most %d may: end some first", len(holding), maxSilences))
	}
	err = d.ledger.Work(ctx, ledger.Casework{
		Deed: deedID, Silences: []vigil.Silence{*s},
		Audit: []ledger.AuditRecord{{Time: s.Time, Who: s.By, What: "silence made", Object: "silence " + s.ID + ": " + out.Says}},
	})
	if errors.Is(err, ledger.ErrDone) {
		err = nil
	}
	return out, err
}

// silenced looks at what a silence would have kept back in the last 30 days.
func (d *desk) silenced(ctx context.Context, s *vigil.Silence) (*alerts.Covered, error) {
	now, err := d.eventNow(ctx)
	if err != nil {
		return nil, err
	}
	out := &alerts.Covered{Since: now.Add(-previewed), Says: matchWords(&s.Match)}
	for offset := 0; offset < previewFindings; {
		page, err := d.ledger.Findings(ctx, api.FindingFilter{Limit: 500, Offset: offset})
		if err != nil {
			return nil, err
		}
		for i := range page.Findings {
			f := &page.Findings[i]
			if f.End.Before(out.Since) || !alerts.Silences(s, f) {
				continue
			}
			out.WhollyTotal++
			if f.Verdict != nil && f.Verdict.Word.Bad() {
				out.Breaches++
			}
			if len(out.Wholly) < alerts.MaxCovered {
				out.Wholly = append(out.Wholly, *f)
			}
		}
		if offset += 500; offset >= page.Total {
			break
		}
	}
	return out, nil
}

// endSilence ends one by hand.
func (d *desk) endSilence(ctx context.Context, id, by string) (vigil.Silence, error) {
	all, err := d.ledger.Silences(ctx)
	if err != nil {
		return vigil.Silence{}, err
	}
	at := slices.IndexFunc(all, func(s vigil.Silence) bool { return s.ID == id })
	if at < 0 {
		return vigil.Silence{}, fmt.Errorf("silence %q: %w", id, api.ErrNotFound)
	}
	s := all[at]
	if !s.Holds(d.now()) {
		return s, fmt.Errorf("%w: silence %s has ended already", api.ErrRefused, id)
	}
	s.Ended, s.EndedBy = true, d.pseudonyms.Actor("", by)
	if s.EndedBy == "" {
		return s, fmt.Errorf("%w: nobody is named who ends the silence", api.ErrRefused)
	}
	return s, d.ledger.Work(ctx, ledger.Casework{
		Silences: []vigil.Silence{s},
		Audit:    []ledger.AuditRecord{{Time: d.now().UTC(), Who: s.EndedBy, What: "silence ended", Object: "silence " + s.ID}},
	})
}

// matchWords says what a match is for.
func matchWords(m *vigil.Match) string {
	lists := map[string][]string{
		"scenario": m.Scenarios, "store": m.Stores, "source": m.Sources, "tenant": m.Tenants, "team": m.Teams, "role": m.Roles, "account": m.Actors,
	}
	var parts []string
	switch {
	case m.MinSeverity != "" && m.MaxSeverity != "":
		parts = append(parts, "findings from "+string(m.MinSeverity)+" to "+string(m.MaxSeverity))
	case m.MinSeverity != "":
		parts = append(parts, "findings of "+string(m.MinSeverity)+" and above")
	case m.MaxSeverity != "":
		parts = append(parts, "findings up to "+string(m.MaxSeverity))
	}
	for _, a := range m.About {
		parts = append(parts, "about a "+string(a))
	}
	for _, name := range slices.Sorted(maps.Keys(lists)) {
		if l := lists[name]; len(l) > 0 {
			parts = append(parts, name+" "+alerts.Cut(alerts.Clean(strings.Join(l, " or ")), 200))
		}
	}
	return strings.Join(parts, ", ")
}

func silenceID(by string, at time.Time) string {
	x := vigil.Exception{Finding: by, Scope: "silence", Time: at}
	return "s" + strings.TrimPrefix(exceptionID(&x), "x")
}
