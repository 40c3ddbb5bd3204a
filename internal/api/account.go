package api

import (
	"context"
	"math"
	"net/http"
	"time"

	"vigil/internal/access"
)

// AccountView is an account as those see it who may.
type AccountView struct {
	// By is the pseudonym, Name by what they sign in.
	By    string        `json:"by"`
	Name  string        `json:"name"`
	Roles []access.Role `json:"roles"`
	// Configured says that the configuration names them: then it gives the roles.
	Configured bool `json:"configured"`
	Disabled   bool `json:"disabled"`
	// Password says that one is set; without one they sign in with the provider, or not
	// at all yet.
	Password bool `json:"password"`
	// Signed is when they signed in last, Changed when roles or state were changed last,
	// by ChangedBy; zero for never.
	Signed    time.Time `json:"signed,omitzero"`
	Changed   time.Time `json:"changed,omitzero"`
	ChangedBy string    `json:"changed_by,omitempty"`
	// Version counts the account's changes, from 1 on; 0 for somebody of the configuration
	// who has none yet.
	Version int64 `json:"version"`
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
	ID    string        `json:"id"`
	Name  string        `json:"name"`
	Roles []access.Role `json:"roles"`
	Made  time.Time     `json:"made"`
	// Used is when it was used last, zero for never; it can be a minute off.
	Used time.Time `json:"used,omitzero"`
	Ends time.Time `json:"ends"`
}

// OwnView is what somebody sees of their own account.
type OwnView struct {
	Account  AccountView
	Sessions []SessionView
	Tokens   []TokenView
}

// NewToken asks for a token.
type NewToken struct {
	// Name tells what uses it.
	Name  string        `json:"name"`
	Roles []access.Role `json:"roles"`
	// For is how long it holds, in seconds from now on: an hour to 366 days.
	For float64 `json:"for_seconds"`
}

// OwnAccount is what somebody does with their own account. Each deed is in the audit log
// before it is done.
type OwnAccount interface {
	Account(r *http.Request) (OwnView, error)
	// ChangePassword ends all sessions but a new one, which it begins.
	ChangePassword(w http.ResponseWriter, r *http.Request, old, next string) error
	// EndSession ends one of their sessions; all but the one that asks for the empty id.
	EndSession(r *http.Request, id string) error
}

// Tokens is what somebody does with their own tokens for programs. Each deed is in the audit
// log before it is done.
type Tokens interface {
	Tokens(ctx context.Context) ([]TokenView, error)
	// MakeToken returns a token, which is kept nowhere. The same deed (WithDeed) that comes
	// again within a day is answered with the same one, as long as it holds.
	MakeToken(ctx context.Context, ask NewToken) (secret string, made TokenView, err error)
	// RevokeToken ends one; one that is gone already is no error.
	RevokeToken(ctx context.Context, id string) error
}

// AnyVersion stands for no version of an account that was looked at: whatever it is now is
// changed.
const AnyVersion int64 = math.MaxInt64

// People is what an administrator does with accounts. The errors wrap ErrStale where
// somebody else changed an account meanwhile, and ErrRefused for what can't be done.
type People interface {
	People(ctx context.Context) ([]AccountView, error)
	// Invite makes a link by which somebody sets up an account, or sets it up anew; the
	// roles count where the configuration does not give them. The same deed (WithDeed) that
	// comes again within a day is answered with the same link, as long as it can be used.
	Invite(ctx context.Context, name string, roles []access.Role) (link string, ends time.Time, err error)
	// Disable lets somebody in no more, or in again; SetRoles gives them other roles. Who
	// is signed in is out at once. Seen is the account's version that was looked at.
	Disable(ctx context.Context, by string, disabled bool, seen int64) error
	SetRoles(ctx context.Context, by string, roles []access.Role, seen int64) error
}
