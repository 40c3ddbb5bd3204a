package rest

import (
	"context"
	"errors"
	"net/http"

	"vigil/internal/api"
)

var (
	// errNoID is of an id that can't be one: it becomes the resource's own "not found".
	errNoID  = api.NewProblem(http.StatusNotFound, "That is not there", "An id has up to 128 letters, digits and the signs - _ . ~ :")
	errStale = api.NewProblem(http.StatusConflict, "Somebody else has changed it meanwhile",
		"Nothing of yours was done. Read it again: what they did may make yours needless.")
	errOwnCase = api.NewProblem(http.StatusForbidden, "This case is about yourself",
		"Nobody works on a case about themselves: ask somebody else to.").With(api.CodeOwnCase)
	errSlow   = api.NewProblem(http.StatusGatewayTimeout, "The store took too long to answer", "Try again; if it stays so, look at the program's own log.")
	errSealed = api.NewProblem(http.StatusServiceUnavailable, "Nothing can be shown just now",
		"Each look is recorded before it is granted, and the record can't be written. Is the disk full? Make room: nothing that was accepted is lost.").With(api.CodeUnrecorded)
	errInside = api.NewProblem(http.StatusInternalServerError, "Something went wrong here", "The program's own log tells what. Nothing was changed; try again.")
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
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, api.ErrUnrecorded):
		h.trouble.Say(of.name, err)
		return errSealed
	case errors.Is(err, api.ErrRefused):
		return api.NewProblem(http.StatusUnprocessableEntity, "That can't be done", err.Error())
	case errors.Is(err, api.ErrNotFound):
		return notFound(of)
	case errors.Is(err, api.ErrOwnCase):
		return errOwnCase
	case errors.Is(err, context.Canceled) && r.Context().Err() != nil:
		return errSlow // the client is gone: nobody reads it, and it is no news
	case errors.Is(err, context.DeadlineExceeded):
		h.trouble.Say(of.name, err)
		return errSlow
	}
	h.trouble.Say(of.name, err)
	return errInside
}

func notFound(of resource) *api.Problem {
	return api.NewProblem(http.StatusNotFound, "There is no such "+of.thing, "The id may be mistyped, or its time to be kept is over.")
}
