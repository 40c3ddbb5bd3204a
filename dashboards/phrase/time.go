package phrase

import (
	"strconv"
	"time"
)

// Moment writes an instant in UTC to the minute: "Mon 2 Nov 2026, 14:05 UTC".
// The zero time is None.
func Moment(t time.Time) string {
	if t.IsZero() {
		return None
	}
	return t.UTC().Format("Mon 2 Jan 2006, 15:04 UTC")
}

// Second writes an instant in UTC to the second, in a form that sorts:
// "2026-11-02 14:05:09". The zero time is None.
func Second(t time.Time) string {
	if t.IsZero() {
		return None
	}
	return t.UTC().Format("2006-01-02 15:04:05")
}

// ISO writes an instant for machines (the datetime attribute); empty for the
// zero time.
func ISO(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// Range writes a span in UTC, its day once when it begins and ends on the same.
func Range(start, end time.Time) string {
	start, end = start.UTC(), end.UTC()
	switch {
	case start.IsZero():
		return Moment(end)
	case end.Sub(start) < time.Minute:
		return Moment(start)
	case start.Format(time.DateOnly) == end.Format(time.DateOnly):
		return start.Format("Mon 2 Jan 2006, 15:04") + " to " + end.Format("15:04 UTC")
	}
	return start.Format("Mon 2 Jan, 15:04") + " to " + end.Format("Mon 2 Jan 2006, 15:04 UTC")
}

// Length writes a duration with its two largest units: "2 h 5 min".
func Length(d time.Duration) string {
	if d < 0 {
		d = -d
	}
	day := 24 * time.Hour
	switch {
	case d < time.Second:
		return "an instant"
	case d < time.Minute:
		return strconv.Itoa(int(d/time.Second)) + " s"
	case d < time.Hour:
		return strconv.Itoa(int(d/time.Minute)) + " min"
	case d < day:
		return pair(int(d/time.Hour), " h", int(d%time.Hour/time.Minute), " min")
	}
	days := int(d / day)
	unit := " days"
	if days == 1 {
		unit = " day"
	}
	if days > 13 {
		return strconv.Itoa(days) + unit
	}
	return pair(days, unit, int(d%day/time.Hour), " h")
}

// Bucket names the length of a bucket for "per ...": "hour", "15 min", "6 h".
func Bucket(d time.Duration) string {
	switch {
	case d <= 0:
		return "bucket"
	case d == time.Minute:
		return "minute"
	case d == 15*time.Minute:
		return "quarter-hour"
	case d == time.Hour:
		return "hour"
	case d == 24*time.Hour:
		return "day"
	case d == 7*24*time.Hour:
		return "week"
	}
	return Length(d)
}

// Ago tells how far t lies from now: "3 min ago", "in 2 h", "just now". Either
// time missing gives nothing.
func Ago(t, now time.Time) string {
	if t.IsZero() || now.IsZero() {
		return ""
	}
	d := now.Sub(t)
	switch {
	case d < -time.Minute:
		return "in " + coarse(-d)
	case d < time.Minute:
		return "just now"
	}
	return coarse(d) + " ago"
}

// coarse is Length with one unit, so that live pages change once a minute, an
// hour or a day and not more.
func coarse(d time.Duration) string {
	switch {
	case d < time.Hour:
		return strconv.Itoa(int(d/time.Minute)) + " min"
	case d < 48*time.Hour:
		return strconv.Itoa(int(d/time.Hour)) + " h"
	}
	return strconv.Itoa(int(d/(24*time.Hour))) + " days"
}

func pair(a int, unitA string, b int, unitB string) string {
	if b == 0 {
		return strconv.Itoa(a) + unitA
	}
	return strconv.Itoa(a) + unitA + " " + strconv.Itoa(b) + unitB
}
