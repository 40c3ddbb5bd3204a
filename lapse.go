package vigil

import "time"

// ControlLapse is the type of the control records that hold a [Lapse].
const ControlLapse = "lapse"

// LapseKind says what sort of lapse it is.
type LapseKind string

// The kinds of lapse.
const (
	// LapseHole is of numbers that a source gives its records: some are missing.
	LapseHole LapseKind = "hole"
	// LapseReset is of a source whose numbering or contents began anew or went back.
	LapseReset LapseKind = "reset"
	// LapseClock is of a source whose clock jumped.
	LapseClock LapseKind = "clock"
	// LapseDropped is of records that the source, or the way to us, says it threw
	// away, or could not keep while nobody read.
	LapseDropped LapseKind = "dropped"
	// LapseUnaudited is of auditing that was switched off or cut down at the source.
	LapseUnaudited LapseKind = "unaudited"
	// LapseForged is of a collector's stream that was replayed, forked or not signed
	// with its key.
	LapseForged LapseKind = "forged"
	// LapseUnread is of records that came and could not be read, where most could
	// before: the source's format, or a mapping of it, has changed.
	LapseUnread LapseKind = "unread"
	// LapseFlood is of vigil itself: more cases came at once than people can be told one
	// by one.
	LapseFlood LapseKind = "flood"
)

// FloodSource is the source that a LapseFlood is told of.
const FloodSource = "vigil-alerts"

// LapseKinds lists the kinds.
func LapseKinds() []LapseKind {
	return []LapseKind{LapseHole, LapseReset, LapseClock, LapseDropped, LapseUnaudited, LapseForged, LapseUnread, LapseFlood}
}

// Lapse is something that a collector saw of its source itself: records may be missing,
// or not what they seem. It enters the log, and becomes a finding about the source.
type Lapse struct {
	Source string    `json:"source"`
	Kind   LapseKind `json:"kind"`
	// Start and End are the time in which it lies, as far as can be told: event time,
	// else that of arrival. End is when it was seen.
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
	// Missing is how many records are, Unknown when that can't be told.
	Missing int64 `json:"missing"`
	// Text says what was seen and what to do, in a sentence or two. It names no person.
	Text string `json:"text"`
}
