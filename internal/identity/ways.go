package identity

import (
	"fmt"
	"net/http"

	"vigil/internal/api"
)

// Ways implements api.SignIns.
func (d *Door) Ways(r *http.Request) api.SignInWays {
	out := api.SignInWays{}
	if d.cfg.Provider != nil {
		out.Provider = d.cfg.Provider.Name()
	}
	if who := api.PersonOf(r.Context()); who.By != "" && who.Way == api.WaySession {
		out.Name = who.Name
	}
	return out
}

// SignIn implements api.SignIns.
func (d *Door) SignIn(w http.ResponseWriter, r *http.Request, name, password string) error {
	if err := d.bearable(r); err != nil {
		return err
	}
	ctx, who := r.Context(), api.PersonOf(r.Context())
	a := attempt{name: name, password: password, address: addressOf(r)}
	if who.By != "" && who.Way == api.WaySession {
		a.name, a.again = who.Name, true
	}
	p, err := d.check(ctx, a)
	if err != nil {
		return err
	}
	how := "with a password"
	if a.again {
		how = "again with a password"
	}
	if d.cfg.Provider != nil {
		how += ", past the provider"
	}
	if err := d.signedIn(ctx, &p, how); err != nil {
		return err
	}
	if d.cfg.Provider != nil {
		d.mu.Lock()
		d.glass = d.now()
		d.mu.Unlock()
		d.opts.Logger.Warn("somebody signed in with a password, past the sign-in provider", "account", p.by)
	}
	return d.begin(w, r, &p, false)
}

// SignOut implements api.SignIns.
func (d *Door) SignOut(w http.ResponseWriter, r *http.Request) error {
	who := api.PersonOf(r.Context())
	if err := d.drop(r); err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	d.setCookie(w, r, sessionCookie, "", -1)
	// The session is over in any case: what can't be written down must not keep it open.
	return d.audit(r.Context(), who.By, "signed out", "account "+who.By)
}
