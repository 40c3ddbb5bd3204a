package console

import (
	"context"
	"crypto/rand"
	"net/http"
	"strconv"
	"time"

	"vigil/dashboards/phrase"
	"vigil/internal/access"
	"vigil/internal/api"
)

// accountPage is somebody's own account.
type accountPage struct {
	base
	Problem  *api.Problem
	Password bool
	Sessions []sessionRow
	Others   bool
	Tokens   []tokenRow
	// Made is a token that was made just now: it is shown this once.
	Made string
	// CanSign says that they sign in, so that there is something to change.
	CanSign bool
	// Key names what the form does, so that one that is sent twice does it once.
	Key     string
	Choices []access.Role
}

type sessionRow struct {
	ID, How     string
	Begun, Seen moment
	Current     bool
}

type tokenRow struct {
	ID, Name, Roles  string
	Made, Used, Ends moment
}

// moment is a time as a page tells it; the zero one is never.
type moment struct{ ISO, Text string }

func momentOf(t time.Time) moment {
	if t.IsZero() {
		return moment{Text: "never"}
	}
	return moment{ISO: t.UTC().Format(time.RFC3339), Text: t.UTC().Format("2 Jan 2006 15:04")}
}

// maxTokenDays bounds how long a token holds.
const maxTokenDays = 366

func (h *Handler) account(w http.ResponseWriter, r *http.Request) {
	h.showAccount(w, r, http.StatusOK, nil, "")
}

func (h *Handler) showAccount(w http.ResponseWriter, r *http.Request, code int, problem *api.Problem, made string) {
	own, err := h.do.Accounts.Account(r)
	if err != nil {
		h.fail(w, r, h.readError(r, "account", err))
		return
	}
	h.trouble.Over()
	page := accountPage{
		base: h.base(r, "Your account", false), Problem: problem, Password: own.Account.Password, Made: made, Key: rand.Text(),
		CanSign: api.PersonOf(r.Context()).Way == api.WaySession, Choices: api.PersonOf(r.Context()).Roles,
	}
	for _, s := range own.Sessions {
		how := "password"
		if s.Provider {
			how = "sign-in provider"
		}
		page.Others = page.Others || !s.Current
		page.Sessions = append(page.Sessions, sessionRow{ID: s.ID, How: how, Begun: momentOf(s.Begun), Seen: momentOf(s.Seen), Current: s.Current})
	}
	for _, t := range own.Tokens {
		page.Tokens = append(page.Tokens, tokenRow{
			ID: t.ID, Name: phrase.Text(t.Name, 100), Roles: roleList(t.Roles), Made: momentOf(t.Made), Used: momentOf(t.Used), Ends: momentOf(t.Ends),
		})
	}
	h.showPage(w, r, code, "account", page)
}

// did leads back to a page after a deed, or shows the account with why it was not done.
func (h *Handler) did(w http.ResponseWriter, r *http.Request, what, said string, err error) {
	if err != nil {
		problem := h.readError(r, what, err)
		h.showAccount(w, r, problem.Status, problem, "")
		return
	}
	http.Redirect(w, r, "/account?said="+said, http.StatusSeeOther)
}

func (h *Handler) changePassword(w http.ResponseWriter, r *http.Request) {
	next := r.PostForm.Get("password")
	var err error = api.NewProblem(http.StatusUnprocessableEntity, "The two passwords differ", "Nothing was changed. Type the new one twice.")
	if next == r.PostForm.Get("again") {
		err = h.do.Accounts.ChangePassword(w, r, r.PostForm.Get("old"), next)
	}
	h.did(w, r, "password", "password-changed", err)
}

func (h *Handler) endSession(w http.ResponseWriter, r *http.Request) {
	h.did(w, r, "session", "session-ended", h.do.Accounts.EndSession(r, r.PostForm.Get("id")))
}

func (h *Handler) makeToken(w http.ResponseWriter, r *http.Request) {
	days, err := strconv.Atoi(r.PostForm.Get("days"))
	if err != nil || days < 1 || days > maxTokenDays {
		h.did(w, r, "token", "", api.NewProblem(http.StatusUnprocessableEntity, "That is no number of days", "Write 1 to 366."))
		return
	}
	ask := api.NewToken{Name: r.PostForm.Get("name"), For: float64(days) * (24 * time.Hour).Seconds(), Roles: rolesOf(r)}
	made, _, err := h.do.Accounts.MakeToken(sentOnce(r), ask)
	if err != nil {
		h.did(w, r, "token", "", err)
		return
	}
	h.showAccount(w, r, http.StatusOK, nil, made)
}

func (h *Handler) revokeToken(w http.ResponseWriter, r *http.Request) {
	h.did(w, r, "token", "token-revoked", h.do.Accounts.RevokeToken(r.Context(), r.PathValue("id")))
}

// sentOnce names what a form does by what is in it, of which one is the key that its page
// gave it.
func sentOnce(r *http.Request) context.Context {
	if r.PostForm.Get("key") == "" {
		return r.Context()
	}
	return api.WithDeed(r.Context(), "form "+r.PostForm.Encode())
}

func rolesOf(r *http.Request) (out []access.Role) {
	for _, role := range r.PostForm["role"] {
		out = append(out, access.Role(role))
	}
	return out
}

func roleList(roles []access.Role) string {
	out := ""
	for i, r := range roles {
		if i > 0 {
			out += ", "
		}
		out += phrase.Role(r)
	}
	return out
}
