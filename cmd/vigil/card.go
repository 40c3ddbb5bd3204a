package main

import (
	"fmt"
	"io"
	"strings"

	"vigil"
	"vigil/dashboards/phrase"
)

// cardWidth is the width to which a card's text is wrapped, in characters.
const cardWidth = 96

// shownContributions is how many of a finding's contributions a card lists.
const shownContributions = 4

// maxName bounds a name on a card, in characters.
const maxName = 64

// printCard prints one finding: what, who, when, how much, why, and what would
// have kept it from being one.
func printCard(w io.Writer, f *vigil.Finding) {
	fmt.Fprintf(w, "%s  %s\n", strings.ToUpper(phrase.Severity(f.Severity)), who(f))
	paragraph(w, "  ", phrase.Prose(f.Sentence, 1_000))
	fmt.Fprintf(w, "  %s\n", strings.Join(facts(f), " · "))
	for i, c := range f.Contributions {
		if i == shownContributions {
			fmt.Fprintf(w, "  %4s  and %d more\n", "", len(f.Contributions)-i)
			break
		}
		text := phrase.Prose(c.Text, 300)
		if text == "" {
			text = fmt.Sprintf("%s: seen %s, expected %s", phrase.Observation(c.Observation), phrase.Number(c.Seen), phrase.Number(c.Expected))
		}
		hanging(w, fmt.Sprintf("  %4.0f%%  ", 100*c.Share), text)
	}
	if f.Counterfactual != "" {
		hanging(w, "  but   ", phrase.Prose(f.Counterfactual, 500))
	}
	if len(f.NotJudged) > 0 {
		names := make([]string, len(f.NotJudged))
		for i, n := range f.NotJudged {
			names[i] = phrase.NotJudged(n)
		}
		hanging(w, "  note  ", "not judged: "+strings.Join(names, ", "))
	}
	fmt.Fprintf(w, "  id    %s\n\n", phrase.Text(f.ID, maxName))
}

// who names what a finding is about.
func who(f *vigil.Finding) string {
	switch f.About {
	case vigil.AboutSubject:
		return "customer " + phrase.Text(f.Subject, maxName)
	case vigil.AboutSource:
		return "source " + phrase.Text(f.Source, maxName)
	}
	name := phrase.Text(f.Actor, maxName)
	var more []string
	if f.ActorKind != vigil.KindUnspecified {
		more = append(more, phrase.Kind(f.ActorKind))
	}
	for _, s := range []string{f.Role, f.Team, f.Tenant} {
		if s != "" {
			more = append(more, phrase.Text(s, maxName))
		}
	}
	if len(more) > 0 {
		name += " (" + strings.Join(more, ", ") + ")"
	}
	return name
}

// facts are when and how much.
func facts(f *vigil.Finding) []string {
	out := []string{phrase.Range(f.Start, f.End)}
	if f.Subjects != vigil.Unknown {
		out = append(out, phrase.Plural(f.Subjects, "customer", "customers"))
	}
	if f.Conversations != vigil.Unknown && f.Conversations > 0 {
		out = append(out, phrase.Plural(f.Conversations, "conversation", "conversations"))
	}
	out = append(out, phrase.Plural(f.Events, "event", "events"))
	if f.Rows != vigil.Unknown {
		out = append(out, phrase.Plural(f.Rows, "row", "rows"))
	}
	if f.State == vigil.StateOpen {
		out = append(out, "still going on")
	}
	return out
}

// paragraph prints text wrapped, each line after the indent.
func paragraph(w io.Writer, indent, text string) {
	for _, line := range wrap(text, cardWidth-len(indent)) {
		fmt.Fprintf(w, "%s%s\n", indent, line)
	}
}

// hanging prints text wrapped, the first line after a label and the others
// below its text.
func hanging(w io.Writer, label, text string) {
	for i, line := range wrap(text, cardWidth-len(label)) {
		if i > 0 {
			label = strings.Repeat(" ", len(label))
		}
		fmt.Fprintf(w, "%s%s\n", label, line)
	}
}

// wrap breaks text into lines of at most width characters where it has spaces.
func wrap(text string, width int) []string {
	var lines []string
	var line strings.Builder
	length := 0
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ' ' || r == '\n' || r == '\t' }) {
		n := len([]rune(word))
		if length > 0 && length+1+n > width {
			lines = append(lines, line.String())
			line.Reset()
			length = 0
		}
		if length > 0 {
			line.WriteByte(' ')
			length++
		}
		line.WriteString(word)
		length += n
	}
	if length > 0 {
		lines = append(lines, line.String())
	}
	return lines
}
