package alerts

import (
	"cmp"
	"fmt"
	"math"
	"net/url"
	"slices"
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
	// Lines are a digest's findings, worst first, and Notes its notes.
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
	MaxFields         = 6
	MaxReasons        = 4
	MaxDigestFindings = 10
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
// for looking things up, such as a pseudonym: it is shown as it is.
type Run struct {
	S    string
	Name bool
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

// Line is one finding of a digest.
type Line struct {
	Severity vigil.Severity
	Who      string
	Text     string
	At       time.Time
}

// CardOf makes the card of a message. Links are made absolute by console, the
// console's address, when it is given; a link that is not http or https is left
// out.
func CardOf(m Message, console string) Card {
	var c Card
	switch {
	case m.Finding != nil:
		c = findingCard(m.Finding)
	case m.Digest != nil:
		c = digestCard(m.Digest)
	default:
		c = Card{Title: "vigil", Sentence: "A message without content."}
	}
	c.Link = link(m.Link, console)
	return c
}

func findingCard(f *vigil.Finding) Card {
	c := Card{Severity: f.Severity, Closed: f.State == vigil.StateClosed}
	title := SeverityWord(f.Severity) + ": " + subjectOf(f)
	if c.Closed {
		title = "Closed · " + title
	}
	c.Title = Cut(title, 140)
	c.Sentence = Cut(Clean(f.Sentence), maxSentence)
	if c.Sentence == "" {
		c.Sentence = "A finding without a sentence: open it for the details."
	}
	add := func(label string, t Text) {
		if len(t) > 0 && len(c.Fields) < MaxFields {
			c.Fields = append(c.Fields, Field{label, t})
		}
	}
	add(whoLabel(f.About), who(f))
	add("When", when(f))
	add("How much", howMuch(f))
	add("How unusual", unusual(f))
	if label := partLabel(f.About); label != "" {
		add(label, part(f.Actors))
	}
	add("Whose data", whose(f))
	add("Where", where(f))

	terms := slices.Clone(f.Contributions)
	slices.SortStableFunc(terms, func(a, b vigil.Contribution) int { return cmp.Compare(b.Share, a.Share) })
	for i := range terms {
		if len(c.Why) == MaxReasons || len(c.Why) > 0 && terms[i].Share < smallShare {
			c.More++
			continue
		}
		c.Why = append(c.Why, Reason{Text: Cut(reason(&terms[i]), maxReason), Share: clampShare(terms[i].Share)})
	}
	c.Counterfactual = Cut(Clean(f.Counterfactual), maxSentence)
	if n := len(f.NotJudged); n > 0 {
		c.NotJudged = "The source does not tell: " + untold(f.NotJudged, 6)
	}
	if len(f.ReasonsMissing) > 0 {
		// With no feed at all nothing is missed; with some, what they do not tell is said.
		if c.NotJudged != "" {
			c.NotJudged += ". "
		}
		c.NotJudged += "No feed tells: " + untold(f.ReasonsMissing, 6)
	}
	c.Footer = fmt.Sprintf("Finding %s · revision %d", Cut(Clean(f.ID), maxName), f.Revision)
	if !f.Detected.IsZero() {
		c.Footer += " · detected " + Moment(f.Detected)
	}
	return c
}

func name(s string) string {
	if s = Cut(Clean(s), maxName); s == "" {
		return "(unnamed)"
	}
	return s
}

// actorList is how many actors a finding names at most: of so many there may be more.
const actorList = 50

// part lists who took part.
func part(actors []string) Text {
	const shown = 4
	t := names(actors, shown)
	if len(actors) >= actorList {
		t[len(t)-1].S = fmt.Sprintf(" and at least %d more", len(actors)-shown)
	}
	return t
}

func who(f *vigil.Finding) Text {
	var t Text
	switch f.About {
	case vigil.AboutSubject:
		t = Text{{S: name(f.Subject), Name: true}, {S: " · read by others"}}
	case vigil.AboutSource:
		return Text{{S: name(f.Source), Name: true}, {S: " · log source"}}
	case vigil.AboutNetwork:
		return Text{{S: name(f.Network), Name: true}}
	case vigil.AboutTeam:
		t = Text{{S: name(f.Team), Name: true}, {S: " · together"}}
		if f.Tenant != "" {
			t = append(t, Run{S: "\ntenant "}, Run{S: name(f.Tenant), Name: true})
		}
		return t
	default:
		t = Text{{S: name(f.Actor), Name: true}, {S: " · " + kindWord(f.ActorKind)}}
	}
	told := false
	for _, p := range []struct{ label, v string }{{"role", f.Role}, {"team", f.Team}, {"tenant", f.Tenant}} {
		if p.v != "" {
			sep := " · "
			if !told {
				sep, told = "\n", true
			}
			t = append(t, Run{S: sep + p.label + " "}, Run{S: name(p.v), Name: true})
		}
	}
	return t
}

func when(f *vigil.Finding) Text {
	if f.Start.IsZero() {
		return nil
	}
	s := "since " + Moment(f.Start)
	if f.End.After(f.Start) {
		s += "\nfor " + Span(f.End.Sub(f.Start))
	}
	if f.State == vigil.StateClosed {
		s += ", now quiet"
	} else {
		s += ", still open"
	}
	return Text{{S: s}}
}

// howMuch tells the counts that weigh most, seen against expected.
func howMuch(f *vigil.Finding) Text {
	terms := slices.Clone(f.Contributions)
	slices.SortStableFunc(terms, func(a, b vigil.Contribution) int { return cmp.Compare(b.Share, a.Share) })
	var lines []string
	told := map[string]bool{}
	for i := range terms {
		c := &terms[i]
		// What is counted twice (in another frame or span) is told once.
		if c.Form() != vigil.FormAmount || told[c.Observation] {
			continue
		}
		told[c.Observation] = true
		if t := Clean(c.Text); c.Observation == "drift" && t != "" {
			lines = append(lines, Cut(t, maxReason)) // what is counted stands there only
		} else {
			lines = append(lines, seenAgainst(c, "\n"))
		}
		if len(lines) == 2 {
			break
		}
	}
	if len(lines) == 0 {
		if f.Events <= 0 {
			return nil
		}
		return Text{{S: Count(f.Events, "access", "accesses")}}
	}
	return Text{{S: strings.Join(lines, "\n")}}
}

// SeenAgainst says a count against its expectation: "2,113 customers in a day,
// expected 40 (5 to 110)".
func SeenAgainst(c *vigil.Contribution) string { return seenAgainst(c, ", ") }

func seenAgainst(c *vigil.Contribution, sep string) string {
	s := Number(c.Seen) + " " + noun(c.Observation, c.Seen) + spanWord(c.Span)
	s += sep + "expected " + Number(c.Expected)
	if c.High > c.Low {
		s += " (" + Number(c.Low) + " to " + Number(c.High) + ")"
	}
	return s
}

// unusual says how rare the rarest term is, and how far the sum of all is over
// the line. Evidence is a product of e-values: ten times the line is ten times
// as much, while how often such a value comes by chance is what the fitted line
// stands for. So it is told as a multiple of the line, not as a chance.
func unusual(f *vigil.Finding) Text {
	if f.Rule != "" {
		return Text{{S: "rule "}, {S: name(f.Rule), Name: true}, {S: "\nnear certain by itself"}}
	}
	var parts []string
	best := -1
	for i, c := range f.Contributions {
		if c.P > 0 && c.P <= 1 && (best < 0 || c.P < f.Contributions[best].P) {
			best = i
		}
	}
	if best >= 0 {
		c := &f.Contributions[best]
		if r := Rarity(c.P, c.Span); r != "" {
			parts = append(parts, r+frameWord(c.Frame))
		}
	}
	if over := f.Evidence - f.Threshold; f.Evidence > 0 && !math.IsNaN(over) && !math.IsInf(over, 0) {
		switch {
		case over >= 3:
			parts = append(parts, "evidence over 1,000 times the alert line")
		case over >= math.Log10(2):
			parts = append(parts, "evidence "+Number(roundDown(math.Pow(10, over)))+" times the alert line")
		default:
			parts = append(parts, "evidence just over the alert line")
		}
	}
	if len(parts) == 0 {
		return nil
	}
	return Text{{S: strings.Join(parts, "\n")}}
}

func whose(f *vigil.Finding) Text {
	switch f.About {
	case vigil.AboutSource, vigil.AboutTeam:
		return nil // no customers are counted for them
	case vigil.AboutSubject:
		if f.Rows > 0 {
			return Text{{S: Count(f.Rows, "row", "rows") + " of this customer"}}
		}
		return Text{{S: "this customer"}}
	}
	var parts []string
	if f.Subjects > 0 {
		parts = append(parts, Count(f.Subjects, "customer", "customers"))
	}
	if f.Conversations > 0 {
		parts = append(parts, Count(f.Conversations, "conversation", "conversations"))
	}
	if f.Rows > 0 {
		parts = append(parts, Count(f.Rows, "row", "rows"))
	}
	if len(parts) == 0 {
		if f.Subjects == vigil.Unknown {
			return Text{{S: "the source does not tell"}}
		}
		return nil
	}
	if f.Subjects == vigil.Unknown {
		parts = append(parts, "customers not told")
	}
	t := Text{{S: strings.Join(parts, ", ")}}
	if len(f.Classes) > 0 {
		t = append(append(t, Run{S: ", of class "}), named(f.Classes, 4)...)
	}
	return t
}

func where(f *vigil.Finding) Text {
	var t Text
	for _, p := range []struct {
		label string
		v     []string
	}{{"store ", f.Stores}, {"in ", f.Resources}, {"from ", f.Networks}} {
		if len(p.v) == 0 || f.About == vigil.AboutNetwork && p.label == "from " {
			continue
		}
		if len(t) > 0 {
			t = append(t, Run{S: "\n"})
		}
		t = append(t, Run{S: p.label})
		t = append(t, names(p.v, 3)...)
	}
	return t
}

// names lists foreign names, at most max of them.
func names(vs []string, max int) Text {
	var t Text
	for i, v := range vs {
		if i == max {
			return append(t, Run{S: fmt.Sprintf(" and %d more", len(vs)-max)})
		}
		if i > 0 {
			t = append(t, Run{S: ", "})
		}
		t = append(t, Run{S: name(v), Name: true})
	}
	return t
}

// named lists foreign names as a sentence does, the last after "and".
func named(vs []string, max int) Text {
	t := names(vs, max)
	if n := len(t); n > 2 && len(vs) <= max {
		t[n-2].S = " and "
	}
	return t
}

// reason is a contribution's own words, or words for it.
func reason(c *vigil.Contribution) string {
	if t := Clean(c.Text); t != "" {
		return t
	}
	if c.SeenLabel != "" {
		s := noun(c.Observation, 1) + " " + name(c.SeenLabel)
		if c.ExpectedLabel != "" {
			s += ", usually " + name(c.ExpectedLabel)
		}
		return s
	}
	if c.Form() == vigil.FormPattern {
		return patternWords(c.Observation)
	}
	return SeenAgainst(c)
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
