package sample

import (
	"context"
	"net/http"

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
