package rest

import (
	"context"

	"vigil"
	"vigil/internal/api"
)

func (h *Handler) silences() resource {
	return resource{name: "silences", thing: "silence", there: h.do.Silencer != nil, endpoints: []endpoint{
		on("POST /api/v1/silences", "makeSilence",
			"Keeps messages back for a time, or with preview only tells what it would have kept back in the last 30 days.", h.makeSilence),
		on("GET /api/v1/silences", "listSilences", "Lists silences, the newest first.", h.listSilences),
		on("DELETE /api/v1/silences/{id}", "endSilence", "Ends a silence now.", h.endSilence),
	}}
}

type makeSilence struct {
	Body api.Silencing `body:""`
}

func (h *Handler) makeSilence(ctx context.Context, in makeSilence) (api.Silenced, error) {
	return h.do.Silencer.Silence(ctx, in.Body)
}

// SilenceList is all silences.
type SilenceList struct {
	Silences []vigil.Silence `json:"silences"`
}

func (h *Handler) listSilences(ctx context.Context, _ nothing) (SilenceList, error) {
	all, err := h.do.Silencer.Silences(ctx)
	return SilenceList{Silences: all}, err
}

type endSilence struct {
	// The silence's id.
	ID   string  `path:"id"`
	Body Undoing `body:"optional"`
}

func (h *Handler) endSilence(ctx context.Context, in endSilence) (vigil.Silence, error) {
	return h.do.Silencer.EndSilence(ctx, in.ID, in.Body.By)
}
