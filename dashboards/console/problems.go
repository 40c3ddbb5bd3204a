package console

import (
	"context"
	"fmt"
	"net/http"

	"vigil/internal/api"
)

var (
	errNoPage    = api.NewProblem(http.StatusNotFound, "There is no such page", "The address may be mistyped or out of date.")
	errNoFinding = api.NewProblem(http.StatusNotFound, "There is no such finding", "It may have been removed when its time to be kept was over.")
	errNoCase    = api.NewProblem(http.StatusNotFound, "There is no such case", "It may have been removed when its time to be kept was over.")
	errStale     = api.NewProblem(http.StatusConflict, "Somebody else has changed it meanwhile",
		"Nothing of yours was done. Go back and reload: what they did is shown, and yours may no longer be needed.")
)

func badRequest(format string, args ...any) *api.Problem {
	return api.NewProblem(http.StatusBadRequest, "That address can't be read", fmt.Sprintf(format, args...))
}

func (h *Handler) context(r *http.Request) (context.Context, context.CancelFunc) {
	return context.WithTimeout(r.Context(), h.cfg.Timeout)
}

// readError turns what a reader returned into what a client may know. Anything
// that is not the client's doing is logged.
func (h *Handler) readError(r *http.Request, what string, err error) *api.Problem {
	p, ours := api.ProblemOf(r.Context(), err, errNoFinding, errStale)
	if ours {
		h.trouble.Say(what, err)
	}
	return p
}

// Fail answers with a problem, as a page.
func (h *Handler) Fail(w http.ResponseWriter, r *http.Request, p *api.Problem) { h.fail(w, r, p) }

func (h *Handler) fail(w http.ResponseWriter, r *http.Request, e *api.Problem) {
	body, err := h.render("error", errorPage{base: h.base(r, e.Headline, false), Headline: e.Headline, Remedy: e.Remedy})
	if err != nil {
		http.Error(w, e.Headline, e.Status)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Del("ETag")
	w.WriteHeader(e.Status)
	_, _ = w.Write(body)
}
