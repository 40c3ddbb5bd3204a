package talk

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"vigil"
	"vigil/alerts"
	cards "vigil/alerts/slack"
)

// Bounds of what is shown, in characters. Slack's own is that of a section; the others
// keep an answer on a socket below 20 KiB, beyond which Slack drops it unseen.
const (
	maxSection = 3_000
	maxText    = 500
	maxLine    = 600
	maxLines   = 15
	maxWho     = 60
	maxSays    = 900
	maxLink    = 400 // of one among several
)

// message is what one person is told.
type message struct {
	text   string
	blocks []slack.Block
	// command says that it may be the answer to a command.
	command bool
}

// said is a message of words alone.
func said(text string) message {
	return message{text: text, blocks: []slack.Block{section(text)}}
}

func (m message) options() []slack.MsgOption {
	return []slack.MsgOption{
		slack.MsgOptionText(cards.Escape(lines(m.text), maxSection), false),
		slack.MsgOptionBlocks(m.blocks...),
		slack.MsgOptionDisableMarkdown(),
		slack.MsgOptionDisableLinkUnfurl(),
		slack.MsgOptionDisableMediaUnfurl(),
		slack.MsgOptionParse(false),
		slack.MsgOptionLinkNames(false),
	}
}

// commandAnswer is a message as an answer to a command.
type commandAnswer struct {
	Type        string       `json:"response_type"`
	Text        string       `json:"text"`
	Blocks      slack.Blocks `json:"blocks"`
	UnfurlLinks bool         `json:"unfurl_links"`
	UnfurlMedia bool         `json:"unfurl_media"`
}

func (m message) answer() commandAnswer {
	return commandAnswer{Type: slack.ResponseTypeEphemeral, Text: cards.Escape(lines(m.text), maxSection), Blocks: slack.Blocks{BlockSet: m.blocks}}
}

// told is what an outcome says.
func (t *Talk) told(out alerts.Outcome, otherwise string) message {
	text := out.Text
	if text == "" {
		text = otherwise
	}
	m := said(alerts.Cut(text, maxText))
	if n := len(out.Lines); n > 0 {
		shown := out.Lines[:min(n, maxLines)]
		var b strings.Builder
		for i, l := range shown {
			line := "• " + alerts.Cut(alerts.Clean(l), maxLine) + "\n"
			if b.Len()+len(line) > maxSection-100 {
				shown = shown[:i]
				break
			}
			b.WriteString(line)
		}
		if n > len(shown) {
			fmt.Fprintf(&b, "and %d more in the console", n-len(shown))
		}
		m.blocks = append(m.blocks, section(b.String()))
	}
	if link := t.link(out.Link); link != "" {
		m.blocks = append(m.blocks, openButton(link))
	}
	return m
}

func open(link, label string) *slack.ButtonBlockElement {
	b := slack.NewButtonBlockElement(cards.ActionOpen, "", plain(label, 30))
	b.URL = link
	return b
}

func openButton(link string) slack.Block { return slack.NewActionBlock("", open(link, "Open")) }

// link joins a link of the desk's to the console's address; what is none is left out.
func (t *Talk) link(rel string) string {
	if rel == "" || t.cfg.ConsoleURL == "" || !strings.HasPrefix(rel, "/") {
		return ""
	}
	u, err := url.Parse(rel)
	if err != nil || u.Host != "" || u.Scheme != "" {
		return ""
	}
	base, err := url.Parse(t.cfg.ConsoleURL)
	if err != nil {
		return ""
	}
	joined := base.JoinPath(u.Path)
	joined.RawQuery = u.RawQuery
	if s := joined.String(); len(s) <= 2_000 {
		return s
	}
	return ""
}

// plain is text that Slack shows as it is.
func plain(s string, max int) *slack.TextBlockObject {
	if s = cards.Escape(lines(s), max); strings.TrimSpace(s) == "" {
		s = "-"
	}
	return slack.NewTextBlockObject(slack.PlainTextType, s, false, false)
}

// marked is mrkdwn of ours, whose foreign parts were escaped before. It is verbatim:
// Slack then makes no links and mentions of its own accord.
func marked(s string) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.MarkdownType, s, false, true)
}

func section(s string) slack.Block {
	return slack.NewSectionBlock(plain(s, maxSection), nil, nil)
}

func markedSection(s string) slack.Block { return slack.NewSectionBlock(marked(s), nil, nil) }

func note(s string) slack.Block { return slack.NewContextBlock("", plain(s, 2_000)) }

// lines cleans text line by line, so that its line breaks stay.
func lines(s string) string {
	ls := strings.Split(strings.TrimRight(s, "\n"), "\n")
	for i := range ls {
		ls[i] = alerts.Clean(ls[i])
	}
	return strings.Join(ls, "\n")
}

// sentence makes a text that begins small one that people read: "There is no such case."
func sentence(s string) string {
	s = alerts.Cut(alerts.Clean(s), maxSays)
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return wordsOwn
	}
	s = string(unicode.ToUpper(r)) + s[n:]
	if !strings.ContainsAny(s[len(s)-1:], ".!?") {
		s += "."
	}
	return s
}

// about names whom or what a case is about, for mrkdwn.
func about(c *vigil.Case) string {
	switch c.About {
	case vigil.AboutNetwork:
		return "network " + cards.Code(alerts.Clean(c.Network), maxWho)
	case vigil.AboutTeam:
		return "team " + cards.Code(alerts.Clean(c.Team), maxWho)
	case vigil.AboutSubject:
		return "customer " + cards.Code(alerts.Clean(c.Subject), maxWho)
	case vigil.AboutSource:
		return "source " + cards.Code(alerts.Clean(c.Source), maxWho)
	}
	return cards.Code(alerts.Clean(c.Actor), maxWho)
}

// user is what Slack's ids of members look like.
var user = regexp.MustCompile(`^[UW][A-Z0-9]{2,30}$`)

// owner names who has a case, for mrkdwn: as Slack does where they are known here.
func (t *Talk) owner(c *vigil.Case) string {
	if id := t.mention(c.Owner); user.MatchString(id) {
		return "<@" + id + ">"
	}
	return cards.Code(alerts.Clean(c.Owner), maxWho)
}

// caseLine says a case in a line, for mrkdwn.
func (t *Talk) caseLine(c *vigil.Case) string {
	s := "*" + alerts.SeverityWord(c.Severity) + "* · " + about(c) + " · " + alerts.Count(int64(c.Total), "finding", "findings")
	if !c.Start.IsZero() {
		s += " · since " + c.Start.UTC().Format("2 Jan 15:04 UTC")
	}
	switch {
	case c.State == vigil.CaseResolved:
		s += " · resolved"
	case c.Owner != "":
		s += " · " + t.owner(c) + " has it"
	case c.State == vigil.CaseAcknowledged:
		s += " · acknowledged"
	default:
		s += " · nobody has it"
	}
	return s
}

// findingLine says a finding in a line, for mrkdwn.
func findingLine(f *vigil.Finding) string {
	s := "*" + alerts.SeverityWord(f.Severity) + "*"
	if !f.Start.IsZero() {
		s += " · " + f.Start.UTC().Format("2 Jan 15:04 UTC")
	}
	if f.Actor != "" {
		s += " · " + cards.Code(alerts.Cut(alerts.Clean(f.Actor), 40), 60)
	}
	return s + " · " + cards.Prose(alerts.Cut(alerts.Clean(f.Sentence), 140), 250)
}
