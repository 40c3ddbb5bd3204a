package main

import (
	"context"
	"fmt"

	"vigil/dashboards/phrase"
	"vigil/internal/access"
	"vigil/internal/api"
	"vigil/internal/app"
)

type tokensCommand struct {
	Create tokensCreateCommand `cmd:"" help:"Make a token with which a program asks vigil's API."`
	List   tokensListCommand   `cmd:"" help:"List somebody's tokens."`
	Revoke tokensRevokeCommand `cmd:"" help:"Revoke a token."`
}

type tokensCreateCommand struct {
	deskFlags `embed:""`
	byFlag    `embed:""`

	Name string        `arg:"" help:"What uses it, such as grafana."`
	Role []access.Role `required:"" placeholder:"ROLE" help:"What it may, out of its owner's roles; may be given several times."`
	Days int           `default:"90" placeholder:"N" help:"For how many days it holds (default: ${default}, at most 366)."`
}

// Help is shown below the flags.
func (tokensCreateCommand) Help() string {
	return `Prints the token. It is kept nowhere: put it where only the program that uses it can read it. It belongs to who is named by
--by, acts in their name, and loses a role as soon as they do.

Examples:

    vigil tokens create grafana --role viewer --by ann
    vigil tokens create soar --role responder --days 30 --by ann --json | jq -r .secret`
}

// Run makes the token.
func (c *tokensCreateCommand) Run(ctx context.Context, io streams) error {
	if err := rolesKnown(c.Role); err != nil {
		return err
	}
	return c.in(ctx, &c.byFlag, func(d *app.Desk, by string) error {
		secret, made, err := d.MakeToken(ctx, by, api.NewToken{Name: c.Name, Roles: c.Role, For: float64(c.Days) * 24 * 60 * 60})
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(io.out, map[string]any{"secret": secret, "token": made})
		}
		fmt.Fprintf(io.out, "%s\nshown this once; it holds until %s; end it with: vigil tokens revoke %s\n", secret, phrase.Moment(made.Ends), made.ID)
		return nil
	})
}

type tokensListCommand struct {
	deskFlags `embed:""`
	byFlag    `embed:""`
}

// Run lists.
func (c *tokensListCommand) Run(ctx context.Context, io streams) error {
	return c.in(ctx, &c.byFlag, func(d *app.Desk, by string) error {
		all, err := d.Tokens(ctx, by)
		if err != nil {
			return err
		}
		if c.JSON {
			return printEach(io.out, all)
		}
		if len(all) == 0 {
			fmt.Fprintln(io.out, "no tokens")
			return nil
		}
		t := columns(io.out, "id", "name", "roles", "used last", "ends")
		for i := range all {
			x := &all[i]
			used := "never"
			if !x.Used.IsZero() {
				used = phrase.Moment(x.Used)
			}
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", x.ID, printable(x.Name), roleWords(x.Roles), used, phrase.Moment(x.Ends))
		}
		return t.Flush()
	})
}

type tokensRevokeCommand struct {
	deskFlags `embed:""`
	byFlag    `embed:""`

	ID string `arg:"" help:"The token's id."`
}

// Run revokes it.
func (c *tokensRevokeCommand) Run(ctx context.Context, io streams) error {
	return c.in(ctx, &c.byFlag, func(d *app.Desk, by string) error {
		if err := d.RevokeToken(ctx, by, c.ID); err != nil {
			return err
		}
		if c.JSON {
			return printJSON(io.out, map[string]any{"id": c.ID})
		}
		fmt.Fprintf(io.out, "%s: revoked\n", printable(c.ID))
		return nil
	})
}
