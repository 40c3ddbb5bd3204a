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

// maxSilences bounds those that hold at once.
const maxSilences = 200

// Silence implements api.Silencer.
func (d *desk) Silence(ctx context.Context, ask api.Silencing) (api.Silenced, error) {
	if !(ask.For > 0 && ask.For <= vigil.MaxSilence.Seconds()) {
		return api.Silenced{}, fmt.Errorf("%w: a silence holds for a time of up to %d days", api.ErrRefused, vigil.MaxSilence/(24*time.Hour))
	}
	now := d.now().UTC().Round(0)
	name, by := d.speaker(ctx, ask.By)
	s := vigil.Silence{
		By: by, Note: ask.Note, Time: now, Match: ask.Match,
		From: now, To: now.Add(time.Duration(ask.For * float64(time.Second))),
	}
	covered, err := d.silence(ctx, &s, d.namesOf(ctx, name), api.DeedOf(ctx), ask.Preview)
	if err != nil {
		return api.Silenced{}, err
	}
	out := api.Silenced{Silence: s, Since: covered.Since, Total: covered.WhollyTotal, Breaches: covered.Breaches, Says: covered.Says, Findings: []string{}}
	for i := range covered.Wholly {
		out.Findings = append(out.Findings, covered.Wholly[i].ID)
	}
	return out, nil
}

// silence makes a silence, or tells what it would have kept back, of somebody with these
// logins. The deed's id is empty where it can't come twice.
func (d *desk) silence(ctx context.Context, s *vigil.Silence, names []string, deedID string, preview bool) (*alerts.Covered, error) {
	refuse := func(err error) (*alerts.Covered, error) { return nil, fmt.Errorf("%w: %w", api.ErrRefused, err) }
	s.ID = silenceID(s, deedID)
	asked := *s
	if preview && asked.Note == "" {
		asked.Note = "preview" // the reason can come later
	}
	if err := asked.Clean(); err != nil {
		return refuse(err)
	}
	if !preview {
		*s = asked
	}
	if preview {
		if err := d.audit(ctx, s.By, "silence previewed", matchWords(&s.Match)); err != nil {
			return nil, err
		}
	}
	out, own, err := d.silenced(ctx, s, names)
	if err != nil || preview {
		return out, err
	}
	if !own {
		if own, err = d.shields(ctx, s, names); err != nil {
			return nil, err
		}
	}
	if own {
		return refuse(errors.New("whom a silence protects can't make it: ask somebody else"))
	}
	all, err := d.ledger.Silences(ctx)
	if err != nil {
		return nil, err
	}
	if holding := slices.DeleteFunc(all, func(x vigil.Silence) bool { return !x.Holds(s.From) }); len(holding) >= maxSilences {
		return refuse(fmt.Errorf("%d silences hold already, at most %d may: end some first", len(holding), maxSilences))
	}
	err = d.book.keep(ctx, ledger.Casework{
		Deed: deedID, Silences: []vigil.Silence{*s},
		Audit: []ledger.AuditRecord{{Time: s.Time, Who: s.By, What: "silence made", Object: "silence " + s.ID + ": " + out.Says}},
	})
	if errors.Is(err, ledger.ErrDone) {
		err = nil
	}
	return out, err
}

// shields reports whether a silence is for findings about somebody with these logins: by
// their pseudonym, or by their role and team as of what they did lately. One for a store, a
// source or a severity is for everybody, and so for nobody.
func (d *desk) shields(ctx context.Context, s *vigil.Silence, names []string) (bool, error) {
	m := &s.Match
	if d.people == nil || len(m.Actors)+len(m.Roles)+len(m.Teams) == 0 {
		return false, nil
	}
	aliases := d.people().aliases(names, m.Tenants...)
	if len(m.Actors) > 0 {
		return slices.ContainsFunc(m.Actors, func(a string) bool { return slices.Contains(aliases, a) }), nil
	}
	now, err := d.eventNow(ctx)
	if err != nil {
		return false, err
	}
	page, err := d.ledger.Events(ctx, ledger.EventQuery{Actors: aliases, From: now.Add(-previewed), To: now.Add(time.Second), Limit: shieldedEvents})
	if err != nil {
		return false, err
	}
	fits := func(list []string, have string) bool { return len(list) == 0 || slices.Contains(list, have) }
	return slices.ContainsFunc(page.Events, func(e *vigil.Event) bool {
		return fits(m.Roles, e.Actor.Role) && fits(m.Teams, e.Actor.Team) && fits(m.Tenants, e.Actor.Tenant)
	}), nil
}

// shieldedEvents bounds the accesses by which somebody's role and team are known.
const shieldedEvents = 10_000

// silenced looks at what a silence would have kept back in the last 30 days, but for what
// somebody with these logins had a part in, and reports whether there was such.
func (d *desk) silenced(ctx context.Context, s *vigil.Silence, names []string) (out *alerts.Covered, own bool, err error) {
	now, err := d.eventNow(ctx)
	if err != nil {
		return nil, false, err
	}
	out = &alerts.Covered{Since: now.Add(-previewed), Says: matchWords(&s.Match)}
	for offset := 0; offset < previewFindings; {
		page, err := d.ledger.Findings(ctx, api.FindingFilter{Limit: 500, Offset: offset})
		if err != nil {
			return nil, false, err
		}
		for i := range page.Findings {
			f := &page.Findings[i]
			if f.End.Before(out.Since) || !alerts.Silences(s, f) {
				continue
			}
			if d.people != nil && d.people().took(names, f) {
				own = true
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
	return out, own, nil
}

// EndSilence implements api.Silencer.
func (d *desk) EndSilence(ctx context.Context, id, by string) (vigil.Silence, error) {
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
	if _, s.EndedBy = d.speaker(ctx, by); s.EndedBy == "" {
		return s, fmt.Errorf("%w: nobody is named who ends the silence", api.ErrRefused)
	}
	s.Ended = true
	return s, d.book.keep(ctx, ledger.Casework{
		Silences: []vigil.Silence{s},
		Audit:    []ledger.AuditRecord{{Time: d.now().UTC(), Who: s.EndedBy, What: "silence ended", Object: "silence " + s.ID}},
	})
}

// Silences implements api.Silencer.
func (d *desk) Silences(ctx context.Context) ([]vigil.Silence, error) {
	if err := d.audit(ctx, cmp.Or(api.PersonOf(ctx).By, commandLine), "silences listed", ""); err != nil {
		return nil, err
	}
	all, err := d.ledger.Silences(ctx)
	slices.SortFunc(all, func(a, b vigil.Silence) int { return cmp.Or(b.Time.Compare(a.Time), cmp.Compare(a.ID, b.ID)) })
	return all, err
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
	default:
		parts = append(parts, "findings")
	}
	for _, a := range m.About {
		parts = append(parts, "about a "+string(a))
	}
	for _, name := range slices.Sorted(maps.Keys(lists)) {
		if l := lists[name]; len(l) > 0 {
			parts = append(parts, "of "+name+" "+alerts.Cut(alerts.Clean(strings.Join(l, " or ")), 200))
		}
	}
	return strings.Join(parts, ", ")
}

// silenceID is the same for the same deed, and else another each time.
func silenceID(s *vigil.Silence, deedID string) string {
	x := vigil.Exception{Finding: s.By, Scope: "silence", Time: s.Time}
	return "s" + strings.TrimPrefix(exceptionID(&x, deedID), "x")
}

var _ api.Silencer = (*desk)(nil)
