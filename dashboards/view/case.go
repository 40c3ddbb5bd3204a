package view

import (
	"time"

	"vigil"
	"vigil/dashboards/phrase"
	"vigil/internal/api"
)

// The bounds of what is shown of a case.
const (
	maxOthers = 10
	maxWhy    = 300
	program   = "vigil" // who did what the program does by itself
)

// Case is a case ready to print.
type Case struct {
	ID, Key string
	// Path leads to it, empty for nowhere.
	Path string
	// Hands says in whose hands it is.
	Hands Hands
	// Standing says where it is, one thing after the other.
	Standing []Standing
	// Others are findings of the same case besides the one that is shown, and More counts
	// those left out.
	Others []Other
	More   string
	// Story is its timeline, the latest last; Earlier counts what came before, empty for
	// nothing.
	Story   []Happening
	Earlier string
}

// Hands says in a few words in whose hands a case is.
type Hands struct {
	// State is a word, Class one of the closed set "new", "acknowledged", "resolved".
	State, Class string
	// Owner is a pseudonym, empty for nobody.
	Owner string
}

// Standing is one thing about a case: words, then who, then when, then what they said.
type Standing struct {
	Label, Text string
	By          string
	At          Moment
	Said        string
}

// Other is a link to another finding.
type Other struct{ ID, Path string }

// Happening is one line of a case's timeline.
type Happening struct {
	At Moment
	// By is a pseudonym, empty for the program.
	By          string
	Title, Text string
}

// NewHands says in whose hands a case is.
func NewHands(c *vigil.Case) Hands {
	h := Hands{Owner: phrase.Text(c.Owner, maxName)}
	h.State, h.Class = caseState(c.State)
	return h
}

// NewCase makes a case ready to print on the page of one of its findings. now is the
// clock's time: that is what people are bound by. path makes the address of a finding.
func NewCase(x *api.CaseView, finding string, now time.Time, path func(id string) string) Case {
	c := &x.Case
	v := Case{ID: phrase.Text(c.ID, maxName), Key: key(c.ID), Hands: NewHands(c), Standing: standing(c, now)}
	others := c.Total - 1
	for _, id := range c.Findings {
		if id != finding && len(v.Others) < maxOthers {
			v.Others = append(v.Others, Other{ID: phrase.Text(id, maxName), Path: path(id)})
		}
	}
	if left := others - len(v.Others); left > 0 {
		v.More = phrase.Count(int64(left))
	}
	if earlier := x.Total - len(x.Events); earlier > 0 {
		v.Earlier = phrase.Count(int64(earlier))
	}
	for i := range x.Events {
		v.Story = append(v.Story, happening(&x.Events[i]))
	}
	return v
}

// standing says who has a case, what was done about it, and who was told.
func standing(c *vigil.Case, now time.Time) (out []Standing) {
	add := func(s Standing) { out = append(out, s) }
	state, _ := caseState(c.State)
	switch {
	case c.Acknowledged != nil:
		add(Standing{Label: "State", Text: state, At: moment(c.Acknowledged.Time, time.Time{}), By: phrase.Text(c.Acknowledged.By, maxName), Said: "took note of it"})
	case c.State == vigil.CaseNew:
		add(Standing{Label: "State", Text: state, Said: "nobody has taken note of it yet"})
	default:
		add(Standing{Label: "State", Text: state})
	}
	if c.Owner == "" {
		add(Standing{Label: "Who has it", Text: "nobody"})
	} else {
		add(Standing{Label: "Who has it", By: phrase.Text(c.Owner, maxName)})
	}
	if c.Aware != nil {
		add(Standing{Label: "72-hour clock", Text: due(c, now), At: moment(c.Due(), time.Time{}), By: phrase.Text(c.Aware.By, maxName), Said: "started it"})
	}
	if c.Word != "" {
		add(Standing{Label: "Verdict", Text: phrase.Verdict(c.Word)})
	}
	if a := c.Asked; a != nil {
		s := Standing{Label: "The person", Text: "was asked, no answer yet", At: moment(a.Time, time.Time{}), By: phrase.Text(a.By, maxName), Said: "asked"}
		if !a.Answered.IsZero() {
			s = Standing{Label: "The person", Text: "says it was not them", At: moment(a.Answered, time.Time{})}
			if a.Mine {
				s.Text = "says it was them"
			}
			if why := phrase.Prose(a.Why, maxWhy); why != "" {
				s.Said = "“" + why + "”"
			}
		}
		add(s)
	}
	if c.Snoozing(now) && c.State != vigil.CaseResolved {
		add(Standing{Label: "Snoozed", Text: "until", At: moment(c.Snoozed, time.Time{}), By: phrase.Text(c.SnoozedBy, maxName), Said: "snoozed it, unless it gets graver"})
	}
	switch {
	case len(c.Told) > 0:
		add(Standing{Label: "Told in", Text: listed(c.Told)})
	case c.Held != "":
		add(Standing{Label: "Not told", Text: held(c.Held)})
	}
	return out
}

// due says how long a clock has to run.
func due(c *vigil.Case, now time.Time) string {
	if left := c.Due().Sub(now); left > 0 {
		return phrase.Length(left.Truncate(time.Hour)) + " left, until"
	}
	return "over since"
}

// listed joins a few foreign names.
func listed(names []string) string {
	l := list(names, maxList)
	text := ""
	for i, n := range l.Items {
		if i > 0 {
			text += ", "
		}
		text += n
	}
	if l.More > 0 {
		text += " and " + l.MoreText() + " more"
	}
	return text
}

func caseState(s vigil.CaseState) (word, class string) {
	switch s {
	case vigil.CaseNew, vigil.CaseAcknowledged, vigil.CaseResolved:
		return string(s), string(s)
	}
	return phrase.Text(string(s), 20), "new"
}

// held says why a case was not told.
func held(why vigil.MuteReason) string {
	switch why {
	case vigil.HeldSilence:
		return "somebody silenced what it is"
	case vigil.HeldSnooze:
		return "somebody snoozed it"
	case vigil.HeldInhibit:
		return "a graver case about the same tells it"
	case vigil.HeldFlood:
		return "too many came at once, and one message counts them"
	case vigil.HeldRoute:
		return "no route names anybody for it"
	}
	return phrase.Text(string(why), 60)
}

func happening(e *vigil.CaseEvent) Happening {
	h := Happening{At: moment(e.Time, time.Time{}), Title: happened(e.Kind), Text: phrase.Prose(e.Text, maxSentence)}
	if e.By != program {
		h.By = phrase.Text(e.By, maxName)
	}
	switch e.Kind {
	case vigil.CaseAnswered:
		h.By = "" // it is the one whom the case is about
	case vigil.CaseTaken, vigil.CaseAssigned, vigil.CaseAsked:
		h.Text = "" // the title says it
	case vigil.CaseHeld:
		h.Text = held(vigil.MuteReason(e.Text))
	}
	return h
}

// happened names what happened to a case.
func happened(k vigil.CaseEventKind) string {
	switch k {
	case vigil.CaseOpened:
		return "Opened"
	case vigil.CaseGrew:
		return "Graver than before"
	case vigil.CaseJoined:
		return "A finding joined it"
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
		return "Reminded"
	case vigil.CaseEscalated:
		return "Escalated"
	case vigil.CaseNoted:
		return "Note"
	case vigil.CaseQuiet:
		return "Quiet: no finding of it is open"
	case vigil.CaseEnded:
		return "Resolved"
	case vigil.CaseReopened:
		return "Opened anew"
	}
	return phrase.Text(string(k), 40)
}
