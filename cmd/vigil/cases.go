package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"vigil"
	"vigil/client"
	"vigil/dashboards/phrase"
	"vigil/internal/access"
	"vigil/internal/api"
	"vigil/internal/app"
)

type casesCommand struct {
	List       casesListCommand       `cmd:"" help:"List cases, those first that may do most harm."`
	Show       casesShowCommand       `cmd:"" help:"Show one case and the end of its timeline."`
	Ack        casesAckCommand        `cmd:"" help:"Take note of a case, and take it."`
	Assign     casesAssignCommand     `cmd:"" help:"Give a case to somebody."`
	Colleagues casesColleaguesCommand `cmd:"" help:"List those to whom a case can be given."`
	Snooze     casesSnoozeCommand     `cmd:"" help:"Leave a case alone for a while, unless it gets graver."`
	Note       casesNoteCommand       `cmd:"" help:"Write a note into a case's timeline."`
	Verdict    casesVerdictCommand    `cmd:"" help:"Say what a case was, which resolves it, or take that back."`
	Aware      casesAwareCommand      `cmd:"" help:"Say that you have become aware of a breach: the 72 hours begin."`
	Ask        casesAskCommand        `cmd:"" help:"Ask the person whom a case is about, in Slack, whether it was them."`
	Pack       casesPackCommand       `cmd:"" help:"Take the evidence of a case out of vigil, signed."`
}

type casesListCommand struct {
	deskFlags `embed:""`

	Min   string `enum:",low,medium,high,critical" default:"" placeholder:"SEVERITY" help:"Leave out milder ones."`
	State string `enum:",new,acknowledged,resolved,unresolved" default:"" placeholder:"STATE" help:"new, acknowledged, resolved, or unresolved (default: all)."`
	Limit int    `default:"50" placeholder:"N" help:"At most so many (default: ${default}, at most 10000)."`
}

// Help is shown below the flags.
func (casesListCommand) Help() string {
	return `Asks the running service, or looks into its data folder when none runs; with --server a vigil on another machine.

Examples:

    vigil cases list --state unresolved
    vigil cases list --min high --json | jq -r .id
    vigil cases list --server https://vigil.example.com --token env:VIGIL_TOKEN`
}

// Run lists.
func (c *casesListCommand) Run(ctx context.Context, io streams) error {
	if c.Limit < 1 || c.Limit > 10_000 {
		return &usageError{fmt.Errorf("--limit is %d, must be 1 to 10000", c.Limit)}
	}
	return c.at(ctx, func(d *app.Desk) error {
		all, more, err := d.Cases(ctx, client.CaseFilter{Min: vigil.Severity(c.Min), State: c.State}, c.Limit)
		if err != nil {
			return err
		}
		if c.JSON {
			return printEach(io.out, all)
		}
		if len(all) == 0 {
			fmt.Fprintln(io.out, "no cases")
			return nil
		}
		t := columns(io.out, "id", "severity", "state", "owner", "findings", "about", "since")
		for i := range all {
			x := &all[i]
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%d\t%s\t%s\n", printable(x.ID), x.Severity, stateOf(x), orDash(x.Owner), x.Total, printable(aboutWhat(x)), x.Opened.UTC().Format(time.DateTime))
		}
		if err := t.Flush(); err != nil {
			return err
		}
		if more {
			fmt.Fprintln(io.out, "there are more; see --limit")
		}
		return nil
	})
}

// stateOf is a case's state, and its verdict where it has one.
func stateOf(c *vigil.Case) string {
	if c.Word != "" {
		return string(c.State) + ": " + string(c.Word)
	}
	return string(c.State)
}

// aboutWhat names what a case is about.
func aboutWhat(c *vigil.Case) string {
	thing := map[vigil.About]string{
		vigil.AboutActor: c.Actor, vigil.AboutSubject: c.Subject, vigil.AboutNetwork: c.Network, vigil.AboutTeam: c.Team, vigil.AboutSource: c.Source,
	}[c.About]
	return string(c.About) + " " + thing
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return printable(s)
}

type casesShowCommand struct {
	deskFlags `embed:""`

	ID string `arg:"" help:"The case's id."`
}

// Run shows.
func (c *casesShowCommand) Run(ctx context.Context, io streams) error {
	return c.at(ctx, func(d *app.Desk) error {
		x, err := d.Case(ctx, c.ID)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(io.out, &x)
		}
		fmt.Fprintf(io.out, "%s: %s, %s, revision %d, owner %s\n", printable(x.ID), x.Severity, stateOf(&x.Case), x.Revision, orDash(x.Owner))
		fmt.Fprintf(io.out, "about %s; %s\n", printable(aboutWhat(&x.Case)), plural(int64(x.Total), "1 finding", count(int64(x.Total))+" findings"))
		if due := x.Due(); !due.IsZero() {
			fmt.Fprintf(io.out, "the authority is to be notified by %s\n", phrase.Moment(due))
		}
		for _, e := range x.Events {
			fmt.Fprintf(io.out, "  %s  %s  %s%s\n", e.Time.UTC().Format(time.DateTime), printable(e.By), e.Kind, colon(printable(e.Text)))
		}
		return nil
	})
}

// caseFlags say which case a deed is on, and by whom.
type caseFlags struct {
	deskFlags `embed:""`
	byFlag    `embed:""`

	ID   string `arg:"" help:"The case's id."`
	Seen int    `placeholder:"REVISION" help:"Do it only if nobody has changed the case since this revision (see cases show)."`
}

// do does a deed on the case, and tells what was done.
func (f *caseFlags) do(ctx context.Context, io streams, act api.CaseAct) error {
	by, err := f.name()
	if err != nil {
		return err
	}
	act.Case, act.Seen = f.ID, f.Seen
	return f.at(ctx, func(d *app.Desk) error {
		done, err := d.Work(ctx, by, act)
		switch {
		case err != nil:
			return err
		case f.JSON:
			return printJSON(io.out, &done)
		}
		if done.Text != "" {
			fmt.Fprintf(io.out, "%s: %s\n", printable(f.ID), printable(done.Text))
		}
		if done.Question != "" {
			fmt.Fprintf(io.out, "  %s\n", printable(done.Question))
		}
		return nil
	})
}

type casesAckCommand struct {
	caseFlags `embed:""`
}

// Run takes the case.
func (c *casesAckCommand) Run(ctx context.Context, io streams) error {
	return c.do(ctx, io, api.CaseAct{Deed: access.DeedAcknowledge})
}

type casesAssignCommand struct {
	caseFlags `embed:""`

	To string `placeholder:"PERSON" help:"Who gets it: as they appear (see cases colleagues), or by name for who may see the accounts (default: who runs this command)."`
}

// Run assigns.
func (c *casesAssignCommand) Run(ctx context.Context, io streams) error {
	return c.do(ctx, io, api.CaseAct{Deed: access.DeedAssign, To: c.To})
}

type casesColleaguesCommand struct {
	deskFlags `embed:""`
	byFlag    `embed:""`
}

// Run lists.
func (c *casesColleaguesCommand) Run(ctx context.Context, io streams) error {
	return c.in(ctx, &c.byFlag, func(d *app.Desk, by string) error {
		all, err := d.Colleagues(ctx, by)
		if err != nil {
			return err
		}
		if c.JSON {
			return printEach(io.out, all)
		}
		if len(all) == 0 {
			fmt.Fprintln(io.out, "nobody else works on cases")
			return nil
		}
		t := columns(io.out, "appears as", "roles")
		for _, x := range all {
			fmt.Fprintf(t, "%s\t%s\n", printable(x.By), printable(strings.Join(x.Roles, ", ")))
		}
		return t.Flush()
	})
}

type casesSnoozeCommand struct {
	caseFlags `embed:""`

	Until string `required:"" placeholder:"TIME" help:"Until when: 3d, 12h, or a day such as 2026-12-31; at most 14 days."`
}

// Run snoozes.
func (c *casesSnoozeCommand) Run(ctx context.Context, io streams) error {
	length, err := untilWhen(c.Until, time.Now())
	if err != nil {
		return &usageError{err}
	}
	return c.do(ctx, io, api.CaseAct{Deed: access.DeedSnooze, For: length})
}

type casesNoteCommand struct {
	caseFlags `embed:""`

	Text string `arg:"" help:"The note, without personal data."`
}

// Run notes.
func (c *casesNoteCommand) Run(ctx context.Context, io streams) error {
	return c.do(ctx, io, api.CaseAct{Deed: access.DeedNote, Note: c.Text})
}

type casesVerdictCommand struct {
	caseFlags `embed:""`

	Word string `arg:"" optional:"" enum:",breach,misuse,expected,unknown" default:"" help:"breach, misuse, expected or unknown."`
	Note string `placeholder:"TEXT" help:"Why, in a sentence: no personal data."`
	Undo bool   `help:"Take the verdict back; the case opens anew."`
}

// Help is shown below the flags.
func (casesVerdictCommand) Help() string {
	return `Examples:

    vigil cases verdict c-0123456789abcdef breach --note "confirmed with the team lead"
    vigil cases verdict c-0123456789abcdef --undo`
}

// Run judges.
func (c *casesVerdictCommand) Run(ctx context.Context, io streams) error {
	if c.Undo == (c.Word != "") {
		return &usageError{errors.New("say breach, misuse, expected or unknown, or --undo")}
	}
	return c.do(ctx, io, api.CaseAct{Deed: access.DeedVerdict, Word: vigil.Word(c.Word), Note: c.Note, TakeBack: c.Undo})
}

type casesAwareCommand struct {
	caseFlags `embed:""`
}

// Run starts the clock.
func (c *casesAwareCommand) Run(ctx context.Context, io streams) error {
	return c.do(ctx, io, api.CaseAct{Deed: access.DeedAware})
}

type casesAskCommand struct {
	caseFlags `embed:""`

	Preview bool `help:"Show what they would be asked, and ask nobody."`
}

// Help is shown below the flags.
func (casesAskCommand) Help() string {
	return `They get a direct message in Slack, which says that the security team asks; their answer comes into the case. Whoever
is asked knows that they are watched: don't ask where you suspect intent.`
}

// Run asks.
func (c *casesAskCommand) Run(ctx context.Context, io streams) error {
	return c.do(ctx, io, api.CaseAct{Deed: access.DeedAsk, Preview: c.Preview})
}
