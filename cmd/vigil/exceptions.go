package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"vigil"
	"vigil/dashboards/phrase"
	"vigil/internal/api"
	"vigil/internal/app"
)

type expectCommand struct {
	deskFlags `embed:""`
	byFlag    `embed:""`

	ID      string `arg:"" help:"The finding's id."`
	Until   string `required:"" placeholder:"TIME" help:"Until when: 30d, 12h, or a day such as 2026-12-31."`
	Scope   string `enum:",network,resource,amount" default:"" placeholder:"SCOPE" help:"What is expected: these networks, these resources, or amounts up to a quarter more (default: what carries most of the evidence)."`
	ForRole bool   `help:"Let it hold for everybody of the actor's role."`
	Note    string `placeholder:"TEXT" help:"Why, in a sentence: no personal data. Needed unless --preview."`
	Preview bool   `help:"Only tell what it would have covered in the last 30 days."`
}

// Help is shown below the flags.
func (expectCommand) Help() string {
	return `What an exception covers counts as no evidence until it ends, and is learnt as usual behaviour. It silences no
rule, and nothing beyond its scope. The last 30 days are looked at first, and told.

Examples:

    vigil findings expect f-0123456789abcdef --until 30d --preview
    vigil findings expect f-0123456789abcdef --until 2026-12-31 --scope network --note "new office"`
}

// Run makes or previews the exception.
func (c *expectCommand) Run(ctx context.Context, io streams) error {
	length, err := untilWhen(c.Until, time.Now())
	if err != nil {
		return &usageError{err}
	}
	by, err := c.name()
	if err != nil {
		return err
	}
	return c.at(ctx, func(d *app.Desk) error {
		covered, err := d.Expect(ctx, api.Expecting{
			Finding: c.ID, By: by, Note: c.Note, Scope: vigil.Scope(c.Scope), ForRole: c.ForRole, For: length.Seconds(), Preview: c.Preview,
		})
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(io.out, &covered)
		}
		x := &covered.Exception
		fmt.Fprintf(io.out, "in the last 30 days: %s of %s accesses are within it; of %s nothing would have been left, of %s less\n",
			count(int64(covered.Events)), count(int64(covered.Of)), listed(covered.Wholly), listed(covered.Partly))
		fmt.Fprintln(io.out, expects(x))
		if c.Preview {
			fmt.Fprintln(io.out, "nothing was made: leave out --preview to make it")
			return nil
		}
		fmt.Fprintf(io.out, "%s: made; end it early with: vigil exceptions end %s\n", x.ID, x.ID)
		return nil
	})
}

// listed counts findings and names the first few.
func listed(ids []string) string {
	n := int64(len(ids))
	if n == 0 {
		return "no finding"
	}
	return fmt.Sprintf("%s %s (%s)", count(n), plural(n, "finding", "findings"), strings.Join(ids[:min(3, len(ids))], ", "))
}

// expects says in words what an exception expects of whom, and until when.
func expects(x *vigil.Exception) string {
	who := x.Who.Actor
	if who == "" {
		who = "everybody of the role " + x.Who.Role
	}
	var what []string
	for _, v := range x.Values {
		what = append(what, string(x.Scope)+" "+v)
	}
	for _, b := range x.Bounds {
		what = append(what, fmt.Sprintf("%s a %s up to %s", phrase.Observation(b.Observation), b.Span, phrase.Number(b.Most)))
	}
	return printable(fmt.Sprintf("of %s until %s: %s", who, x.To.Format(time.DateTime), strings.Join(what, "; ")))
}

// untilWhen reads how long from now on.
func untilWhen(s string, now time.Time) (time.Duration, error) {
	bad := fmt.Errorf("--until %q is no time; write 30d, 12h or 2026-12-31", s)
	if days, ok := strings.CutSuffix(s, "d"); ok {
		var n int
		if _, err := fmt.Sscanf(days+" ", "%d ", &n); err != nil || n < 1 || n > 366 {
			return 0, fmt.Errorf("%w, at most 366d", bad)
		}
		return time.Duration(n) * 24 * time.Hour, nil
	}
	if d, err := time.ParseDuration(s); err == nil && d > 0 {
		return d, nil
	}
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return 0, bad
	}
	if !t.After(now) {
		return 0, fmt.Errorf("--until %s is past", s)
	}
	return t.Sub(now), nil
}

type exceptionsCommand struct {
	List exceptionsListCommand `cmd:"" help:"List exceptions, the newest first."`
	End  exceptionsEndCommand  `cmd:"" help:"End an exception now."`
}

type exceptionsListCommand struct {
	deskFlags `embed:""`
}

// Run lists.
func (c *exceptionsListCommand) Run(ctx context.Context, io streams) error {
	return c.at(ctx, func(d *app.Desk) error {
		all, err := d.Exceptions(ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			return printEach(io.out, all)
		}
		if len(all) == 0 {
			fmt.Fprintln(io.out, "no exceptions")
			return nil
		}
		t := columns(io.out, "id", "finding", "by", "state", "expects")
		for i := range all {
			x := &all[i]
			state := "holds"
			switch {
			case x.Ended:
				state = "ended"
			case !x.To.After(time.Now()):
				state = "over"
			}
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", printable(x.ID), printable(x.Finding), printable(x.By), state, expects(x))
		}
		return t.Flush()
	})
}

type exceptionsEndCommand struct {
	deskFlags `embed:""`
	byFlag    `embed:""`

	ID string `arg:"" help:"The exception's id."`
}

// Run ends it.
func (c *exceptionsEndCommand) Run(ctx context.Context, io streams) error {
	by, err := c.name()
	if err != nil {
		return err
	}
	return c.at(ctx, func(d *app.Desk) error {
		x, err := d.EndException(ctx, c.ID, by)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(io.out, &x)
		}
		fmt.Fprintf(io.out, "%s: ended\n", x.ID)
		return nil
	})
}
