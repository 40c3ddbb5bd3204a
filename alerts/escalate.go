package alerts

import (
	"fmt"
	"slices"
	"time"

	"vigil"
)

// maxReminders is how often a case that nobody acknowledges is told again.
const maxReminders = 3

// Nudge is what is due because nobody acknowledged a case.
type Nudge struct {
	// Reminded and Escalated are what the case's counters become.
	Reminded, Escalated int
	// Notify are notifiers that get the case's card besides those that have it. Told has
	// them, and is to be kept.
	Notify []string
	Told   Told
	// Reply is told below the card, nil for nothing: it is loud, and calls by name. The
	// names are the case's owner's pseudonym, and people as the policy names them.
	Reply *Below
	// Events belong in the timeline.
	Events []vigil.CaseEvent
}

// Nudge says what is due at now for a case that was told. Nothing is, for one that is
// acknowledged, snoozed or resolved. What came due while nobody asked comes as one nudge.
// The case's counters make it do nothing when asked again; one that got graver, or opened
// anew, is counted from the start.
func (p *Pipeline) Nudge(c *vigil.Case, t *Told, escalation string, now time.Time) Nudge {
	now = now.UTC()
	n := Nudge{Reminded: c.Reminded, Escalated: c.Escalated}
	if t != nil {
		n.Told = t.clone()
	}
	if c.State != vigil.CaseNew || c.Snoozing(now) || t == nil || len(t.Notifiers) == 0 {
		return n
	}
	waited := now.Sub(t.Since)
	if t.Nudged.Before(t.Since) {
		n.Reminded, n.Escalated = 0, 0
	}
	reminded, escalated := n.Reminded, n.Escalated
	for n.Reminded < maxReminders && p.policy.Remind.due(c.Severity, n.Reminded, waited) {
		n.Reminded++
	}
	var call []string
	levels := p.policy.Escalations[escalation].Levels
	for n.Escalated < len(levels) && waited >= levels[n.Escalated].After {
		l := &levels[n.Escalated]
		n.Notify = append(n.Notify, l.Notify...)
		call = append(call, l.Call...)
		for _, r := range l.Rotas {
			if who := p.policy.Rotas[r].On(now); who != "" {
				call = append(call, who)
			}
		}
		n.Escalated++
	}
	if n.Reminded == reminded && n.Escalated == escalated {
		n.Reminded, n.Escalated = c.Reminded, c.Escalated
		return n
	}
	n.Told.Nudged = now
	n.Notify = slices.DeleteFunc(n.Notify, func(name string) bool { return slices.Contains(t.Notifiers, name) })
	slices.Sort(n.Notify)
	n.Notify = slices.Compact(n.Notify)
	n.Told.Notifiers = append(n.Told.Notifiers, n.Notify...)
	text := "Nobody has acknowledged this for " + Span(waited) + "."
	r := Reply{Kind: vigil.CaseReminded, Time: now, Loud: true}
	if n.Reminded > reminded {
		n.Events = append(n.Events, happened(c.ID, now, vigil.CaseReminded, fmt.Sprintf("reminder %d of %d", n.Reminded, maxReminders)))
		if c.Owner != "" {
			call = append([]string{c.Owner}, call...)
		}
	}
	if n.Escalated > escalated {
		r.Kind = vigil.CaseEscalated
		text += fmt.Sprintf(" Level %d of %d is called.", n.Escalated, len(levels))
		n.Events = append(n.Events, happened(c.ID, now, vigil.CaseEscalated, fmt.Sprintf("level %d of %d", n.Escalated, len(levels))))
	}
	for _, who := range call {
		if !slices.Contains(r.Call, who) {
			r.Call = append(r.Call, who)
		}
	}
	r.Text = text
	n.Reply = &Below{ID: fmt.Sprintf("nudge/%s/%d/%d/%d", c.ID, t.Since.Unix(), n.Reminded, n.Escalated), Case: c.ID, Notify: slices.Clone(t.Notifiers), Reply: r}
	return n
}

// due reports whether reminder n, from 0, is due after so long.
func (r Remind) due(s vigil.Severity, n int, waited time.Duration) bool {
	var d time.Duration
	switch s {
	case vigil.SeverityCritical:
		d = r.Critical
	case vigil.SeverityHigh:
		d = r.High
	case vigil.SeverityMedium:
		d = r.Medium
	}
	// The waits are d, 2d and 4d, so that the reminders come after d, 3d and 7d.
	return d > 0 && waited >= d*time.Duration((2<<n)-1)
}
