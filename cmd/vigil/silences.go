package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"vigil"
	"vigil/internal/api"
	"vigil/internal/app"
)

type silencesCommand struct {
	List silencesListCommand `cmd:"" help:"List silences, the newest first."`
	Add  silencesAddCommand  `cmd:"" help:"Keep messages back for a time."`
	End  silencesEndCommand  `cmd:"" help:"End a silence now."`
}

type silencesListCommand struct {
	deskFlags `embed:""`
}

// Run lists.
func (c *silencesListCommand) Run(ctx context.Context, io streams) error {
	return c.at(ctx, func(d *app.Desk) error {
		all, err := d.Silences(ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			return printEach(io.out, all)
		}
		if len(all) == 0 {
			fmt.Fprintln(io.out, "no silences")
			return nil
		}
		t := columns(io.out, "id", "by", "state", "until", "why")
		for i := range all {
			s := &all[i]
			state := "holds"
			switch {
			case s.Ended:
				state = "ended"
			case !s.To.After(time.Now()):
				state = "over"
			}
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", printable(s.ID), printable(s.By), state, s.To.Format(time.DateTime), printable(s.Note))
		}
		return t.Flush()
	})
}

type silencesAddCommand struct {
	deskFlags `embed:""`
	byFlag    `embed:""`

	Until       string         `required:"" placeholder:"TIME" help:"Until when: 7d, 12h, or a day such as 2026-12-31; at most 30 days."`
	Note        string         `placeholder:"TEXT" help:"Why, in a sentence: no personal data. Needed unless --preview."`
	MaxSeverity vigil.Severity `enum:",low,medium,high,critical" default:"" placeholder:"SEVERITY" help:"Findings up to this severity. Critical ones are kept back only where this says critical."`
	Actor       []string       `placeholder:"PSEUDONYM" help:"Findings about this account; may be given several times, as those below."`
	Source      []string       `placeholder:"NAME" help:"Findings about this source."`
	Store       []string       `placeholder:"NAME" help:"Findings in this store."`
	Scenario    []string       `placeholder:"NAME" help:"Findings of this rule or lane."`
	Team        []string       `placeholder:"NAME" help:"Findings about somebody of this team."`
	Role        []string       `placeholder:"NAME" help:"Findings about somebody of this role."`
	Tenant      []string       `placeholder:"NAME" help:"Findings within this tenant."`
	Preview     bool           `help:"Only tell what it would have kept back in the last 30 days."`
}

// Help is shown below the flags.
func (silencesAddCommand) Help() string {
	return `A silence keeps messages back; detection goes on, and what was kept back is in the console and in the digest. A case that
gets graver is told all the same. Whom a silence protects can't make it.

Examples:

    vigil silences add --source nginx-eu --until 4h --note "the log is being moved"
    vigil silences add --max-severity low --team emea --until 2d --preview`
}

// Run makes or previews the silence.
func (c *silencesAddCommand) Run(ctx context.Context, io streams) error {
	length, err := untilWhen(c.Until, time.Now())
	if err != nil {
		return &usageError{err}
	}
	by, err := c.name()
	if err != nil {
		return err
	}
	return c.at(ctx, func(d *app.Desk) error {
		out, err := d.Silence(ctx, api.Silencing{
			By: by, Note: c.Note, For: length.Seconds(), Preview: c.Preview,
			Match: vigil.Match{
				MaxSeverity: c.MaxSeverity, Actors: c.Actor, Sources: c.Source, Stores: c.Store, Scenarios: c.Scenario,
				Teams: c.Team, Roles: c.Role, Tenants: c.Tenant,
			},
		})
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(io.out, &out)
		}
		n := int64(out.Total)
		text := fmt.Sprintf("in the last 30 days: %s %s would not have been told", count(n), plural(n, "finding", "findings"))
		if n > 0 {
			text += " (" + strings.Join(out.Findings[:min(3, len(out.Findings))], ", ") + ")"
		}
		if out.Breaches > 0 {
			text += fmt.Sprintf(", %s of them judged breach or misuse", count(int64(out.Breaches)))
		}
		fmt.Fprintln(io.out, printable(text))
		fmt.Fprintln(io.out, printable("of "+out.Says+" until "+out.Silence.To.Format(time.DateTime)))
		if c.Preview {
			fmt.Fprintln(io.out, "nothing was made: leave out --preview to make it")
			return nil
		}
		fmt.Fprintf(io.out, "%s: made; end it early with: vigil silences end %s\n", printable(out.Silence.ID), printable(out.Silence.ID))
		return nil
	})
}

type silencesEndCommand struct {
	deskFlags `embed:""`
	byFlag    `embed:""`

	ID string `arg:"" help:"The silence's id."`
}

// Run ends it.
func (c *silencesEndCommand) Run(ctx context.Context, io streams) error {
	by, err := c.name()
	if err != nil {
		return err
	}
	return c.at(ctx, func(d *app.Desk) error {
		s, err := d.EndSilence(ctx, c.ID, by)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(io.out, &s)
		}
		fmt.Fprintf(io.out, "%s: ended\n", printable(s.ID))
		return nil
	})
}
