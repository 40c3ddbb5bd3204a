package alerts

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// maxMarks is how many combining marks may follow one another: more than any
// script needs, fewer than it takes to write over the lines above.
const maxMarks = 3

// Clean makes foreign text fit to show on one line: control, bidirectional,
// zero-width and other invisible characters, line breaks and bytes that are no
// UTF-8 are shown as \u200b or \x1b instead of acting, so that what is shown is
// what is there. It is idempotent.
func Clean(s string) string {
	ok, marks := true, 0
	for i := 0; i < len(s) && ok; i++ {
		ok = s[i] >= ' ' && s[i] < 0x7f
	}
	if ok {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 16)
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if unicode.Is(unicode.M, r) {
			marks++
		} else {
			marks = 0
		}
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < 0x20 || r == 0x7f:
			fmt.Fprintf(&b, `\x%02x`, r)
		case !unicode.IsPrint(r), marks > maxMarks, invisible(r):
			if r > 0xffff {
				fmt.Fprintf(&b, `\U%08x`, r)
			} else {
				fmt.Fprintf(&b, `\u%04x`, r)
			}
		default:
			b.WriteRune(r)
		}
		i += size
	}
	return b.String()
}

// invisible tells the characters that count as letters or symbols and yet show
// nothing.
func invisible(r rune) bool {
	switch r {
	case 0x115f, 0x1160, 0x3164, 0xffa0, 0x2800: // Hangul fillers, the empty Braille pattern
		return true
	case 0x034f, 0x17b4, 0x17b5: // marks that join or stand for nothing
		return true
	}
	return 0xfe00 <= r && r <= 0xfe0e || 0xe0100 <= r && r <= 0xe01ef // variation selectors
}

// Cut shortens s to at most max runes, the last of which is an ellipsis when
// something was cut.
func Cut(s string, max int) string {
	if max <= 0 {
		return ""
	}
	if len(s) <= max || utf8.RuneCountInString(s) <= max {
		return s
	}
	n := 0
	for i := range s {
		if n == max-1 {
			return strings.TrimRight(s[:i], " ") + "…"
		}
		n++
	}
	return s
}

// Number writes a count with thousands apart ("2,113"), a fraction with up to
// three figures.
func Number(v float64) string {
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return "?"
	case math.Abs(v) >= 1e15:
		return strconv.FormatFloat(v, 'g', 3, 64)
	case v == math.Trunc(v) || math.Abs(v) >= 100:
		return thousands(int64(math.Round(v)))
	}
	digits := 2
	if a := math.Abs(v); a >= 10 {
		digits = 0
	} else if a >= 1 {
		digits = 1
	}
	s := strconv.FormatFloat(v, 'f', digits, 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	if s == "0" || s == "-0" {
		return "almost 0"
	}
	return s
}

func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// Count writes a count with its noun: "1 customer", "2,113 customers".
func Count(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return thousands(n) + " " + many
}

// Span writes a length of time in the two largest units that tell something.
func Span(d time.Duration) string {
	switch {
	case d < time.Second:
		return "a moment"
	case d < time.Minute:
		return Count(int64(d/time.Second), "second", "seconds")
	case d < time.Hour:
		return Count(int64(d/time.Minute), "minute", "minutes")
	case d < 48*time.Hour:
		h, m := int64(d/time.Hour), int64(d%time.Hour/time.Minute)
		if m == 0 {
			return Count(h, "hour", "hours")
		}
		return fmt.Sprintf("%d h %d min", h, m)
	}
	days, h := int64(d/(24*time.Hour)), int64(d%(24*time.Hour)/time.Hour)
	if h == 0 || days > 6 {
		return Count(days, "day", "days")
	}
	return fmt.Sprintf("%s %d h", Count(days, "day", "days"), h)
}

// Moment writes a time of day in UTC.
func Moment(t time.Time) string {
	return t.UTC().Format("Mon 2 Jan 2006, 15:04 UTC")
}

// Rarity says what a calibrated p-value means for one span: "about one in
// 40,000 such days". It claims no more than a million, which is as far as a tail
// fitted on weeks of history can be believed.
func Rarity(p float64, span string) string {
	unit := "such cases"
	switch span {
	case "minute":
		unit = "such minutes"
	case "quarter":
		unit = "such quarter-hours"
	case "hour":
		unit = "such hours"
	case "day":
		unit = "such days"
	case "week":
		unit = "such weeks"
	case "event":
		unit = "such accesses"
	}
	switch {
	case math.IsNaN(p) || p <= 0 && span == "" || p < 0 || p > 1:
		return ""
	case p > 0.1:
		return "not unusual by itself"
	case p < 1e-6:
		return "rarer than one in a million " + unit
	}
	return "about one in " + Number(roundDown(1/p)) + " " + unit
}

// roundDown keeps one figure up to a hundred and two above, so that a number
// does not look more certain than it is.
func roundDown(v float64) float64 {
	if v < 10 {
		return math.Floor(v)
	}
	unit := math.Pow(10, math.Floor(math.Log10(v)))
	if v >= 100 {
		unit /= 2
	}
	// The small part keeps 1/p of a round p on its own side.
	return math.Floor(v/unit+1e-9) * unit
}
