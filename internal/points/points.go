// Package points reads metric series out of tables: comma, semicolon or tab
// between the columns, with or without a header, the time in any of the usual
// forms.
//
// internal/app calls it line by line. A Decoder holds no lines, decides on columns
// by the first one, and never changes its mind within a file. It is for one
// goroutine. What can't be read is an *Error, and the next line may be tried.
package points

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Point is one row.
type Point struct {
	Time  time.Time
	Value float64
}

// Error says why a row is no point.
type Error struct {
	// Code is the reason's class: "columns", "time" or "value".
	Code string
	// Reason is for people, with the remedy.
	Reason string
}

func (e *Error) Error() string { return e.Reason }

// What a row may be beside a point.
var (
	// ErrHeader is the row with the names of the columns, or an empty one.
	ErrHeader = errors.New("no point but a header")
	// ErrMissing is a row whose value is left out or NaN.
	ErrMissing = errors.New("the value is missing")
)

// maxColumns bounds the columns that are looked at.
const maxColumns = 1024

// The names by which columns are known, best first, in lower case.
var (
	timeNames  = [...]string{"timestamp", "time", "datetime", "date_time", "date", "ts", "@timestamp", "_time", "ds"}
	valueNames = [...]string{"value", "_value", "val", "metric", "count", "y"}
)

// absent are the ways to write that there is no value.
var absent = [...]string{"", "nan", "null", "none", "na", "n/a", "-"}

// Decoder reads the rows of one file.
type Decoder struct {
	timeName, valueName string

	started bool
	// named says that a first row was seen that holds names, or nothing useful.
	named       bool
	comma       byte
	time, value int
	layout      int
	fields      []string
}

// New makes a decoder. The names are those of the columns with time and value;
// where one is empty it is found.
func New(timeName, valueName string) *Decoder {
	return &Decoder{timeName: strings.ToLower(timeName), valueName: strings.ToLower(valueName), layout: -1}
}

// Decode reads one line, without its line end.
func (d *Decoder) Decode(line string) (Point, error) {
	if strings.TrimSpace(line) == "" {
		return Point{}, ErrHeader
	}
	if !d.started {
		return d.first(line)
	}
	d.split(line)
	return d.row()
}

// first decides on the columns by a header, or by what is in them.
func (d *Decoder) first(line string) (Point, error) {
	d.comma = delimiter(line)
	d.split(line)
	names := make([]string, len(d.fields))
	for i, f := range d.fields {
		names[i] = strings.ToLower(strings.TrimSpace(f))
	}
	asked := d.timeName != "" || d.valueName != ""
	d.time, d.value = column(names, d.timeName, timeNames[:]), column(names, d.valueName, valueNames[:])
	if !asked && !d.named && d.time < 0 && d.value < 0 {
		p, dated, err := d.headless()
		if dated {
			return p, err
		}
		d.named = true
	}
	if d.time >= 0 && d.value < 0 && d.valueName == "" && len(names) == 2 {
		d.value = 1 - d.time // only one column can be meant
	}
	if d.time < 0 || d.value < 0 || d.time == d.value {
		return Point{}, &Error{Code: "columns", Reason: fmt.Sprintf(
			"the first row must name the columns timestamp and value, or hold a time and a number; it is %q: name the columns with --series-columns TIME,VALUE", short(line))}
	}
	d.started = true
	return Point{}, ErrHeader
}

// headless takes the first column that is a time, and the first number behind it.
// dated says whether there is a time; without a number the next row may decide.
func (d *Decoder) headless() (p Point, dated bool, err error) {
	for i, f := range d.fields {
		if _, err := d.parseTime(f); err != nil {
			continue
		}
		for k := i + 1; k < len(d.fields); k++ {
			if _, err := parseValue(d.fields[k]); err == nil {
				d.time, d.value, d.started = i, k, true
				p, err := d.row()
				return p, true, err
			}
		}
		return Point{}, true, ErrMissing
	}
	return Point{}, false, nil
}

// column finds a column by the name asked for, or else by the known ones.
func column(names []string, asked string, known []string) int {
	if asked != "" {
		return slices.Index(names, asked)
	}
	for _, k := range known {
		if i := slices.Index(names, k); i >= 0 {
			return i
		}
	}
	return -1
}

func (d *Decoder) row() (Point, error) {
	if need := max(d.time, d.value); need >= len(d.fields) {
		return Point{}, &Error{Code: "columns", Reason: fmt.Sprintf("the row has %d columns, at least %d are needed", len(d.fields), need+1)}
	}
	t, err := d.parseTime(d.fields[d.time])
	if err != nil {
		return Point{}, err
	}
	v, err := parseValue(d.fields[d.value])
	if err != nil {
		return Point{Time: t}, err
	}
	return Point{Time: t, Value: v}, nil
}

func parseValue(s string) (float64, error) {
	s = strings.TrimSpace(s)
	if slices.Contains(absent[:], strings.ToLower(s)) {
		return 0, ErrMissing
	}
	v, err := strconv.ParseFloat(s, 64)
	switch {
	case err != nil:
		return 0, &Error{Code: "value", Reason: fmt.Sprintf("%q is no number: write it as 1234.5", short(s))}
	case math.IsInf(v, 0):
		return 0, &Error{Code: "value", Reason: "the value is infinite"}
	case math.IsNaN(v):
		return 0, ErrMissing
	}
	return v, nil
}

// delimiter is the first of tab, semicolon and comma that stands in the line.
func delimiter(line string) byte {
	for _, c := range []byte{'\t', ';', ','} {
		if strings.IndexByte(line, c) >= 0 {
			return c
		}
	}
	return ','
}

// split cuts a line into d.fields. A field may stand in quotes, with a quote
// written twice inside; it can't go on in the next line.
func (d *Decoder) split(line string) {
	d.fields = d.fields[:0]
	for len(d.fields) < maxColumns {
		var field string
		if strings.HasPrefix(line, `"`) {
			field, line = quoted(line[1:])
			if i := strings.IndexByte(line, d.comma); i > 0 {
				line = line[i:] // what stands between the quote and the comma is lost
			}
		} else if i := strings.IndexByte(line, d.comma); i >= 0 {
			field, line = line[:i], line[i:]
		} else {
			field, line = line, ""
		}
		d.fields = append(d.fields, field)
		if line == "" || line[0] != d.comma {
			return
		}
		line = line[1:]
	}
}

// quoted returns what stands before the closing quote, and what behind it.
func quoted(s string) (field, rest string) {
	var b strings.Builder
	for {
		i := strings.IndexByte(s, '"')
		if i < 0 {
			b.WriteString(s)
			return b.String(), ""
		}
		b.WriteString(s[:i])
		if i+1 < len(s) && s[i+1] == '"' {
			b.WriteByte('"')
			s = s[i+2:]
			continue
		}
		return b.String(), s[i+1:]
	}
}

// short cuts foreign text to what fits a message.
func short(s string) string {
	if len(s) > 80 {
		return s[:80] + "..."
	}
	return s
}
