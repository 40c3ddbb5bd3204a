package app

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"vigil/internal/config"
	"vigil/internal/identity"
	"vigil/internal/ledger"
)

// tokenFile is where the running service writes the token with which commands on this
// machine come to it: who may read the data folder may use it.
const tokenFile = "console.token"

// openIdentity makes what knows who signs in.
func (a *App) openIdentity(key []byte) (err error) {
	a.localToken = rand.Text()
	a.identity, err = newIdentity(key, a.ledger, a.people.Load, identity.Options{Now: a.opts.Now, Logger: a.logger})
	if err != nil {
		return err
	}
	a.clean.add("failed sign-ins", a.identity.Close)
	return nil
}

// newIdentity makes one over a ledger for the users in force.
func newIdentity(key []byte, l *ledger.Ledger, users func() *people, opts identity.Options) (*identity.Service, error) {
	opts.Secret, opts.Store = key, l
	opts.Directory = func() identity.Directory { return directory{users()} }
	opts.Audit = func(ctx context.Context, who, what, object string) error {
		_, err := l.Audit(ctx, ledger.AuditRecord{Who: who, What: what, Object: object})
		return err
	}
	return identity.New(opts)
}

// newDoor makes the door of a configuration; behindTLS is the host under which people
// come by https, empty for none.
func (a *App) newDoor(cfg *config.Config, behindTLS string) (*identity.Door, error) {
	base := strings.TrimSuffix(a.consoleOf(cfg), "/")
	provider, err := providerOf(cfg.Accounts.OIDC, base)
	if err != nil {
		return nil, err
	}
	return a.identity.Door(identity.DoorConfig{
		Base: base, Provider: provider,
		Idle: cfg.Accounts.Idle.Std(), Absolute: cfg.Accounts.Absolute.Std(), SecureHost: behindTLS, Local: a.localToken,
	}), nil
}

// providerOf is the sign-in provider of a configuration, nil where there is none.
func providerOf(o *config.OIDC, base string) (*identity.Provider, error) {
	if o == nil {
		return nil, nil
	}
	secret, err := o.ClientSecret.Reveal()
	if err != nil {
		return nil, fmt.Errorf("read accounts.oidc.client_secret: %w", err)
	}
	scopes := o.Scopes
	if len(scopes) == 0 {
		scopes = []string{"email", "profile"}
	}
	return identity.NewProvider(identity.ProviderConfig{
		Name: cmp.Or(o.Name, "your organisation"), Issuer: o.Issuer, ClientID: o.ClientID, ClientSecret: secret,
		RedirectURL: base + "/sign-in/back", Scopes: scopes, Claim: cmp.Or(o.Claim, "groups"), Groups: o.Groups,
	}), nil
}

// directory tells of the users of a configuration.
type directory struct{ *people }

// All implements identity.Directory.
func (d directory) All() []identity.User { return d.users }

// Pseudonym implements identity.Directory.
func (d directory) Pseudonym(name string) string { return d.pseudonyms.Actor("", name) }

// Logins implements identity.Directory.
func (directory) Logins(names ...string) []string { return logins(names) }

// firstRun makes the link by which the first account is set up, where there is none.
func (a *App) firstRun(ctx context.Context) error {
	if a.opts.Door != nil {
		return nil
	}
	token, _, err := a.identity.FirstRun(ctx)
	if err != nil {
		// A full disk must not keep vigil from watching.
		a.logger.Error("no link can be made to set up the first account; start vigil again once it can", "error", err.Error())
		return nil
	}
	if token != "" {
		a.setUp = a.setUpLink(token)
	}
	return nil
}

// setUpLink is the address at which a link's token is used.
func (a *App) setUpLink(token string) string {
	return strings.TrimSuffix(a.consoleOf(a.conf()), "/") + "/set-up?token=" + url.QueryEscape(token)
}

// SetUpLink is where the first account is set up, within half an hour of the start; empty
// where somebody can sign in already.
func (a *App) SetUpLink() string { return a.setUp }

// writeToken writes down with what commands on this machine come.
func writeToken(dir, token string) error {
	path := filepath.Join(dir, tokenFile)
	// What stands there may have other rights: it is replaced, not written over.
	next := path + ".next"
	if err := os.WriteFile(next, []byte(token+"\n"), 0o600); err != nil {
		return fmt.Errorf("write console's token: %w", err)
	}
	if err := os.Rename(next, path); err != nil {
		return fmt.Errorf("write console's token: %w", err)
	}
	return nil
}

// baseOf is the console's address by a configuration alone, for while no service runs.
func baseOf(cfg *config.Config) string {
	if cfg.ConsoleURL != "" {
		return strings.TrimSuffix(cfg.ConsoleURL, "/")
	}
	return "http://" + cfg.Listen
}
