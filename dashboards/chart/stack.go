package chart

import (
	"fmt"
	"html/template"
)

// Stack draws columns side by side, the newest last, each of parts one on the other, the
// first at the bottom, in the classes given. All columns are as tall as the tallest would
// be; what a part's class looks like is the page's. At most 60 columns, the newest, are
// drawn.
func Stack(id, title, desc string, classes []string, columns [][]int) template.HTML {
	const height, most, wide = 96, 60, 6.0
	columns = columns[max(0, len(columns)-most):]
	top := 1
	for _, parts := range columns {
		sum := 0
		for _, n := range parts {
			sum += max(n, 0)
		}
		top = max(top, sum)
	}
	var c canvas
	c.open("stack", id, height, title, desc)
	step := min(wide, 100/float64(max(len(columns), 1)))
	for i, parts := range columns {
		at := float64(height)
		for j, n := range parts {
			if n <= 0 || j >= len(classes) {
				continue
			}
			h := (height - 4) * float64(n) / float64(top)
			at -= h
			c.rect(fmt.Sprintf("stack-part %s", attr(classes[j])), float64(i)*step, at, step*0.8, max(h-1, 0.5))
		}
	}
	c.line("spark-floor", 0, height-0.5, 100, height-0.5)
	return c.close()
}
