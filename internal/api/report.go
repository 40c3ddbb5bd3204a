package api

import (
	"context"
	"time"
)

// ReportAsk asks for an audit report of a time.
type ReportAsk struct {
	// From and To bound the time, From inclusive and To exclusive, UTC.
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	// By is the name of who asks: it is kept as a pseudonym.
	By string `json:"by"`
}

// KeptReport is an audit report that was made, signed and kept.
type KeptReport struct {
	// ID is the period and the revision, such as "2026-10-r1".
	ID       string    `json:"id"`
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	Revision int       `json:"revision"`
	Made     time.Time `json:"made"`
	// Dir is the folder below the data folder in which the Files are: the page, the
	// PDF, the manifest, and the manifest's signature.
	Dir   string   `json:"dir"`
	Files []string `json:"files"`
	// SHA256 is that of the manifest, in hexadecimal digits.
	SHA256 string `json:"sha256"`
}

// Reporter makes and lists audit reports. Each making and each look is in the audit log
// before it happens.
type Reporter interface {
	// BeginReport begins to make a report, and returns the id that it will have.
	// The error wraps ErrRefused when one is being made, or for a time of which none can be.
	BeginReport(ctx context.Context, ask ReportAsk) (id string, err error)
	// Report returns one that is kept; made is false, without an error, as long as it is
	// being made. The error is that of its making, or wraps ErrNotFound.
	Report(ctx context.Context, id string) (r KeptReport, made bool, err error)
	// Reports lists those that are kept, the newest period first.
	Reports(ctx context.Context) ([]KeptReport, error)
}
