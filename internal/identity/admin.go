package identity

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"vigil/internal/access"
	"vigil/internal/api"
	"vigil/internal/identity/record"
)

// People implements api.People.
func (d *Door) People(ctx context.Context) ([]api.AccountView, error) {
	if err := d.audit(ctx, api.PersonOf(ctx).By, "accounts listed", ""); err != nil {
		return nil, err
	}
	all, err := d.everybody(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]api.AccountView, 0, len(all))
	for i := range all {
		out = append(out, all[i].view())
	}
	return out, nil
}

// Invite implements api.People.
func (d *Door) Invite(ctx context.Context, name string, roles []access.Role) (link string, ends time.Time, err error) {
	who := api.PersonOf(ctx)
	if err := gives(who); err != nil {
		return "", ends, err
	}
	inv, err := d.invitation(ctx, name, roles)
	if err != nil {
		return "", ends, err
	}
	if inv.By == who.By && who.Way != api.WayLocal {
		return "", ends, fmt.Errorf("%w: you change your own password at your account", api.ErrRefused)
	}
	by := d.deedOf(ctx, who.By, record.KindInvitation)
	r, done, err := d.done(ctx, by, record.KindInvitation, digest(by.secret))
	switch {
	case err != nil:
		return "", ends, err
	case done && r.Owner != inv.By:
		return "", ends, errDone
	case done:
		return d.link(by.secret), r.Ends, nil
	}
	token, ends, err := d.invite(ctx, who.By, by, inv)
	if errors.Is(err, record.ErrChanged) {
		return d.Invite(ctx, name, roles) // the same deed came twice at once, and the other one was faster
	}
	if err != nil {
		return "", ends, err
	}
	return d.link(token), ends, nil
}

// link is the address at which a link's token is used.
func (d *Door) link(token string) string {
	return d.cfg.Base + "/set-up?token=" + url.QueryEscape(token)
}

// gives says whether somebody may let others in. A program's token takes away and gives
// nothing: one that leaked must not let in those who outlive it.
func gives(who api.Person) error {
	if who.Way == api.WayToken {
		return fmt.Errorf("%w: a token lets nobody in: do it in the console, or with vigil users on the machine that vigil runs on", api.ErrRefused)
	}
	return nil
}

// invitation is one for somebody of a name.
func (s *Service) invitation(ctx context.Context, name string, roles []access.Role) (invitation, error) {
	name = s.canonical(name)
	if _, ok := named(s.opts.Directory(), name); ok {
		return invitation{By: s.opts.Directory().Pseudonym(name)}, nil
	}
	if bad := nameable(name); bad != nil {
		return invitation{}, bad
	}
	inv := invitation{By: s.opts.Directory().Pseudonym(name), Roles: roles}
	have, err := s.someone(ctx, inv.By)
	if err != nil {
		return inv, err
	}
	if have.version > 0 && len(roles) == 0 {
		inv.Roles = have.account.Roles
	}
	if err := rolesKnown(inv.Roles); err != nil {
		return inv, err
	}
	inv.Sealed, err = s.sealName(inv.By, whoIs{Name: name})
	return inv, err
}

// Disable implements api.People.
func (d *Door) Disable(ctx context.Context, by string, disabled bool, seen int64) error {
	what := "account disabled"
	if !disabled {
		what = "account enabled"
		if err := gives(api.PersonOf(ctx)); err != nil {
			return err
		}
	}
	return d.alter(ctx, by, seen, what, func(p *someone) error {
		p.account.Disabled = disabled
		return nil
	})
}

// SetRoles implements api.People.
func (d *Door) SetRoles(ctx context.Context, by string, roles []access.Role, seen int64) error {
	if err := cmp.Or(gives(api.PersonOf(ctx)), rolesKnown(roles)); err != nil {
		return err
	}
	return d.alter(ctx, by, seen, "roles given: "+strings.TrimSpace(rolesText(roles)), func(p *someone) error {
		if p.configured {
			return fmt.Errorf("%w: the configuration gives them their roles: change users there", api.ErrRefused)
		}
		if p.nameless() {
			return fmt.Errorf("%w: the configuration names them no more, and vigil keeps no name of theirs: make a link for their name", api.ErrRefused)
		}
		p.account.Roles = roles
		return nil
	})
}

// alter changes somebody's account, and ends their sessions.
func (d *Door) alter(ctx context.Context, by string, seen int64, what string, how func(p *someone) error) error {
	who := api.PersonOf(ctx)
	// On the machine itself it may be the last administrator who lets themselves in again.
	if who.By == by && who.Way != api.WayLocal {
		return fmt.Errorf("%w: nobody changes what they may themselves: ask another administrator", api.ErrRefused)
	}
	p, err := d.someone(ctx, by)
	if err != nil {
		return err
	}
	if p.version == 0 && !p.configured {
		return fmt.Errorf("account %q: %w", by, api.ErrNotFound)
	}
	// What they themselves changed, as by signing in, is no reason to look again.
	if p.account.ChangedBy != who.By && seen < p.account.ChangedAt {
		return fmt.Errorf("%w: %s changed it at %s", api.ErrStale, p.account.ChangedBy, p.account.Changed.Format("15:04:05 UTC"))
	}
	if err := how(&p); err != nil {
		return err
	}
	kinds := []record.Kind{record.KindSession, record.KindInvitation} // a link that is out must not undo this
	if p.account.Disabled {
		kinds = append(kinds, record.KindToken) // or they would come back to life with the account
	}
	over, err := d.ends(ctx, by, kinds...)
	if err != nil {
		return err
	}
	p.account.Generation++
	p.account.Changed, p.account.ChangedBy, p.account.ChangedAt = d.now(), who.By, p.version+1
	if p.account.Made.IsZero() {
		p.account.Made = p.account.Changed
	}
	if err := d.audit(ctx, who.By, what, "account "+by); err != nil {
		return err
	}
	return d.keep(ctx, &p, over...)
}
