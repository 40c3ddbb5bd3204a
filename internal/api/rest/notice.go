package rest

import (
	"context"
	"time"

	"vigil"
)

func (h *Handler) notice() resource {
	return resource{name: "notices", thing: "case", there: h.do.Notices != nil, endpoints: []endpoint{
		on("GET /api/v1/cases/{id}/notice", "getNotice", "Gives the notification of a case to the authority as it stands. Its ETag is its revision.", h.getNotice),
	}}
}

// NoticeAnswer is the notification of a case.
type NoticeAnswer struct {
	vigil.Notice
	// Due is by when the authority is to be notified; not there before the clock runs.
	Due time.Time `json:"due,omitzero"`
	// Organisation is who notifies.
	Organisation NoticeSender `json:"organisation"`
	// Texts are the parts as they stand: what was written, else what is proposed.
	Texts map[vigil.NoticeField]string `json:"texts"`
	// Concerns are what speaks for telling the people themselves (article 34).
	Concerns []string `json:"concerns"`
}

func (n NoticeAnswer) revision() int { return n.Revision }

// NoticeSender is who notifies the authority, as far as the configuration says.
type NoticeSender struct {
	Name      string `json:"name,omitempty"`
	Address   string `json:"address,omitempty"`
	Officer   string `json:"officer,omitempty"`
	Contact   string `json:"contact,omitempty"`
	Authority string `json:"authority,omitempty"`
}

func (h *Handler) getNotice(ctx context.Context, in caseID) (NoticeAnswer, error) {
	v, err := h.do.Notices.Notice(ctx, in.ID)
	if err != nil {
		return NoticeAnswer{}, err
	}
	out := NoticeAnswer{Notice: v.Notice, Due: v.Case.Due(), Organisation: NoticeSender(v.Organisation), Texts: map[vigil.NoticeField]string{}, Concerns: v.Concerns}
	out.Case = v.Case.ID
	for _, f := range vigil.NoticeFields() {
		out.Texts[f] = v.Text(f)
	}
	return out, nil
}
