package rest

import (
	"context"
	"io"
	"time"
)

// packLimit bounds the making of one evidence pack.
const packLimit = 30 * time.Minute

func (h *Handler) packs() resource {
	return resource{name: "packs", thing: "case", there: h.do.Packs != nil, endpoints: []endpoint{
		on("GET /api/v1/cases/{id}/pack", "previewPack", "Tells what the evidence pack of a case would hold.", h.previewPack),
		file("POST /api/v1/cases/{id}/pack", "makePack", "Makes the evidence pack of a case, signed, as a ZIP file. One that breaks off is none.", "application/zip", packLimit, h.makePack),
	}}
}

// PackPreview is what an evidence pack would hold.
type PackPreview struct {
	Case string `json:"case"`
	// Findings are those that are kept, of FindingsTotal.
	Findings      []string `json:"findings"`
	FindingsTotal int      `json:"findings_total"`
	// Events are about how many accesses, MostEvents how many one pack holds.
	Events     int64 `json:"events"`
	MostEvents int64 `json:"events_at_most"`
	// Notice says that a notification to the authority belongs to it.
	Notice bool `json:"notice"`
	// Key is the public key that signs; not there where none is made yet.
	Key string `json:"key,omitempty"`
}

func (h *Handler) previewPack(ctx context.Context, in caseID) (PackPreview, error) {
	p, err := h.do.Packs.PackPreview(ctx, in.ID)
	out := PackPreview{Case: p.Case.ID, FindingsTotal: p.Case.Total, Events: p.Events, MostEvents: p.MostEvents, Notice: p.Notice, Key: p.Key}
	for i := range p.Findings {
		out.Findings = append(out.Findings, p.Findings[i].ID)
	}
	return out, err
}

func (h *Handler) makePack(ctx context.Context, in caseID) (string, func(context.Context, io.Writer) error, error) {
	return h.do.Packs.Pack(ctx, in.ID)
}
