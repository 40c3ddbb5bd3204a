package view

import (
	"math"
	"strconv"
)

// Plot is a picture that can be zoomed in a browser: assets/plot.js draws it with uPlot.
// Times are seconds since 1970 in UTC. All series have one value for each of At.
type Plot struct {
	// Name says what is shown, to readers of screens. Said says in words what the span
	// that is looked at holds.
	Name string `json:"name"`
	Said string `json:"said"`
	// X is "time", or "number" where At are other numbers, of which XName is the word.
	X     string `json:"x"`
	XName string `json:"xname,omitempty"`
	// From and To are what is looked at, Min and Max all that can be. Least is the
	// narrowest span that makes sense.
	From  float64 `json:"from"`
	To    float64 `json:"to"`
	Min   float64 `json:"min"`
	Max   float64 `json:"max"`
	Least float64 `json:"least,omitempty"`
	// Bucket is how much one value stands for: a press on it goes into it. Zero is none.
	Bucket float64      `json:"bucket,omitempty"`
	At     []float64    `json:"at"`
	Series []PlotSeries `json:"series"`
	// Lanes name the values of y, from 0 on, where they are kinds and no numbers.
	Lanes []string `json:"lanes,omitempty"`
	// Spans are shaded beneath the rest; Lines are to be crossed.
	Spans []PlotSpan `json:"spans,omitempty"`
	Lines []PlotLine `json:"lines,omitempty"`
}

// PlotSeries is one row of values. Kind is "line", "steps", "bars" or "dots"; Color the
// name of a colour of the style sheet, such as "accent". Right holds it against an axis of
// its own at the right.
type PlotSeries struct {
	Name   string       `json:"name"`
	Kind   string       `json:"kind"`
	Color  string       `json:"color,omitempty"`
	Right  bool         `json:"right,omitempty"`
	Values []PlotNumber `json:"values"`
}

// PlotSpan is a stretch of x that is marked; a thin one is marked at the foot alone.
type PlotSpan struct {
	From  float64 `json:"from"`
	To    float64 `json:"to"`
	Name  string  `json:"name,omitempty"`
	Color string  `json:"color,omitempty"`
	Thin  bool    `json:"thin,omitempty"`
}

// PlotLine is a value of y that matters, such as the line of the budget.
type PlotLine struct {
	At    float64 `json:"at"`
	Name  string  `json:"name"`
	Color string  `json:"color,omitempty"`
	Right bool    `json:"right,omitempty"`
}

// PlotNumber is a value; what is no number is a gap.
type PlotNumber float64

// PlotGap is a value that is not there.
func PlotGap() PlotNumber { return PlotNumber(math.NaN()) }

// MarshalJSON implements json.Marshaler.
func (n PlotNumber) MarshalJSON() ([]byte, error) {
	if f := float64(n); math.IsNaN(f) || math.IsInf(f, 0) {
		return []byte("null"), nil
	}
	return strconv.AppendFloat(nil, float64(n), 'g', -1, 64), nil
}
