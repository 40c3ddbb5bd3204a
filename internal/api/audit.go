package api

import (
	"context"
	"time"
)

// AuditKind sorts what is in the audit log.
type AuditKind string

// The kinds.
const (
	AuditLooks    AuditKind = "looks"    // somebody saw something
	AuditDeeds    AuditKind = "deeds"    // somebody did something
	AuditReveals  AuditKind = "reveals"  // pseudonyms that were led back to names
	AuditSignIns  AuditKind = "sign-ins" // who came in, and who did not
	AuditSettings AuditKind = "settings" // changes of how vigil works
)

// AuditKinds lists the kinds in the order in which they are offered.
func AuditKinds() []AuditKind {
	return []AuditKind{AuditLooks, AuditDeeds, AuditReveals, AuditSignIns, AuditSettings}
}

// AuditRecord is one thing that somebody did or saw.
type AuditRecord struct {
	N      uint64    `json:"n"`
	Time   time.Time `json:"time"`
	Who    string    `json:"who"`
	What   string    `json:"what"`
	Object string    `json:"object,omitempty"`
	// Hash is in hexadecimal digits. It covers the record and the hash before it.
	Hash string `json:"hash"`
}

// AuditFilter narrows what is shown of the audit log. The zero filter shows all.
type AuditFilter struct {
	Kind AuditKind
	// Who is a pseudonym, Object a part of what a record is about, such as a case's id.
	Who, Object string
	// From and To bound the time, the second excluded; zero for no bound.
	From, To time.Time
	// Before and After bound the numbers, both excluded; zero for no bound. The newest come
	// first, or with Oldest the oldest.
	Before, After uint64
	Oldest        bool
	// Limit bounds them; zero means 100.
	Limit int
	// Export says that they are taken out of vigil: that stands in the log itself.
	Export bool
}

// AuditStanding is how the audit log stands.
type AuditStanding struct {
	// Records are in it, Head is the newest hash in hexadecimal digits.
	Records uint64
	Head    string
	// Verified is up to which record the chain was verified, At when, and Whole when all
	// of it was, from its first record on; zero for not yet.
	Verified  uint64
	At, Whole time.Time
	// Broken says where the chain does not hold, empty when it does.
	Broken string
	// Checkpoints is the file in which its head is kept outside, empty for none; Kept the
	// newest record that stands there, and KeptAt when it was written.
	Checkpoints string
	Kept        uint64
	KeptAt      time.Time
	// Fault is why no checkpoint could be written, or what one contradicts.
	Fault string
}

// AuditPage is a part of the audit log, in the order that the filter asks for.
type AuditPage struct {
	Records []AuditRecord
	// More says that some come after these.
	More bool
}

// Auditor shows the audit log. Each look at it is itself recorded, before anything is
// shown.
type Auditor interface {
	AuditStanding(ctx context.Context) (AuditStanding, error)
	Audit(ctx context.Context, f AuditFilter) (AuditPage, error)
}

// ReportFiles hands over the files of kept audit reports.
type ReportFiles interface {
	// ReportFile returns a file of a report. The error wraps ErrNotFound.
	ReportFile(ctx context.Context, id, name string) ([]byte, error)
}
