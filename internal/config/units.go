package config

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Duration is a length of time written as "30d", "12h", "90m", "2w" or a sum
// such as "1d12h". The units are w, d, h, m, s and ms; a day has 24 hours.
type Duration time.Duration

// maxDuration keeps every sum within 200 years, far from overflow.
const maxDuration = 200 * 365 * 24 * time.Hour

// UnmarshalText reads the written form. Negative lengths and bare numbers other
// than 0 are errors.
func (d *Duration) UnmarshalText(text []byte) error {
	s := strings.TrimSpace(string(text))
	if s == "0" {
		*d = 0
		return nil
	}
	if s == "" {
		return errors.New("a length of time is missing; write for example 30d or 12h")
	}
	var total float64
	for rest := s; rest != ""; {
		end := strings.IndexFunc(rest, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
		if end <= 0 {
			return fmt.Errorf("%q is no length of time; write for example 30d, 12h or 90m", s)
		}
		value, err := strconv.ParseFloat(rest[:end], 64)
		if err != nil {
			return fmt.Errorf("%q is no length of time; write for example 30d, 12h or 90m", s)
		}
		rest = rest[end:]
		unitEnd := strings.IndexFunc(rest, func(r rune) bool { return r >= '0' && r <= '9' })
		if unitEnd < 0 {
			unitEnd = len(rest)
		}
		unit, ok := durationUnit(rest[:unitEnd])
		if !ok {
			return fmt.Errorf("%q is no unit of time; use w, d, h, m, s or ms", rest[:unitEnd])
		}
		rest = rest[unitEnd:]
		total += value * float64(unit)
		if total > float64(maxDuration) {
			return fmt.Errorf("%q is longer than 200 years", s)
		}
	}
	*d = Duration(math.Round(total))
	return nil
}

func durationUnit(name string) (time.Duration, bool) {
	switch name {
	case "w":
		return 7 * 24 * time.Hour, true
	case "d":
		return 24 * time.Hour, true
	case "h":
		return time.Hour, true
	case "m":
		return time.Minute, true
	case "s":
		return time.Second, true
	case "ms":
		return time.Millisecond, true
	}
	return 0, false
}

// Std returns the standard library's form.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// String returns the written form in the largest unit that fits whole.
func (d Duration) String() string {
	v := time.Duration(d)
	switch {
	case v == 0:
		return "0"
	case v%(24*time.Hour) == 0:
		return strconv.FormatInt(int64(v/(24*time.Hour)), 10) + "d"
	case v%time.Hour == 0:
		return strconv.FormatInt(int64(v/time.Hour), 10) + "h"
	case v%time.Minute == 0:
		return strconv.FormatInt(int64(v/time.Minute), 10) + "m"
	}
	return v.String()
}

// MarshalText returns what String does.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// Size is a number of bytes written as "500MB", "20GB" or "64KB". The units are
// powers of 1024; a number alone counts bytes.
type Size int64

// UnmarshalText reads the written form.
func (z *Size) UnmarshalText(text []byte) error {
	s := strings.TrimSpace(string(text))
	end := strings.IndexFunc(s, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
	if end < 0 {
		end = len(s)
	}
	value, err := strconv.ParseFloat(s[:end], 64)
	if err != nil {
		return fmt.Errorf("%q is no size; write for example 500MB or 20GB", s)
	}
	var shift int
	switch unit := strings.ToUpper(strings.TrimSpace(s[end:])); unit {
	case "", "B":
	case "K", "KB", "KIB":
		shift = 10
	case "M", "MB", "MIB":
		shift = 20
	case "G", "GB", "GIB":
		shift = 30
	case "T", "TB", "TIB":
		shift = 40
	default:
		return fmt.Errorf("%q is no unit of size; use B, KB, MB, GB or TB", s[end:])
	}
	value *= float64(int64(1) << shift)
	if value > 1<<60 {
		return fmt.Errorf("%q is too large a size", s)
	}
	*z = Size(value)
	return nil
}

// String returns the written form in the largest unit that fits whole.
func (z Size) String() string {
	v := int64(z)
	for _, u := range []struct {
		name  string
		shift int
	}{{"TB", 40}, {"GB", 30}, {"MB", 20}, {"KB", 10}} {
		if unit := int64(1) << u.shift; v >= unit && v%unit == 0 {
			return strconv.FormatInt(v/unit, 10) + u.name
		}
	}
	return strconv.FormatInt(v, 10)
}

// MarshalText returns what String does.
func (z Size) MarshalText() ([]byte, error) { return []byte(z.String()), nil }
