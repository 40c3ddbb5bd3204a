package app

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"vigil/client"
	"vigil/internal/access"
	"vigil/internal/api"
	"vigil/internal/identity"
)

// staff is who works with vigil, as commands see and change it. By names in whose name
// each is done.
type staff interface {
	Accounts(ctx context.Context, by string) ([]api.AccountView, error)
	Invite(ctx context.Context, by, name string, roles []access.Role) (link string, ends time.Time, err error)
	Disable(ctx context.Context, by, account string, disabled bool) error
	Tokens(ctx context.Context, by string) ([]api.TokenView, error)
	MakeToken(ctx context.Context, by string, ask api.NewToken) (secret string, made api.TokenView, err error)
	RevokeToken(ctx context.Context, by, id string) error
}

// Accounts lists who works with vigil.
func (d *Desk) Accounts(ctx context.Context, by string) ([]api.AccountView, error) {
	return d.staff.Accounts(ctx, by)
}

// Invite makes a link by which somebody sets up an account, or sets it up anew.
func (d *Desk) Invite(ctx context.Context, by, name string, roles []access.Role) (link string, ends time.Time, err error) {
	return d.staff.Invite(ctx, by, name, roles)
}

// Disable lets somebody in no more, or in again. They are named by their name or their
// pseudonym; the error wraps api.ErrNotFound for nobody of that name.
func (d *Desk) Disable(ctx context.Context, by, name string, disabled bool) (account string, err error) {
	if account, err = d.account(ctx, by, name); err != nil {
		return "", err
	}
	return account, d.staff.Disable(ctx, by, account, disabled)
}

// account is the pseudonym of somebody of a name or a pseudonym.
func (d *Desk) account(ctx context.Context, by, name string) (string, error) {
	all, err := d.staff.Accounts(ctx, by)
	if err != nil {
		return "", err
	}
	for _, a := range all {
		if strings.EqualFold(a.Name, name) || a.By == name {
			return a.By, nil
		}
	}
	return "", fmt.Errorf("user %q: %w: vigil users list tells who there is", name, api.ErrNotFound)
}

// Tokens lists somebody's tokens for programs.
func (d *Desk) Tokens(ctx context.Context, by string) ([]api.TokenView, error) {
	return d.staff.Tokens(ctx, by)
}

// MakeToken makes a token for programs, which is told this once.
func (d *Desk) MakeToken(ctx context.Context, by string, ask api.NewToken) (secret string, made api.TokenView, err error) {
	return d.staff.MakeToken(ctx, by, ask)
}

// RevokeToken revokes one of somebody's tokens. The error wraps api.ErrNotFound for one that
// is not theirs.
func (d *Desk) RevokeToken(ctx context.Context, by, id string) error {
	all, err := d.staff.Tokens(ctx, by)
	if err != nil {
		return err
	}
	for _, t := range all {
		if t.ID == id {
			return d.staff.RevokeToken(ctx, by, id)
		}
	}
	return fmt.Errorf("token %q: %w: vigil tokens list tells which there are", id, api.ErrNotFound)
}

// staffFolder is the accounts of a data folder that no service has open. Who may read it
// may do all of it; each look and deed is recorded.
type staffFolder struct{ door *identity.Door }

func (f *staffFolder) as(ctx context.Context, by string) context.Context {
	return api.WithPerson(ctx, f.door.Local(by))
}

// Accounts lists them from the data folder.
func (f *staffFolder) Accounts(ctx context.Context, by string) ([]api.AccountView, error) {
	return f.door.People(f.as(ctx, by))
}

// Invite keeps a link in the data folder.
func (f *staffFolder) Invite(ctx context.Context, by, name string, roles []access.Role) (string, time.Time, error) {
	return f.door.Invite(f.as(ctx, by), name, roles)
}

// Disable changes an account in the data folder.
func (f *staffFolder) Disable(ctx context.Context, by, account string, disabled bool) error {
	return f.door.Disable(f.as(ctx, by), account, disabled, api.AnyVersion)
}

// Tokens lists those of the data folder.
func (f *staffFolder) Tokens(ctx context.Context, by string) ([]api.TokenView, error) {
	return f.door.Tokens(f.as(ctx, by))
}

// MakeToken keeps one in the data folder.
func (f *staffFolder) MakeToken(ctx context.Context, by string, ask api.NewToken) (string, api.TokenView, error) {
	return f.door.MakeToken(f.as(ctx, by), ask)
}

// RevokeToken takes one out of the data folder.
func (f *staffFolder) RevokeToken(ctx context.Context, by, id string) error {
	return f.door.RevokeToken(f.as(ctx, by), id)
}

// remoteStaff is the accounts of a service that runs.
type remoteStaff struct{ *remote }

// as is the client in somebody's name. One that comes with a token of its own comes in the
// name of its owner.
func (r *remote) as(by string) (*client.Client, error) {
	if r.cfg.Header == nil || by == "" {
		return r.Client, nil
	}
	cfg := r.cfg
	cfg.Header = http.Header{identity.ByHeader: {by}}
	return client.New(cfg)
}

// Accounts lists them by the service.
func (r remoteStaff) Accounts(ctx context.Context, by string) ([]api.AccountView, error) {
	c, err := r.as(by)
	if err != nil {
		return nil, err
	}
	all, err := c.Accounts(ctx)
	return all, plain(err, "", "")
}

// Invite has the service make a link.
func (r remoteStaff) Invite(ctx context.Context, by, name string, roles []access.Role) (link string, ends time.Time, err error) {
	c, err := r.as(by)
	if err != nil {
		return "", ends, err
	}
	link, ends, err = c.Invite(ctx, name, roles...)
	return link, ends, plain(err, "", "")
}

// Disable has the service change an account.
func (r remoteStaff) Disable(ctx context.Context, by, account string, disabled bool) error {
	c, err := r.as(by)
	if err != nil {
		return err
	}
	return plain(c.Disable(ctx, account, disabled), "account", account)
}

// Tokens lists them by the service.
func (r remoteStaff) Tokens(ctx context.Context, by string) ([]api.TokenView, error) {
	c, err := r.as(by)
	if err != nil {
		return nil, err
	}
	all, err := c.Tokens(ctx)
	return all, plain(err, "", "")
}

// MakeToken has the service make one.
func (r remoteStaff) MakeToken(ctx context.Context, by string, ask api.NewToken) (secret string, made api.TokenView, err error) {
	c, err := r.as(by)
	if err != nil {
		return "", made, err
	}
	secret, made, err = c.MakeToken(ctx, ask)
	return secret, made, plain(err, "", "")
}

// RevokeToken has the service revoke one.
func (r remoteStaff) RevokeToken(ctx context.Context, by, id string) error {
	c, err := r.as(by)
	if err != nil {
		return err
	}
	return plain(c.RevokeToken(ctx, id), "token", id)
}

var (
	_ staff = (*staffFolder)(nil)
	_ staff = remoteStaff{}
)
