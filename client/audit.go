package client

import (
	"context"
	"iter"
	"net/url"
	"time"

	"vigil/internal/api"
)

type (
	// AuditRecord is one thing that somebody saw or did.
	AuditRecord = api.AuditRecord
	// AuditKind sorts them.
	AuditKind = api.AuditKind
)

// The kinds.
const (
	AuditLooks    = api.AuditLooks
	AuditDeeds    = api.AuditDeeds
	AuditReveals  = api.AuditReveals
	AuditSignIns  = api.AuditSignIns
	AuditSettings = api.AuditSettings
)

// AuditFilter narrows the audit log. The zero filter lists all, the newest first.
type AuditFilter struct {
	Kind AuditKind
	// Who is a pseudonym, Object a part of what a record is about.
	Who, Object string
	// From and To bound the time, the second excluded.
	From, To time.Time
	// Oldest begins with the oldest.
	Oldest bool
	// Page is how many are asked for at once, 1 to 500; zero means 100.
	Page int
}

// Audit lists who saw and did what.
func (c *Client) Audit(ctx context.Context, f AuditFilter) iter.Seq2[AuditRecord, error] {
	q := url.Values{}
	set(q, "kind", string(f.Kind))
	set(q, "who", f.Who)
	set(q, "object", f.Object)
	setTime(q, "from", f.From)
	setTime(q, "to", f.To)
	setTrue(q, "oldest", f.Oldest)
	return pages[AuditRecord](ctx, c, "/audit", q, f.Page, "records")
}
