package slack

import (
	"context"
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

// look is how a message is shown.
type look struct {
	console     string
	interactive bool
	mention     func(pseudonym string) string
	// file is the picture's, mark the picture's own, alt what it shows in words; empty
	// for none.
	file, mark, alt string
	// alone says that a reply stands by itself, not below its card.
	alone bool
}

func (n *Notifier) look() look {
	return look{console: n.cfg.ConsoleURL, interactive: n.cfg.Interactive, mention: n.mention}
}

// Blocks makes the Block Kit form of a message, as JSON: what Notify posts first.
func (n *Notifier) Blocks(m alerts.Message) ([]byte, error) {
	l := n.look()
	_, parented := parseReceipt(m.Parent)
	l.alone = !parented
	if r, ok := parseReceipt(m.Receipt); ok && r.file != "" && r.state != pictureThread {
		if c, ok := n.drawing(context.Background(), &m)(); ok {
			l.file, l.mark, l.alt = r.file, r.mark, c.Alt()
		}
	}
	b, err := json.MarshalIndent(l.blocks(&m), "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode the blocks: %w", err)
	}
	return b, nil
}

// options are a message as slack-go takes it.
func (l look) options(m *alerts.Message) []slack.MsgOption {
	return append(l.words(m), slack.MsgOptionBlocks(l.blocks(m)...))
}

// words are the short form: what a phone's notification shows.
func (l look) words(m *alerts.Message) []slack.MsgOption {
	return []slack.MsgOption{
		slack.MsgOptionText(escape(l.text(m), maxText), false),
		slack.MsgOptionDisableMarkdown(),
		slack.MsgOptionDisableLinkUnfurl(),
		slack.MsgOptionDisableMediaUnfurl(),
		slack.MsgOptionParse(false),
		slack.MsgOptionLinkNames(false),
	}
}

func (l look) text(m *alerts.Message) string {
	c := alerts.CardOf(*m, l.console)
	s := c.Title + ". " + c.Sentence
	switch {
	case m.Kind == alerts.KindReply:
		if c.Sentence == c.Title+"." {
			s = c.Title
		}
		for _, f := range c.Fields {
			if f.Label == "Case" {
				s += " (" + f.Value.String() + ")"
			}
		}
		return s
	case m.Kind == alerts.KindNotice && c.Severity == "":
		return s
	case m.Case != nil:
		return caseDot(m.Case) + " " + s
	}
	return dot(c) + " " + s
}

// blocks gives each kind of message its form.
func (l look) blocks(m *alerts.Message) []slack.Block {
	var out []slack.Block
	switch {
	case m.Kind == alerts.KindCase && m.Case != nil:
		out = l.caseCard(m)
	case m.Kind == alerts.KindReply && m.Reply != nil:
		out = l.reply(m)
	case m.Kind == alerts.KindNotice && m.Notice != nil:
		out = l.notice(m)
	default:
		out = l.card(alerts.CardOf(*m, l.console))
	}
	return out[:min(len(out), maxBlocks)]
}

// quietDot is of what is over.
const quietDot = "⚪"

// dot shows the severity by colour; the title says it in words too.
func dot(c alerts.Card) string {
	if c.Closed {
		return quietDot
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

// card is a finding by itself, or a digest.
func (l look) card(c alerts.Card) []slack.Block {
	out := []slack.Block{
		slack.NewHeaderBlock(plain(escape(dot(c)+" "+c.Title, maxHeader))),
		slack.NewSectionBlock(plain(escape(c.Sentence, maxSection)), nil, nil),
	}
	if len(c.Fields) > 0 {
		out = append(out, l.fields(c.Fields))
	}
	if len(c.Why) > 0 {
		out = append(out, slack.NewSectionBlock(mrkdwn(why(c)), nil, nil))
	}
	clock := "15:04 UTC"
	for i := range c.Lines {
		if c.Lines[i].At.UTC().YearDay() != c.Lines[0].At.UTC().YearDay() {
			clock = "Mon 2 Jan, 15:04 UTC" // of more than a day
		}
	}
	for _, f := range c.Lines {
		head := severityDot(f.Severity) + " *" + alerts.SeverityWord(f.Severity) + "* · " + prose(f.Who, 200)
		if !f.At.IsZero() {
			head += " · " + f.At.UTC().Format(clock)
		}
		out = append(out, slack.NewSectionBlock(mrkdwn(head+"\n"+prose(f.Text, maxSection-300)), nil, nil))
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
	if b := open(c.Link, !c.Closed && c.Severity.Rank() >= vigil.SeverityHigh.Rank()); b != nil {
		out = append(out, slack.NewActionBlock("", b))
	}
	if c.Footer != "" {
		out = append(out, slack.NewContextBlock("", plain(escape(c.Footer, maxSection))))
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
func (l look) runs(t alerts.Text, max int) string {
	var b strings.Builder
	left := max
	for _, r := range t {
		if left < 8 {
			break
		}
		var s string
		switch {
		case r.Person:
			s = l.person(r.S, left)
		case r.Name:
			s = code(r.S, left)
		default:
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
