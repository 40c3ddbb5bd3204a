package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/user"
	"time"

	"vigil"
	"vigil/alerts"
	"vigil/alerts/terminal"
	"vigil/dashboards/phrase"
	"vigil/internal/api"
	"vigil/internal/app"
	"vigil/internal/config"
)

type findingsCommand struct {
	List    findingsListCommand `cmd:"" help:"List findings, worst first."`
	Show    showCommand         `cmd:"" help:"Show one finding in full."`
	Verdict verdictCommand      `cmd:"" help:"Say what a finding was: breach, misuse, expected or unknown."`
	Expect  expectCommand       `cmd:"" help:"Make an exception out of a finding: what it tells of is expected for a while."`
}

// hereFlags say which vigil is meant of this machine.
type hereFlags struct {
	Config string `short:"c" default:"vigil.yaml" placeholder:"FILE" help:"The configuration of the vigil that is meant (default: ${default})."`
	JSON   bool   `name:"json" help:"Print JSON."`
}

// deskFlags say whose findings are meant.
type deskFlags struct {
	hereFlags `embed:""`

	Server string `placeholder:"URL" help:"A vigil on another machine: the address of its console."`
	Token  string `placeholder:"SECRET" help:"The API token for --server: env:NAME or file:PATH."`
}

// open opens the desk that is meant.
func (f *deskFlags) open(ctx context.Context) (*app.Desk, error) {
	if f.Server == "" && f.Token == "" {
		cfg, err := config.Load(f.Config, app.Known())
		if err != nil {
			return nil, err
		}
		return app.OpenDesk(ctx, cfg)
	}
	token, err := f.secret()
	if err != nil {
		return nil, err
	}
	return app.OpenServer(f.Server, token)
}

// secret is the token for the other vigil.
func (f *deskFlags) secret() (token config.Secret, err error) {
	if f.Server == "" || f.Token == "" {
		return token, &usageError{errors.New("--server and --token go together: where the other vigil is, and the API token for it")}
	}
	if err := token.UnmarshalText([]byte(f.Token)); err != nil {
		return token, &usageError{fmt.Errorf("--token: %w", err)}
	}
	return token, nil
}

// at opens the desk for a while.
func (f *deskFlags) at(ctx context.Context, use func(d *app.Desk) error) (err error) {
	d, err := f.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	return use(d)
}

// byFlag says who speaks.
type byFlag struct {
	By string `placeholder:"NAME" help:"Who says so; kept as a pseudonym (default: who runs this command)."`
}

func (b *byFlag) name() (string, error) {
	if b.By != "" {
		return b.By, nil
	}
	u, err := user.Current()
	if err != nil {
		return "", fmt.Errorf("find out who runs this: %w; give --by NAME", err)
	}
	return u.Username, nil
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// printEach prints each of a list as a line of JSON.
func printEach[T any](w io.Writer, all []T) error {
	for i := range all {
		if err := printJSON(w, &all[i]); err != nil {
			return err
		}
	}
	return nil
}

type findingsListCommand struct {
	deskFlags `embed:""`

	Min   string `enum:",low,medium,high,critical" default:"" placeholder:"SEVERITY" help:"Leave out milder ones."`
	State string `enum:",open,closed" default:"" placeholder:"STATE" help:"Only those that are open, or closed."`
	Limit int    `default:"50" placeholder:"N" help:"At most so many (default: ${default}, at most 500)."`
}

// Help is shown below the flags.
func (findingsListCommand) Help() string {
	return `Asks the running service, or looks into its data folder when none runs. The order is that of harm, weighed
by how likely a breach is where enough verdicts have been given to tell (see vigil triage report).

Examples:

    vigil findings list -c vigil.yaml
    vigil findings list --min high --json | jq -r .id`
}

// Run lists.
func (c *findingsListCommand) Run(ctx context.Context, io streams) error {
	if c.Limit < 1 || c.Limit > 500 {
		return &usageError{fmt.Errorf("--limit is %d, must be 1 to 500", c.Limit)}
	}
	return c.at(ctx, func(d *app.Desk) error {
		page, err := d.Findings(ctx, api.FindingFilter{MinSeverity: vigil.Severity(c.Min), State: vigil.FindingState(c.State), Limit: c.Limit})
		if err != nil {
			return err
		}
		if c.JSON {
			return printEach(io.out, page.Findings)
		}
		if len(page.Findings) == 0 {
			fmt.Fprintln(io.out, "no findings")
			return nil
		}
		t := columns(io.out, "id", "severity", "state", "verdict", "likely", "what")
		for i := range page.Findings {
			f := &page.Findings[i]
			verdict, likely := "-", "-"
			if f.Verdict != nil {
				verdict = string(f.Verdict.Word)
			}
			if f.Triage != nil && f.Triage.Known {
				likely = phrase.Percent(f.Triage.P)
			}
			headline, _ := phrase.Headline(f.Sentence)
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", printable(f.ID), f.Severity, f.State, verdict, likely, printable(headline))
		}
		if err := t.Flush(); err != nil {
			return err
		}
		if page.Next != nil {
			fmt.Fprintln(io.out, "there are more; see --limit")
		}
		return nil
	})
}

type showCommand struct {
	deskFlags `embed:""`

	ID string `arg:"" help:"The finding's id."`
}

// Run shows.
func (c *showCommand) Run(ctx context.Context, io streams) error {
	return c.at(ctx, func(d *app.Desk) error {
		f, err := d.Finding(ctx, c.ID)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(io.out, &f)
		}
		printer, err := terminal.New(io.out, terminal.Config{})
		if err != nil {
			return err
		}
		if _, err := printer.Notify(ctx, alerts.Message{ID: f.ID, Kind: alerts.KindFinding, Finding: &f}); err != nil {
			return err
		}
		if v := f.Verdict; v != nil {
			fmt.Fprintf(io.out, "verdict: %s, by %s at %s%s\n", v.Word, printable(v.By), v.Time.Format(time.RFC3339), colon(printable(v.Note)))
		}
		if t := f.Triage; t != nil {
			if t.Known {
				fmt.Fprintf(io.out, "triage: a breach with probability %.2f: %s\n", t.P, printable(t.Why))
			} else {
				fmt.Fprintf(io.out, "triage: not known yet: %s\n", printable(t.Why))
			}
		}
		return nil
	})
}

func colon(note string) string {
	if note == "" {
		return ""
	}
	return ": " + note
}

type verdictCommand struct {
	deskFlags `embed:""`
	byFlag    `embed:""`

	ID   string `arg:"" help:"The finding's id."`
	Word string `arg:"" optional:"" enum:",breach,misuse,expected,unknown" default:"" help:"breach, misuse, expected or unknown."`
	Note string `placeholder:"TEXT" help:"Why, in a sentence: no personal data."`
	Undo bool   `help:"Take the verdict back; all that was learnt from it is learnt anew without."`
}

// Help is shown below the flags.
func (verdictCommand) Help() string {
	return `A verdict is written into the audit log, and then into the log itself. Breach and misuse take what the actor
did out of every baseline; all verdicts teach the order of the queue. Works while the service runs, and when
it doesn't.

Examples:

    vigil findings verdict f-0123456789abcdef breach --note "confirmed with the team lead"
    vigil findings verdict f-0123456789abcdef --undo`
}

// Run decides.
func (c *verdictCommand) Run(ctx context.Context, io streams) error {
	switch {
	case c.Undo && c.Word != "":
		return &usageError{fmt.Errorf("--undo takes the verdict back: leave %q out", c.Word)}
	case !c.Undo && c.Word == "":
		return &usageError{errors.New("no verdict is given: say breach, misuse, expected or unknown, or --undo")}
	}
	by, err := c.name()
	if err != nil {
		return err
	}
	return c.at(ctx, func(d *app.Desk) error {
		v, err := d.Decide(ctx, api.Saying{Finding: c.ID, Word: vigil.Word(c.Word), By: by, Note: c.Note})
		switch {
		case err != nil:
			return err
		case c.JSON:
			return printJSON(io.out, &v)
		case c.Undo:
			fmt.Fprintf(io.out, "%s: the verdict is taken back\n", v.Finding)
		default:
			fmt.Fprintf(io.out, "%s: %s, by %s\n", v.Finding, v.Word, v.By)
		}
		return nil
	})
}
