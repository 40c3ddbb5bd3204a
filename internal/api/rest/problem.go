package rest

import (
	"errors"
	"net/http"

	"vigil/internal/api"
)

var (
	// errNoID is of an id that can't be one: it becomes the resource's own "not found".
	errNoID  = api.NewProblem(http.StatusNotFound, "That is not there", "An id has up to 128 letters, digits and the signs - _ . ~ :")
	errStale = api.NewProblem(http.StatusConflict, "Somebody else has changed it meanwhile",
		"Nothing of yours was done. Read it again: what they did may make yours needless.")
)

// problem turns what a service returned into what a client may know. Anything that is not
// the client's doing is logged.
func (h *Handler) problem(r *http.Request, of resource, err error) *api.Problem {
	var known *api.Problem
	if errors.Is(err, api.ErrStale) {
		stale := *errStale
		if errors.As(err, &known) {
			stale.Remedy = known.Remedy
		}
		if r.Header.Get("If-Match") != "" {
			stale.Status = http.StatusPreconditionFailed
		}
		return &stale
	}
	p, ours := api.ProblemOf(r.Context(), err, notFound(of), errStale)
	if ours {
		h.trouble.Say(of.name, err)
	}
	return p
}

func notFound(of resource) *api.Problem {
	return api.NewProblem(http.StatusNotFound, "There is no such "+of.thing, "The id may be mistyped, or its time to be kept is over.")
}
