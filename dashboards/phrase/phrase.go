// Package phrase turns values into what people read: numbers, times, and the
// plain words for lanes, frames, observations and kinds.
//
// The charts, the console and the report call it, so that one thing reads the
// same everywhere. All functions are pure and safe for concurrent use, give the
// same text for the same input on any machine, and never fail: a value that has
// no sensible text (not a number, an unknown count) has words of its own.
package phrase

import (
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"vigil"
)

// Gap stands between a number and its unit: a narrow space that does not break.
const Gap = "\u202f"

// Untold is what stands for a count that no source told.
const Untold = "not told"

// None is what stands for a number that is none.
const None = "–"

// Count writes a count with thin separators: 2140 is "2 140". Unknown is Untold.
func Count(n int64) string {
	if n == vigil.Unknown {
		return Untold
	}
	return group(strconv.FormatInt(n, 10))
}

// Number writes a quantity as short as it can be read without being misled:
// whole numbers and anything from 100 on without decimals, smaller ones with one
// or two, tiny and huge ones as powers of ten. What is not finite is None.
func Number(f float64) string {
	a := math.Abs(f)
	switch {
	case math.IsNaN(f) || math.IsInf(f, 0):
		return None
	case a == 0:
		return "0"
	case a >= 1e12:
		return scientific(f)
	case a >= 100 || (a == math.Trunc(a) && a >= 1):
		return group(strconv.FormatFloat(f, 'f', 0, 64))
	case a >= 10:
		return trimZeros(strconv.FormatFloat(f, 'f', 1, 64))
	case a >= 0.01:
		return trimZeros(strconv.FormatFloat(f, 'f', 2, 64))
	case a >= 0.0001:
		return trimZeros(strconv.FormatFloat(f, 'f', 4, 64))
	}
	return scientific(f)
}

// About writes an expectation, which is never exact: from ten on without
// decimals, below with two significant digits.
func About(f float64) string {
	switch a := math.Abs(f); {
	case math.IsNaN(f) || math.IsInf(f, 0):
		return None
	case a >= 10:
		return Number(math.Round(f))
	case a > 0:
		return Number(twoDigits(f))
	}
	return "0"
}

// Usual writes the expectation of a count, as About does; what is next to nothing is
// "almost none".
func Usual(f float64) string {
	if f >= 0 && f < 0.05 {
		return "almost none"
	}
	return About(f)
}

// Headline splits a finding's sentence: what happened, which stands large, and
// the sentences after it. A full stop after an initial or a short start does not
// split.
func Headline(sentence string) (head, rest string) {
	const least = 40
	for i := least; i+2 < len(sentence); i++ {
		if sentence[i] == '.' && sentence[i+1] == ' ' && sentence[i+2] >= 'A' && sentence[i+2] <= 'Z' && sentence[i-2] != ' ' {
			return sentence[:i+1], sentence[i+2:]
		}
	}
	return sentence, ""
}

// Times writes a ratio: 178 is "178×".
func Times(ratio float64) string {
	if math.IsNaN(ratio) || math.IsInf(ratio, 0) {
		return None
	}
	if math.Abs(ratio) >= 10 {
		ratio = math.Round(ratio)
	}
	return Number(ratio) + "×"
}

// OneIn writes a probability as people say it: 0.0004 is "1 in 2 500". A
// probability of nearly one is "nearly always", zero or less "never before".
func OneIn(p float64) string {
	switch {
	case math.IsNaN(p):
		return None
	case p <= 0:
		return "never before"
	case p > 0.67:
		return "nearly always"
	}
	n := 1 / p
	if n >= 10 {
		n = twoDigits(n)
	} else {
		n = math.Round(n)
	}
	switch {
	case n >= 1e12:
		return "1 in " + scientific(n)
	case n >= 1e9:
		return "1 in " + Number(n/1e9) + " billion"
	case n >= 1e6:
		return "1 in " + Number(n/1e6) + " million"
	}
	return "1 in " + group(strconv.FormatFloat(n, 'f', 0, 64))
}

// smallestP is where the calibration stops telling p-values apart: what is there
// may be rarer.
const smallestP = 1e-9

// Rare writes a calibrated p-value: as OneIn does, and what is at its smallest as a
// bound.
func Rare(p float64) string {
	if p > 0 && p <= smallestP {
		return "under " + OneIn(smallestP)
	}
	return OneIn(p)
}

// twoDigits keeps two significant digits: more would claim a precision that no
// model has.
func twoDigits(n float64) float64 {
	f, _ := strconv.ParseFloat(strconv.FormatFloat(n, 'e', 1, 64), 64)
	return f
}

// Percent writes a share between 0 and 1: 0.614 is "61 %". Above zero and below
// half a percent it is "under 1 %".
func Percent(share float64) string {
	switch {
	case math.IsNaN(share) || math.IsInf(share, 0):
		return None
	case share > 0 && share < 0.005:
		return "under 1" + Gap + "%"
	}
	return strconv.FormatFloat(share*100, 'f', 0, 64) + Gap + "%"
}

// Plural writes a count with its noun: "1 event", "2 140 events".
func Plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Count(n) + " " + many
}

// Text makes foreign text safe to look at: what does not show (controls, bytes
// that are no UTF-8, zero-width and direction-changing characters, piles of
// combining marks) is shown escaped, so that two names that differ look
// different, and the text is cut after that many runes. It does not escape for HTML:
// the templates do that.
func Text(s string, most int) string { return clean(s, most, false) }

// Prose is Text for sentences of our own making: thin and non-breaking spaces,
// which separate digits there, are let through.
func Prose(s string, most int) string { return clean(s, most, true) }

// maxMarks is how many combining marks may follow one another: the most that
// any living script needs.
const maxMarks = 4

func clean(s string, most int, prose bool) string {
	var b strings.Builder
	marks, n := 0, 0
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if n == most {
			b.WriteRune('…')
			break
		}
		n++
		if unicode.Is(unicode.M, r) {
			marks++
		} else {
			marks = 0
		}
		switch {
		case r == utf8.RuneError && size == 1:
			const hex = "0123456789abcdef"
			b.WriteString(`\x`)
			b.WriteByte(hex[s[i]>>4])
			b.WriteByte(hex[s[i]&15])
		case marks > maxMarks, !strconv.IsPrint(r) && !(prose && (r == '\u00a0' || r == '\u202f' || r == '\u2009')):
			q := strconv.QuoteRuneToASCII(r)
			b.WriteString(q[1 : len(q)-1])
		default:
			b.WriteRune(r)
		}
		i += size
	}
	return b.String()
}

// Shorten cuts text in its middle to at most that many runes, for places where both
// ends of a name matter.
func Shorten(s string, most int) string {
	r := []rune(s)
	if len(r) <= most || most < 5 {
		return s
	}
	head := (most - 1) * 2 / 3
	return string(r[:head]) + "…" + string(r[len(r)-(most-1-head):])
}

func group(digits string) string {
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	if len(digits) <= 3 {
		return sign + digits
	}
	var b strings.Builder
	b.WriteString(sign)
	first := len(digits) % 3
	if first > 0 {
		b.WriteString(digits[:first])
	}
	for i := first; i < len(digits); i += 3 {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(digits[i : i+3])
	}
	return b.String()
}

func trimZeros(s string) string {
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

var superscripts = strings.NewReplacer("-", "⁻", "0", "⁰", "1", "¹", "2", "²", "3", "³", "4", "⁴",
	"5", "⁵", "6", "⁶", "7", "⁷", "8", "⁸", "9", "⁹")

func scientific(f float64) string {
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'e', 1, 64), "e")
	n, _ := strconv.Atoi(exponent)
	return trimZeros(mantissa) + " × 10" + superscripts.Replace(strconv.Itoa(n))
}
