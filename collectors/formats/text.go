package formats

import (
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"vigil"
)

// Clean makes a value safe to show and to compare: without terminal codes, control and
// format characters (zero width, direction), in valid UTF-8, without space around it,
// cut to most bytes.
func Clean(s string, most int) string {
	if plain(s) {
		s = strings.TrimSpace(s)
		if len(s) > most {
			s = s[:most]
		}
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s) && b.Len() < most; {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
		case r == 0x1b || r == 0x9b:
			n += escapeCode(s[i+n:], r == 0x9b)
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r):
			if r == '\t' || r == '\n' || r == '\r' {
				b.WriteByte(' ')
			}
		case b.Len()+n <= most:
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	return strings.TrimSpace(b.String())
}

func plain(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// escapeCode is the length of a terminal code after its escape character.
func escapeCode(s string, begun bool) int {
	i := 0
	if !begun {
		if s == "" || s[0] != '[' {
			return min(1, len(s))
		}
		i = 1
	}
	for i < len(s) && i < 32 && (s[i] < 0x40 || s[i] > 0x7e) {
		i++
	}
	return min(i+1, len(s))
}

// Text returns one string for equal ones, as String does.
func (n *Interner) Text(s string) string {
	if s == "" || len(s) > internMax {
		return s
	}
	return n.String([]byte(s))
}

// Count reads a count: a whole number from zero. Anything else is vigil.Unknown.
func Count(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		// A number that JSON has with a fraction of zero or an exponent.
		f, ferr := strconv.ParseFloat(s, 64)
		if ferr != nil || f != math.Trunc(f) || f < 0 || f > 1<<53 {
			return vigil.Unknown
		}
		return int64(f)
	}
	if n < 0 {
		return vigil.Unknown
	}
	return n
}

// Address takes the address out of what logs write in its place: with a port, in
// brackets, mapped into IPv6. What is none (a service's name, a masked address, a
// socket) is empty.
func Address(s string) string {
	s = strings.TrimSpace(s)
	if a, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return a.Unmap().WithZone("").String()
	}
	if p, err := netip.ParseAddrPort(s); err == nil {
		return p.Addr().Unmap().WithZone("").String()
	}
	return ""
}

// ErrTime is the error of a record whose time can't be read.
func ErrTime(field string) *Error {
	return Errorf("time", "%s is no time that can be read", field)
}

// timeLayouts are the ways in which logs write a time as text. Those without a zone are
// of the zone that the caller names.
var timeLayouts = []string{
	time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", "2006-01-02 15:04:05.999999999Z07:00",
	"2006-01-02 15:04:05.999999999 -0700", "2006-01-02 15:04:05.999999999 MST", "2006-01-02T15:04:05.999999999Z0700", "02/Jan/2006:15:04:05 -0700",
	"2006-01-02T15:04Z07:00", "1/2/2006 3:04:05 PM", "2006-01-02",
}

// Time reads a time: text in one of the usual forms (zone is for those without one, nil
// for UTC), or seconds, milliseconds, microseconds or nanoseconds since 1970, told apart
// by their size.
func Time(s string, zone *time.Location) (time.Time, bool) {
	s = strings.TrimSpace(s)
	if s == "" {
		return time.Time{}, false
	}
	if c := s[0]; c >= '0' && c <= '9' && (len(s) < 5 || s[4] != '-') && !strings.ContainsAny(s, ":/") {
		return unixTime(s)
	}
	if zone == nil {
		zone = time.UTC
	}
	for _, l := range timeLayouts {
		if t, err := time.ParseInLocation(l, s, zone); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

func unixTime(s string) (time.Time, bool) {
	whole, frac, _ := strings.Cut(s, ".")
	if strings.ContainsAny(s, "eE") {
		f, err := strconv.ParseFloat(s, 64)
		if err != nil || f < 0 || f > 1e19 {
			return time.Time{}, false
		}
		whole, frac = strconv.FormatInt(int64(f), 10), ""
	}
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || n < 0 {
		return time.Time{}, false
	}
	unit := int64(time.Second)
	switch {
	case n >= 1e17:
		unit = 1
	case n >= 1e14:
		unit = int64(time.Microsecond)
	case n >= 1e11:
		unit = int64(time.Millisecond)
	}
	if n > math.MaxInt64/unit {
		return time.Time{}, false
	}
	ns := n * unit
	if unit > 1 && frac != "" {
		// Digits of a fraction count down from the unit.
		for i, u := 0, unit/10; i < len(frac) && u > 0; i, u = i+1, u/10 {
			if frac[i] < '0' || frac[i] > '9' {
				return time.Time{}, false
			}
			ns += int64(frac[i]-'0') * u
		}
	}
	return time.Unix(0, ns).UTC(), true
}

// OutcomeOfStatus is the outcome that an HTTP status tells.
func OutcomeOfStatus(status int64) vigil.Outcome {
	switch {
	case status < 100 || status > 999:
		return vigil.OutcomeUnspecified
	case status == 401 || status == 403 || status == 407:
		return vigil.OutcomeDenied
	case status >= 400:
		return vigil.OutcomeError
	}
	return vigil.OutcomeSuccess
}
