package identity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"vigil/internal/access"
	"vigil/internal/api"
	"vigil/internal/identity/record"
)

// Tokens implements api.Tokens.
func (d *Door) Tokens(ctx context.Context) ([]api.TokenView, error) {
	return d.tokens(ctx, api.PersonOf(ctx).By)
}

func (s *Service) tokens(ctx context.Context, by string) (out []api.TokenView, err error) {
	rows, err := s.opts.Store.Credentials(ctx, record.KindToken, by, maxTokens)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		one, err := tokenView(row)
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	slices.SortFunc(out, func(a, b api.TokenView) int { return b.Made.Compare(a.Made) })
	return out, nil
}

func tokenView(r record.Record) (api.TokenView, error) {
	var t token
	if err := json.Unmarshal(r.Data, &t); err != nil {
		return api.TokenView{}, fmt.Errorf("read token: %w", err)
	}
	return api.TokenView{ID: t.ID, Name: t.Name, Roles: t.Roles, Made: t.Made, Used: t.Used, Ends: r.Ends}, nil
}

// MakeToken implements api.Tokens.
func (d *Door) MakeToken(ctx context.Context, ask api.NewToken) (secret string, made api.TokenView, err error) {
	who := api.PersonOf(ctx)
	if ask.Name, err = d.mayToken(ctx, who, ask); err != nil {
		return "", made, err
	}
	by := d.deedOf(ctx, who.By, record.KindToken)
	secret = TokenPrefix + by.secret
	switch r, done, err := d.done(ctx, by, record.KindToken, digest(secret)); {
	case err != nil:
		return "", made, err
	case done:
		made, err = tokenView(r)
		return secret, made, err
	}
	rows, err := d.opts.Store.Credentials(ctx, record.KindToken, who.By, maxTokens)
	if err != nil {
		return "", made, err
	}
	if len(rows) >= maxTokens {
		return "", made, fmt.Errorf("%w: you have %d tokens already: revoke one first", api.ErrRefused, maxTokens)
	}
	t := token{ID: newID(), Name: ask.Name, Roles: ask.Roles, Made: d.now()}
	r := record.Record{Kind: record.KindToken, Key: digest(secret), Owner: who.By, Ends: t.Made.Add(time.Duration(ask.For * float64(time.Second)))}
	if r.Data, err = json.Marshal(t); err != nil {
		return "", made, err
	}
	if err := d.audit(ctx, who.By, "token made with the roles "+strings.TrimSpace(rolesText(ask.Roles)), "token "+t.ID); err != nil {
		return "", made, err
	}
	err = d.opts.Store.ChangeCredentials(ctx, d.remembered(by, who.By, record.Change{Record: r})...)
	if errors.Is(err, record.ErrChanged) {
		return d.MakeToken(ctx, ask) // the same deed came twice at once, and the other one was faster
	}
	if err != nil {
		return "", made, err
	}
	made, err = tokenView(r)
	return secret, made, err
}

// mayToken says why somebody can't have a token that they ask for, and returns its name.
func (d *Door) mayToken(ctx context.Context, who api.Person, ask api.NewToken) (name string, err error) {
	if who.Way != api.WaySession && who.Way != api.WayLocal {
		// A token that leaked must not make others that outlive it.
		return "", fmt.Errorf("%w: tokens are made in the console, by who has signed in", api.ErrRefused)
	}
	name = strings.TrimSpace(ask.Name)
	switch {
	case name == "" || len(name) > 100:
		return "", fmt.Errorf("%w: name the token for what uses it, in up to 100 characters", api.ErrRefused)
	case !(ask.For >= time.Hour.Seconds() && ask.For <= maxTokenFor.Seconds()):
		return "", fmt.Errorf("%w: a token holds for an hour up to 366 days", api.ErrRefused)
	case len(ask.Roles) == 0:
		return "", fmt.Errorf("%w: choose what the token may", api.ErrRefused)
	}
	has := who.Roles
	if who.Way == api.WayLocal {
		// A command may more than the person does in whose name it comes: a token is theirs.
		p, err := d.someone(ctx, who.By)
		if err != nil {
			return "", err
		}
		if !p.in() {
			return "", fmt.Errorf("%w: a token acts for somebody who can sign in: name them with --by", api.ErrRefused)
		}
		has = p.roles
	}
	if slices.ContainsFunc(ask.Roles, func(r access.Role) bool { return !slices.Contains(has, r) }) {
		return "", fmt.Errorf("%w: a token may have no role that its owner has not", api.ErrRefused)
	}
	return name, nil
}

// RevokeToken implements api.Tokens.
func (d *Door) RevokeToken(ctx context.Context, id string) error {
	who := api.PersonOf(ctx)
	rows, err := d.opts.Store.Credentials(ctx, record.KindToken, who.By, maxTokens)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if t, err := tokenView(row); err != nil || t.ID != id {
			continue
		}
		if err := d.audit(ctx, who.By, "token revoked", "token "+id); err != nil {
			return err
		}
		return d.opts.Store.ChangeCredentials(ctx, record.Change{Record: record.Record{Kind: row.Kind, Key: row.Key}, Delete: true, Was: record.Any})
	}
	return nil // it is gone already
}

var _ api.Tokens = (*Door)(nil)
