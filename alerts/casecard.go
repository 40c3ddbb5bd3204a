package alerts

import (
	"fmt"
	"time"

	"vigil"
)

// caseCard is the lead's card, and where the case is in people's hands.
func caseCard(c *vigil.Case, lead *vigil.Finding) Card {
	if lead == nil {
		// Without its lead the case still says what it is about.
		lead = caseFinding(c)
	}
	card := findingCard(lead)
	card.Severity, card.Closed, card.CaseID = c.Severity, !c.Open || c.State == vigil.CaseResolved, Cut(Clean(c.ID), maxName)
	title := SeverityWord(c.Severity) + ": " + CaseTitle(c)
	switch {
	case c.State == vigil.CaseResolved:
		title = "Resolved · " + title
	case !c.Open:
		title = "Closed · " + title
	}
	card.Title = Cut(title, maxTitle)
	card.Standing = standing(c)
	card.Deeds = Deeds(c, lead)
	card.Footer = "Case " + card.CaseID + " · " + card.Footer
	return card
}

// caseFinding is what the case alone tells, as a finding.
func caseFinding(c *vigil.Case) *vigil.Finding {
	state := vigil.StateClosed
	if c.Open {
		state = vigil.StateOpen
	}
	return &vigil.Finding{
		ID: c.Lead, State: state, About: c.About, Actor: c.Actor, ActorKind: c.ActorKind, Role: c.Role, Team: c.Team, Tenant: c.Tenant,
		Subject: c.Subject, Source: c.Source, Network: c.Network, Start: c.Start, End: c.End, Severity: c.Severity, Harm: c.Harm,
		Subjects: vigil.Unknown, Rows: vigil.Unknown, Conversations: vigil.Unknown,
	}
}

// standing says who has the case and what was done about it.
func standing(c *vigil.Case) []Field {
	var out []Field
	add := func(label string, t Text) { out = append(out, Field{label, t}) }
	switch {
	case c.State == vigil.CaseResolved:
		add("State", Text{{S: "resolved"}})
	case c.Acknowledged != nil:
		add("State", marked("acknowledged by ", c.Acknowledged.By, c.Acknowledged.Time))
	default:
		add("State", Text{{S: "new, not acknowledged yet"}})
	}
	if c.Owner != "" {
		add("Owner", Text{person(c.Owner)})
	}
	if c.Word != "" {
		add("Verdict", Text{{S: Cut(Clean(string(c.Word)), maxName)}})
	}
	if !c.Snoozed.IsZero() && c.State != vigil.CaseResolved {
		t := Text{{S: "until " + Moment(c.Snoozed)}}
		if c.SnoozedBy != "" {
			t = append(t, Run{S: " by "}, person(c.SnoozedBy))
		}
		add("Snoozed", t)
	}
	if a := c.Asked; a != nil {
		add("Asked", marked("the person concerned, by ", a.By, a.Time))
		switch {
		case a.Answered.IsZero():
			add("Answer", Text{{S: "none yet"}})
		case a.Mine:
			add("Answer", Text{{S: answer("it was them", a.Why)}})
		default:
			add("Answer", Text{{S: answer("it was not them", a.Why)}})
		}
	}
	if c.Aware != nil {
		add("72-hour clock", Text{{S: "until " + Moment(c.Due()) + ", started by "}, person(c.Aware.By)})
	}
	if more := c.Total - 1; more > 0 {
		add("Findings", Text{{S: "and " + Count(int64(more), "more finding", "more findings")}})
	}
	return out
}

func marked(what, by string, at time.Time) Text {
	return Text{{S: what}, person(by), {S: " · " + Moment(at)}}
}

func person(pseudonym string) Run { return Run{S: name(pseudonym), Name: true, Person: true} }

func answer(what, why string) string {
	if why = Cut(Clean(why), maxReason); why == "" {
		return what
	}
	return what + ": “" + why + "”"
}

// Deeds are what may be pressed on a case's card, the most likely first; the desk decides
// whether who presses may. The finding is the case's lead.
func Deeds(c *vigil.Case, f *vigil.Finding) []Deed {
	if c.State == vigil.CaseResolved {
		return []Deed{DeedVerdict, DeedNote}
	}
	var out []Deed
	if c.State == vigil.CaseNew {
		out = append(out, DeedAcknowledge)
	}
	out = append(out, DeedAssign, DeedVerdict)
	if c.About == vigil.AboutActor {
		if f != nil && f.Rule == "" {
			out = append(out, DeedExpect) // no exception is silent about a rule
		}
		switch c.ActorKind {
		case vigil.KindHuman, vigil.KindAdmin, vigil.KindVendor:
			if c.Asked == nil {
				out = append(out, DeedAsk)
			}
		}
	}
	out = append(out, DeedSnooze)
	if c.Aware == nil && c.Severity.Rank() >= vigil.SeverityHigh.Rank() {
		out = append(out, DeedAware)
	}
	return append(out, DeedNote)
}

// replyCard is something new about a case, on a card that can stand by itself.
func replyCard(m *Message) Card {
	r := m.Reply
	c := Card{Title: replyTitle(r.Kind), Sentence: Cut(Clean(r.Text), maxSentence)}
	if c.Sentence == "" {
		c.Sentence = c.Title + "."
	}
	if m.Case != nil {
		c.Severity, c.CaseID = m.Case.Severity, Cut(Clean(m.Case.ID), maxName)
		c.Fields = append(c.Fields, Field{"Case", Text{{S: SeverityWord(m.Case.Severity) + ": " + CaseTitle(m.Case)}}})
		c.Footer = "Case " + c.CaseID
	}
	if r.By != "" && r.By != program {
		c.Fields = append(c.Fields, Field{"By", Text{person(r.By)}})
	}
	if len(r.Call) > 0 {
		var t Text
		for i, who := range r.Call {
			if i == maxCalled {
				t = append(t, Run{S: fmt.Sprintf(" and %d more", len(r.Call)-maxCalled)})
				break
			}
			if i > 0 {
				t = append(t, Run{S: ", "})
			}
			t = append(t, person(who))
		}
		c.Fields = append(c.Fields, Field{"Called", t})
	}
	if !r.Time.IsZero() {
		if c.Footer != "" {
			c.Footer += " · "
		}
		c.Footer += Moment(r.Time)
	}
	return c
}

// maxCalled bounds the people whom a reply names.
const maxCalled = 10

func replyTitle(k vigil.CaseEventKind) string {
	switch k {
	case vigil.CaseOpened:
		return "New case"
	case vigil.CaseGrew:
		return "Graver than before"
	case vigil.CaseJoined:
		return "More about it"
	case vigil.CaseHeld:
		return "Not told by itself"
	case vigil.CaseTaken:
		return "Acknowledged"
	case vigil.CaseAssigned:
		return "Assigned"
	case vigil.CaseSnoozed:
		return "Snoozed"
	case vigil.CaseJudged:
		return "Verdict"
	case vigil.CaseExcepted:
		return "Expected from now on"
	case vigil.CaseAsked:
		return "The person was asked"
	case vigil.CaseAnswered:
		return "The person answered"
	case vigil.CaseAware:
		return "The 72-hour clock runs"
	case vigil.CaseNotified:
		return "The authority was notified"
	case vigil.CaseReminded:
		return "Reminder"
	case vigil.CaseEscalated:
		return "Nobody answered"
	case vigil.CaseNoted:
		return "Note"
	case vigil.CaseQuiet:
		return "Quiet now"
	case vigil.CaseEnded:
		return "Resolved"
	case vigil.CaseReopened:
		return "Opened anew"
	}
	return "News"
}

func noticeCard(n *Notice) Card {
	c := Card{Severity: n.Severity, Title: Cut(Clean(n.Title), maxTitle), Sentence: Cut(Clean(n.Sentence), maxSentence)}
	if c.Title == "" {
		c.Title = "vigil"
	}
	for i, l := range n.Lines {
		if i == MaxNoticeLines {
			c.Notes = append(c.Notes, fmt.Sprintf("and %d more lines", len(n.Lines)-MaxNoticeLines))
			break
		}
		c.Notes = append(c.Notes, Cut(Clean(l), maxReason))
	}
	return c
}
