// Package picture draws what was seen against what was expected, as a PNG for
// channels that show pictures.
//
// A Chart is made from a card's amounts (Of), drawn (PNG), said in words for those who can't
// see it (Alt), and recognised again (Mark), so that it is drawn anew only when it
// would look different. All is a pure function of the input, bounded by it, and safe
// for concurrent use: the same chart gives the same bytes. Any number may stand in a
// chart; what is no number is left out. Text of others shows as it is written: what
// the font has no sign for is shown by its code.
package picture

import (
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"strings"
	"time"

	"vigil/alerts"
)

// Bounds of a chart.
const (
	// MaxBars is how many amounts are drawn, MaxSpans how many spans of a timeline: the
	// latest.
	MaxBars  = 3
	MaxSpans = 96
	// maxAlt is the longest text that channels take for a picture, in characters.
	maxAlt = 1500
	// huge is the largest number that is told apart.
	huge = 1e15
)

// Chart is what is drawn.
type Chart struct {
	// Bars are the amounts, the most telling first; MaxBars of them are drawn.
	Bars []alerts.Bar
	// Timeline is drawn below them, nil for none.
	Timeline *Timeline
}

// Timeline is how much there was, span by span.
type Timeline struct {
	// Label says of what, such as "accesses in a quarter-hour".
	Label string
	// From is when the first span begins, Span how long each is.
	From time.Time
	Span time.Duration
	// Counts are the amounts, one for each span.
	Counts []float64
	// Low and High are as in a bar, for one span; none is drawn unless High is above Low.
	Low, High float64
}

// Of makes the chart of a card's amounts. It reports false when there are none, and no
// timeline that has something to show.
func Of(bars []alerts.Bar, timeline *Timeline) (Chart, bool) {
	var c Chart
	for _, b := range bars {
		if number(b.Seen) && len(c.Bars) < MaxBars {
			c.Bars = append(c.Bars, b)
		}
	}
	if timeline != nil && timeline.Span > 0 && slices.ContainsFunc(timeline.Counts, number) {
		c.Timeline = timeline
	}
	return c, len(c.Bars) > 0 || c.Timeline != nil
}

// amount is what was seen, in words.
func amount(b *alerts.Bar) string { return alerts.Number(b.Seen) + " " + alerts.Clean(b.Label) }

// number tells what can be drawn.
func number(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// tame brings a number that can be drawn into bounds; amounts are not below zero.
func tame(v float64) float64 { return min(huge, max(0, v)) }

// band reports whether bounds can be drawn.
func band(low, high float64) bool { return number(low) && number(high) && high > low && high > 0 }

// expectation is what was expected, in words.
func expectation(b *alerts.Bar) string {
	if !number(b.Expected) {
		return ""
	}
	s := "expected " + alerts.Number(tame(b.Expected))
	if band(b.Low, b.High) {
		s += " (" + alerts.Number(tame(b.Low)) + "–" + alerts.Number(tame(b.High)) + ")"
	}
	return s
}

// times says how far the amount is from what was expected, empty when that tells
// nothing.
func times(b *alerts.Bar) string {
	if !number(b.Expected) || b.Expected < 0.1 {
		return ""
	}
	switch r := tame(b.Seen) / tame(b.Expected); {
	case r >= 1000:
		return "over 1,000 times as much"
	case r >= 10:
		return alerts.Number(math.Floor(r)) + " times as much"
	case r >= 2:
		return alerts.Number(math.Floor(r*10)/10) + " times as much"
	case r <= 0.5 && b.Seen <= 0:
		return "none at all"
	case r <= 0.01:
		return "less than 1% of it"
	case r <= 0.5:
		return fmt.Sprintf("%.0f%% of it", r*100)
	}
	return ""
}

// Alt says the chart in words, on one line, at most 1,500 characters.
func (c *Chart) Alt() string {
	var parts []string
	for i := range c.Bars {
		b := &c.Bars[i]
		s := amount(b)
		if e := expectation(b); e != "" {
			s += ", " + e
		}
		if t := times(b); t != "" {
			s += ": " + t
		}
		parts = append(parts, alerts.Cut(s, 300))
	}
	if t := c.Timeline; t != nil {
		counts, from := t.shown()
		most, at := 0.0, 0
		for i, v := range counts {
			if v > most {
				most, at = v, i
			}
		}
		s := alerts.Cut(alerts.Clean(t.Label), 100) + " from " + alerts.Moment(from) + " to " + alerts.Moment(from.Add(time.Duration(len(counts))*t.Span)) +
			", at most " + alerts.Number(most) + " at " + alerts.Moment(from.Add(time.Duration(at)*t.Span))
		if band(t.Low, t.High) {
			s += ", usually " + alerts.Number(tame(t.Low)) + "–" + alerts.Number(tame(t.High))
		}
		parts = append(parts, s)
	}
	return alerts.Cut("Seen against expected. "+strings.Join(parts, ". "), maxAlt)
}

// shown is what of a timeline is drawn: the latest spans, in bounds, and when they
// begin.
func (t *Timeline) shown() (counts []float64, from time.Time) {
	skip := max(0, len(t.Counts)-MaxSpans)
	counts = slices.Clone(t.Counts[skip:])
	for i, v := range counts {
		if !number(v) {
			v = 0
		}
		counts[i] = tame(v)
	}
	return counts, t.From.Add(time.Duration(skip) * t.Span)
}

// Mark is eight letters and digits that stay the same as long as the chart would look
// much the same: amounts may move by a tenth before it changes.
func (c *Chart) Mark() string {
	h := fnv.New32a()
	put := func(name string, vs ...float64) {
		_, _ = fmt.Fprintf(h, "%q", name)
		for _, v := range vs {
			if !number(v) {
				v = -1
			}
			_, _ = fmt.Fprintf(h, " %.0f", 10*math.Log1p(tame(v)))
		}
	}
	for i := range c.Bars {
		b := &c.Bars[i]
		put(b.Label, b.Seen, b.Expected, b.Low, b.High)
	}
	if t := c.Timeline; t != nil {
		// A timeline grows with each span: only the day's quarters count.
		counts, from := t.shown()
		quarter := max(1, len(counts)/4)
		for i := 0; i < len(counts); i += quarter {
			put("timeline", slices.Max(counts[i:min(i+quarter, len(counts))]))
		}
		put(from.UTC().Format("2006-01-02"), t.Low, t.High)
	}
	return fmt.Sprintf("%08x", h.Sum32())
}
