package app

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

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

// topCases is how many cases are told at most when the gravest are asked for, out of
// topLooked: those about who asks are passed over.
const (
	topCases  = 10
	topLooked = 5 * topCases
)

// top tells the gravest cases that are not resolved.
func (d *caseDesk) top(ctx context.Context, who *person) (alerts.Outcome, error) {
	if err := d.desk.audit(ctx, who.by, "look", "cases"); err != nil {
		return alerts.Outcome{}, err
	}
	cases, total, err := d.desk.ledger.Cases(ctx, ledger.CaseFilter{Unresolved: true, Limit: topLooked})
	if err != nil {
		return alerts.Outcome{}, err
	}
	cases, own, err := d.book.others(ctx, d.people(), who.logins, cases)
	if err != nil {
		return alerts.Outcome{}, err
	}
	cases, total = cases[:min(len(cases), topCases)], total-len(own)
	out := alerts.Outcome{Text: "No case is open.", Cases: cases, Link: "/"}
	if total > 0 {
		out.Text = alerts.Count(int64(total), "case is", "cases are") + " not resolved."
	}
	for i := range cases {
		out.CaseLinks = append(out.CaseLinks, findingPath(cases[i].Lead))
	}
	return out, nil
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
	s := vigil.Silence{By: who.by, Note: a.Note, Time: now, Match: a.Match, From: now, To: now.Add(a.For)}
	covered, err := d.desk.silence(ctx, &s, who.logins, a.ID, a.Preview)
	if err != nil {
		return alerts.Outcome{}, notDone(err)
	}
	if a.Preview {
		return alerts.Outcome{Covered: covered}, nil
	}
	return alerts.Outcome{Text: "Until " + alerts.Moment(s.To) + " nothing is told of " + covered.Says + ". It is still in the console and in the digest.", Covered: covered}, nil
}
