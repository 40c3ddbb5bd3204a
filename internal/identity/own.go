package identity

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

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
	over, err := d.ends(ctx, p.by, record.KindSession)
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
