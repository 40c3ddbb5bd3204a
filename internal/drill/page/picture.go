package page

import (
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"
	"time"

	"vigil/dashboards/phrase"
	"vigil/internal/drill"
)

// The picture's measures in pixels. Along x everything is in percent, so that a
// picture is as wide as its place while its text keeps its size.
const (
	top     = 22
	height  = 120
	gap     = 34
	lower   = 54
	bottom  = 26
	maxDots = 10
)

func num(f float64) string {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return "0"
	}
	return strconv.FormatFloat(math.Round(f*100)/100, 'f', -1, 64)
}

// dots draws in how many of all worlds a breach was found. It is decoration: the
// numbers stand beside it.
func dots(found, of int) template.HTML {
	n := min(of, maxDots)
	on := found
	if of > n {
		on = found * n / of
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="dots" width="%d" height="12" aria-hidden="true" focusable="false">`, n*13)
	for i := range n {
		class := "off"
		if i < on {
			class = "on"
		}
		fmt.Fprintf(&b, `<circle class="%s" cx="%d" cy="6" r="4.5"/>`, class, 6+i*13)
	}
	b.WriteString(`</svg>`)
	return template.HTML(b.String()) //nolint:gosec // numbers alone
}

// evidence draws how the evidence about the culprits grew against the line, and
// how many customers had been shown, over the time of the breach.
func evidence(key string, o *drill.Outcome) template.HTML {
	c := o.Curve
	n := len(c.Values)
	if n == 0 || c.Step <= 0 {
		return ""
	}
	total := time.Duration(float64(n) * c.Step * float64(time.Second))
	at := func(t time.Time) float64 {
		return math.Max(0, math.Min(100, 100*float64(t.Sub(c.Start))/float64(total)))
	}
	most := math.Max(c.Line, 1)
	peak := 0.0
	for _, v := range c.Values {
		peak = math.Max(peak, v)
	}
	most = math.Max(most, peak) * 1.12
	var b strings.Builder
	all := top + height + gap + lower + bottom
	fmt.Fprintf(&b, `<svg class="chart evidence-over-time" width="100%%" height="%d" role="img" aria-labelledby="%s-t %s-d" focusable="false">`, all, key, key)
	desc := fmt.Sprintf("From %s to %s. The evidence reaches %s; the line stands at %s. %s customers were shown in all.",
		phrase.Moment(c.Start), phrase.Moment(c.Start.Add(total)), phrase.Number(peak), phrase.Number(c.Line), phrase.Count(o.Taken))
	fmt.Fprintf(&b, `<title id="%s-t">Evidence over time</title><desc id="%s-d">%s</desc>`, key, key, template.HTMLEscapeString(desc))
	// The breach, behind both strips.
	from, to := at(o.Truth.Since), at(o.Truth.End)
	fmt.Fprintf(&b, `<rect class="span" x="%s%%" y="%d" width="%s%%" height="%d"/>`, num(from), top, num(math.Max(0.4, to-from)), height+gap+lower)
	fmt.Fprintf(&b, `<text class="note" x="0" y="14">evidence, in powers of ten</text>`)
	width := 100 / float64(n)
	for i, v := range c.Values {
		if v <= 0 {
			continue
		}
		h := v / most * height
		class := "bar"
		if c.Line > 0 && v >= c.Line {
			class = "hot"
		}
		fmt.Fprintf(&b, `<rect class="%s" x="%s%%" y="%s" width="%s%%" height="%s"/>`, class, num(float64(i)*width), num(top+height-h), num(width+0.05), num(h))
	}
	base := top + height
	fmt.Fprintf(&b, `<line class="axis" x1="0" y1="%d" x2="100%%" y2="%d"/>`, base, base)
	if c.Line > 0 {
		y := top + height - c.Line/most*height
		fmt.Fprintf(&b, `<line class="the-line" x1="0" y1="%s" x2="100%%" y2="%s"/>`, num(y), num(y))
		fmt.Fprintf(&b, `<text class="line-name" x="100%%" y="%s" text-anchor="end">the line, %s</text>`, num(y-5), phrase.Number(math.Round(c.Line*10)/10))
	}
	shownBars(&b, c.Shown, base+gap)
	if o.Detected != nil {
		x := at(*o.Detected)
		anchor := "start"
		if x > 80 {
			anchor = "end"
		}
		fmt.Fprintf(&b, `<line class="span-edge" x1="%s%%" y1="%d" x2="%s%%" y2="%d"/>`, num(x), top-4, num(x), base+gap+lower)
		fmt.Fprintf(&b, `<text class="seen-text" x="%s%%" y="14" text-anchor="%s">found</text>`, num(math.Max(x, 24)), anchor)
	}
	ticks(&b, c.Start, total, base+gap+lower)
	b.WriteString(`</svg>`)
	return template.HTML(b.String()) //nolint:gosec // every text went through EscapeString, every number through num
}

// shownBars is the lower strip: customers shown so far.
func shownBars(b *strings.Builder, shown []int64, y int) {
	var most int64 = 1
	for _, v := range shown {
		most = max(most, v)
	}
	fmt.Fprintf(b, `<text class="note" x="0" y="%d">customers shown so far, %s at most</text>`, y-6, phrase.Count(most))
	width := 100 / float64(max(1, len(shown)))
	for i, v := range shown {
		if v == 0 {
			continue
		}
		h := float64(v) / float64(most) * lower
		fmt.Fprintf(b, `<rect class="shown" x="%s%%" y="%s" width="%s%%" height="%s"/>`, num(float64(i)*width), num(float64(y)+lower-h), num(width+0.05), num(h))
	}
	fmt.Fprintf(b, `<line class="axis" x1="0" y1="%d" x2="100%%" y2="%d"/>`, y+lower, y+lower)
}

// ticks writes at most five labels at round times.
func ticks(b *strings.Builder, start time.Time, total time.Duration, y int) {
	day := 24 * time.Hour
	step := 7 * day
	for _, s := range []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, day, 2 * day, 7 * day} {
		if total/s <= 4 {
			step = s
			break
		}
	}
	layout := "2 Jan"
	if step < day {
		layout = "15:04"
		if total > 20*time.Hour {
			layout = "2 Jan 15:04"
		}
	}
	for t := start.Truncate(step).Add(step); t.Before(start.Add(total)); t = t.Add(step) {
		x := 100 * float64(t.Sub(start)) / float64(total)
		if x < 4 || x > 96 {
			continue
		}
		fmt.Fprintf(b, `<line class="axis" x1="%s%%" y1="%d" x2="%s%%" y2="%d"/>`, num(x), y, num(x), y+5)
		fmt.Fprintf(b, `<text class="tick" x="%s%%" y="%d" text-anchor="middle">%s</text>`, num(x), y+19, t.Format(layout))
	}
}
