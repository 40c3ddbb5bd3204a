package slack

import (
	"strings"

	"github.com/slack-go/slack"

	"vigil/alerts"
)

// reply is something new about a case, below its card; by itself it says of which case.
func (l look) reply(m *alerts.Message) []slack.Block {
	c := alerts.CardOf(*m, l.console)
	var out []slack.Block
	var called, small []string
	for _, f := range c.Fields {
		switch f.Label {
		case "Case":
			if l.alone {
				out = append(out, slack.NewHeaderBlock(plain(escape(severityDot(c.Severity)+" "+f.Value.String(), maxHeader))))
			}
		case "Called":
			called = append(called, l.runs(f.Value, 1000))
		default:
			small = append(small, strings.ToLower(f.Label)+" "+l.runs(f.Value, 300))
		}
	}
	text := strings.Join(append(called, "*"+prose(c.Title, 100)+"*"), " ")
	if c.Sentence != c.Title+"." {
		text += " · " + prose(c.Sentence, maxSection-1200)
	}
	out = append(out, slack.NewSectionBlock(mrkdwn(text), nil, nil))
	if b := open(c.Link, false); b != nil && l.alone {
		out = append(out, slack.NewActionBlock("", b))
	}
	if l.alone && c.Footer != "" { // below its card Slack shows the time, and the card the case
		small = append(small, prose(c.Footer, 300))
	}
	if len(small) > 0 {
		out = append(out, slack.NewContextBlock("", mrkdwn(strings.Join(small, " · "))))
	}
	return out
}

// notice is a message about no single case.
func (l look) notice(m *alerts.Message) []slack.Block {
	c := alerts.CardOf(*m, l.console)
	title := c.Title
	if c.Severity != "" {
		title = severityDot(c.Severity) + " " + title
	}
	out := []slack.Block{slack.NewHeaderBlock(plain(escape(title, maxHeader)))}
	if c.Sentence != "" {
		out = append(out, slack.NewSectionBlock(plain(escape(c.Sentence, maxSection)), nil, nil))
	}
	// Ten lines to a block, so that none gets longer than Slack takes.
	for lines := c.Notes; len(lines) > 0; {
		n := min(10, len(lines))
		var b strings.Builder
		for i, s := range lines[:n] {
			if i > 0 {
				b.WriteByte('\n')
			}
			b.WriteString("• " + prose(s, maxSection/10-10))
		}
		out = append(out, slack.NewSectionBlock(mrkdwn(b.String()), nil, nil))
		lines = lines[n:]
	}
	if b := open(c.Link, false); b != nil {
		out = append(out, slack.NewActionBlock("", b))
	}
	return out
}
