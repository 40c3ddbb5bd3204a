package api

import (
	"time"

	"vigil"
)

// SourceState says in a word how a source is.
type SourceState string

// The states of a source, the worst first.
const (
	// SourceFailing is one that can't be read now: Fault says why.
	SourceFailing SourceState = "failing"
	// SourceSilent is one that should have told something by now: a finding is open.
	SourceSilent SourceState = "silent"
	// SourceNever is one that has not told anything yet.
	SourceNever SourceState = "never seen"
	// SourceBehind is one that tells of the past: it catches up, or its events come late.
	SourceBehind SourceState = "behind"
	// SourceReading is one with which all is well.
	SourceReading SourceState = "reading"
)

// Source is one source's standing.
type Source struct {
	Name  string      `json:"name"`
	State SourceState `json:"state"`
	// Fault is why it can't be read now; empty where it is, or where nobody can tell.
	Fault string `json:"fault,omitempty"`
	// Events were new, Duplicates were offered again, Quarantined set aside.
	Events            int64            `json:"events"`
	Duplicates        int64            `json:"duplicates"`
	Quarantined       int64            `json:"quarantined"`
	QuarantineReasons map[string]int64 `json:"quarantine_reasons,omitempty"`
	// Last is its newest event's time; Accepted when anything came from it, which is
	// when its position was kept last. Lag is how much older its newest event was then.
	Last     time.Time     `json:"last,omitzero"`
	Accepted time.Time     `json:"accepted,omitzero"`
	Lag      time.Duration `json:"lag_nanoseconds"`
	// PerHour are its events in each of the last full hours, the oldest first; Usual how
	// many it has on average in the last of these hours, on such days in the past four
	// weeks, vigil.Unknown (-1) where there is no past.
	PerHour []int64 `json:"per_hour,omitempty"`
	Usual   float64 `json:"usual_per_hour"`
	// Findings are the open ones about it, worst first.
	Findings []SourceFinding `json:"findings,omitempty"`
}

// SourceFinding is an open finding about a source.
type SourceFinding struct {
	ID       string         `json:"id"`
	Severity vigil.Severity `json:"severity"`
	Sentence string         `json:"sentence"`
	// Silence says that it is about what the source does not tell.
	Silence bool `json:"silence,omitempty"`
}
