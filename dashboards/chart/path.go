package chart

import (
	"fmt"
	"html/template"
	"math"
	"strings"
	"time"

	"vigil/dashboards/phrase"
)

// PathStep is evidence, as log10, at a time.
type PathStep struct {
	Time     time.Time
	Evidence float64
}

const (
	pathHead   = 18.0 // holds the words over the highest step
	pathHeight = 96.0
	pathFoot   = 24.0
)

// Path draws how evidence went, as steps in order of time, against the line that it would
// have to cross: a line of zero is not drawn. Between steps it is shown as it was at the
// earlier. id must be unique on the page. With less than two steps the result is empty.
func Path(id string, steps []PathStep, line float64) template.HTML {
	if len(steps) < 2 || !steps[len(steps)-1].Time.After(steps[0].Time) {
		return ""
	}
	line = math.Max(0, finite(line))
	top, at := line, 0
	for i, s := range steps {
		if finite(s.Evidence) > finite(steps[at].Evidence) {
			at = i
		}
		top = math.Max(top, finite(s.Evidence))
	}
	if top == 0 {
		return ""
	}
	top *= 1.08
	axis := timeAxis{start: steps[0].Time, total: steps[len(steps)-1].Time.Sub(steps[0].Time)}
	desc := fmt.Sprintf("From %s to %s; at most %s, at %s.", phrase.Moment(axis.start), phrase.Moment(axis.start.Add(axis.total)),
		phrase.Number(finite(steps[at].Evidence)), phrase.Moment(steps[at].Time))
	if line > 0 {
		desc += " The line stands at " + phrase.Number(line) + "."
	}
	var c canvas
	c.open("path", id, pathHead+pathHeight+pathFoot, "Evidence over time", desc)
	height := func(e float64) float64 { return pathHeight * (1 - clamp(finite(e), 0, top)/top) }
	var d strings.Builder
	for i, s := range steps {
		x, y := num(10*axis.at(s.Time)), num(height(s.Evidence))
		if i == 0 {
			fmt.Fprintf(&d, "M%s %s", x, y)
		} else {
			fmt.Fprintf(&d, "H%sV%s", x, y)
		}
	}
	fmt.Fprintf(&c, `<svg y="%s" width="100%%" height="%s" viewBox="0 0 1000 %s" preserveAspectRatio="none"><path class="path-line" d="%s"/></svg>`, num(pathHead), num(pathHeight), num(pathHeight), d.String())
	if line > 0 {
		y := pathHead + height(line)
		c.line("path-limit", 0, y, 100, y)
		c.text("tick", 0, y-4, false, "the line, "+phrase.Number(math.Round(line*10)/10))
	}
	if highest := finite(steps[at].Evidence); highest > line {
		c.text("tick", 100, pathHead+height(highest)-6, true, "at most "+phrase.Number(math.Round(highest*10)/10))
	}
	const foot = pathHead + pathHeight
	c.line("axis", 0, foot+0.5, 100, foot+0.5)
	c.timeTicks(axis, foot)
	return c.close()
}
