package alerts

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"vigil"
)

// storyGap is how far apart in event time two findings about the same may lie and still
// be one story.
const storyGap = 72 * time.Hour

// program is who does what nobody does: it is the By of such events.
const program = "vigil"

// CaseID names the case that a finding begins: the same finding gives the same case.
func CaseID(f *vigil.Finding) string {
	sum := sha256.Sum256([]byte("case\x00" + f.ID))
	return "c-" + hex.EncodeToString(sum[:8])
}

// Pick returns the case that a finding belongs to, or nil when it begins one. The
// candidates are the case that lists the finding, resolved or not, and the unresolved
// cases about the same thing; others do no harm.
//
// A finding stays in its case. Another one about the same actor, team, network, customer
// or source of the same tenant joins the unresolved case within 72 hours of its span,
// the nearest first.
func Pick(candidates []vigil.Case, f *vigil.Finding) *vigil.Case {
	var best *vigil.Case
	for i := range candidates {
		c := &candidates[i]
		if slices.Contains(c.Findings, f.ID) || c.ID == CaseID(f) {
			return c
		}
		if c.State == vigil.CaseResolved || !sameThing(c, f) || apart(c, f) > storyGap {
			continue
		}
		if best == nil || cmp.Or(cmp.Compare(apart(c, f), apart(best, f)), c.Opened.Compare(best.Opened), cmp.Compare(c.ID, best.ID)) < 0 {
			best = c
		}
	}
	return best
}

// sameThing reports whether a finding is about what the case is about. What has no name
// is never the same.
func sameThing(c *vigil.Case, f *vigil.Finding) bool {
	var a, b string
	switch f.About {
	case vigil.AboutActor:
		a, b = c.Actor, f.Actor
	case vigil.AboutNetwork:
		a, b = c.Network, f.Network
	case vigil.AboutTeam:
		a, b = c.Team, f.Team
	case vigil.AboutSubject:
		a, b = c.Subject, f.Subject
	case vigil.AboutSource:
		a, b = c.Source, f.Source
	}
	return c.About == f.About && c.Tenant == f.Tenant && a != "" && a == b
}

// apart is the gap between the spans of a case and a finding, zero where they overlap.
func apart(c *vigil.Case, f *vigil.Finding) time.Duration {
	return max(0, f.Start.Sub(c.End), c.Start.Sub(f.End))
}

// Member is a finding of a case as it was told to Join last.
type Member struct {
	ID       string
	Severity vigil.Severity
	Harm     float64
	Open     bool
}

// MemberOf is what Join needs to know of a finding later.
func MemberOf(f *vigil.Finding) Member {
	return Member{ID: f.ID, Severity: f.Severity, Harm: f.Harm, Open: f.State == vigil.StateOpen}
}

// Join takes a revision of a finding into a case, and says what happened. A nil case
// begins one. The members are the case's findings as they were before; this one may be
// among them. Neither is changed.
//
// The gravest member leads: by severity, then harm, then id. A resolved case opens anew
// when a finding joins it or one of its own gets graver, not when one merely closes or
// counts on.
func Join(c *vigil.Case, members []Member, f *vigil.Finding, now time.Time) (vigil.Case, []vigil.CaseEvent) {
	now = now.UTC()
	if c == nil {
		n := vigil.Case{
			ID: CaseID(f), Revision: 1, State: vigil.CaseNew,
			About: f.About, Actor: f.Actor, ActorKind: f.ActorKind, Role: f.Role, Team: f.Team, Tenant: f.Tenant,
			Subject: f.Subject, Source: f.Source, Network: f.Network,
			Findings: []string{f.ID}, Total: 1, Lead: f.ID, Severity: f.Severity, Harm: f.Harm, Open: f.State == vigil.StateOpen,
			Start: f.Start, End: f.End, Opened: now,
		}
		visit(&n, f)
		return n, []vigil.CaseEvent{happened(n.ID, now, vigil.CaseOpened, string(n.Severity))}
	}
	n, was := *c, *c
	n.Findings = slices.Clone(c.Findings)
	n.Revision++
	var events []vigil.CaseEvent
	tell := func(kind vigil.CaseEventKind, text string) { events = append(events, happened(n.ID, now, kind, text)) }

	at := slices.IndexFunc(members, func(m Member) bool { return m.ID == f.ID })
	joins := at < 0 && !slices.Contains(c.Findings, f.ID)
	if joins {
		if n.Total++; len(n.Findings) < vigil.MaxCaseFindings {
			n.Findings = append(n.Findings, f.ID)
		}
		n.Joined = n.Revision
		tell(vigil.CaseJoined, fmt.Sprintf("%s, finding %d", f.Severity, n.Total))
	}
	visit(&n, f)
	if n.Start.IsZero() || !f.Start.IsZero() && f.Start.Before(n.Start) {
		n.Start = f.Start
	}
	if f.End.After(n.End) {
		n.End = f.End
	}

	lead := MemberOf(f)
	n.Open = lead.Open
	for _, m := range members {
		if m.ID == f.ID {
			continue
		}
		n.Open = n.Open || m.Open
		if m.Compare(lead) > 0 {
			lead = m
		}
	}
	n.Lead, n.Severity, n.Harm = lead.ID, lead.Severity, lead.Harm
	if n.Severity.Rank() > was.Severity.Rank() {
		tell(vigil.CaseGrew, fmt.Sprintf("from %s to %s", was.Severity, n.Severity))
	}
	grew := at >= 0 && f.Severity.Rank() > members[at].Severity.Rank()
	if was.State == vigil.CaseResolved && (joins || grew) {
		reopen(&n)
		tell(vigil.CaseReopened, "")
	}
	if was.Open && !n.Open {
		tell(vigil.CaseQuiet, "")
	}
	return n, events
}

// visit notes the stores and sources that a finding tells of.
func visit(c *vigil.Case, f *vigil.Finding) {
	add := func(to *[]string, names ...string) {
		have := slices.Clip(*to) // what the case was before keeps its own
		for _, name := range names {
			if name != "" && len(have) < vigil.MaxCasePlaces && !slices.Contains(have, name) {
				have = append(have, name)
			}
		}
		*to = have
	}
	add(&c.Stores, f.Stores...)
	add(&c.Sources, append([]string{f.Source}, f.Sources...)...)
}

// reopen puts a case back into nobody's hands: it is to be acknowledged, and reminded
// of, as a new one. Its owner and its 72-hour clock stay.
func reopen(c *vigil.Case) {
	c.State, c.Acknowledged = vigil.CaseNew, nil
	c.Snoozed, c.SnoozedBy = time.Time{}, ""
	c.Reminded, c.Escalated = 0, 0
}

// Compare orders by gravity, the gravest largest.
func (m Member) Compare(o Member) int {
	return cmp.Or(cmp.Compare(m.Severity.Rank(), o.Severity.Rank()), cmp.Compare(m.Harm, o.Harm), cmp.Compare(o.ID, m.ID))
}

func happened(id string, at time.Time, kind vigil.CaseEventKind, text string) vigil.CaseEvent {
	return vigil.CaseEvent{Case: id, Time: at, By: program, Kind: kind, Text: text}
}
