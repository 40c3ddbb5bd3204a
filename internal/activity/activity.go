// Package activity adds up accesses: how many there were when, in which sessions, from
// which networks, at which hours of the week.
//
// The service calls it with columns of the log, in any order. Everything is a plain value,
// bounded where it says so, without clock or I/O, and not safe for concurrent use.
package activity

import (
	"slices"
	"time"
)

// Gap is how long (nanoseconds) nothing may happen within a session.
const Gap = int64(30 * time.Minute)

// Session is a run of accesses with less than Gap between them.
type Session struct {
	// From and To are the times of the first and the last, in UTC nanoseconds.
	From, To int64
	Accesses int
}

// Sessions finds them among times, which it sorts, and keeps the most that came last.
// left is how many came before those.
func Sessions(times []int64, most int) (out []Session, left int) {
	slices.Sort(times)
	for _, t := range times {
		if n := len(out); n > 0 && t-out[n-1].To < Gap {
			out[n-1].To = t
			out[n-1].Accesses++
			continue
		}
		out = append(out, Session{From: t, To: t, Accesses: 1})
	}
	left = max(0, len(out)-most)
	return out[left:], left
}

// steps are the lengths that a bucket may have.
var steps = [...]time.Duration{
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour, 28 * 24 * time.Hour,
}

// Bucket is the shortest round length of which at most the given number fit into a span.
// That of a span too long for any is as long as it takes.
func Bucket(span time.Duration, most int) time.Duration {
	for _, s := range steps {
		if span <= s*time.Duration(most) {
			return s
		}
	}
	return (span/time.Duration(most) + 24*time.Hour).Truncate(24 * time.Hour)
}

// Week counts accesses by the hour of the week, from Monday 00:00 UTC.
type Week [168]float64

// Add counts an access at a time in UTC nanoseconds.
func (w *Week) Add(t int64) {
	const hour = int64(time.Hour)
	h := t / hour
	if t%hour < 0 {
		h--
	}
	// The hours since 1970 began on a Thursday.
	w[((h+3*24)%168+168)%168]++
}
