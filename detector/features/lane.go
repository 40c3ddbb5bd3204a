// Package features turns events into observations: which spans there are, what
// is counted in them, and which categories an event names.
//
// The detector's shards call it. Nothing here is safe for concurrent use; each
// shard owns its spans. Sets are bounded: beyond their limit they become
// sketches.
package features

import "time"

// Lane is one length of epoch by which evidence moves.
type Lane int

// The lanes, short to long.
const (
	Quarter Lane = iota // a quarter of an hour
	Day
	Week
	Lanes int = iota
)

var laneNames = [Lanes]string{"quarter", "day", "week"}

// String is the lane's name in findings.
func (l Lane) String() string { return laneNames[l] }

const (
	quarterNanos = int64(15 * time.Minute)
	dayNanos     = int64(24 * time.Hour)
	// mondayShift moves the epoch's Thursday so that weeks begin on Monday.
	mondayShift = 3
)

// Index is the number of the lane's epoch that holds the time t (Unix
// nanoseconds), aligned to UTC; weeks begin on Monday.
func (l Lane) Index(t int64) int64 {
	switch l {
	case Quarter:
		return floorDiv(t, quarterNanos)
	case Day:
		return floorDiv(t, dayNanos)
	default:
		return floorDiv(floorDiv(t, dayNanos)+mondayShift, 7)
	}
}

// Start is when epoch i begins, in Unix nanoseconds.
func (l Lane) Start(i int64) int64 {
	switch l {
	case Quarter:
		return i * quarterNanos
	case Day:
		return i * dayNanos
	default:
		return (i*7 - mondayShift) * dayNanos
	}
}

// Length is how long an epoch of the lane lasts.
func (l Lane) Length() time.Duration {
	switch l {
	case Quarter:
		return 15 * time.Minute
	case Day:
		return 24 * time.Hour
	default:
		return 7 * 24 * time.Hour
	}
}

// Words names a span of the lane for a person.
func (l Lane) Words() string {
	return [...]string{"a quarter of an hour", "a day", "a week"}[l]
}

// Season is the hour of the week (from Monday 00:00 UTC) whose seasonal factor
// applies to epoch i; the day lane uses its weekday's first hour.
func (l Lane) Season(i int64) int {
	switch l {
	case Quarter:
		return int(floorMod(floorDiv(i, 4)+mondayShift*24, 168))
	case Day:
		return int(floorMod(i+mondayShift, 7)) * 24
	default:
		return 0
	}
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func floorMod(a, b int64) int64 { return a - floorDiv(a, b)*b }
