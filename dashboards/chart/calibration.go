package chart

import (
	"fmt"
	"html/template"
	"math"
	"strings"

	"vigil/dashboards/phrase"
)

// calibrationDecades is how far a picture of calibration reaches along both axes.
const calibrationDecades = 5

// Calibration draws how often p-values lie below a bound against how often they should,
// both in decades, common at the top left and rare at the bottom right: shares[n] is the
// share at or below ten to the power of -n/steps, and plain what the model itself gave
// before that was ranked, empty where it gives no probability. The dashed line is right;
// in the band around it the share is right within a factor of three. What lies above the
// band comes too often. A share of zero ends a line.
func Calibration(id, title, desc string, steps int, shares, plain []float64) template.HTML {
	const width, height, left, top, right, bottom = 260.0, 210.0, 62.0, 8.0, 10.0, 40.0
	x := func(decades float64) string {
		return num(left + (width-left-right)*clamp(finite(decades), 0, calibrationDecades)/calibrationDecades)
	}
	y := func(decades float64) string {
		return num(top + (height-top-bottom)*clamp(finite(decades), 0, calibrationDecades)/calibrationDecades)
	}
	var c canvas
	fmt.Fprintf(&c, `<svg class="chart calibration" viewBox="0 0 %s %s" role="img" aria-labelledby="%s-t %s-d" focusable="false">`, num(width), num(height), attr(id), attr(id))
	fmt.Fprintf(&c, `<title id="%s-t">%s</title><desc id="%s-d">%s</desc>`, attr(id), esc(title), attr(id), esc(desc))
	const end, three = float64(calibrationDecades), 0.4771212547196624 // log10(3)
	fmt.Fprintf(&c, `<polygon class="right" points="%s,%s %s,%s %s,%s %s,%s %s,%s %s,%s"/>`,
		x(0), y(0), x(three), y(0), x(end), y(end-three), x(end), y(end), x(end-three), y(end), x(0), y(three))
	for d := range calibrationDecades + 1 {
		at, label := float64(d), "1"
		if d > 0 {
			label = "1/" + phrase.Count(int64(math.Pow10(d)))
		}
		fmt.Fprintf(&c, `<path class="grid" d="M%s %sV%sM%s %sH%s"/>`, x(at), num(top), y(end), num(left), y(at), x(end))
		if d%2 == 0 {
			fmt.Fprintf(&c, `<text class="tick" x="%s" y="%s" text-anchor="middle">%s</text>`, x(at), num(height-bottom+14), label)
		}
		fmt.Fprintf(&c, `<text class="tick" x="%s" y="%s" text-anchor="end" dominant-baseline="middle">%s</text>`, num(left-5), y(at), label)
	}
	fmt.Fprintf(&c, `<path class="ideal" d="M%s %sL%s %s"/>`, x(0), y(0), x(end), y(end))
	for _, line := range []struct {
		class  string
		shares []float64
	}{{"plain", plain}, {"ranked", shares}} {
		var points []string
		for n, share := range line.shares {
			decades := float64(n) / float64(max(steps, 1))
			if !(share > 0) || decades > calibrationDecades {
				break
			}
			points = append(points, x(decades)+","+y(-math.Log10(math.Min(share, 1))))
		}
		if len(points) > 1 {
			fmt.Fprintf(&c, `<polyline class="%s" points="%s"/>`, line.class, strings.Join(points, " "))
		}
	}
	fmt.Fprintf(&c, `<text class="tick" x="%s" y="%s" text-anchor="middle">as odd as, or odder</text>`, x(end/2), num(height-6))
	return c.close()
}
