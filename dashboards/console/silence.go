package console

import (
	"errors"
	"net/http"

	"vigil"
	"vigil/internal/api"
)

var errNoSilence = api.NewProblem(http.StatusNotFound, "There is no such silence", "List them with: vigil silences list")

func (h *Handler) silence(w http.ResponseWriter, r *http.Request) {
	var s api.Silencing
	if bad := sent(w, r, &s); bad != nil {
		h.fail(w, r, bad)
		return
	}
	ctx, cancel := h.context(r)
	defer cancel()
	out, err := h.do.Silencer.Silence(ctx, s)
	h.answer(w, r, "silence", out, err)
}

func (h *Handler) endSilence(w http.ResponseWriter, r *http.Request) {
	var by struct {
		By string `json:"by"`
	}
	if bad := sent(w, r, &by); bad != nil {
		h.fail(w, r, bad)
		return
	}
	id := r.PathValue("id")
	if !validID(id) {
		h.fail(w, r, errNoSilence)
		return
	}
	ctx, cancel := h.context(r)
	defer cancel()
	s, err := h.do.Silencer.EndSilence(ctx, id, by.By)
	if errors.Is(err, api.ErrNotFound) {
		err = errNoSilence
	}
	h.answer(w, r, "silence", s, err)
}

func (h *Handler) silences(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := h.context(r)
	defer cancel()
	all, err := h.do.Silencer.Silences(ctx)
	h.answer(w, r, "silences", struct {
		Silences []vigil.Silence `json:"silences"`
	}{append([]vigil.Silence{}, all...)}, err)
}
