package slack

import (
	"regexp"
	"strings"

	"github.com/slack-go/slack"

	"vigil"
	"vigil/alerts"
)

// caseReasons is how many contributions a case's card lists; its picture and the console
// show the others.
const caseReasons = 3

// maxReason cuts each of them to about two lines.
const maxReason = 150

// caseCard is a case in what fits a glance: how grave, what happened, who has it; then
// the facts, the picture, the buttons; and in small print what is looked up later.
func (l look) caseCard(m *alerts.Message) []slack.Block {
	k := m.Case
	c := alerts.CardOf(*m, l.console)
	out := []slack.Block{
		slack.NewHeaderBlock(plain(escape(caseDot(k)+" "+c.Title, maxHeader))),
		slack.NewSectionBlock(plain(escape(c.Sentence, maxSection)), nil, nil),
	}
	if s := l.standing(c.Standing); s != "" {
		out = append(out, slack.NewSectionBlock(mrkdwn(s), nil, nil))
	}
	facts, rest := sortFacts(c.Fields)
	if len(facts) > 0 {
		out = append(out, l.fields(facts))
	}
	if l.file != "" {
		out = append(out, slack.NewImageBlockSlackFile(&slack.SlackFileObject{ID: l.file}, atLeast(escape(l.alt, maxField)), picturePrefix+l.mark, nil))
	}
	if len(c.Why) > caseReasons {
		c.More += len(c.Why) - caseReasons
		c.Why = c.Why[:caseReasons]
	}
	for i := range c.Why {
		c.Why[i].Text = alerts.Cut(c.Why[i].Text, maxReason)
	}
	if len(c.Why) > 0 {
		out = append(out, slack.NewSectionBlock(mrkdwn(why(c)), nil, nil))
	}
	if es := l.buttons(k, &c); len(es) > 0 {
		out = append(out, slack.NewActionBlock(blockOf(k), es...))
	}
	var small []string
	for _, f := range rest {
		small = append(small, f.Label+": "+strings.ReplaceAll(f.Value.String(), "\n", ", "))
	}
	var lines []string
	for _, s := range append(small, c.Counterfactual, c.NotJudged, c.Footer) {
		if s != "" {
			lines = append(lines, escape(s, maxSection/6))
		}
	}
	if len(lines) > 0 {
		out = append(out, slack.NewContextBlock("", plain(strings.Join(lines, "\n"))))
	}
	return out
}

// caseDot keeps its colour until the case is resolved: one that has merely gone quiet
// still waits for somebody.
func caseDot(k *vigil.Case) string {
	if k.State == vigil.CaseResolved {
		return quietDot
	}
	return severityDot(k.Severity)
}

// sortFacts parts the facts that a glance needs from those that it does not.
func sortFacts(fs []alerts.Field) (facts, rest []alerts.Field) {
	for _, f := range fs {
		switch f.Label {
		case "How unusual", "Where":
			rest = append(rest, f)
		default:
			facts = append(facts, f)
		}
	}
	return facts, rest
}

// standing says where a case is in people's hands: in one line who has it, and below it
// what is pending. State and number need no label.
func (l look) standing(fs []alerts.Field) string {
	var first, below []string
	for _, f := range fs {
		v := l.runs(f.Value, 700)
		switch f.Label {
		case "State":
			if len(f.Value) > 0 {
				state := strings.TrimSpace(f.Value[0].S)
				v = strings.TrimSuffix("*"+prose(strings.ToUpper(state[:min(1, len(state))])+state[min(1, len(state)):], 100)+"* "+l.runs(f.Value[1:], 600), " ")
			}
			first = append(first, v)
		case "Findings":
			first = append(first, v)
		case "Owner", "Verdict":
			first = append(first, "*"+f.Label+"* "+v)
		default:
			below = append(below, "*"+f.Label+"* "+v)
		}
	}
	if len(first) > 0 {
		below = append([]string{strings.Join(first, " · ")}, below...)
	}
	return strings.Join(below, "\n")
}

// fields puts facts side by side.
func (l look) fields(fs []alerts.Field) slack.Block {
	out := make([]*slack.TextBlockObject, 0, len(fs))
	for _, f := range fs {
		out = append(out, mrkdwn("*"+f.Label+"*\n"+l.runs(f.Value, maxField-40)))
	}
	return slack.NewSectionBlock(nil, out, nil)
}

// userID is the form of the IDs of Slack's users.
var userID = regexp.MustCompile(`^[UW][A-Z0-9]{2,20}$`)

// person is one of vigil's own users: by their name in Slack, where it knows them.
func (l look) person(pseudonym string, max int) string {
	if l.mention != nil {
		if id := l.mention(pseudonym); userID.MatchString(id) {
			return "<@" + id + ">"
		}
	}
	return code(pseudonym, max)
}
