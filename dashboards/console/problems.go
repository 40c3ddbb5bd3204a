package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"vigil/internal/api"
)

var (
	errNoPage    = api.NewProblem(http.StatusNotFound, "There is no such page", "The address may be mistyped or out of date.")
	errNoFinding = api.NewProblem(http.StatusNotFound, "There is no such finding", "It may have been removed when its time to be kept was over.")
	errNoCase    = api.NewProblem(http.StatusNotFound, "There is no such case", "It may have been removed when its time to be kept was over.")
	errStale     = api.NewProblem(http.StatusConflict, "Somebody else has changed it meanwhile",
		"Nothing of yours was done. Go back and reload: what they did is shown, and yours may no longer be needed.")
	errOwnCase = api.NewProblem(http.StatusForbidden, "This case is about yourself",
		"Nobody works on a case about themselves: ask somebody else to.").With(api.CodeOwnCase)
	errSlow   = api.NewProblem(http.StatusGatewayTimeout, "The store took too long to answer", "Try again; if it stays so, look at the program's own log.")
	errSealed = api.NewProblem(http.StatusServiceUnavailable, "Nothing can be shown just now",
		"Each look is recorded before it is granted, and the record can't be written. Is the disk full? Make room: nothing that was accepted is lost, and this page comes back by itself.")
	errInside = api.NewProblem(http.StatusInternalServerError, "Something went wrong here", "The program's own log tells what. Nothing was changed; try again.")
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
	var known *api.Problem
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, api.ErrUnrecorded):
		h.trouble.Say(what, err)
		return errSealed
	case errors.Is(err, api.ErrRefused):
		return api.NewProblem(http.StatusUnprocessableEntity, "That can't be done", reason(err))
	case errors.Is(err, api.ErrNotFound):
		return errNoFinding
	case errors.Is(err, api.ErrStale):
		return errStale
	case errors.Is(err, api.ErrOwnCase):
		return errOwnCase
	case errors.Is(err, context.Canceled) && r.Context().Err() != nil:
		return errSlow // the client is gone: nobody reads it, and it is no news
	case errors.Is(err, context.DeadlineExceeded):
		h.trouble.Say(what, err)
		return errSlow
	}
	h.trouble.Say(what, err)
	return errInside
}

// reason is what the error of something that was refused says to who asked.
func reason(err error) string {
	text := strings.TrimPrefix(err.Error(), api.ErrRefused.Error()+": ")
	if r, size := utf8.DecodeRuneInString(text); size > 0 {
		text = string(unicode.ToUpper(r)) + text[size:]
	}
	if !strings.HasSuffix(text, ".") {
		text += "."
	}
	return text
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
