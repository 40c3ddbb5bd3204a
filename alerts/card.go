package alerts

import (
	"math"
	"net/url"
	"strings"
	"time"

	"vigil"
)

// Card is what a message says, before a notifier gives it its form. All text in
// it has been through Clean; none of it is escaped for any markup.
type Card struct {
	// Severity is that of the finding, the worst one of a digest, or empty.
	Severity vigil.Severity
	// Closed says that the finding is over.
	Closed bool
	// Title is a few words, Sentence what happened in one or two sentences.
	Title, Sentence string
	// Fields are the facts, most important first, at most MaxFields.
	Fields []Field
	// Why are the largest contributions, at most MaxReasons; More counts those
	// left out.
	Why  []Reason
	More int
	// Bars are the amounts that weigh most, seen against expected, for channels that
	// draw; at most MaxBars.
	Bars []Bar
	// CaseID names the case; empty for what is none. Standing is where it is in people's
	// hands, at most MaxStanding fields; Deeds are what may be pressed.
	CaseID   string
	Standing []Field
	Deeds    []Deed
	// Lines are a digest's findings, worst first, and Notes its notes, or the lines of a
	// notice.
	Lines []Line
	Notes []string
	// Counterfactual says what would have kept the finding from being declared.
	Counterfactual string
	// NotJudged says what could not be judged.
	NotJudged string
	// Footer says which finding it is, for reference.
	Footer string
	// Link opens it in the console; empty when there is none. Its scheme is http
	// or https.
	Link string
}

// Bounds of a card.
const (
	MaxFields         = 8
	MaxStanding       = 8
	MaxReasons        = 4
	MaxBars           = 4
	MaxDigestFindings = 10
	MaxDigestCases    = 5
	MaxDigestReviews  = 5
	maxTitle          = 140
	maxSentence       = 700
	maxReason         = 300
	maxName           = 80
	maxNotes          = 10
	// smallShare is the share below which a contribution is not worth a line.
	smallShare = 0.03
)

// Field is one fact.
type Field struct {
	Label string
	Value Text
}

// Text is a line of runs; "\n" runs break it.
type Text []Run

// Run is a piece of text. Name marks what is copied from the outside and used
// for looking things up, such as a pseudonym: it is shown as it is. Person marks the
// pseudonym of somebody who works with vigil: a channel that knows its people may show
// its own mention instead.
type Run struct {
	S      string
	Name   bool
	Person bool
}

// String is the text without marks.
func (t Text) String() string {
	var b strings.Builder
	for _, r := range t {
		b.WriteString(r.S)
	}
	return b.String()
}

// Reason is one contribution.
type Reason struct {
	// Text says it, Share is its part (0 to 1) of the evidence.
	Text  string
	Share float64
}

// Bar is one amount: what was seen, what was expected, and between which bounds 98 of 100
// such spans lie. All are finite and not negative. High is zero where no bounds are known.
type Bar struct {
	Label                     string
	Seen, Expected, Low, High float64
}

// Line is one finding of a digest.
type Line struct {
	Severity vigil.Severity
	Who      string
	Text     string
	At       time.Time
}

// CardOf makes the card of a message, in the user's words where the message has some.
// Links are made absolute by console, the console's address, when it is given; a link
// that is not http or https is left out.
func CardOf(m Message, console string) Card {
	var c Card
	switch {
	case m.Kind == KindReply && m.Reply != nil:
		c = replyCard(&m)
	case m.Case != nil:
		c = caseCard(m.Case, m.Finding)
	case m.Finding != nil:
		c = findingCard(m.Finding)
	case m.Digest != nil:
		c = digestCard(m.Digest)
	case m.Notice != nil:
		c = noticeCard(m.Notice)
	default:
		c = Card{Title: "vigil", Sentence: "A message without content."}
	}
	if c.Severity.Rank() == 0 {
		c.Severity = "" // no other word gets into a card
	}
	c.Link = link(m.Link, console)
	m.Words.put(&c)
	return c
}

func clampShare(v float64) float64 {
	if math.IsNaN(v) {
		return 0
	}
	return min(1, max(0, v))
}

// link makes an address that may be opened from a message, or none.
func link(raw, console string) string {
	if raw == "" {
		return ""
	}
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	if u.Scheme == "" && u.Host == "" && strings.HasPrefix(raw, "/") && console != "" {
		base, err := url.Parse(console)
		if err != nil {
			return ""
		}
		query := u.RawQuery
		u = base.JoinPath(u.Path)
		u.RawQuery = query
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return ""
	}
	if s := u.String(); len(s) <= 2000 {
		return s
	}
	return ""
}
