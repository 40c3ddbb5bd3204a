package points

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// layouts are the written forms of a time. Seconds may have a fraction in each.
// Where no zone is written it is UTC; where month and day are numbers between
// slashes, the month comes first, as in the United States.
var layouts = [...]string{
	"2006-01-02 15:04:05",
	time.RFC3339,
	"2006-01-02T15:04:05",
	"2006-01-02 15:04:05Z07:00",
	"2006-01-02 15:04:05 Z07:00",
	"2006-01-02 15:04:05 -0700",
	"2006-01-02 15:04:05 MST",
	"2006-01-02 15:04",
	"2006-01-02T15:04",
	"2006-01-02T15:04Z07:00",
	"2006-01-02",
	"2006/1/2 15:04:05",
	"2006/1/2 15:04",
	"1/2/2006 15:04:05",
	"1/2/2006 15:04",
	"1/2/2006 3:04:05 PM",
	"1/2/2006 3:04 PM",
	"1/2/2006",
	"2.1.2006 15:04:05",
	"2.1.2006 15:04",
	"20060102T150405Z0700",
}

// The years that a time may lie in: a number outside of them is no time.
const (
	firstYear = 1970
	lastYear  = 2200
)

// parseTime reads a time. The layout that fitted the row before is tried first.
func (d *Decoder) parseTime(s string) (time.Time, error) {
	s = strings.TrimSpace(s)
	if d.layout >= 0 {
		if t, err := time.Parse(layouts[d.layout], s); err == nil {
			return inRange(t, s)
		}
	}
	if t, ok := epoch(s); ok {
		return inRange(t, s)
	}
	for i, l := range layouts {
		if t, err := time.Parse(l, s); err == nil {
			d.layout = i
			return inRange(t, s)
		}
	}
	return time.Time{}, &Error{Code: "time", Reason: fmt.Sprintf("%q is no time: write 2026-11-02 15:04:05, RFC 3339, or seconds since 1970", short(s))}
}

func inRange(t time.Time, s string) (time.Time, error) {
	if y := t.Year(); y < firstYear || y > lastYear {
		return time.Time{}, &Error{Code: "time", Reason: fmt.Sprintf("%q lies outside of the years %d to %d", short(s), firstYear, lastYear)}
	}
	return t.UTC(), nil
}

// epoch reads seconds since 1970, with a fraction or without, or milli-, micro- or
// nanoseconds: which one it is shows in the size, since each covers 1973 to 2200.
func epoch(s string) (time.Time, bool) {
	if s == "" || s[0] < '0' || s[0] > '9' {
		return time.Time{}, false
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		switch {
		case n < 1e8:
			return time.Time{}, false // a year, a number of a day, a count
		case n < 1e11:
			return time.Unix(n, 0), true
		case n < 1e14:
			return time.UnixMilli(n), true
		case n < 1e17:
			return time.UnixMicro(n), true
		}
		return time.Unix(0, n), true
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || !(f >= 1e8 && f < 1e11) {
		return time.Time{}, false
	}
	sec, frac := math.Modf(f)
	return time.Unix(int64(sec), int64(frac*1e9)), true
}
