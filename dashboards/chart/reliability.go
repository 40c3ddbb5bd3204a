package chart

import (
	"fmt"
	"html/template"
	"math"
	"strings"
)

// Reliable is a part of what was said: the mean probability Said, the share Was that
// came true, of N.
type Reliable struct {
	Said, Was float64
	N         int
}

// Reliability draws what came true against what was said: on the diagonal where
// probabilities are as good as they say. Unlike the other pictures it is a file of its
// own, with its own colours. Dots are larger the more they stand for.
func Reliability(points []Reliable) template.HTML {
	const size, margin, side = 360.0, 48.0, 264.0
	x := func(p float64) string { return num(margin + side*clamp(finite(p), 0, 1)) }
	y := func(p float64) string { return num(size - margin - side*clamp(finite(p), 0, 1)) }
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%s" height="%s" viewBox="0 0 %s %s" role="img" font-family="sans-serif" font-size="12">`,
		num(size), num(size), num(size), num(size))
	b.WriteString(`<title>Reliability: what came true, of what was said to be so likely</title><rect width="100%" height="100%" fill="#ffffff"/>`)
	for i := range 6 {
		p := float64(i) / 5
		fmt.Fprintf(&b, `<line x1="%s" y1="%s" x2="%s" y2="%s" stroke="#e3e5e8"/>`, x(p), y(0), x(p), y(1))
		fmt.Fprintf(&b, `<line x1="%s" y1="%s" x2="%s" y2="%s" stroke="#e3e5e8"/>`, x(0), y(p), x(1), y(p))
		fmt.Fprintf(&b, `<text x="%s" y="%s" text-anchor="middle" fill="#4a4f57">%s</text>`, x(p), num(size-margin+16), num(p))
		fmt.Fprintf(&b, `<text x="%s" y="%s" text-anchor="end" fill="#4a4f57">%s</text>`, num(margin-6), y(p), num(p))
	}
	fmt.Fprintf(&b, `<line x1="%s" y1="%s" x2="%s" y2="%s" stroke="#8a9099" stroke-dasharray="4 3"/>`, x(0), y(0), x(1), y(1))
	most := 1
	for _, p := range points {
		most = max(most, p.N)
	}
	for _, p := range points {
		if p.N > 0 {
			fmt.Fprintf(&b, `<circle cx="%s" cy="%s" r="%s" fill="#1f5fbf" fill-opacity="0.8"><title>%d said %s, %s came true</title></circle>`,
				x(p.Said), y(p.Was), num(2+8*math.Sqrt(float64(p.N)/float64(most))), p.N, num(finite(p.Said)), num(finite(p.Was)))
		}
	}
	fmt.Fprintf(&b, `<text x="%s" y="%s" text-anchor="middle" fill="#1d2026">said to be so likely a breach</text>`, x(.5), num(size-8))
	fmt.Fprintf(&b, `<text x="14" y="%s" text-anchor="middle" fill="#1d2026" transform="rotate(-90 14 %s)">were breaches</text></svg>`, y(.5), y(.5))
	b.WriteString("\n")
	return template.HTML(b.String()) //nolint:gosec // it holds numbers only
}
