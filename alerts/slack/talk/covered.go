package talk

import (
	"fmt"
	"strings"

	"github.com/slack-go/slack"

	"vigil"
	"vigil/alerts"
)

// covered says what an exception or a silence would have hidden. What must not be
// overlooked stands first.
func covered(c *alerts.Covered) []slack.Block {
	var out []slack.Block
	if c.Breaches > 0 {
		out = append(out, markedSection(fmt.Sprintf("⚠ *%s among what this would have hidden %s judged breach or misuse.*",
			alerts.Count(int64(c.Breaches), "finding", "findings"), was(c.Breaches))))
	}
	if c.Says != "" {
		out = append(out, section(sentence(alerts.Cut(c.Says, maxSays))))
	}
	var b strings.Builder
	b.WriteString("*Since " + c.Since.UTC().Format("2 January") + " this would have hidden*")
	if c.WhollyTotal+c.PartlyTotal == 0 {
		b.WriteString("\nnothing")
	}
	if c.WhollyTotal > 0 {
		b.WriteString("\n" + alerts.Count(int64(c.WhollyTotal), "finding", "findings") + " wholly")
	}
	if c.PartlyTotal > 0 {
		b.WriteString("\n" + alerts.Count(int64(c.PartlyTotal), "finding", "findings") + " partly: told with less evidence")
	}
	if c.Of > 0 {
		b.WriteString("\n" + alerts.Number(float64(c.Events)) + " of " + alerts.Count(int64(c.Of), "access", "accesses"))
	}
	out = append(out, markedSection(b.String()))
	for _, l := range []struct {
		title string
		fs    []vigil.Finding
		total int
	}{{"Wholly", c.Wholly, c.WhollyTotal}, {"Partly", c.Partly, c.PartlyTotal}} {
		fs := l.fs[:min(len(l.fs), alerts.MaxCovered)]
		if len(fs) == 0 {
			continue
		}
		var b strings.Builder
		b.WriteString("*" + l.title + "*")
		for i := range fs {
			line := "\n• " + findingLine(&fs[i])
			// Slack's bound of a section; what does not fit is counted.
			if b.Len()+len(line) > maxSection-100 {
				fs = fs[:i]
				break
			}
			b.WriteString(line)
		}
		if more := l.total - len(fs); more > 0 {
			fmt.Fprintf(&b, "\n_and %d more_", more)
		}
		out = append(out, markedSection(b.String()))
	}
	return out
}

func was(n int) string {
	if n == 1 {
		return "was"
	}
	return "were"
}
