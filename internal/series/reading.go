package series

import "time"

// Reading is what the program says of itself once a minute: how it is, or how one of
// its sources is. It names no person.
type Reading struct {
	// Start is the minute's, UTC, a multiple of Window.
	Start time.Time `json:"start"`
	// Source is the name of the source that it is about; empty for the program as a
	// whole.
	Source string `json:"source,omitempty"`
	// Values are numbers by the names of a closed set (see ProgramFields and
	// SourceFields). What is not known is left out. Names that end in _total count from
	// the beginning, and may begin anew when the program does.
	Values map[string]int64 `json:"values"`
}

// MaxSources bounds the sources of which one minute's readings are kept: what is beyond,
// in the order of names, is left out.
const MaxSources = 500

// Field is one number of a Reading, and what it means.
type Field struct{ Name, Meaning string }

// The fields of a reading of a source.
const (
	SourceState       = "state"
	SourceEvents      = "events_total"
	SourceDuplicates  = "duplicates_total"
	SourceQuarantined = "quarantined_total"
	SourceLag         = "lag_seconds"
	SourceQuiet       = "quiet_seconds"
)

// The values of SourceState.
const (
	StateReading int64 = iota
	StateBehind
	StateSilent
	StateFailing
	StateNever
)

// SourceFields are all fields of a reading of a source.
func SourceFields() []Field {
	return []Field{
		{SourceState, "0 is read, 1 behind, 2 silent, 3 can't be read, 4 has sent nothing yet"},
		{SourceEvents, "events that were new"},
		{SourceDuplicates, "events that were offered again"},
		{SourceQuarantined, "records that were set aside"},
		{SourceLag, "how much older its newest event was when it came"},
		{SourceQuiet, "time since anything came"},
	}
}

// The fields of a reading of the program.
const (
	ProgramAccepted       = "accepted_total"
	ProgramJudged         = "judged_total"
	ProgramLate           = "late_total"
	ProgramQuarantined    = "quarantined_total"
	ProgramDamaged        = "damaged_total"
	ProgramPruned         = "pruned_total"
	ProgramDeadMessages   = "messages_given_up_total"
	ProgramDroppedWindows = "windows_dropped_total"
	ProgramRefused        = "refused_total"
	ProgramPending        = "pending_events"
	ProgramJudgingLag     = "judging_lag_seconds"
	ProgramMessages       = "messages_waiting"
	ProgramWindows        = "windows_waiting"
	ProgramCasesNew       = "cases_new"
	ProgramCasesTaken     = "cases_acknowledged"
	ProgramActors         = "actors"
	ProgramTroubles       = "troubles"
	ProgramKept           = "kept_bytes"
	ProgramFree           = "disk_free_bytes"
	ProgramSnapshot       = "snapshot_age_seconds"
	ProgramUptime         = "uptime_seconds"
	ProgramGoroutines     = "goroutines"
	ProgramHeap           = "heap_bytes"
	ProgramMemory         = "memory_bytes"
)

// ProgramFields are all fields of a reading of the program.
func ProgramFields() []Field {
	return []Field{
		{ProgramAccepted, "events that were taken in"},
		{ProgramJudged, "events that were judged"},
		{ProgramLate, "events that came too late to be judged in their time"},
		{ProgramQuarantined, "records that were set aside since they can't be read"},
		{ProgramDamaged, "entries and snapshots that can't be read back from the disk"},
		{ProgramPruned, "events that are past their retention and gone"},
		{ProgramDeadMessages, "messages that were given up"},
		{ProgramDroppedWindows, "minutes of these series that gave way since InfluxDB was away for too long"},
		{ProgramRefused, "requests that were turned away since too many were being served"},
		{ProgramPending, "events that are taken in and wait to be judged"},
		{ProgramJudgingLag, "how long the oldest of these has waited"},
		{ProgramMessages, "messages that wait to be sent"},
		{ProgramWindows, "minutes of these series that wait for InfluxDB"},
		{ProgramCasesNew, "cases that nobody has acknowledged"},
		{ProgramCasesTaken, "cases that somebody works on"},
		{ProgramActors, "people and programs that are known"},
		{ProgramTroubles, "things that the operator must know of now; the console says which"},
		{ProgramKept, "size of everything that is kept"},
		{ProgramFree, "what is left on its disk"},
		{ProgramSnapshot, "age of the newest snapshot of the detector"},
		{ProgramUptime, "time since the program began"},
		{ProgramGoroutines, "goroutines"},
		{ProgramHeap, "memory that is in use for objects"},
		{ProgramMemory, "memory that was had from the system"},
	}
}
