package vigil

import "time"

// EntryKind says what an entry of the log is.
type EntryKind string

// The kinds of log entry.
const (
	// EntryEvents is a batch of events.
	EntryEvents EntryKind = "events"
	// EntryTick brings what time alone brings: a watermark.
	EntryTick EntryKind = "tick"
	// EntryControl brings anything else that the detector's result depends on:
	// a change of configuration, an exception, an erasure.
	EntryControl EntryKind = "control"
)

// Entry is one numbered entry of the log. The detector is a fold over entries:
// the same entries give the same findings.
type Entry struct {
	// Seq numbers entries from 1 without holes.
	Seq    uint64
	Kind   EntryKind
	Source string
	// Accepted is when the entry was made durable (UTC). Detection never reads it.
	Accepted time.Time

	Events  []*Event // EntryEvents
	Tick    Tick     // EntryTick
	Control Control  // EntryControl
}

// Tick moves event time forward where no event does.
type Tick struct {
	// Watermark promises that events before it have arrived, save late ones.
	Watermark time.Time
}

// Control is a numbered change of something that detection depends on.
type Control struct {
	// Type names the change ("config", "erasure", ...); Data is its JSON.
	Type string
	Data []byte
}

// Quarantined is a record that could not be read as an event. It is set aside
// and counted; the raw text is not kept.
type Quarantined struct {
	Source string    `json:"source,omitempty"`
	File   string    `json:"file"`
	Line   int64     `json:"line"`
	Offset int64     `json:"offset"`
	Time   time.Time `json:"time,omitzero"`
	// Reason says what is wrong and, where there is one, the remedy.
	Reason string `json:"reason"`
	// Code is the reason's class, for counting: "json", "time", "actor",
	// "too-long", "binary", "truncated", "clock", "format", ...
	Code string `json:"code"`
	Size int64  `json:"size"`
	Hash uint64 `json:"hash"`
}
