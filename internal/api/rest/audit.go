package rest

import (
	"context"
	"time"

	"vigil/internal/api"
)

func (h *Handler) audit() resource {
	return resource{name: "audit", thing: "record", there: h.do.Auditor != nil, endpoints: []endpoint{
		on("GET /api/v1/audit", "listAudit", "Lists who saw and did what. That it was asked is itself on record first.", h.listAudit),
		on("GET /api/v1/audit/standing", "getAuditStanding", "Tells how many records there are, the newest hash, and whether the chain holds.", h.getAuditStanding),
	}}
}

type auditFilter struct {
	// Only records of this kind.
	Kind api.AuditKind `query:"kind" enum:"looks,deeds,reveals,sign-ins,settings"`
	// Only what somebody of this pseudonym saw or did.
	Who string `query:"who"`
	// Only what is about something in which this stands, such as a case's id.
	Object string `query:"object"`
	// Only what happened then or later.
	From time.Time `query:"from"`
	// Only what happened before.
	To time.Time `query:"to"`
	// Begins with the oldest instead of the newest.
	Oldest bool `query:"oldest"`
}

type listAudit struct {
	auditFilter
	page
}

// AuditList is a part of the audit log.
type AuditList struct {
	Records []api.AuditRecord `json:"records"`
	// Next is the cursor of what follows; not there at the end.
	Next string `json:"next,omitempty"`
}

func (h *Handler) listAudit(ctx context.Context, in listAudit) (out AuditList, err error) {
	f := api.AuditFilter{Kind: in.Kind, Who: in.Who, Object: in.Object, From: in.From, To: in.To, Oldest: in.Oldest, Limit: in.Limit}
	behind := &f.Before
	if in.Oldest {
		behind = &f.After
	}
	if _, bad := readCursor(in.Cursor, "audit", in.auditFilter, behind); bad != nil {
		return out, bad
	}
	page, err := h.do.Auditor.Audit(ctx, f)
	if err != nil {
		return out, err
	}
	out.Records = page.Records
	if n := len(page.Records); page.More && n > 0 {
		out.Next, err = cursorOf("audit", in.auditFilter, page.Records[n-1].N)
	}
	return out, err
}

// AuditStanding is how the audit log stands.
type AuditStanding struct {
	// Records are in it, Head is the newest hash in hexadecimal digits.
	Records uint64 `json:"records"`
	Head    string `json:"head"`
	// Verified is up to which record the chain was verified, VerifiedAt when, and WholeAt when all of it was.
	Verified   uint64    `json:"verified"`
	VerifiedAt time.Time `json:"verified_at,omitzero"`
	WholeAt    time.Time `json:"whole_at,omitzero"`
	// Broken says where the chain does not hold; not there when it does.
	Broken string `json:"broken,omitempty"`
	// Kept is the newest record of which a checkpoint stands outside, KeptAt when that was written.
	Kept   uint64    `json:"checkpoint"`
	KeptAt time.Time `json:"checkpoint_at,omitzero"`
	// Fault is why no checkpoint could be written, or what one contradicts.
	Fault string `json:"fault,omitempty"`
}

func (h *Handler) getAuditStanding(ctx context.Context, _ nothing) (AuditStanding, error) {
	s, err := h.do.Auditor.AuditStanding(ctx)
	return AuditStanding{
		Records: s.Records, Head: s.Head, Verified: s.Verified, VerifiedAt: s.At, WholeAt: s.Whole, Broken: s.Broken,
		Kept: s.Kept, KeptAt: s.KeptAt, Fault: s.Fault,
	}, err
}
