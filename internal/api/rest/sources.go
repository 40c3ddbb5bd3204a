package rest

import (
	"context"

	"vigil"
	"vigil/internal/api"
)

func (h *Handler) sources() resource {
	return resource{name: "sources", thing: "source", there: true, endpoints: []endpoint{
		on("GET /api/v1/sources", "listSources", "Lists the sources, and how each is.", h.listSources),
	}}
}

// SourceList is the sources.
type SourceList struct {
	Sources []api.Source `json:"sources"`
}

func (h *Handler) listSources(ctx context.Context, _ nothing) (SourceList, error) {
	s, err := h.do.Status(ctx)
	return SourceList{Sources: s.Sources}, err
}

func (h *Handler) setAside() resource {
	return resource{name: "sources", thing: "record", there: h.do.Keeper != nil, endpoints: []endpoint{
		on("GET /api/v1/sources/set-aside", "listSetAside", "Lists the newest records that could not be read: where they stand and why, not what is in them.", h.listSetAside),
	}}
}

type listSetAside struct {
	// At most so many.
	Limit int `query:"limit" default:"100" min:"1" max:"500"`
}

// SetAsideList is records that could not be read, the newest first.
type SetAsideList struct {
	Records []vigil.Quarantined `json:"records"`
}

func (h *Handler) listSetAside(ctx context.Context, in listSetAside) (SetAsideList, error) {
	all, err := h.do.Keeper.SetAside(ctx, in.Limit)
	return SetAsideList{Records: all}, err
}
