package api

import (
	"context"
	"net/http"
	"time"

	"vigil/internal/access"
)

// AccountView is an account as those see it who may.
type AccountView struct {
	// By is the pseudonym, Name by what they sign in.
	By, Name string
	Roles    []access.Role
	// Configured says that the configuration names them: then it gives the roles.
	Configured bool
	Disabled   bool
	// Password says that one is set; without one they sign in with the provider, or not
	// at all yet.
	Password bool
	// Signed is when they signed in last, Changed when roles or state were changed last,
	// by ChangedBy; zero for never.
	Signed, Changed time.Time
	ChangedBy       string
	// Version counts the account's changes.
	Version int64
}

// SessionView is a browser that has signed in.
type SessionView struct {
	ID          string
	Begun, Seen time.Time
	// Provider says that it came by the provider, Current that it is the one that asks.
	Provider, Current bool
}

// TokenView is a token for programs; the token itself can't be shown again.
type TokenView struct {
	ID, Name         string
	Roles            []access.Role
	Made, Used, Ends time.Time
}

// OwnView is what somebody sees of their own account.
type OwnView struct {
	Account  AccountView
	Sessions []SessionView
	Tokens   []TokenView
}

// NewToken asks for a token.
type NewToken struct {
	Name  string
	Roles []access.Role
	// For is how long it holds, up to 366 days.
	For time.Duration
}

// OwnAccount is what somebody does with their own account. Each deed is in the audit log
// before it is done.
type OwnAccount interface {
	Account(r *http.Request) (OwnView, error)
	// ChangePassword ends all sessions but a new one, which it begins.
	ChangePassword(w http.ResponseWriter, r *http.Request, old, next string) error
	// EndSession ends one of their sessions; all but the one that asks for the empty id.
	EndSession(r *http.Request, id string) error
	// MakeToken returns a token, which is shown this once.
	MakeToken(r *http.Request, ask NewToken) (secret string, err error)
	RevokeToken(r *http.Request, id string) error
}

// People is what an administrator does with accounts. The errors wrap ErrStale where
// somebody else changed an account meanwhile, and ErrRefused for what can't be done.
type People interface {
	People(ctx context.Context) ([]AccountView, error)
	// Invite makes a link by which somebody sets up an account, or sets it up anew; the
	// roles count where the configuration does not give them.
	Invite(ctx context.Context, name string, roles []access.Role) (link string, ends time.Time, err error)
	// Disable lets somebody in no more, or in again; SetRoles gives them other roles. Who
	// is signed in is out at once. Seen is the account's version that was looked at.
	Disable(ctx context.Context, by string, disabled bool, seen int64) error
	SetRoles(ctx context.Context, by string, roles []access.Role, seen int64) error
}
