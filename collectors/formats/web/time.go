package web

import (
	"strconv"
	"strings"
	"time"
)

// Times reads times, and remembers the last one: lines of one second share it. The
// zero value is ready.
type Times struct {
	// Layout is how FieldTimeISO is written, as package time has it; empty for the usual
	// forms. Zone is for times without one; nil is UTC.
	Layout string
	Zone   *time.Location

	text string
	at   time.Time
}

// Of reads the fields' time, the finest that there is.
func (c *Times) Of(f *Fields) (time.Time, bool) {
	if v := f.value[FieldMsec]; v != "" && v != "-" {
		if t, ok := seconds(v); ok {
			return t, true
		}
	}
	for _, k := range [...]Field{FieldTimeISO, FieldTimeLocal} {
		v := f.value[k]
		if v == "" || v == "-" {
			continue
		}
		if v[0] == '[' {
			v = strings.Trim(v, "[]")
		}
		if v == c.text {
			return c.at, true
		}
		if t, ok := c.parse(k, v); ok {
			c.text, c.at = strings.Clone(v), t
			return t, true
		}
	}
	return time.Time{}, false
}

// layouts are the forms of FieldTimeISO beside RFC 3339.
var layouts = [...]string{
	"02/Jan/2006:15:04:05 -0700", time.RFC3339Nano, "2006-01-02T15:04:05.999999999-0700",
}

func (c *Times) parse(k Field, v string) (time.Time, bool) {
	zone := c.Zone
	if zone == nil {
		zone = time.UTC
	}
	if k == FieldTimeISO && c.Layout != "" {
		t, err := time.ParseInLocation(c.Layout, v, zone)
		return t.UTC(), err == nil
	}
	if t, ok := commonLog(v); ok {
		return t, true
	}
	for _, form := range layouts {
		if t, err := time.ParseInLocation(form, v, zone); err == nil {
			return t.UTC(), true
		}
	}
	return seconds(v)
}

// commonLog reads 02/Jan/2006:15:04:05 -0700, as package time does.
func commonLog(v string) (time.Time, bool) {
	if len(v) != 26 || v[2] != '/' || v[6] != '/' || v[11] != ':' || v[14] != ':' || v[17] != ':' || v[20] != ' ' || v[21] != '+' && v[21] != '-' {
		return time.Time{}, false
	}
	month := strings.Index("JanFebMarAprMayJunJulAugSepOctNovDec", v[3:6])
	n := [...]int{two(v[0:]), two(v[7:])*100 + two(v[9:]), two(v[12:]), two(v[15:]), two(v[18:]), two(v[22:])*60 + two(v[24:])}
	if month%3 != 0 || n[0] < 1 || n[0] > 28 || n[1] < 0 || n[2] < 0 || n[2] > 23 || n[3] < 0 || n[3] > 59 || n[4] < 0 || n[4] > 59 || n[5] < 0 || n[5] > 23*60+59 || two(v[24:]) > 59 {
		// Also the last days of months: how many there are package time knows.
		t, err := time.Parse("02/Jan/2006:15:04:05 -0700", v)
		return t.UTC(), err == nil
	}
	if v[21] == '-' {
		n[5] = -n[5]
	}
	return time.Date(n[1], time.Month(month/3+1), n[0], n[2], n[3]-n[5], n[4], 0, time.UTC), true
}

// two reads two digits, and makes anything else a large negative number.
func two(s string) int {
	if s[0] < '0' || s[0] > '9' || s[1] < '0' || s[1] > '9' {
		return -1 << 20
	}
	return int(s[0]-'0')*10 + int(s[1]-'0')
}

// seconds reads a decimal number of seconds or milliseconds since 1970.
func seconds(v string) (time.Time, bool) {
	whole, fraction, _ := strings.Cut(v, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || n < 0 {
		return time.Time{}, false
	}
	if n >= 1e11 {
		return time.UnixMilli(n).UTC(), true
	}
	var nanos int64
	if fraction != "" {
		if len(fraction) > 9 || !Digits(fraction) {
			return time.Time{}, false
		}
		nanos, err = strconv.ParseInt((fraction + "000000000")[:9], 10, 64)
	}
	return time.Unix(n, nanos).UTC(), err == nil
}
