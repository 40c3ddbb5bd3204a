package nginx

import (
	"strconv"
	"strings"
	"time"

	"vigil/collectors/formats"
)

// timeCache remembers the last time read: lines of one second share it.
type timeCache struct {
	text string
	at   time.Time
}

// of reads the line's time, the finest that it has.
func (c *timeCache) of(f *fields) (time.Time, error) {
	if v := f.value[fieldMsec]; v != "" && v != "-" {
		if t, ok := seconds(v); ok {
			return t, nil
		}
	}
	for _, k := range [...]field{fieldTimeISO, fieldTimeLocal} {
		v := strings.Trim(f.value[k], "[]")
		if v == "" || v == "-" {
			continue
		}
		if v == c.text {
			return c.at, nil
		}
		if t, ok := parseTime(v); ok {
			c.text, c.at = v, t
			return t, nil
		}
	}
	return time.Time{}, formats.Errorf("time", "the time can't be read: log $time_local, $time_iso8601 or $msec")
}

func parseTime(v string) (time.Time, bool) {
	for _, form := range [...]string{"02/Jan/2006:15:04:05 -0700", time.RFC3339Nano, "2006-01-02T15:04:05.999999999-0700"} {
		if t, err := time.Parse(form, v); err == nil {
			return t.UTC(), true
		}
	}
	return seconds(v)
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
		if len(fraction) > 9 || !digits(fraction) {
			return time.Time{}, false
		}
		nanos, err = strconv.ParseInt((fraction + "000000000")[:9], 10, 64)
	}
	return time.Unix(n, nanos).UTC(), err == nil
}
