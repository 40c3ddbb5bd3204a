package identity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"vigil/internal/access"
	"vigil/internal/api"
	"vigil/internal/identity/record"
)

// view is an account as those see it who may.
func (p *someone) view() api.AccountView {
	a := &p.account
	return api.AccountView{
		By: p.by, Name: p.name, Roles: p.roles, Configured: p.configured, Disabled: a.Disabled, Password: a.Hash != "",
		Signed: a.Signed, Changed: a.Changed, ChangedBy: a.ChangedBy, Version: p.version,
	}
}

// Account implements api.OwnAccount.
func (d *Door) Account(r *http.Request) (api.OwnView, error) {
	ctx := r.Context()
	p, err := d.someone(ctx, api.PersonOf(ctx).By)
	if err != nil {
		return api.OwnView{}, err
	}
	out := api.OwnView{Account: p.view()}
	rows, err := d.opts.Store.Credentials(ctx, record.KindSession, p.by, maxSessions)
	if err != nil {
		return out, err
	}
	current := d.currentKey(r)
	for _, row := range rows {
		one, err := sessionOf(row)
		if err != nil || one.Generation != p.account.Generation || one.Roles != rolesText(p.roles) {
			continue // it opens nothing any more
		}
		out.Sessions = append(out.Sessions, api.SessionView{ID: one.ID, Begun: one.Begun, Seen: one.Seen, Provider: one.Provider, Current: row.Key == current})
	}
	slices.SortFunc(out.Sessions, func(a, b api.SessionView) int { return b.Seen.Compare(a.Seen) })
	out.Tokens, err = d.tokens(ctx, p.by)
	return out, err
}

func (s *Service) tokens(ctx context.Context, by string) (out []api.TokenView, err error) {
	rows, err := s.opts.Store.Credentials(ctx, record.KindToken, by, maxTokens)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		var t token
		if err := json.Unmarshal(row.Data, &t); err != nil {
			return nil, fmt.Errorf("read token: %w", err)
		}
		out = append(out, api.TokenView{ID: t.ID, Name: t.Name, Roles: t.Roles, Made: t.Made, Used: t.Used, Ends: row.Ends})
	}
	slices.SortFunc(out, func(a, b api.TokenView) int { return b.Made.Compare(a.Made) })
	return out, nil
}

// currentKey is under what the session of a request is kept; empty for none.
func (d *Door) currentKey(r *http.Request) string {
	c, err := r.Cookie(d.cookieName(r, sessionCookie))
	if err != nil {
		return ""
	}
	return digest(c.Value)
}

// ChangePassword implements api.OwnAccount.
func (d *Door) ChangePassword(w http.ResponseWriter, r *http.Request, old, next string) error {
	ctx, who := r.Context(), api.PersonOf(r.Context())
	if who.Way != api.WaySession {
		return fmt.Errorf("%w: a password is changed in the console", api.ErrRefused)
	}
	p, err := d.check(ctx, attempt{name: who.Name, password: old, address: addressOf(r), again: true})
	if errors.Is(err, errWrong) {
		return api.NewProblem(http.StatusUnprocessableEntity, "The old password is wrong", "Nothing was changed. Type it again; an administrator can give you a link to set up your account anew.")
	}
	if err != nil {
		return err
	}
	if bad := weak(next, p.name); bad != nil {
		return bad
	}
	if p.account.Hash, err = d.hashed(ctx, next); err != nil {
		return err
	}
	over, err := d.sessionChanges(ctx, p.by, "")
	if err != nil {
		return err
	}
	p.account.Generation++
	if err := d.audit(ctx, p.by, "password changed", "account "+p.by); err != nil {
		return err
	}
	if err := d.keep(ctx, &p, over...); err != nil {
		return err
	}
	return d.begin(w, r, &p, false)
}

// EndSession implements api.OwnAccount.
func (d *Door) EndSession(r *http.Request, id string) error {
	ctx, who := r.Context(), api.PersonOf(r.Context())
	rows, err := d.opts.Store.Credentials(ctx, record.KindSession, who.By, maxSessions)
	if err != nil {
		return err
	}
	current := d.currentKey(r)
	var over []record.Change
	for _, row := range rows {
		one, err := sessionOf(row)
		if err == nil && (id == "" && row.Key != current || id != "" && one.ID == id) {
			over = append(over, record.Change{Record: record.Record{Kind: row.Kind, Key: row.Key}, Delete: true, Was: record.Any})
		}
	}
	if len(over) == 0 {
		return nil // it is over already
	}
	if err := d.audit(ctx, who.By, fmt.Sprintf("ended %d of their sessions", len(over)), "account "+who.By); err != nil {
		return err
	}
	return d.opts.Store.ChangeCredentials(ctx, over...)
}

// MakeToken implements api.OwnAccount.
func (d *Door) MakeToken(r *http.Request, ask api.NewToken) (secret string, err error) {
	ctx, who := r.Context(), api.PersonOf(r.Context())
	if who.Way != api.WaySession {
		// A token that leaked must not make others that outlive it.
		return "", fmt.Errorf("%w: tokens are made in the console, by who has signed in", api.ErrRefused)
	}
	ask.Name = strings.TrimSpace(ask.Name)
	switch {
	case ask.Name == "" || len(ask.Name) > 100:
		return "", fmt.Errorf("%w: name the token for what uses it, in up to 100 characters", api.ErrRefused)
	case ask.For < time.Hour || ask.For > maxTokenFor:
		return "", fmt.Errorf("%w: a token holds for an hour up to 366 days", api.ErrRefused)
	case len(ask.Roles) == 0:
		return "", fmt.Errorf("%w: choose what the token may", api.ErrRefused)
	}
	for _, role := range ask.Roles {
		if !who.Has(role) {
			return "", fmt.Errorf("%w: a token may have no role that you have not", api.ErrRefused)
		}
	}
	rows, err := d.opts.Store.Credentials(ctx, record.KindToken, who.By, maxTokens)
	if err != nil {
		return "", err
	}
	if len(rows) >= maxTokens {
		return "", fmt.Errorf("%w: you have %d tokens already: revoke one first", api.ErrRefused, maxTokens)
	}
	t := token{ID: newID(), Name: ask.Name, Roles: ask.Roles, Made: d.now()}
	data, err := json.Marshal(t)
	if err != nil {
		return "", err
	}
	secret = TokenPrefix + newSecret()
	if err := d.audit(ctx, who.By, "token made with the roles "+strings.TrimSpace(rolesText(ask.Roles)), "token "+t.ID); err != nil {
		return "", err
	}
	return secret, d.opts.Store.ChangeCredentials(ctx, record.Change{Record: record.Record{
		Kind: record.KindToken, Key: digest(secret), Owner: who.By, Ends: t.Made.Add(ask.For), Data: data,
	}})
}

// RevokeToken implements api.OwnAccount.
func (d *Door) RevokeToken(r *http.Request, id string) error {
	ctx, who := r.Context(), api.PersonOf(r.Context())
	rows, err := d.opts.Store.Credentials(ctx, record.KindToken, who.By, maxTokens)
	if err != nil {
		return err
	}
	for _, row := range rows {
		var t token
		if json.Unmarshal(row.Data, &t) != nil || t.ID != id {
			continue
		}
		if err := d.audit(ctx, who.By, "token revoked", "token "+id); err != nil {
			return err
		}
		return d.opts.Store.ChangeCredentials(ctx, record.Change{Record: record.Record{Kind: row.Kind, Key: row.Key}, Delete: true, Was: record.Any})
	}
	return nil // it is gone already
}

// rolesKnown says what is wrong with roles that somebody is given.
func rolesKnown(roles []access.Role) error {
	if len(roles) == 0 {
		return fmt.Errorf("%w: choose at least one role, or disable the account", api.ErrRefused)
	}
	for _, r := range roles {
		if !r.Known() {
			return fmt.Errorf("%w: %q is no role", api.ErrRefused, r)
		}
	}
	return nil
}
