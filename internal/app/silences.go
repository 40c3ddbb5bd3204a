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
	names := logins([]string{ask.By})
	if d.people != nil {
		if who := d.people().named(ask.By); who != nil {
			names = append(names, who.logins...)
		}
	}
	if !(ask.For > 0 && ask.For <= vigil.MaxSilence.Seconds()) {
		return api.Silenced{}, fmt.Errorf("%w: a silence holds for a time of up to %d days", api.ErrRefused, vigil.MaxSilence/(24*time.Hour))
	}
	now := d.now().UTC().Round(0)
	s := vigil.Silence{
		By: d.pseudonyms.Actor("", ask.By), Note: ask.Note, Time: now, Match: ask.Match,
		From: now, To: now.Add(time.Duration(ask.For * float64(time.Second))),
	}
	covered, err := d.silence(ctx, &s, names, "", ask.Preview)
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
	s.ID = silenceID(s)
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
	if s.EndedBy = d.pseudonyms.Actor("", by); s.EndedBy == "" {
		return s, fmt.Errorf("%w: nobody is named who ends the silence", api.ErrRefused)
	}
	s.Ended = true
	return s, d.ledger.Work(ctx, ledger.Casework{
		Silences: []vigil.Silence{s},
		Audit:    []ledger.AuditRecord{{Time: d.now().UTC(), Who: s.EndedBy, What: "silence ended", Object: "silence " + s.ID}},
	})
}

// Silences implements api.Silencer.
func (d *desk) Silences(ctx context.Context) ([]vigil.Silence, error) {
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

func silenceID(s *vigil.Silence) string {
	x := vigil.Exception{Finding: s.By, Scope: "silence", Time: s.Time}
	return "s" + strings.TrimPrefix(exceptionID(&x), "x")
}

var _ api.Silencer = (*desk)(nil)
