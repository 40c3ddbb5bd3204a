package console

import (
	"encoding/json"
	"errors"
	"net/http"

	"vigil"
	"vigil/internal/api"
)

// maxSaying bounds the body of a verdict or an exception.
const maxSaying = 16 << 10

var errNoException = api.NewProblem(http.StatusNotFound, "There is no such exception", "List them with: vigil exceptions list")

// sent reads a body of one JSON object, of which every key must be known.
func sent(w http.ResponseWriter, r *http.Request, into any) *api.Problem {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxSaying))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return api.NewProblem(http.StatusBadRequest, "The body can't be read", err.Error())
	}
	if d.More() {
		return api.NewProblem(http.StatusBadRequest, "The body can't be read", "One JSON object is taken.")
	}
	return nil
}

// answer sends what came of a saying.
func (h *Handler) answer(w http.ResponseWriter, r *http.Request, what string, v any, err error) {
	if err != nil {
		h.fail(w, r, h.readError(r, what, err))
		return
	}
	h.content()
	writeJSON(w, http.StatusOK, v)
}

func (h *Handler) decide(w http.ResponseWriter, r *http.Request) {
	var s api.Saying
	if bad := sent(w, r, &s); bad != nil {
		h.fail(w, r, bad)
		return
	}
	if !s.Word.Known() {
		h.fail(w, r, api.NewProblem(http.StatusUnprocessableEntity, "That is no verdict", "Say breach, misuse, expected or unknown."))
		return
	}
	h.say(w, r, s)
}

func (h *Handler) takeBack(w http.ResponseWriter, r *http.Request) {
	var s api.Saying
	if bad := sent(w, r, &s); bad != nil {
		h.fail(w, r, bad)
		return
	}
	s.Word = ""
	h.say(w, r, s)
}

func (h *Handler) say(w http.ResponseWriter, r *http.Request, s api.Saying) {
	if s.Finding = r.PathValue("id"); !validID(s.Finding) {
		h.fail(w, r, errNoFinding)
		return
	}
	ctx, cancel := h.context(r)
	defer cancel()
	v, err := h.do.Decider.Decide(ctx, s)
	h.answer(w, r, "verdict", v, err)
}

func (h *Handler) expect(w http.ResponseWriter, r *http.Request) {
	var x api.Expecting
	if bad := sent(w, r, &x); bad != nil {
		h.fail(w, r, bad)
		return
	}
	if x.Finding = r.PathValue("id"); !validID(x.Finding) {
		h.fail(w, r, errNoFinding)
		return
	}
	ctx, cancel := h.context(r)
	defer cancel()
	covered, err := h.do.Decider.Expect(ctx, x)
	h.answer(w, r, "exception", covered, err)
}

func (h *Handler) endException(w http.ResponseWriter, r *http.Request) {
	var by struct {
		By string `json:"by"`
	}
	if bad := sent(w, r, &by); bad != nil {
		h.fail(w, r, bad)
		return
	}
	id := r.PathValue("id")
	if !validID(id) {
		h.fail(w, r, errNoException)
		return
	}
	ctx, cancel := h.context(r)
	defer cancel()
	x, err := h.do.Decider.EndException(ctx, id, by.By)
	if errors.Is(err, api.ErrNotFound) {
		err = errNoException
	}
	h.answer(w, r, "exception", x, err)
}

func (h *Handler) exceptions(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := h.context(r)
	defer cancel()
	all, err := h.do.Decider.Exceptions(ctx)
	h.answer(w, r, "exceptions", struct {
		Exceptions []vigil.Exception `json:"exceptions"`
	}{append([]vigil.Exception{}, all...)}, err)
}

func (h *Handler) judged(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := h.context(r)
	defer cancel()
	all, err := h.do.Decider.Judged(ctx)
	out := make([]vigil.Finding, 0, len(all))
	for _, f := range all {
		out = append(out, finite(f))
	}
	h.answer(w, r, "verdicts", struct {
		Findings []vigil.Finding `json:"findings"`
	}{out}, err)
}
