package client

import (
	"context"
	"net/http"
	"time"

	"vigil/internal/access"
	"vigil/internal/api"
)

type (
	// Role is one of the roles of people: what they may do.
	Role = access.Role
	// Account is somebody who works with vigil.
	Account = api.AccountView
	// Token is a token for programs, without its secret.
	Token = api.TokenView
	// NewToken asks for a token.
	NewToken = api.NewToken
)

// Accounts lists who works with vigil.
func (c *Client) Accounts(ctx context.Context) ([]Account, error) {
	var out struct{ Accounts []Account }
	err := c.do(ctx, request{method: http.MethodGet, path: "/accounts"}, &out)
	return out.Accounts, err
}

// Invite makes a link by which somebody sets up an account, or sets it up anew, until it
// ends. It is refused to a token.
func (c *Client) Invite(ctx context.Context, name string, roles ...Role) (link string, ends time.Time, err error) {
	var out struct {
		Link string
		Ends time.Time
	}
	err = c.do(ctx, request{method: http.MethodPost, path: "/accounts", body: struct {
		Name  string `json:"name"`
		Roles []Role `json:"roles,omitempty"`
	}{name, roles}}, &out)
	return out.Link, out.Ends, err
}

// Disable lets somebody in no more, or in again; the account is named by its pseudonym. A
// token may disable only.
func (c *Client) Disable(ctx context.Context, account string, disabled bool) error {
	var out struct{ By string }
	return c.do(ctx, request{method: http.MethodPut, path: path("accounts", account, "state"), body: struct {
		Disabled bool `json:"disabled"`
	}{disabled}}, &out)
}

// GiveRoles gives somebody other roles; the account is named by its pseudonym. It is
// refused to a token.
func (c *Client) GiveRoles(ctx context.Context, account string, roles ...Role) error {
	var out struct{ By string }
	return c.do(ctx, request{method: http.MethodPut, path: path("accounts", account, "roles"), body: struct {
		Roles []Role `json:"roles"`
	}{roles}}, &out)
}

// Tokens lists the tokens of who asks, the newest first.
func (c *Client) Tokens(ctx context.Context) ([]Token, error) {
	var out struct{ Tokens []Token }
	err := c.do(ctx, request{method: http.MethodGet, path: "/tokens"}, &out)
	return out.Tokens, err
}

// MakeToken makes a token, of which the secret is told this once. It is refused to a token.
func (c *Client) MakeToken(ctx context.Context, ask NewToken) (secret string, made Token, err error) {
	var out struct {
		Secret string
		Token  Token
	}
	err = c.do(ctx, request{method: http.MethodPost, path: "/tokens", body: ask}, &out)
	return out.Secret, out.Token, err
}

// RevokeToken revokes a token of who asks.
func (c *Client) RevokeToken(ctx context.Context, id string) error {
	var out struct{ ID string }
	return c.do(ctx, request{method: http.MethodDelete, path: path("tokens", id)}, &out)
}
