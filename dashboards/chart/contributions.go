package chart

import (
	"fmt"
	"html/template"
	"math"
	"strings"

	"vigil"
	"vigil/dashboards/phrase"
)

// maxRows bounds the contributions that one picture shows.
const maxRows = 12

const (
	volumeRow  = 70.0 // height of a row that has an axis
	noveltyRow = 92.0 // height of a row that names values
	rareTop    = 9.0  // decades: from here on nothing is told apart
	axisRow    = 36.0 // height of the axis
	edge       = 1.5  // percent kept free at both ends of a lane
)

// Contributions draws the terms of a finding's evidence, one row each.
//
// Counts and sizes share one axis, which tells how many times the usual something
// was: so a count of rows and a count of customers can be compared at a glance.
// A row shows the band in which 98 of 100 such spans lie, a tick for the
// expectation and a dot for what was seen. The axis is logarithmic when the
// distances need it. Patterns, whose scores have no unit, share an axis of how rare
// such a thing is. Categories follow, in rows of another kind: the value that was
// seen above the usual ones. Within each kind the order is the caller's. id must be unique on the page. Without contributions
// the result is empty.
func Contributions(id string, list []vigil.Contribution) template.HTML {
	if len(list) == 0 {
		return ""
	}
	if len(list) > maxRows {
		list = list[:maxRows]
	}
	var amounts, patterns, values []*vigil.Contribution
	told := make([]string, 0, len(list))
	for i := range list {
		switch list[i].Form() {
		case vigil.FormValue:
			values = append(values, &list[i])
		case vigil.FormPattern:
			patterns = append(patterns, &list[i])
		default:
			amounts = append(amounts, &list[i])
		}
		told = append(told, describe(&list[i]))
	}
	height := float64(len(amounts)+len(patterns))*volumeRow + float64(len(values))*noveltyRow
	if len(amounts) > 0 {
		height += axisRow
	}
	if len(patterns) > 0 {
		height += axisRow
	}

	var c canvas
	c.open("contributions", id, height, "Seen against expected", strings.Join(told, " "))
	y := 0.0
	if len(amounts) > 0 {
		scale := newRatioScale(amounts)
		for _, k := range amounts {
			c.volume(k, y, scale)
			y += volumeRow
		}
		c.ratioAxis(scale, y, usualWord(amounts))
		y += axisRow
	}
	if len(patterns) > 0 {
		if y > 0 {
			c.line("rule", 0, y, 100, y)
		}
		for _, k := range patterns {
			c.pattern(k, y)
			y += volumeRow
		}
		c.rareAxis(y)
		y += axisRow
	}
	for _, k := range values {
		if y > 0 {
			c.line("rule", 0, y, 100, y)
		}
		c.novelty(k, y)
		y += noveltyRow
	}
	return c.close()
}

func heading(c *canvas, k *vigil.Contribution, y float64, value, usual, more string) {
	c.text("name", 0, y+17, false, phrase.Shorten(phrase.Observation(k.Observation), 34))
	c.text("value", 100, y+17, true, value)
	note := phrase.Span(k.Span)
	if k.Model == "rule" {
		note = "by rule"
	} else if frame := phrase.Frame(k.Frame); frame != "" {
		note = strings.TrimPrefix(note+", against "+frame, ", ")
	}
	c.text("note", 0, y+34, false, phrase.Shorten(note, 46))
	fmt.Fprintf(c, `<text class="note" x="100%%" y="%s" text-anchor="end">%s`, num(y+34), esc(usual))
	if more != "" {
		fmt.Fprintf(c, `<tspan class="wide"> %s</tspan>`, esc(more))
	}
	c.WriteString(`</text>`)
}

func (c *canvas) volume(k *vigil.Contribution, y float64, scale ratioScale) {
	usual, more := "usually "+phrase.Usual(k.Expected), ""
	if k.Model == "rule" {
		usual = "allowed " + phrase.Number(k.Expected)
	} else if k.High > 0 {
		more = "(" + phrase.About(k.Low) + " to " + phrase.About(k.High) + ")"
	}
	heading(c, k, y, phrase.Number(k.Seen), usual, more)

	mid := y + 52
	ref := reference(k)
	low, high := scale.at(finite(k.Low)/ref), scale.at(math.Max(finite(k.High), finite(k.Expected))/ref)
	seen := scale.at(finite(k.Seen) / ref)
	c.line("lane", edge, mid, 100-edge, mid)
	c.rect("band", low, mid-6, math.Max(high-low, 0.4), 12)
	if seen > high {
		c.line("reach", high, mid, seen, mid)
	} else if seen < low {
		c.line("reach", seen, mid, low, mid)
	}
	if k.Expected > 0 {
		at := scale.at(finite(k.Expected) / ref)
		c.line("expected", at, mid-9, at, mid+9)
	}
	c.dot("seen", seen, mid, 5.5)
}

func (c *canvas) novelty(k *vigil.Contribution, y float64) {
	heading(c, k, y, phrase.OneIn(k.Expected), "its chance", "")
	c.line("link", edge, y+52, edge, y+73)
	fmt.Fprintf(c, `<svg x="%s%%" y="%s" width="1" height="1" overflow="visible"><path class="seen" d="M0 -6L6 0L0 6L-6 0Z"/></svg>`, num(edge), num(y+52))
	c.dot("usual", edge, y+74, 4.5)
	c.label("code seen-text", y+56, "now", k.SeenLabel)
	usual := k.ExpectedLabel
	if usual == "" {
		usual = "nothing before it"
	}
	c.label("code", y+78, "usual", usual)
}

// pattern draws how rare a pattern is: the band ends where one of fifty is rarer.
func (c *canvas) pattern(k *vigil.Contribution, y float64) {
	seen, _ := phrase.Pattern(k.Observation)
	heading(c, k, y, phrase.Rare(k.P), "", seen)
	mid := y + 52
	high, at := rareAt(0.02), rareAt(k.P)
	c.line("lane", edge, mid, 100-edge, mid)
	c.rect("band", edge, mid-6, high-edge, 12)
	if at > high {
		c.line("reach", high, mid, at, mid)
	}
	c.dot("seen", at, mid, 5.5)
}

// rareAt maps a p-value to percent of the width: each decade rarer is a step to the
// right.
func rareAt(p float64) float64 {
	decades := 0.0
	if p = finite(p); p > 0 && p < 1 {
		decades = clamp(-math.Log10(p), 0, rareTop)
	}
	return edge + decades/rareTop*(100-2*edge)
}

// rareAxis writes the ticks of the axis of rarity.
func (c *canvas) rareAxis(y float64) {
	c.line("axis", edge, y+4, 100-edge, y+4)
	for _, t := range []struct {
		p                   float64
		word, anchor, class string
	}{{1, "usual", "start", "tick"}, {1e-3, "1 in 1,000", "middle", "tick"}, {1e-6, "1 in a million", "middle", "tick wide"}, {1e-9, "1 in a billion", "end", "tick"}} {
		x := rareAt(t.p)
		c.line("axis", x, y+1, x, y+7)
		fmt.Fprintf(c, `<text class="%s" x="%s%%" y="%s" text-anchor="%s">%s</text>`, t.class, num(x), num(y+21), t.anchor, t.word)
	}
}

// label writes a word and a value beside a mark; dx keeps it clear of the mark,
// whose place is a percentage.
func (c *canvas) label(class string, y float64, word, value string) {
	fmt.Fprintf(c, `<text class="%s" x="%s%%" dx="14" y="%s"><tspan class="word">%s </tspan>%s</text>`,
		class, num(edge), num(y), word, esc(phrase.Shorten(phrase.Text(value, 200), 34)))
}

// describe says a row in words, for readers of screens.
func describe(k *vigil.Contribution) string {
	name := strings.TrimSpace(phrase.Observation(k.Observation) + " " + phrase.Span(k.Span))
	if k.Model == "rule" {
		return fmt.Sprintf("%s: seen %s, allowed %s.", phrase.Observation(k.Observation), phrase.Number(k.Seen), phrase.Number(k.Expected))
	}
	if frame := phrase.Frame(k.Frame); frame != "" {
		name += ", against " + frame
	}
	switch k.Form() {
	case vigil.FormPattern:
		seen, usual := phrase.Pattern(k.Observation)
		return fmt.Sprintf("%s: seen %s, usual %s, how rare: %s.", name, seen, usual, phrase.Rare(k.P))
	case vigil.FormValue:
		return fmt.Sprintf("%s: seen %s, usual %s, chance %s.", name,
			phrase.Text(k.SeenLabel, 80), phrase.Text(k.ExpectedLabel, 80), phrase.OneIn(k.Expected))
	}
	return fmt.Sprintf("%s: seen %s, expected %s, usual range %s to %s.", name,
		phrase.Number(k.Seen), phrase.Number(k.Expected), phrase.Number(k.Low), phrase.Number(k.High))
}

// reference is the amount that stands at "usual" on the shared axis: the
// expectation, or where there is none the band's upper end.
func reference(k *vigil.Contribution) float64 {
	for _, f := range []float64{k.Expected, k.High} {
		if f = finite(f); f > 1e-9 {
			return f
		}
	}
	return 1
}

// ratioScale maps "so many times the usual" to percent of the width.
type ratioScale struct {
	low, high float64
	log       bool
}

func newRatioScale(amounts []*vigil.Contribution) ratioScale {
	low, high := 1.0, 2.0
	for _, k := range amounts {
		ref := reference(k)
		for _, f := range []float64{k.Seen, k.High} {
			high = math.Max(high, finite(f)/ref)
		}
		for _, f := range []float64{k.Seen, k.Low} {
			if f = finite(f) / ref; f > 0 {
				low = math.Min(low, f)
			}
		}
	}
	high = math.Min(high, 1e12)
	if high <= 6 {
		return ratioScale{low: 0, high: high * 1.08}
	}
	return ratioScale{low: clamp(low*0.8, 0.1, 0.6), high: high * math.Pow(high, 0.06), log: true}
}

func (s ratioScale) at(ratio float64) float64 {
	ratio = clamp(ratio, s.low, s.high)
	part := (ratio - s.low) / (s.high - s.low)
	if s.log {
		part = math.Log(ratio/s.low) / math.Log(s.high/s.low)
	}
	return edge + part*(100-2*edge)
}

// usualWord names the axis's tick at one: rules tell what is allowed, not what is
// usual.
func usualWord(amounts []*vigil.Contribution) string {
	for _, k := range amounts {
		if k.Model != "rule" {
			return "usual"
		}
	}
	return "allowed"
}

// ratioAxis writes the ticks of the shared axis: at the usual, and at most five
// others.
func (c *canvas) ratioAxis(s ratioScale, y float64, usual string) {
	c.line("axis", edge, y+4, 100-edge, y+4)
	ticks := []float64{1}
	if s.log {
		decades := math.Floor(math.Log10(s.high) + 1e-9)
		step := math.Ceil(decades / 4)
		for d := step; d > 0 && d <= decades; d += step {
			ticks = append(ticks, math.Pow(10, d))
		}
	} else {
		step := 1.0
		if s.high < 2.6 {
			step = 0.5
		}
		for t := 1 + step; t <= s.high; t += step {
			ticks = append(ticks, t)
		}
	}
	for _, t := range ticks {
		x := s.at(t)
		c.line("axis", x, y+1, x, y+7)
		word := phrase.Times(t)
		if t == 1 {
			word = usual
		}
		anchor := "middle"
		if x > 92 {
			anchor = "end"
		}
		fmt.Fprintf(c, `<text class="tick" x="%s%%" y="%s" text-anchor="%s">%s</text>`, num(x), num(y+21), anchor, esc(word))
	}
}
