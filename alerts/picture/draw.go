package picture

import (
	"image/color"
	"math"
	"slices"
	"time"

	"vigil/alerts"
)

// Lengths, in units; a picture is width across.
const (
	width     = 440
	margin    = 18
	legendTop = 14
	rowTop    = 40
	rowHigh   = 92
	timeHigh  = 118
)

// The colours are told apart by their brightness too. The paper is the picture's own,
// so that it reads the same on a light and a dark screen.
var (
	paper  = color.RGBA{0xf8, 0xf9, 0xfb, 0xff}
	ink    = color.RGBA{0x1d, 0x1f, 0x24, 0xff}
	faint  = color.RGBA{0x5c, 0x63, 0x70, 0xff}
	line   = color.RGBA{0xd5, 0xd9, 0xe0, 0xff}
	usual  = color.RGBA{0xb4, 0xd9, 0xc9, 0xff}
	expect = color.RGBA{0x1f, 0x6b, 0x52, 0xff}
	seen   = color.RGBA{0xc8, 0x2a, 0x3a, 0xff}
	quiet  = color.RGBA{0x8f, 0x9b, 0xad, 0xff}
)

var (
	strong = style{medium, 15}
	plain  = style{regular, 13}
	small  = style{regular, 11.5}
)

// PNG draws the chart. It is at most about 50 KB; a chart without anything gives an
// empty sheet.
func (c *Chart) PNG() ([]byte, error) {
	bars := c.Bars[:min(len(c.Bars), MaxBars)]
	high := rowTop + len(bars)*rowHigh + 6
	if c.Timeline != nil {
		high += timeHigh
	}
	p, err := newPen(width, high, line)
	if err != nil {
		return nil, err
	}
	p.box(1, 1, width-2, float64(high)-2, 0, paper)
	if err := p.legend(); err != nil {
		return nil, err
	}
	y := float64(rowTop)
	for i := range bars {
		if err := p.bar(&bars[i], y); err != nil {
			return nil, err
		}
		y += rowHigh
	}
	if c.Timeline != nil {
		if err := p.timeline(c.Timeline, y); err != nil {
			return nil, err
		}
	}
	return p.encode()
}

// legend says what the signs mean.
func (p *pen) legend() error {
	x, y := float64(margin), float64(legendTop)
	var err error
	put := func(s string) {
		if err == nil {
			x, err = p.text(x, y+8.5, 200, s, small, faint)
			x += 16
		}
	}
	p.dot(x+5, y+4.5, 4.5, seen, paper)
	x += 15
	put("seen")
	p.box(x, y-2, 3, 13, 1, expect)
	x += 8
	put("expected")
	p.box(x, y, 22, 9, 3, usual)
	x += 28
	put("98 of 100 lie here")
	return err
}

// bar draws one amount: its label, the line on which it lies, and what was expected.
func (p *pen) bar(b *alerts.Bar, y float64) error {
	const left, right = margin, width - margin
	far := times(b)
	room := float64(right - left)
	if far != "" {
		w, err := p.measure(far, style{medium, 13})
		if err != nil {
			return err
		}
		if err := p.textRight(right, y+15, w, far, style{medium, 13}, seen); err != nil {
			return err
		}
		room -= w + 12
	}
	if _, err := p.text(left, y+15, room, amount(b), strong, ink); err != nil {
		return err
	}
	s := scaleOf(b)
	at := func(v float64) float64 { return left + 8 + s.at(v)*(right-left-16) }
	const mid = 38.0
	p.box(left, y+mid-1, right-left, 2, 1, line)
	for _, v := range s.ticks() {
		p.box(at(v)-.5, y+mid-10, 1, 20, 0, line)
	}
	if band(b.Low, b.High) {
		from, to := at(b.Low), at(b.High)
		p.box(from, y+mid-8, max(4, to-from), 16, 4, usual)
	}
	if number(b.Expected) {
		p.box(at(b.Expected)-1.5, y+mid-10, 3, 20, 1, expect)
	}
	if number(b.Seen) {
		p.dot(at(b.Seen), y+mid, 7, seen, paper)
	}
	end := float64(left) - 6
	for _, v := range s.ticks() {
		label := alerts.Number(v)
		w, err := p.measure(label, small)
		if err != nil {
			return err
		}
		x := min(max(at(v)-w/2, left), right-w)
		if x < end+6 {
			continue // no room beside the one before
		}
		if end, err = p.text(x, y+mid+22, w+1, label, small, faint); err != nil {
			return err
		}
	}
	if _, err := p.text(left, y+mid+40, right-left-60, expectation(b), plain, faint); err != nil || !s.log {
		return err
	}
	return p.textRight(right, y+mid+40, 60, "log scale", small, faint)
}

// timeline draws the amounts over time above the times at its ends.
func (p *pen) timeline(t *Timeline, y float64) error {
	const left, right, top, foot = margin, width - margin, 26, 88
	counts, from := t.shown()
	if _, err := p.text(left, y+15, right-left, t.Label, strong, ink); err != nil {
		return err
	}
	most := 1.0
	for _, v := range counts {
		most = max(most, v)
	}
	hasBand := band(t.Low, t.High)
	if hasBand {
		most = max(most, tame(t.High))
	}
	high := func(v float64) float64 { return tame(v) / most * (foot - top) }
	p.box(left, y+foot, right-left, 1, 0, line)
	if hasBand {
		p.box(left, y+foot-high(t.High), right-left, max(2, high(t.High)-high(t.Low)), 0, usual)
	}
	step := float64(right-left) / float64(len(counts))
	gap := min(2, step/4)
	for i, v := range counts {
		if v <= 0 {
			continue
		}
		c := quiet
		if hasBand && v > t.High {
			c = seen
		}
		h := max(1, high(v))
		p.box(left+float64(i)*step, y+foot-h, step-gap, h, min(1.5, (step-gap)/2), c)
	}
	end := from.UTC().Add(time.Duration(len(counts)) * t.Span)
	format := "15:04"
	if end.Sub(from) > 24*time.Hour {
		format = "2 Jan 15:04"
	}
	if _, err := p.text(left, y+foot+17, 150, from.UTC().Format("2 Jan 15:04"), small, faint); err != nil {
		return err
	}
	if err := p.textRight(right, y+foot+17, 150, end.Format(format)+" UTC", small, faint); err != nil {
		return err
	}
	return p.textRight(right, y+15, 150, "at most "+alerts.Number(slices.Max(counts)), style{medium, 13}, ink)
}

// scale maps amounts to 0 to 1.
type scale struct {
	log bool
	max float64
}

// scaleOf finds a scale on which both what was seen and what was expected can be told
// apart: even steps, or where they lie far apart steps of ten.
func scaleOf(b *alerts.Bar) scale {
	var top, known float64
	for _, v := range []float64{b.Expected, b.High} {
		if number(v) {
			known = max(known, tame(v))
		}
	}
	top = known
	if number(b.Seen) {
		top = max(top, tame(b.Seen))
	}
	if top <= 0 {
		return scale{max: 1}
	}
	if known > 0 && top/known > 12 {
		return scale{log: true, max: top}
	}
	return scale{max: top}
}

func (s scale) at(v float64) float64 {
	v = min(tame(v), s.max)
	if s.log {
		return math.Log1p(v) / math.Log1p(s.max)
	}
	return v / s.max
}

// ticks are round amounts on the scale, the least first, at most eight.
func (s scale) ticks() []float64 {
	out := []float64{0}
	if s.log {
		step := 10.0
		for s.max/math.Pow(step, 6) > 1 {
			step *= 10
		}
		for v := step; v <= s.max; v *= step {
			out = append(out, v)
		}
		return out
	}
	unit := math.Pow(10, math.Floor(math.Log10(s.max)))
	switch m := s.max / unit; {
	case m < 2:
		unit /= 2
	case m >= 5:
		unit *= 2
	}
	for v := unit; v <= s.max && len(out) < 8; v += unit {
		out = append(out, v)
	}
	return out
}
