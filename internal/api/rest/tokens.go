package rest

import (
	"context"

	"vigil/internal/api"
)

// tokens are those for programs, of who asks.
func (h *Handler) tokens() resource {
	return resource{name: "tokens", thing: "token", there: h.do.Tokens != nil, endpoints: []endpoint{
		on("GET /api/v1/tokens", "listTokens", "Lists the tokens of who asks, the newest first.", h.listTokens),
		on("POST /api/v1/tokens", "makeToken", "Makes a token for a program. It is told this once, and a token makes no other.", h.makeToken).secretly(),
		on("DELETE /api/v1/tokens/{id}", "revokeToken", "Revokes a token of who asks.", h.revokeToken),
	}}
}

// TokenList is all tokens of somebody.
type TokenList struct {
	Tokens []api.TokenView `json:"tokens"`
}

func (h *Handler) listTokens(ctx context.Context, _ nothing) (TokenList, error) {
	all, err := h.do.Tokens.Tokens(ctx)
	return TokenList{Tokens: all}, err
}

// MadeToken is a new token.
type MadeToken struct {
	// Secret is what the program sends: Authorization: Bearer SECRET.
	Secret string        `json:"secret"`
	Token  api.TokenView `json:"token"`
}

type makeToken struct {
	Body api.NewToken `body:""`
}

func (h *Handler) makeToken(ctx context.Context, in makeToken) (out MadeToken, err error) {
	out.Secret, out.Token, err = h.do.Tokens.MakeToken(ctx, in.Body)
	return out, err
}

type tokenID struct {
	// The token's id.
	ID string `path:"id"`
}

// TokenDone says that a token is revoked.
type TokenDone struct {
	ID string `json:"id"`
}

func (h *Handler) revokeToken(ctx context.Context, in tokenID) (TokenDone, error) {
	return TokenDone(in), h.do.Tokens.RevokeToken(ctx, in.ID)
}
