package sample

import (
	"context"
	"net/http"
	"time"

	"vigil/internal/access"
	"vigil/internal/api"
)

// Accounts are those of a console to which people sign in. Every link sets up an account.
type Accounts struct {
	// Text stands wherever a text of elsewhere does.
	Text string
}

// Ready implements api.SignIns.
func (Accounts) Ready(http.ResponseWriter, *http.Request) string { return Person().Form }

// Ways implements api.SignIns.
func (a Accounts) Ways(r *http.Request) api.SignInWays {
	return api.SignInWays{Provider: a.Text, Name: r.URL.Query().Get("again")}
}

// SignIn implements api.SignIns: every password but "right" is wrong.
func (Accounts) SignIn(_ http.ResponseWriter, _ *http.Request, _, password string) error {
	if password != "right" {
		return api.NewProblem(http.StatusUnauthorized, "Name or password is wrong", "Type both again.")
	}
	return nil
}

// SignOut implements api.SignIns.
func (Accounts) SignOut(http.ResponseWriter, *http.Request) error { return nil }

// SetUp implements api.SetUps.
func (a Accounts) SetUp(_ context.Context, token string) (api.SetUp, error) {
	return api.SetUp{First: token == "first", Name: a.Text, Roles: access.Roles()}, nil
}

// Accept implements api.SetUps.
func (Accounts) Accept(http.ResponseWriter, *http.Request, string, string, string) error { return nil }

// Account implements api.OwnAccount.
func (a Accounts) Account(*http.Request) (api.OwnView, error) {
	now := Now()
	return api.OwnView{
		Account:  a.view(),
		Sessions: []api.SessionView{{ID: "one", Begun: now, Seen: now, Current: true}, {ID: "two", Begun: now.Add(-3 * time.Hour), Seen: now, Provider: true}},
		Tokens:   []api.TokenView{{ID: "three", Name: a.Text, Roles: access.Roles(), Made: now, Ends: now.Add(24 * time.Hour)}},
	}, nil
}

func (a Accounts) view() api.AccountView {
	return api.AccountView{By: "actor-bob", Name: a.Text, Roles: []access.Role{access.RoleViewer}, Password: true, Signed: Now(), Version: 3}
}

// ChangePassword implements api.OwnAccount.
func (Accounts) ChangePassword(http.ResponseWriter, *http.Request, string, string) error { return nil }

// EndSession implements api.OwnAccount.
func (Accounts) EndSession(*http.Request, string) error { return nil }

// Tokens implements api.Tokens.
func (a Accounts) Tokens(context.Context) ([]api.TokenView, error) {
	return []api.TokenView{{ID: "three", Name: a.Text, Roles: access.Roles(), Made: Now(), Ends: Now().Add(24 * time.Hour)}}, nil
}

// MakeToken implements api.Tokens.
func (Accounts) MakeToken(_ context.Context, ask api.NewToken) (string, api.TokenView, error) {
	return "vgl_sample", api.TokenView{ID: "four", Name: ask.Name, Roles: ask.Roles, Made: Now(), Ends: Now().Add(time.Hour)}, nil
}

// RevokeToken implements api.Tokens.
func (Accounts) RevokeToken(context.Context, string) error { return nil }

// People implements api.People.
func (a Accounts) People(context.Context) ([]api.AccountView, error) {
	off, self := a.view(), a.view()
	off.By, off.Disabled, off.Configured = "actor-eve", true, true
	self.By = Person().By
	return []api.AccountView{a.view(), off, self}, nil
}

// Invite implements api.People.
func (Accounts) Invite(context.Context, string, []access.Role) (string, time.Time, error) {
	return "https://vigil.example.com/set-up?token=sample", Now(), nil
}

// Disable implements api.People.
func (Accounts) Disable(context.Context, string, bool, int64) error { return nil }

// SetRoles implements api.People.
func (Accounts) SetRoles(context.Context, string, []access.Role, int64) error { return nil }

// Begin implements api.ProviderSignIn.
func (Accounts) Begin(http.ResponseWriter, *http.Request, string, bool) (string, error) {
	return "https://login.example.com/", nil
}

// End implements api.ProviderSignIn.
func (Accounts) End(http.ResponseWriter, *http.Request) (string, error) { return "/", nil }
