package chart

import (
	"fmt"
	"html/template"
	"math"
	"strings"

	"vigil/dashboards/phrase"
)

// heatSteps is how many shades a map of the week has, beside none.
const heatSteps = 5

const (
	weekRow   = 20.0
	weekHead  = 26.0
	weekFoot  = 24.0
	weekKey   = 50.0
	weekLabel = 10.0 // percent of the width: a phone has room for three letters
)

// weekdays are the rows of a map of the week.
var weekdays = [7]string{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"}

// Week draws accesses by the hour of the week as a map of heat: seen above expected, both
// on one scale, so that what is busier than expected shows. Values are means for an hour,
// 168 of them from Monday 00:00 UTC; expected may be nil. Shades grow by the square root,
// or one busy hour would hide all others. Hours in which at least twice as much, and one
// access more, was seen than is expected have a frame. A key below tells the shades. id
// must be unique on the page.
func Week(id string, seen, expected []float64) template.HTML {
	if len(seen) != 168 {
		return ""
	}
	if len(expected) != 168 {
		expected = nil
	}
	top, busiest := 0.0, 0
	for h := range seen {
		if f := finite(seen[h]); f > finite(seen[busiest]) {
			busiest = h
		}
		top = math.Max(top, finite(seen[h]))
		if expected != nil {
			top = math.Max(top, finite(expected[h]))
		}
	}
	height := weekHead + 7*weekRow + weekFoot
	desc := "Nothing was seen."
	if top > 0 {
		desc = fmt.Sprintf("Busiest is %s, with %s in the hour.", hourName(busiest), phrase.Number(finite(seen[busiest])))
	}
	if over := above(seen, expected); len(over) > 0 {
		desc += " More than expected: " + strings.Join(over, ", ") + "."
	}
	var c canvas
	panels := 1.0
	if expected != nil {
		panels = 2
	}
	c.open("week", id, height*panels+weekKey, "Accesses by the hour of the week", desc)
	c.weekPanel("Seen", seen, expected, top, 0)
	if expected != nil {
		c.weekPanel("Expected by the model", expected, nil, top, height)
	}
	if top > 0 {
		c.weekKey(top, height*panels)
	}
	return c.close()
}

// weekKey shows what each shade stands for: how many accesses in the hour at most.
func (c *canvas) weekKey(top, y float64) {
	c.text("note", 0, y+15, false, "Accesses in an hour, at most")
	const width = 100.0 / (heatSteps + 1)
	for step := range heatSteps + 1 {
		part := float64(step) / heatSteps
		c.rect(fmt.Sprintf("heat heat-%d", step), float64(step)*width+0.15, y+22, width-0.3, 8)
		c.text("tick", float64(step)*width+0.15, y+44, false, phrase.About(top*part*part))
	}
}

// weekPanel draws one map; what is above against is framed.
func (c *canvas) weekPanel(name string, values, against []float64, top, y float64) {
	c.text("name", 0, y+16, false, name)
	y += weekHead
	width := (100 - weekLabel) / 24
	for day := range weekdays {
		c.text("tick", 0, y+float64(day)*weekRow+14, false, weekdays[day])
		for hour := range 24 {
			h := day*24 + hour
			class := fmt.Sprintf("heat heat-%d", shade(values[h], top))
			if against != nil && moreThan(values[h], against[h]) {
				class += " over"
			}
			c.rect(class, weekLabel+float64(hour)*width+0.15, y+float64(day)*weekRow+1, width-0.3, weekRow-2)
		}
	}
	for _, hour := range []int{0, 6, 12, 18} {
		c.text("tick", weekLabel+float64(hour)*width, y+7*weekRow+15, false, fmt.Sprintf("%d:00", hour))
	}
}

// shade is 0 for nothing, else 1 to heatSteps.
func shade(f, top float64) int {
	f = finite(f)
	if !(f > 0) || !(top > 0) {
		return 0
	}
	return int(clamp(math.Ceil(heatSteps*math.Sqrt(f/top)), 1, heatSteps))
}

func moreThan(seen, expected float64) bool {
	seen, expected = finite(seen), finite(expected)
	return seen >= 2*expected && seen >= expected+1
}

// above names the hours in which more was seen than is expected, at most eight.
func above(seen, expected []float64) (out []string) {
	for h := range expected {
		if moreThan(seen[h], expected[h]) && len(out) < 8 {
			out = append(out, hourName(h))
		}
	}
	return out
}

func hourName(h int) string { return fmt.Sprintf("%s %d:00", weekdays[h/24], h%24) }
