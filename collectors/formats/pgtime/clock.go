// Package pgtime reads the timestamps that PostgreSQL and the poolers around it write:
// local time with the abbreviation of its zone. It holds what the last line had, so a
// Clock is not safe for concurrent use.
package pgtime

import (
	"strings"
	"time"
)

// Clock reads timestamps. The zero value is ready.
type Clock struct {
	// Place is log_timezone when the operator gives it: it settles abbreviations
	// that several zones share.
	Place *time.Location
	// The last zone and day seen, which the next line nearly always shares.
	zone   string
	offset int64
	known  bool
	day    string
	base   int64
}

// Scan finds the length of "2006-01-02 15:04:05[.123] ZONE" at the start of s,
// 0 if there is none.
func Scan(s string) int {
	if len(s) < 21 || s[4] != '-' || s[7] != '-' || s[10] != ' ' || s[13] != ':' || s[16] != ':' {
		return 0
	}
	for _, i := range [...]int{0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18} {
		if !digit(s[i]) {
			return 0
		}
	}
	i := 19
	if s[i] == '.' {
		i++
		for i < len(s) && digit(s[i]) {
			i++
		}
	}
	if i >= len(s) || s[i] != ' ' {
		return 0
	}
	i++
	z := i
	if i < len(s) && (s[i] == '+' || s[i] == '-') {
		i++
		for i < len(s) && i < z+6 && digit(s[i]) {
			i++
		}
		if i < z+3 {
			return 0
		}
		return i
	}
	for i < len(s) && (s[i]|0x20 >= 'a' && s[i]|0x20 <= 'z') {
		i++
	}
	if i == z {
		return 0
	}
	return i
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

func number(s string) int64 {
	var n int64
	for i := 0; i < len(s) && n < 1<<52; i++ {
		if !digit(s[i]) {
			break
		}
		n = n*10 + int64(s[i]-'0')
	}
	return n
}

// Read turns a timestamp of Scan's form into an instant.
func (c *Clock) Read(s string) (time.Time, bool) {
	n := Scan(s)
	if n == 0 || n != len(s) {
		return time.Time{}, false
	}
	if s[:10] != c.day {
		y, m, d := number(s[:4]), number(s[5:7]), number(s[8:10])
		if m < 1 || m > 12 || d < 1 || d > 31 {
			return time.Time{}, false
		}
		c.day = strings.Clone(s[:10])
		c.base = time.Date(int(y), time.Month(m), int(d), 0, 0, 0, 0, time.UTC).Unix()
	}
	sec := c.base + number(s[11:13])*3600 + number(s[14:16])*60 + number(s[17:19])
	rest := s[19:]
	var nanos int64
	if rest[0] == '.' {
		scale := int64(100_000_000)
		i := 1
		for ; digit(rest[i]); i++ {
			nanos += int64(rest[i]-'0') * scale
			scale /= 10
		}
		rest = rest[i:]
	}
	off, ok := c.zoneOffset(rest[1:], sec)
	if !ok {
		return time.Time{}, false
	}
	return time.Unix(sec-off, nanos).UTC(), true
}

// Epoch reads seconds since 1970 with milliseconds, as the escape %n has them.
func Epoch(s string) (time.Time, bool) {
	whole, frac, _ := strings.Cut(s, ".")
	sec := number(whole)
	if sec <= 0 || len(whole) > 12 {
		return time.Time{}, false
	}
	var nanos int64
	scale := int64(100_000_000)
	for i := 0; i < len(frac) && i < 9; i++ {
		nanos += int64(frac[i]-'0') * scale
		scale /= 10
	}
	return time.Unix(sec, nanos).UTC(), true
}

// zoneOffset finds a zone's offset east of UTC, in seconds, at a local time.
func (c *Clock) zoneOffset(zone string, local int64) (int64, bool) {
	if c.Place == nil && c.known && zone == c.zone {
		return c.offset, true
	}
	off, ok := int64(0), false
	switch {
	case zone == "":
	case zone[0] == '+' || zone[0] == '-':
		d := zone[1:]
		off, ok = number(d[:2])*3600, true
		if len(d) >= 4 {
			off += number(d[2:4]) * 60
		}
		if zone[0] == '-' {
			off = -off
		}
	case c.Place != nil:
		// Of the instants that read so in the place, the one whose zone has this name.
		for _, guess := range [...]int64{0, -3600, 3600} {
			_, o := time.Unix(local, 0).In(c.Place).Zone()
			name, o2 := time.Unix(local-int64(o)+guess, 0).In(c.Place).Zone()
			if name == zone {
				return int64(o2), true
			}
		}
		off, ok = zoneHours(zone)
	default:
		off, ok = zoneHours(zone)
	}
	if ok {
		c.zone, c.offset, c.known = strings.Clone(zone), off, true
	}
	return off, ok
}

// zoneHours knows the common abbreviations. Where several zones share one, the
// one that PostgreSQL's default set means.
func zoneHours(zone string) (int64, bool) {
	minutes := func(m int64) (int64, bool) { return m * 60, true }
	switch strings.ToUpper(zone) {
	case "UTC", "GMT", "Z", "UCT", "WET", "ZULU":
		return 0, true
	case "CET", "BST", "MEZ", "WEST", "WAT":
		return minutes(60)
	case "CEST", "EET", "SAST", "CAT", "MESZ":
		return minutes(120)
	case "EEST", "MSK", "IDT", "EAT", "TRT":
		return minutes(180)
	case "MSD":
		return minutes(240)
	case "PKT":
		return minutes(300)
	case "IST": // India; Israel and Ireland need log_timezone
		return minutes(330)
	case "WIB", "ICT":
		return minutes(420)
	case "HKT", "SGT", "AWST", "PHT", "WITA":
		return minutes(480)
	case "JST", "KST", "WIT":
		return minutes(540)
	case "ACST":
		return minutes(570)
	case "AEST":
		return minutes(600)
	case "ACDT":
		return minutes(630)
	case "AEDT":
		return minutes(660)
	case "NZST":
		return minutes(720)
	case "NZDT":
		return minutes(780)
	case "NST":
		return minutes(-210)
	case "NDT":
		return minutes(-150)
	case "ADT", "BRT", "ART", "UYT":
		return minutes(-180)
	case "EDT", "AST", "CLT":
		return minutes(-240)
	case "EST", "CDT", "COT", "PET":
		return minutes(-300)
	case "CST", "MDT":
		return minutes(-360)
	case "MST", "PDT":
		return minutes(-420)
	case "PST", "AKDT":
		return minutes(-480)
	case "AKST", "HDT":
		return minutes(-540)
	case "HST":
		return minutes(-600)
	}
	return 0, false
}
