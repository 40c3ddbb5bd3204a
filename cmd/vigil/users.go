package main

import (
	"context"
	"fmt"
	"strings"

	"vigil/dashboards/phrase"
	"vigil/internal/access"
	"vigil/internal/api"
	"vigil/internal/app"
)

type usersCommand struct {
	List    usersListCommand    `cmd:"" help:"List who works with vigil, with their roles."`
	Invite  usersInviteCommand  `cmd:"" help:"Make a link by which somebody sets up an account, or sets theirs up anew."`
	Disable usersDisableCommand `cmd:"" help:"Let somebody in no more, at once and everywhere."`
	Enable  usersEnableCommand  `cmd:"" help:"Let somebody in again."`
}

type usersListCommand struct {
	deskFlags `embed:""`
	byFlag    `embed:""`
}

// Run lists.
func (c *usersListCommand) Run(ctx context.Context, io streams) error {
	return c.in(ctx, &c.byFlag, func(d *app.Desk, by string) error {
		all, err := d.Accounts(ctx, by)
		if err != nil {
			return err
		}
		if c.JSON {
			return printEach(io.out, all)
		}
		if len(all) == 0 {
			fmt.Fprintln(io.out, "nobody works with vigil yet; make a link for the first account with: vigil users invite NAME --role admin")
			return nil
		}
		t := columns(io.out, "name", "appears as", "roles", "state", "signed in last")
		for i := range all {
			a := &all[i]
			last := "never"
			if !a.Signed.IsZero() {
				last = phrase.Moment(a.Signed)
			}
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", printable(a.Name), a.By, orDash(roleWords(a.Roles)), accountState(a), last)
		}
		return t.Flush()
	})
}

func accountState(a *api.AccountView) string {
	switch {
	case a.Disabled:
		return "disabled"
	case len(a.Roles) == 0:
		return "has no role"
	case !a.Password && a.Signed.IsZero():
		return "has not signed in yet"
	}
	return "can sign in"
}

func roleWords(roles []access.Role) string {
	words := make([]string, 0, len(roles))
	for _, r := range roles {
		words = append(words, string(r))
	}
	return strings.Join(words, ", ")
}

type usersInviteCommand struct {
	deskFlags `embed:""`
	byFlag    `embed:""`

	Name string        `arg:"" help:"By what name they sign in."`
	Role []access.Role `placeholder:"ROLE" help:"What they may: viewer, responder, analyst, privacy_officer or admin; may be given several times. Left out, an account keeps the roles it has, and somebody of the configuration those written there."`
}

// Help is shown below the flags.
func (usersInviteCommand) Help() string {
	return `Prints a link that can be used once, within 24 hours. It is kept nowhere: give it to the person, and to nobody else.
An administrator who lost their password makes one for themselves, on the machine that vigil runs on.

Examples:

    vigil users invite ann --role admin
    vigil users invite bob@example.com --role responder --role privacy_officer`
}

// Run makes the link.
func (c *usersInviteCommand) Run(ctx context.Context, io streams) error {
	if err := rolesKnown(c.Role); err != nil {
		return err
	}
	return c.in(ctx, &c.byFlag, func(d *app.Desk, by string) error {
		link, ends, err := d.Invite(ctx, by, c.Name, c.Role)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(io.out, map[string]any{"link": link, "ends": ends})
		}
		fmt.Fprintf(io.out, "%s\nuse it once, before %s\n", printable(link), phrase.Moment(ends))
		return nil
	})
}

func rolesKnown(roles []access.Role) error {
	for _, r := range roles {
		if !r.Known() {
			return &usageError{fmt.Errorf("--role %s is no role: the roles are %s", r, roleWords(access.Roles()))}
		}
	}
	return nil
}

type usersDisableCommand struct {
	userFlags `embed:""`
}

// Run disables an account.
func (c *usersDisableCommand) Run(ctx context.Context, io streams) error {
	return c.do(ctx, io, true, "disabled: their sessions and tokens count no more")
}

type usersEnableCommand struct {
	userFlags `embed:""`
}

// Run lets somebody in again.
func (c *usersEnableCommand) Run(ctx context.Context, io streams) error {
	return c.do(ctx, io, false, "can sign in again")
}

// userFlags name somebody whose account is changed.
type userFlags struct {
	deskFlags `embed:""`
	byFlag    `embed:""`

	Name string `arg:"" help:"By what name they sign in, or their pseudonym."`
}

func (f *userFlags) do(ctx context.Context, io streams, disabled bool, says string) error {
	return f.in(ctx, &f.byFlag, func(d *app.Desk, by string) error {
		account, err := d.Disable(ctx, by, f.Name, disabled)
		if err != nil {
			return err
		}
		if f.JSON {
			return printJSON(io.out, map[string]any{"by": account, "disabled": disabled})
		}
		fmt.Fprintf(io.out, "%s: %s\n", account, says)
		return nil
	})
}

// in opens the desk for a while, for somebody.
func (f *deskFlags) in(ctx context.Context, who *byFlag, use func(d *app.Desk, by string) error) error {
	by, err := who.name()
	if err != nil {
		return err
	}
	return f.at(ctx, func(d *app.Desk) error { return use(d, by) })
}
