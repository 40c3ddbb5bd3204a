package alerts

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"vigil"
)

func findingCard(f *vigil.Finding) Card {
	c := Card{Severity: f.Severity, Closed: f.State == vigil.StateClosed}
	title := SeverityWord(f.Severity) + ": " + subjectOf(f)
	if c.Closed {
		title = "Closed · " + title
	}
	c.Title = Cut(title, maxTitle)
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
	add("Looked for", looked(f))
	add("Where", where(f))
	c.Bars = bars(f)

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

// looked tells which reasons for the reads were looked for, and of how many customers
// none was found.
func looked(f *vigil.Finding) Text {
	if len(f.ReasonsLooked) == 0 {
		return nil
	}
	t := Text{{S: untold(f.ReasonsLooked, 6)}}
	switch {
	case f.Unreasoned <= 0:
		return append(t, Run{S: "\nfound for all"})
	case f.Subjects >= f.Unreasoned:
		return append(t, Run{S: "\nnone found for " + thousands(f.Unreasoned) + " of " + Count(f.Subjects, "customer", "customers")})
	}
	return append(t, Run{S: "\nnone found for " + Count(f.Unreasoned, "customer", "customers")})
}

// bars are the amounts that weigh most, each observation once.
func bars(f *vigil.Finding) []Bar {
	terms := slices.Clone(f.Contributions)
	slices.SortStableFunc(terms, func(a, b vigil.Contribution) int { return cmp.Compare(b.Share, a.Share) })
	var out []Bar
	told := map[string]bool{}
	for i := range terms {
		c := &terms[i]
		// The numbers of a drift are rates, whose unit only its text tells.
		if c.Form() != vigil.FormAmount || told[c.Observation] || c.Observation == "drift" || !drawable(c.Seen) || !drawable(c.Expected) {
			continue
		}
		told[c.Observation] = true
		b := Bar{Label: noun(c.Observation, 2) + spanWord(c.Span), Seen: c.Seen, Expected: c.Expected}
		if drawable(c.Low) && drawable(c.High) && c.High > c.Low {
			b.Low, b.High = c.Low, c.High
		}
		if out = append(out, b); len(out) == MaxBars {
			break
		}
	}
	return out
}

func drawable(v float64) bool { return v >= 0 && v <= math.MaxFloat32 }

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
