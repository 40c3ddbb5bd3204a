package chart

import (
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"
	"time"

	"vigil/dashboards/phrase"
	"vigil/internal/api"
)

// maxBars bounds the bars of one strip: finer buckets are put together.
const maxBars = 480

const (
	stripLabel = 20.0 // height of a strip's line of words
	stripBars  = 54.0 // height of its bars
	stripGap   = 10.0
)

// Timeline draws an actor's accesses over time: a strip each of events, rows and
// customers where there are any, one time axis, and the finding's span, from
// start to end, shaded through all. Heights are linear, each strip's own, or where
// a peak would press everything else flat by the square root, which the strip then
// says; what is not zero shows at least as a hairline. Buckets beyond what can be told apart
// are put together: events and rows add up, and of customers, whose sum would
// count the same one twice, the largest bucket stands. id must be unique on the
// page. Without anything to show the result is empty.
func Timeline(id string, t api.Timeline, start, end time.Time) template.HTML {
	n := max(len(t.Events), len(t.Rows), len(t.SubjectsNamed))
	if n == 0 || t.Bucket <= 0 || t.Start.IsZero() {
		return ""
	}
	merge := (n + maxBars - 1) / maxBars
	bars := (n + merge - 1) / merge
	bucket := t.Bucket * time.Duration(merge)
	total := time.Duration(bars) * bucket
	if total <= 0 || total/time.Duration(bars) != bucket {
		return "" // longer than a duration can tell
	}
	strips := []strip{
		{name: "accesses", values: sums(t.Events, merge, bars)},
		{name: "rows returned", values: sums(t.Rows, merge, bars)},
		{name: "customers", values: peaks(t.SubjectsNamed, merge, bars)},
	}
	shown := strips[:0]
	for i, s := range strips {
		if s.top() > 0 || i == 0 {
			shown = append(shown, s)
		}
	}

	stack := float64(len(shown))*(stripLabel+stripBars+stripGap) - stripGap
	axis := timeAxis{start: t.Start.UTC(), total: total}
	var c canvas
	c.open("timeline", id, stack+26, "Accesses over time", axis.describe(shown, bucket, start, end))
	x1, x2 := axis.at(start), axis.at(end)
	shade := !start.IsZero() && x2 >= 0 && x1 <= 100
	x1, x2 = clamp(x1, 0, 100), clamp(x2, 0, 100)
	from, to := axis.barsIn(start, end, bars)
	y := 0.0
	for _, s := range shown {
		c.text("name", 0, y+13, false, s.name)
		root, how := s.steep(), ""
		if root {
			// A narrow window has no room for it.
			how = `<tspan class="wide">, drawn by its square root</tspan>`
		}
		fmt.Fprintf(&c, `<text class="note" x="100%%" y="%s" text-anchor="end">%s%s</text>`, num(y+13), esc("up to "+phrase.Number(s.top())+" per "+phrase.Bucket(bucket)), how)
		if shade {
			c.rect("span", x1, y+stripLabel, math.Max(x2-x1, 0.5), stripBars)
			c.line("span-edge", x1, y+stripLabel-3, x1, y+stripLabel+stripBars)
		}
		c.bars(s, y+stripLabel, bars, from, to, root)
		y += stripLabel + stripBars + stripGap
	}
	c.timeTicks(axis, stack)
	return c.close()
}

type strip struct {
	name   string
	values []float64
}

func (s strip) top() float64 {
	top := 0.0
	for _, v := range s.values {
		top = math.Max(top, v)
	}
	return top
}

// steep tells whether the highest bar is so far above the usual one that, drawn
// linearly, the usual ones could not be seen.
func (s strip) steep() bool {
	var some []float64
	for _, v := range s.values {
		if v > 0 {
			some = append(some, v)
		}
	}
	if len(some) < 3 {
		return false
	}
	slices.Sort(some)
	return s.top() > 15*some[len(some)/2]
}

// bars draws one strip: a stretched picture whose unit is a bucket, one path for
// the bars within [from, to) and one for the others, so that the picture stays
// small however many there are.
func (c *canvas) bars(s strip, y float64, n, from, to int, root bool) {
	top := s.top()
	var within, other strings.Builder
	for i, v := range s.values {
		if v <= 0 || top == 0 {
			continue
		}
		part := v / top
		if root {
			part = math.Sqrt(part)
		}
		h := math.Max(part*stripBars, 1.25)
		b := &other
		if i >= from && i < to {
			b = &within
		}
		width := 0.86
		if n > 200 {
			width = 1
		}
		fmt.Fprintf(b, "M%d %sv-%sh%sv%sz", i, num(stripBars), num(h), num(width), num(h))
	}
	c.line("axis", 0, y+stripBars+0.5, 100, y+stripBars+0.5)
	fmt.Fprintf(c, `<svg y="%s" width="100%%" height="%s" viewBox="0 0 %d %s" preserveAspectRatio="none">`,
		num(y), num(stripBars), n, num(stripBars))
	if other.Len() > 0 {
		fmt.Fprintf(c, `<path class="bar" d="%s"/>`, other.String())
	}
	if within.Len() > 0 {
		fmt.Fprintf(c, `<path class="bar hot" d="%s"/>`, within.String())
	}
	c.WriteString(`</svg>`)
}

type timeAxis struct {
	start time.Time
	total time.Duration
}

func (a timeAxis) at(t time.Time) float64 {
	return 100 * float64(t.Sub(a.start)) / float64(a.total)
}

// barsIn tells which bars the finding's span touches.
func (a timeAxis) barsIn(start, end time.Time, bars int) (from, to int) {
	if start.IsZero() {
		return 0, 0
	}
	per := 100 / float64(bars)
	from = int(clamp(math.Floor(a.at(start)/per), 0, float64(bars)))
	to = int(clamp(math.Floor(a.at(end)/per)+1, 0, float64(bars)))
	return from, to
}

var tickSteps = []time.Duration{
	time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour,
	12 * time.Hour, 24 * time.Hour, 48 * time.Hour, 7 * 24 * time.Hour, 14 * 24 * time.Hour, 28 * 24 * time.Hour, 91 * 24 * time.Hour, 365 * 24 * time.Hour,
}

// timeTicks writes at most five labels, at round times.
func (c *canvas) timeTicks(a timeAxis, y float64) {
	step := tickSteps[len(tickSteps)-1]
	for _, s := range tickSteps {
		if a.total/s <= 4 {
			step = s
			break
		}
	}
	layout := "2 Jan"
	if step < 24*time.Hour {
		layout = "15:04"
		if a.total > 20*time.Hour {
			layout = "2 Jan 15:04"
		}
	}
	first := a.start.Truncate(step)
	for i := 0; i < 64; i++ {
		t := first.Add(time.Duration(i) * step)
		x := a.at(t)
		if x > 100 {
			break
		}
		if x < 0 {
			continue
		}
		c.line("axis", x, y, x, y+5)
		anchor := "middle"
		if x < 6 {
			anchor = "start"
		} else if x > 94 {
			anchor = "end"
		}
		fmt.Fprintf(c, `<text class="tick" x="%s%%" y="%s" text-anchor="%s">%s</text>`, num(x), num(y+19), anchor, t.Format(layout))
	}
}

func (a timeAxis) describe(strips []strip, bucket time.Duration, start, end time.Time) string {
	var b strings.Builder
	fmt.Fprintf(&b, "From %s to %s, per %s.", phrase.Moment(a.start), phrase.Moment(a.start.Add(a.total)), phrase.Bucket(bucket))
	for _, s := range strips {
		top, at := 0.0, 0
		for i, v := range s.values {
			if v > top {
				top, at = v, i
			}
		}
		fmt.Fprintf(&b, " %s: at most %s", s.name, phrase.Number(top))
		if top > 0 {
			fmt.Fprintf(&b, ", at %s", phrase.Moment(a.start.Add(time.Duration(at)*bucket)))
		}
		b.WriteString(".")
	}
	if !start.IsZero() {
		fmt.Fprintf(&b, " The finding: %s.", phrase.Range(start, end))
	}
	return b.String()
}

func sums(values []float64, merge, bars int) []float64 {
	out := make([]float64, bars)
	for i, v := range values {
		out[i/merge] += math.Max(0, finite(v))
	}
	return out
}

func peaks(values []float64, merge, bars int) []float64 {
	out := make([]float64, bars)
	for i, v := range values {
		out[i/merge] = math.Max(out[i/merge], finite(v))
	}
	return out
}
