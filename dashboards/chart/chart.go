// Package chart draws findings as SVG: what was seen against what was expected,
// an actor's accesses over time, and the small marks that stand in lists.
//
// The console and the report call it. All functions are pure and safe for
// concurrent use, and give the same bytes for the same input. The SVG is made to
// stand inside an HTML page: positions along the x axis are percentages, so that a
// picture is as wide as its place while its text keeps its size; colours are
// classes, set by the page's style sheet, so that one picture serves dark and
// light; there is no style attribute, script or outside reference, so that it lives
// under the strictest content security policy. Every text from outside is escaped,
// shortened, and shown as text. Input of any size is drawn in bounded space, and
// what is not finite is not drawn.
package chart

import (
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"

	"vigil"
	"vigil/dashboards/phrase"
)

// canvas collects the pieces of one picture.
type canvas struct{ strings.Builder }

// open begins a picture height pixels tall that readers of screens hear as title
// and desc. id must be unique on the page.
func (c *canvas) open(class, id string, height float64, title, desc string) {
	fmt.Fprintf(c, `<svg class="chart %s" width="100%%" height="%s" role="img" aria-labelledby="%s-t %s-d" focusable="false">`,
		class, num(height), attr(id), attr(id))
	fmt.Fprintf(c, `<title id="%s-t">%s</title><desc id="%s-d">%s</desc>`, attr(id), esc(title), attr(id), esc(desc))
}

func (c *canvas) close() template.HTML {
	c.WriteString("</svg>")
	return template.HTML(c.String()) //nolint:gosec // every text in it went through esc, every number through num
}

func (c *canvas) text(class string, x, y float64, end bool, s string) {
	anchor := ""
	if end {
		anchor = ` text-anchor="end"`
	}
	fmt.Fprintf(c, `<text class="%s" x="%s%%" y="%s"%s>%s</text>`, class, num(x), num(y), anchor, esc(s))
}

func (c *canvas) rect(class string, x, y, width, height float64) {
	fmt.Fprintf(c, `<rect class="%s" x="%s%%" y="%s" width="%s%%" height="%s"/>`, class, num(x), num(y), num(width), num(height))
}

func (c *canvas) line(class string, x1, y1, x2, y2 float64) {
	fmt.Fprintf(c, `<line class="%s" x1="%s%%" y1="%s" x2="%s%%" y2="%s"/>`, class, num(x1), num(y1), num(x2), num(y2))
}

func (c *canvas) dot(class string, x, y, r float64) {
	fmt.Fprintf(c, `<circle class="%s" cx="%s%%" cy="%s" r="%s"/>`, class, num(x), num(y), num(r))
}

// num writes a coordinate with at most two decimals.
func num(f float64) string {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return "0"
	}
	f = math.Round(f*100) / 100
	if f == 0 {
		return "0" // also for a negative zero
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

func esc(s string) string { return template.HTMLEscapeString(s) }

// attr reduces an id to what may stand in one.
func attr(id string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		}
		return '-'
	}, id)
}

func clamp(f, low, high float64) float64 { return math.Max(low, math.Min(high, f)) }

// finite is f, or zero when f is no number that can be drawn.
func finite(f float64) float64 {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return 0
	}
	return f
}

// Severity draws four steps, as many of them filled as the severity's rank, so
// that severities differ in shape and not in colour alone. It is decoration: the
// word stands beside it.
func Severity(s vigil.Severity) template.HTML {
	var c canvas
	c.WriteString(`<svg class="steps" width="16" height="12" aria-hidden="true" focusable="false">`)
	for i := 0; i < 4; i++ {
		class := "step"
		if i < s.Rank() {
			class = "step on"
		}
		height := 3 + 3*float64(i)
		fmt.Fprintf(&c, `<rect class="%s" x="%d" y="%s" width="3" height="%s"/>`, class, i*4, num(12-height), num(height))
	}
	return c.close()
}

// Share draws a share between 0 and 1 as a short bar. It is decoration: the
// number stands beside it.
func Share(share float64) template.HTML {
	share = clamp(finite(share), 0, 1)
	var c canvas
	c.WriteString(`<svg class="share" width="100%" height="6" aria-hidden="true" focusable="false">`)
	c.WriteString(`<rect class="share-all" width="100%" height="6" rx="3"/>`)
	if share > 0 {
		fmt.Fprintf(&c, `<rect class="share-part" width="%s%%" height="6" rx="3"/>`, num(share*100))
	}
	return c.close()
}

// Spark draws counts of equal times side by side, the newest last, as bars of at least a
// pixel where there was anything. It is decoration: what matters stands beside it.
func Spark(counts []int64) template.HTML {
	const height = 22
	counts = counts[max(0, len(counts)-100):]
	most := int64(1)
	for _, n := range counts {
		most = max(most, n)
	}
	var c canvas
	fmt.Fprintf(&c, `<svg class="spark" width="100%%" height="%d" aria-hidden="true" focusable="false">`, height)
	step := 100 / float64(max(len(counts), 1))
	for i, n := range counts {
		if n > 0 {
			h := math.Max(1, height*float64(n)/float64(most))
			c.rect("spark-bar", float64(i)*step, height-h, step*0.8, h)
		}
	}
	c.line("spark-floor", 0, height-0.5, 100, height-0.5)
	return c.close()
}

// Evidence draws a finding's evidence as a gauge: how far it went (log10), and
// where the line stood that it crossed. A finding without a line, such as a
// rule's, has a full gauge.
func Evidence(id string, evidence, threshold float64) template.HTML {
	evidence, threshold = math.Max(0, finite(evidence)), math.Max(0, finite(threshold))
	var c canvas
	if threshold == 0 {
		c.open("gauge", id, 12, "Evidence", "Found by a rule, which needs no weighing.")
		c.rect("gauge-on", 0, 3, 100, 6)
		return c.close()
	}
	top := math.Max(evidence, threshold) * 1.06
	c.open("gauge", id, 12, "Evidence",
		fmt.Sprintf("Evidence %s, the line stands at %s; each step of one is ten times as strong.",
			phrase.Number(evidence), phrase.Number(threshold)))
	c.rect("gauge-all", 0, 3, 100, 6)
	c.rect("gauge-on", 0, 3, 100*evidence/top, 6)
	c.line("gauge-line", 100*threshold/top, 0, 100*threshold/top, 12)
	return c.close()
}
