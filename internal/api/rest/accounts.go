package rest

import (
	"context"
	"time"

	"vigil/internal/access"
	"vigil/internal/api"
)

// accounts is who works with vigil. A program may see them and take away what they may; it
// lets nobody in.
func (h *Handler) accounts() resource {
	return resource{name: "accounts", thing: "account", there: h.do.People != nil, endpoints: []endpoint{
		on("GET /api/v1/accounts", "listAccounts", "Lists who works with vigil.", h.listAccounts),
		on("POST /api/v1/accounts", "inviteAccount", "Makes a link by which somebody sets up an account, or sets it up anew.", h.inviteAccount).secretly(),
		on("PUT /api/v1/accounts/{id}/state", "setAccountState", "Disables an account, at once and everywhere, or lets it in again.", h.setAccountState),
		on("PUT /api/v1/accounts/{id}/roles", "setAccountRoles", "Gives somebody other roles.", h.setAccountRoles),
	}}
}

// AccountList is everybody who works with vigil.
type AccountList struct {
	Accounts []api.AccountView `json:"accounts"`
}

func (h *Handler) listAccounts(ctx context.Context, _ nothing) (AccountList, error) {
	all, err := h.do.People.People(ctx)
	return AccountList{Accounts: all}, err
}

// Inviting asks for a link that sets up an account.
type Inviting struct {
	// Name is by what they will sign in.
	Name string `json:"name"`
	// Roles count where the configuration does not give them. Empty leaves those that an
	// account has.
	Roles []access.Role `json:"roles,omitempty"`
}

// Invitation is a link that sets up an account. It is told this once.
type Invitation struct {
	Link string    `json:"link"`
	Ends time.Time `json:"ends"`
}

type inviteAccount struct {
	Body Inviting `body:""`
}

func (h *Handler) inviteAccount(ctx context.Context, in inviteAccount) (out Invitation, err error) {
	out.Link, out.Ends, err = h.do.People.Invite(ctx, in.Body.Name, in.Body.Roles)
	return out, err
}

// onAccount is what each deed on an account takes.
type onAccount struct {
	// The account's pseudonym.
	ID string `path:"id"`
	// Seen is the account's version that who asks looked at.
	Seen int `seen:""`
}

// version is that which was looked at.
func (o onAccount) version() int64 {
	if o.Seen == 0 {
		return api.AnyVersion
	}
	return int64(o.Seen)
}

// AccountDone says that a deed on an account was done.
type AccountDone struct {
	// By is the account's pseudonym.
	By string `json:"by"`
}

// AccountState says whether an account is disabled.
type AccountState struct {
	Disabled bool `json:"disabled"`
}

type setAccountState struct {
	onAccount
	Body AccountState `body:""`
}

func (h *Handler) setAccountState(ctx context.Context, in setAccountState) (AccountDone, error) {
	return AccountDone{By: in.ID}, h.do.People.Disable(ctx, in.ID, in.Body.Disabled, in.version())
}

// AccountRoles are the roles that somebody gets.
type AccountRoles struct {
	Roles []access.Role `json:"roles"`
}

type setAccountRoles struct {
	onAccount
	Body AccountRoles `body:""`
}

func (h *Handler) setAccountRoles(ctx context.Context, in setAccountRoles) (AccountDone, error) {
	return AccountDone{By: in.ID}, h.do.People.SetRoles(ctx, in.ID, in.Body.Roles, in.version())
}
