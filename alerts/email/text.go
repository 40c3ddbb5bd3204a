package email

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"vigil/alerts"
)

// width is at how many characters text is wrapped.
const width = 76

// defang keeps addresses readable, but so that mail programs make no links of them.
func defang(s string) string {
	return strings.NewReplacer("://", "[:]//", "www.", "www[.]", "@", "[@]").Replace(s)
}

// text is the mail's text part.
func (d draft) text() string {
	c := d.Card
	var b strings.Builder
	para := func(s, indent string) {
		if s != "" {
			b.WriteString(wrap(defang(s), indent) + "\n")
		}
	}
	if d.News != "" {
		para("New: "+d.News+".", "")
		b.WriteString("\n")
	}
	para(c.Title, "")
	b.WriteString("\n")
	para(c.Sentence, "")
	facts := func(head string, fields []alerts.Field) {
		if len(fields) > 0 {
			b.WriteString("\n" + head)
		}
		for _, f := range fields {
			for i, line := range strings.Split(f.Value.String(), "\n") {
				label := ""
				if i == 0 {
					label = f.Label
				}
				b.WriteString(fmt.Sprintf("%-16s ", label) + strings.TrimLeft(wrap(defang(line), strings.Repeat(" ", 17)), " ") + "\n")
			}
		}
	}
	facts("", c.Fields)
	facts("The case:\n", c.Standing)
	for _, l := range c.Lines {
		b.WriteString("\n")
		head := l.Who
		if w := alerts.SeverityWord(l.Severity); l.Severity.Rank() > 0 {
			head = w + ": " + head
		}
		if !l.At.IsZero() {
			head += " (" + alerts.Moment(l.At) + ")"
		}
		para(head, "")
		para(l.Text, "  ")
	}
	if len(c.Lines) > 0 && c.More > 0 {
		b.WriteString("\n")
		para(fmt.Sprintf("and %d more.", c.More), "")
	}
	if len(c.Notes) > 0 {
		b.WriteString("\n")
		for _, n := range c.Notes {
			para("- "+n, "")
		}
	}
	if len(c.Why) > 0 {
		b.WriteString("\nWhy:\n")
		for _, r := range c.Why {
			b.WriteString(fmt.Sprintf("%4d%%  ", percent(r.Share)) + strings.TrimLeft(wrap(defang(r.Text), strings.Repeat(" ", 7)), " ") + "\n")
		}
		if c.More > 0 {
			para("and "+alerts.Count(int64(c.More), "smaller reason", "smaller reasons"), strings.Repeat(" ", 7))
		}
	}
	if c.Counterfactual != "" {
		b.WriteString("\n")
		para(c.Counterfactual, "")
	}
	if c.NotJudged != "" {
		b.WriteString("\n")
		para(c.NotJudged, "")
	}
	if c.Link != "" {
		b.WriteString("\nOpen: " + c.Link + "\n")
	}
	if c.Footer != "" {
		b.WriteString("\n-- \n")
		para(c.Footer, "")
	}
	return b.String()
}

func percent(share float64) int { return int(share*100 + .5) }

// wrap breaks text into lines that begin with indent.
func wrap(s, indent string) string {
	var b strings.Builder
	b.WriteString(indent)
	at := utf8.RuneCountInString(indent)
	start := true
	for _, word := range strings.Fields(s) {
		n := utf8.RuneCountInString(word)
		if !start && at+1+n > width {
			b.WriteString("\n" + indent)
			at, start = utf8.RuneCountInString(indent), true
		}
		if !start {
			b.WriteByte(' ')
			at++
		}
		b.WriteString(word)
		at, start = at+n, false
	}
	return b.String()
}
