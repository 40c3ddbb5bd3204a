package console

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"vigil"
	"vigil/dashboards/phrase"
	"vigil/internal/access"
	"vigil/internal/api"
)

// worked is a form about a case: what it asks, and the code of what is said when it is
// done.
type worked func(r *http.Request, a *api.CaseAct) (said string, bad *api.Problem)

// work takes a form about a case, has the deed done, and leads back to the case.
func (h *Handler) work(deed access.Deed, read worked) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		a, bad := caseAct(r, deed)
		if bad != nil {
			h.fail(w, r, bad)
			return
		}
		said, bad := read(r, &a)
		if bad != nil {
			h.fail(w, r, bad)
			return
		}
		ctx, cancel := h.context(r)
		defer cancel()
		if _, err := h.do.Worker.Work(ctx, a); err != nil {
			h.fail(w, r, h.caseError(r, "case", err))
			return
		}
		h.trouble.Over()
		leadOn(w, r, casePath(a.Case), said)
	}
}

// caseAct begins what a form about a case asks. Its key is made of all that the form says:
// a press that comes twice is one deed, and who goes back and writes something else means
// another one.
func caseAct(r *http.Request, deed access.Deed) (a api.CaseAct, bad *api.Problem) {
	a = api.CaseAct{Case: r.PathValue("id"), Deed: deed, Note: strings.TrimSpace(r.PostForm.Get("note"))}
	var err error
	if a.Seen, err = strconv.Atoi(r.PostForm.Get("seen")); err != nil || a.Seen < 1 || !validID(a.Case) {
		return a, badForm()
	}
	a.Key = actKey(r, &a)
	return a, nil
}

func actKey(r *http.Request, a *api.CaseAct) string {
	parts := []any{api.PersonOf(r.Context()).By, a.Case, a.Deed, a.Seen, a.Note}
	for _, name := range []string{"to", "for", "word", "scope", "role"} {
		parts = append(parts, r.PostForm.Get(name))
	}
	return keyOf(parts...)
}

func plainly(said string) worked {
	return func(*http.Request, *api.CaseAct) (string, *api.Problem) { return said, nil }
}

func refused(remedy string) *api.Problem {
	return api.NewProblem(http.StatusUnprocessableEntity, "That can’t be done", remedy)
}

func readAssign(r *http.Request, a *api.CaseAct) (string, *api.Problem) {
	if a.To = r.PostForm.Get("to"); len(a.To) > vigil.MaxBy {
		return "", badForm()
	}
	return "assigned", nil
}

func readSnooze(r *http.Request, a *api.CaseAct) (string, *api.Problem) {
	hours, err := strconv.Atoi(r.PostForm.Get("for"))
	if err != nil || hours < 1 || time.Duration(hours)*time.Hour > vigil.MaxSnooze {
		return "", refused("A case is left alone for 1 to " + strconv.Itoa(int(vigil.MaxSnooze/time.Hour)) + " hours.")
	}
	a.For = time.Duration(hours) * time.Hour
	return "snoozed", nil
}

func readAware(r *http.Request, _ *api.CaseAct) (string, *api.Problem) {
	if r.PostForm.Get("sure") != "1" {
		return "", refused("Tick that you are aware of a breach: the clock can’t be stopped again.")
	}
	return "aware", nil
}

func readVerdict(r *http.Request, a *api.CaseAct) (string, *api.Problem) {
	if r.PostForm.Get("word") == "back" {
		a.TakeBack = true
		return "taken-back", nil
	}
	if a.Word = vigil.Word(r.PostForm.Get("word")); !a.Word.Known() {
		return "", refused("Say whether it is a breach, misuse, expected, or can’t be told.")
	}
	return "judged", nil
}

// seeAll marks everything as seen.
func (h *Handler) seeAll(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := h.context(r)
	defer cancel()
	if err := h.do.Worker.SeeAll(ctx); err != nil {
		h.fail(w, r, h.readError(r, "seen", err))
		return
	}
	h.trouble.Over()
	leadOn(w, r, "/", "seen")
}

// maxPicked bounds the cases that are judged at once.
const maxPicked = 2 * pageSize

// bulkPage says what came of judging several cases.
type bulkPage struct {
	base
	Word, Back    string
	Done, Refused string
	Results       []bulkResult
}

// bulkResult is what came of one of them; Why is empty where it was done.
type bulkResult struct{ Path, ID, Why string }

// judgeAll judges the cases that are picked, each by itself.
func (h *Handler) judgeAll(w http.ResponseWriter, r *http.Request) {
	word := vigil.Word(r.PostForm.Get("word"))
	picked := r.PostForm["pick"]
	switch {
	case !word.Known():
		h.fail(w, r, refused("Say whether they are breaches, misuse, expected, or can’t be told."))
		return
	case len(picked) == 0:
		h.fail(w, r, refused("No case is picked: tick those that you mean, and press again."))
		return
	case len(picked) > maxPicked:
		h.fail(w, r, refused("At most "+strconv.Itoa(maxPicked)+" cases are judged at once."))
		return
	}
	page := bulkPage{base: h.base(r, "Verdicts", false), Word: phrase.Verdict(word), Back: "/"}
	if back := r.PostForm.Get("back"); strings.HasPrefix(back, "/?") && len(back) < 2000 {
		page.Back = back
	}
	acts, bad := pickedActs(r, word, picked)
	if bad != nil {
		h.fail(w, r, bad)
		return
	}
	ctx, cancel := h.context(r)
	defer cancel()
	done := 0
	for _, a := range acts {
		res := bulkResult{Path: casePath(a.Case), ID: phrase.Text(a.Case, 80)}
		if _, err := h.do.Worker.Work(ctx, a); err != nil {
			res.Why = h.why(r, err)
		} else {
			done++
		}
		page.Results = append(page.Results, res)
	}
	h.trouble.Over()
	page.Done = phrase.Plural(int64(done), "case is judged", "cases are judged")
	switch left := len(page.Results) - done; left {
	case 0:
	case 1:
		page.Refused = "1 is left as it was, and why stands beside it"
	default:
		page.Refused = phrase.Count(int64(left)) + " are left as they were, and why stands beside each"
	}
	h.show(w, r, http.StatusOK, "bulk-done", page)
}

// pickedActs are the deeds that picked cases ask for, each case once.
func pickedActs(r *http.Request, word vigil.Word, picked []string) (acts []api.CaseAct, bad *api.Problem) {
	known := map[string]bool{}
	for _, p := range picked {
		id, seen, _ := strings.Cut(p, "/")
		revision, err := strconv.Atoi(seen)
		if err != nil || revision < 1 || !validID(id) {
			return nil, badForm()
		}
		if known[id] {
			continue
		}
		known[id] = true
		a := api.CaseAct{Case: id, Deed: access.DeedVerdict, Word: word, Seen: revision, Note: strings.TrimSpace(r.PostForm.Get("note"))}
		a.Key = actKey(r, &a)
		acts = append(acts, a)
	}
	return acts, nil
}

// why says in a sentence why a deed was not done.
func (h *Handler) why(r *http.Request, err error) string {
	if errors.Is(err, api.ErrRefused) {
		return api.Reason(err)
	}
	p := h.caseError(r, "case", err)
	return p.Headline + ". " + p.Remedy
}

// show sends a whole page that does not renew itself.
func (h *Handler) show(w http.ResponseWriter, r *http.Request, status int, name string, page any) {
	body, err := h.render(name, page)
	if err != nil {
		h.fail(w, r, h.readError(r, "page", err))
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
