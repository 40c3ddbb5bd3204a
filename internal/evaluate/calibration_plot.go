package evaluate

import (
	"fmt"
	"html"
	"math"
	"strconv"
	"strings"
)

// The picture's measures in pixels, and its reach in decades, which is the same
// along both axes.
const (
	plotLeft, plotTop = 70, 24
	plotSide          = 400
	plotDecades       = 4.5
	plotTicks         = 5 // whole decades, from none
	plotWidth         = plotLeft + plotSide + 130
	plotHeight        = plotTop + plotSide + 56
)

// plotColours tell the lines apart, also for those who see few colours (Okabe and
// Ito, "Color universal design", 2008); the merged value's is black.
var plotColours = [...]string{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"}

// Factors about the diagonal within which a tail counts as right.
const (
	tooFew  = 0.3
	tooMany = 3
)

// CalibrationPlot draws how often p-values lie below a bound against how often they
// should, as an SVG picture that stands alone: a line for each model, the diagonal
// that is right, and the band from .3 to 3 times of it.
func CalibrationPlot(c *Calibration) string {
	var b strings.Builder
	at := func(decades float64) float64 { return plotSide * math.Min(decades, plotDecades) / plotDecades }
	x := func(decades float64) string { return pixel(plotLeft + at(decades)) }
	y := func(decades float64) string { return pixel(plotTop + at(decades)) }
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" font-family="sans-serif" font-size="13" role="img" aria-labelledby="t d">`+"\n",
		plotWidth, plotHeight, plotWidth, plotHeight)
	fmt.Fprintf(&b, "<title id=\"t\">Calibration on quiet traffic</title>\n<desc id=\"d\">%s</desc>\n", html.EscapeString(describe(c)))
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#fff"/>`+"\n", plotWidth, plotHeight)
	// The band, cut off at the picture's edge.
	few, many := -math.Log10(tooFew), math.Log10(tooMany)
	fmt.Fprintf(&b, `<polygon fill="#eef2f5" points="%s,%s %s,%s %s,%s %s,%s %s,%s %s,%s"/>`+"\n",
		x(0), y(0), x(many), y(0), x(plotDecades), y(plotDecades-many), x(plotDecades), y(plotDecades), x(plotDecades-few), y(plotDecades), x(0), y(few))
	for d := range plotTicks {
		f := float64(d)
		fmt.Fprintf(&b, `<path stroke="#d5dbe0" d="M%s %dV%dM%d %sH%d"/>`, x(f), plotTop, plotTop+plotSide, plotLeft, y(f), plotLeft+plotSide)
		name := "1"
		if d > 0 {
			name = fmt.Sprintf(`10<tspan dy="-5" font-size="10">−%d</tspan>`, d)
		}
		fmt.Fprintf(&b, `<text fill="#333" x="%s" y="%d" text-anchor="middle">%s</text>`, x(f), plotTop+plotSide+20, name)
		fmt.Fprintf(&b, `<text fill="#333" x="%d" y="%s" text-anchor="end">%s</text>`+"\n", plotLeft-8, pixel(plotTop+at(f)+4), name)
	}
	fmt.Fprintf(&b, `<path stroke="#8a949c" stroke-dasharray="5 4" d="M%s %sL%s %s"/>`+"\n", x(0), y(0), x(plotDecades), y(plotDecades))
	for i, name := range c.Names {
		colour, width := plotColours[i%len(plotColours)], 1.8
		if name == mergedName {
			colour, width = "#000", 2.6
		}
		fmt.Fprintf(&b, `<polyline fill="none" stroke="%s" stroke-width="%v" stroke-linejoin="round" points="`, colour, width)
		for k := range int(plotDecades*tailSteps) + 1 {
			d := float64(k) / tailSteps
			share := c.By[name].Below(d)
			if share <= 0 || -math.Log10(share) > plotDecades {
				break
			}
			fmt.Fprintf(&b, "%s,%s ", x(d), y(-math.Log10(share)))
		}
		top := plotTop + 8 + 22*i
		fmt.Fprintf(&b, `"/><path stroke="%s" stroke-width="%v" d="M%d %dh22"/>`, colour, width, plotLeft+plotSide+14, top)
		fmt.Fprintf(&b, `<text fill="#333" x="%d" y="%d">%s</text>`+"\n", plotLeft+plotSide+42, top+4, html.EscapeString(name))
	}
	fmt.Fprintf(&b, `<text fill="#333" x="%d" y="%d" text-anchor="middle">bound of p</text>`, plotLeft+plotSide/2, plotHeight-12)
	fmt.Fprintf(&b, `<text fill="#333" transform="translate(18 %d) rotate(-90)" text-anchor="middle">share of events below it</text>`+"\n</svg>\n", plotTop+plotSide/2)
	return b.String()
}

// describe says in words what the picture shows.
func describe(c *Calibration) string {
	var b strings.Builder
	fmt.Fprintf(&b, "How often p-values of %d events lie below a bound. Below one in a thousand:", c.Events)
	for _, name := range c.Names {
		fmt.Fprintf(&b, " %s %s;", name, scientific(c.By[name].Below(3)))
	}
	return strings.TrimSuffix(b.String(), ";") + "."
}

func pixel(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }

// scientific writes a share with its power of ten, as 1.2e-3.
func scientific(v float64) string {
	switch {
	case v == 0:
		return "0"
	case v >= 1:
		return "1"
	}
	return strings.Replace(strconv.FormatFloat(v, 'e', 1, 64), "e-0", "e-", 1)
}

// CalibrationTable is the table of the tails.
func CalibrationTable(c *Calibration) string {
	t := newTable("model", "events that it judges", "p below 1e-1", "1e-2", "1e-3", "1e-4")
	for _, name := range c.Names {
		tail := c.By[name]
		cells := []string{name, fmt.Sprintf("%.0f%%", 100*float64(tail.N)/float64(c.Events))}
		for d := 1.0; d <= 4; d++ {
			share := tail.Below(d)
			text := scientific(share)
			if d == 3 && (share < tooFew*1e-3 || share > tooMany*1e-3) {
				text = "**" + text + "**"
			}
			cells = append(cells, text)
		}
		t.row(cells...)
	}
	return fmt.Sprintf("%d events.\n\n%s", c.Events, t.String())
}
