package console

import (
	"crypto/rand"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"vigil/dashboards/phrase"
	"vigil/internal/access"
	"vigil/internal/api"
)

// peoplePage is who works with vigil, for administrators.
type peoplePage struct {
	base
	Problem *api.Problem
	People  []personRow
	Choices []roleChoice
	// Link was made just now and is shown this once; Until is when it is over.
	Link, Until string
	// Key names what a form of the page does, so that one that is sent twice does it once.
	Key string
}

type personRow struct {
	By, Name, Roles, State     string
	Configured, Disabled, Self bool
	Signed                     moment
	Version                    int64
	Choices                    []roleChoice
}

type roleChoice struct {
	Role access.Role
	Word string
	Has  bool
}

func roleChoices(has []access.Role) (out []roleChoice) {
	for _, r := range access.Roles() {
		out = append(out, roleChoice{Role: r, Word: phrase.Role(r), Has: slices.Contains(has, r)})
	}
	return out
}

var errNobody = api.NewProblem(http.StatusNotFound, "There is no such person", "Reload the page: it lists who there is.")

func (h *Handler) people(w http.ResponseWriter, r *http.Request) {
	h.showPeople(w, r, http.StatusOK, nil, "", time.Time{})
}

func (h *Handler) showPeople(w http.ResponseWriter, r *http.Request, code int, problem *api.Problem, link string, until time.Time) {
	ctx, cancel := h.context(r)
	defer cancel()
	all, err := h.do.Accounts.People(ctx)
	if err != nil {
		h.fail(w, r, h.readError(r, "people", err))
		return
	}
	h.trouble.Over()
	page := peoplePage{base: h.base(r, "People", false), Problem: problem, Choices: roleChoices(nil), Link: link, Key: rand.Text(), Until: until.UTC().Format("2 Jan 2006 15:04")}
	for _, a := range all {
		row := personRow{
			By: a.By, Name: phrase.Text(a.Name, 200), Roles: roleList(a.Roles), Configured: a.Configured, Disabled: a.Disabled, Self: a.By == page.Person.By,
			Signed: momentOf(a.Signed), Version: a.Version, Choices: roleChoices(a.Roles), State: "can sign in",
		}
		switch {
		case a.Disabled:
			row.State = "disabled"
		case len(a.Roles) == 0:
			row.State = "has no role, and can't sign in"
		case !a.Password && a.Signed.IsZero():
			row.State = "has not signed in yet"
		}
		page.People = append(page.People, row)
	}
	h.showPage(w, r, code, "people", page)
}

func (h *Handler) invite(w http.ResponseWriter, r *http.Request) {
	link, until, err := h.do.Accounts.Invite(sentOnce(r), r.PostForm.Get("name"), rolesOf(r))
	if err != nil {
		problem := h.readError(r, "invitation", err)
		h.showPeople(w, r, problem.Status, problem, "", until)
		return
	}
	h.showPeople(w, r, http.StatusOK, nil, link, until)
}

func (h *Handler) disable(w http.ResponseWriter, r *http.Request) {
	disabled := r.PostForm.Get("state") == "disabled"
	said := "account-enabled"
	if disabled {
		said = "account-disabled"
	}
	h.altered(w, r, said, func(seen int64) error {
		return h.do.Accounts.Disable(r.Context(), r.PathValue("id"), disabled, seen)
	})
}

func (h *Handler) setRoles(w http.ResponseWriter, r *http.Request) {
	h.altered(w, r, "roles-given", func(seen int64) error {
		return h.do.Accounts.SetRoles(r.Context(), r.PathValue("id"), rolesOf(r), seen)
	})
}

func (h *Handler) altered(w http.ResponseWriter, r *http.Request, said string, do func(seen int64) error) {
	seen, err := strconv.ParseInt(r.PostForm.Get("seen"), 10, 64)
	if err != nil {
		h.fail(w, r, badRequest("“seen” is no version of the account."))
		return
	}
	switch err := do(seen); {
	case errors.Is(err, api.ErrNotFound):
		h.fail(w, r, errNobody)
	case err != nil:
		problem := h.readError(r, "account", err)
		h.showPeople(w, r, problem.Status, problem, "", time.Time{})
	default:
		http.Redirect(w, r, "/people?said="+said, http.StatusSeeOther)
	}
}
