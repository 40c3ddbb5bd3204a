package slack

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"vigil"
	"vigil/alerts"
)

// Slack's limits, in characters, and its limit of blocks.
const (
	maxHeader  = 150
	maxSection = 3000
	maxField   = 2000
	maxBlocks  = 50
	maxText    = 3000
)

// Blocks makes the Block Kit form of a message, as JSON. It is what Notify
// posts; consoleURL is as in Config.
func Blocks(m alerts.Message, consoleURL string) ([]byte, error) {
	b, err := json.MarshalIndent(blocks(alerts.CardOf(m, consoleURL)), "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode the blocks: %w", err)
	}
	return b, nil
}

// options are a card as slack-go takes it.
func options(c alerts.Card) []slack.MsgOption {
	return append(textOnly(c), slack.MsgOptionBlocks(blocks(c)...))
}

// textOnly is the short form: what a phone's notification shows.
func textOnly(c alerts.Card) []slack.MsgOption {
	text := dot(c) + " " + c.Title + ". " + c.Sentence
	return []slack.MsgOption{
		slack.MsgOptionText(escape(text, maxText), false),
		slack.MsgOptionDisableMarkdown(),
		slack.MsgOptionDisableLinkUnfurl(),
		slack.MsgOptionDisableMediaUnfurl(),
		slack.MsgOptionParse(false),
		slack.MsgOptionLinkNames(false),
	}
}

// dot shows the severity by colour; the title says it in words too.
func dot(c alerts.Card) string {
	if c.Closed {
		return "⚪"
	}
	return severityDot(c.Severity)
}

func severityDot(s vigil.Severity) string {
	switch s {
	case vigil.SeverityCritical:
		return "🔴"
	case vigil.SeverityHigh:
		return "🟠"
	case vigil.SeverityMedium:
		return "🟡"
	case vigil.SeverityLow:
		return "🔵"
	}
	return "🟢"
}

func blocks(c alerts.Card) []slack.Block {
	out := []slack.Block{
		slack.NewHeaderBlock(plain(escape(dot(c)+" "+c.Title, maxHeader))),
		slack.NewSectionBlock(plain(escape(c.Sentence, maxSection)), nil, nil),
	}
	if len(c.Fields) > 0 {
		fields := make([]*slack.TextBlockObject, 0, len(c.Fields))
		for _, f := range c.Fields {
			fields = append(fields, mrkdwn("*"+f.Label+"*\n"+runs(f.Value, maxField-40)))
		}
		out = append(out, slack.NewSectionBlock(nil, fields, nil))
	}
	if len(c.Why) > 0 {
		out = append(out, slack.NewSectionBlock(mrkdwn(why(c)), nil, nil))
	}
	for _, l := range c.Lines {
		head := severityDot(l.Severity) + " *" + alerts.SeverityWord(l.Severity) + "* · " + prose(l.Who, 200)
		if !l.At.IsZero() {
			head += " · " + l.At.UTC().Format("15:04 UTC")
		}
		out = append(out, slack.NewSectionBlock(mrkdwn(head+"\n"+prose(l.Text, maxSection-300)), nil, nil))
	}
	if len(c.Lines) > 0 && c.More > 0 {
		out = append(out, slack.NewContextBlock("", mrkdwn(fmt.Sprintf("and %d more in the console", c.More))))
	}
	if len(c.Notes) > 0 {
		var b strings.Builder
		b.WriteString("*To know*")
		for _, n := range c.Notes {
			b.WriteString("\n• " + prose(n, 250))
		}
		out = append(out, slack.NewSectionBlock(mrkdwn(b.String()), nil, nil))
	}
	if c.Counterfactual != "" {
		out = append(out, slack.NewContextBlock("", plain(escape(c.Counterfactual, maxSection))))
	}
	if c.NotJudged != "" {
		out = append(out, slack.NewContextBlock("", plain(escape(c.NotJudged, maxSection))))
	}
	if c.Link != "" {
		button := slack.NewButtonBlockElement("vigil.open", "", plain("Open"))
		button.URL = c.Link
		if !c.Closed && c.Severity.Rank() >= vigil.SeverityHigh.Rank() {
			button.Style = slack.StylePrimary
		}
		out = append(out, slack.NewActionBlock("", button))
	}
	if c.Footer != "" {
		out = append(out, slack.NewContextBlock("", plain(escape(c.Footer, maxSection))))
	}
	if len(out) > maxBlocks {
		out = out[:maxBlocks]
	}
	return out
}

// why lists the contributions, each with a bar of its share.
func why(c alerts.Card) string {
	var b strings.Builder
	b.WriteString("*Why*")
	for _, r := range c.Why {
		fmt.Fprintf(&b, "\n%s  %s  %s", bar(r.Share), percent(r.Share), prose(r.Text, 600))
	}
	if c.More > 0 {
		fmt.Fprintf(&b, "\n_and %d smaller_", c.More)
	}
	return b.String()
}

// bar draws a share in five steps; what is worth a line has at least one.
func bar(share float64) string {
	const steps = 5
	n := min(steps, max(1, int(math.Round(share*steps))))
	return strings.Repeat("▰", n) + strings.Repeat("▱", steps-n)
}

func percent(share float64) string { return fmt.Sprintf("%.0f%%", share*100) }

// runs puts a line of names and words into mrkdwn.
func runs(t alerts.Text, max int) string {
	var b strings.Builder
	left := max
	for _, r := range t {
		if left < 8 {
			break
		}
		var s string
		if r.Name {
			s = code(r.S, left)
		} else {
			parts := strings.Split(r.S, "\n")
			for i := range parts {
				parts[i] = prose(parts[i], left)
			}
			s = strings.Join(parts, "\n")
		}
		left -= utf8.RuneCountInString(s)
		b.WriteString(s)
	}
	return b.String()
}

func plain(s string) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.PlainTextType, atLeast(s), false, false)
}

// mrkdwn is verbatim: Slack then makes no links and mentions of its own accord.
func mrkdwn(s string) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.MarkdownType, atLeast(s), false, true)
}

// atLeast keeps a text from being empty, which Slack refuses.
func atLeast(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
