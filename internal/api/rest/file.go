package rest

import (
	"context"
	"net/http"

	"vigil/internal/api"
)

// handOver answers with a file, as it is made.
func (h *Handler) handOver(w http.ResponseWriter, r *http.Request, of resource, e endpoint, in any) {
	ctx, cancel := context.WithTimeout(r.Context(), e.limit)
	defer cancel()
	name, write, err := e.hand(ctx, in)
	if err != nil {
		h.Fail(w, r, h.problem(r, of, err))
		return
	}
	begun, err := api.HandOver(ctx, w, e.media, name, e.limit, write)
	switch {
	case err == nil:
		h.trouble.Over()
	case begun:
		h.trouble.Say(of.name, err)
		panic(http.ErrAbortHandler)
	default:
		h.Fail(w, r, h.problem(r, of, err))
	}
}
