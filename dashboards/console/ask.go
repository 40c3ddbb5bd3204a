package console

import (
	"errors"
	"net/http"

	"vigil/dashboards/phrase"
	"vigil/internal/access"
)

// askPage shows what the person whom a case is about would be asked.
type askPage struct {
	base
	CaseURL, Actor, Question string
	Seen                     int
}

// ask shows the question to the person whom a case is about or, once it was seen, has it put.
func (h *Handler) ask(w http.ResponseWriter, r *http.Request) {
	a, bad := caseAct(r, access.DeedAsk)
	if bad != nil {
		h.fail(w, r, bad)
		return
	}
	a.Preview = r.PostForm.Get("do") != "ask"
	ctx, cancel := h.context(r)
	defer cancel()
	done, err := h.do.Worker.Work(ctx, a)
	if err == nil && a.Preview && done.Question == "" {
		err = errors.New("a preview shows no question")
	}
	if err != nil {
		h.fail(w, r, h.caseError(r, "question", err))
		return
	}
	h.trouble.Over()
	if !a.Preview {
		leadOn(w, r, casePath(a.Case), "asked")
		return
	}
	h.show(w, r, http.StatusOK, "ask", askPage{
		base: h.base(r, "Question", false), CaseURL: casePath(a.Case), Actor: phrase.Text(done.Case.Actor, 80), Question: phrase.Prose(done.Question, maxQuestion), Seen: a.Seen,
	})
}

// maxQuestion bounds a question in runes.
const maxQuestion = 1_000
