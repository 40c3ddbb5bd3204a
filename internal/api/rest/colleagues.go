package rest

import (
	"context"

	"vigil/internal/access"
)

func (h *Handler) colleagues() resource {
	return resource{name: "casework", thing: "person", there: h.do.Worker != nil, endpoints: []endpoint{
		on("GET /api/v1/colleagues", "listColleagues", "Lists those to whom a case can be given, by pseudonym, but who asks.", h.listColleagues),
	}}
}

// ColleagueList is those to whom a case can be given.
type ColleagueList struct {
	Colleagues []Colleague `json:"colleagues"`
}

// Colleague is somebody to whom a case can be given.
type Colleague struct {
	// By is their pseudonym.
	By    string        `json:"by"`
	Roles []access.Role `json:"roles"`
}

func (h *Handler) listColleagues(ctx context.Context, _ nothing) (out ColleagueList, err error) {
	all, err := h.do.Worker.Colleagues(ctx)
	for _, c := range all {
		out.Colleagues = append(out.Colleagues, Colleague(c))
	}
	return out, err
}
