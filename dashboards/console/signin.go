package console

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"vigil/dashboards/phrase"
	"vigil/internal/api"
)

// signInPage is where people say who they are.
type signInPage struct {
	base
	// Next is where they go on to, Problem why a try was refused.
	Next    string
	Problem *api.Problem
	// Again says that somebody who is signed in proves it once more, as Name.
	Again    bool
	Name     string
	Provider string
}

// setUpPage is where a link leads that sets an account up.
type setUpPage struct {
	base
	Token   string
	Problem *api.Problem
	SetUp   api.SetUp
	Name    string
	Can     []string
}

func (h *Handler) signIn(w http.ResponseWriter, r *http.Request) {
	h.showSignIn(w, r, http.StatusOK, nil, "", r.URL.Query().Get("next"))
}

// takeSignIn takes a name and a password.
func (h *Handler) takeSignIn(w http.ResponseWriter, r *http.Request) {
	name, next := r.PostForm.Get("name"), r.PostForm.Get("next")
	err := h.do.Accounts.SignIn(w, r, name, r.PostForm.Get("password"))
	if err != nil {
		problem := h.readError(r, "sign-in", err)
		h.showSignIn(w, r, problem.Status, problem, name, next)
		return
	}
	h.trouble.Over()
	http.Redirect(w, r, within(next), http.StatusSeeOther) //nolint:gosec // within this console
}

func (h *Handler) showSignIn(w http.ResponseWriter, r *http.Request, code int, problem *api.Problem, name, next string) {
	form := h.do.Accounts.Ready(w, r)
	ways := h.do.Accounts.Ways(r)
	if ways.Name != "" && problem == nil && r.URL.Query().Get("again") == "" {
		http.Redirect(w, r, within(next), http.StatusSeeOther) //nolint:gosec // within this console; who is signed in need not sign in
		return
	}
	page := signInPage{
		base: h.base(r, "Sign in", false), Next: within(next), Problem: problem, Again: ways.Name != "", Name: phrase.Text(name, 200), Provider: ways.Provider,
	}
	if page.Again {
		page.Name = ways.Name
	}
	page.Form = form
	h.showPage(w, r, code, "sign-in", page)
}

// toProvider sends a browser to the sign-in provider.
func (h *Handler) toProvider(w http.ResponseWriter, r *http.Request) {
	address, err := h.do.Accounts.Begin(w, r, within(r.URL.Query().Get("next")), r.URL.Query().Get("again") != "")
	if err != nil {
		h.refuseSignIn(w, r, err)
		return
	}
	http.Redirect(w, r, address, http.StatusSeeOther) //nolint:gosec // the configured provider's
}

// fromProvider takes a browser that the provider sends back.
func (h *Handler) fromProvider(w http.ResponseWriter, r *http.Request) {
	next, err := h.do.Accounts.End(w, r)
	if err != nil {
		h.refuseSignIn(w, r, err)
		return
	}
	h.trouble.Over()
	http.Redirect(w, r, within(next), http.StatusSeeOther) //nolint:gosec // within this console
}

// refuseSignIn shows the ways in again, with why one did not lead there.
func (h *Handler) refuseSignIn(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, api.ErrNotFound) {
		h.fail(w, r, errNoPage)
		return
	}
	problem := h.readError(r, "sign-in", err)
	h.showSignIn(w, r, problem.Status, problem, "", "")
}

func (h *Handler) signOut(w http.ResponseWriter, r *http.Request) {
	if err := h.do.Accounts.SignOut(w, r); err != nil {
		h.fail(w, r, h.readError(r, "sign-out", err))
		return
	}
	h.trouble.Over()
	http.Redirect(w, r, "/sign-in?said=signed-out", http.StatusSeeOther)
}

func (h *Handler) setUp(w http.ResponseWriter, r *http.Request) {
	h.showSetUp(w, r, http.StatusOK, nil, r.URL.Query().Get("token"), "")
}

// takeSetUp takes the name and the password of a new account.
func (h *Handler) takeSetUp(w http.ResponseWriter, r *http.Request) {
	token, name, password := r.PostForm.Get("token"), r.PostForm.Get("name"), r.PostForm.Get("password")
	var err error
	if password != r.PostForm.Get("again") {
		err = api.NewProblem(http.StatusUnprocessableEntity, "The two passwords differ", "Type the same one twice.")
	} else {
		err = h.do.Accounts.Accept(w, r, token, name, password)
	}
	if err != nil {
		problem := h.readError(r, "set-up", err)
		h.showSetUp(w, r, problem.Status, problem, token, name)
		return
	}
	h.trouble.Over()
	http.Redirect(w, r, "/?said=set-up", http.StatusSeeOther)
}

func (h *Handler) showSetUp(w http.ResponseWriter, r *http.Request, code int, problem *api.Problem, token, name string) {
	form := h.do.Accounts.Ready(w, r)
	ctx, cancel := h.context(r)
	defer cancel()
	what, err := h.do.Accounts.SetUp(ctx, token)
	if err != nil {
		h.fail(w, r, h.readError(r, "set-up", err))
		return
	}
	page := setUpPage{base: h.base(r, "Set up your account", false), Token: token, Problem: problem, SetUp: what, Name: phrase.Text(name, 200)}
	if what.Name != "" {
		page.Name = what.Name
	}
	for _, role := range what.Roles {
		page.Can = append(page.Can, phrase.Role(role))
	}
	page.Form = form
	h.showPage(w, r, code, "set-up", page)
}

// takeGuise goes on as another of a demonstration's people.
func (h *Handler) takeGuise(w http.ResponseWriter, r *http.Request) {
	h.do.Guises.Take(w, r.PostForm.Get("as"))
	next := "/"
	if from, err := url.Parse(r.Header.Get("Referer")); err == nil && strings.EqualFold(from.Host, r.Host) {
		next = from.RequestURI()
	}
	http.Redirect(w, r, within(next), http.StatusSeeOther) //nolint:gosec // within this console
}

// showPage sends a page that is made for one person and one moment.
func (h *Handler) showPage(w http.ResponseWriter, r *http.Request, code int, name string, page any) {
	body, err := h.render(name, page)
	if err != nil {
		h.fail(w, r, h.readError(r, "page", err))
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write(body)
}

// within is an address of this console, its first page for any other: a link to the
// sign-in must not lead elsewhere after it.
func within(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.IsAbs() || u.Host != "" || u.User != nil || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") {
		return "/"
	}
	return next
}
