package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"vigil/dashboards/audit"
	"vigil/dashboards/phrase"
	"vigil/internal/api"
	"vigil/internal/app"
	"vigil/internal/config"
)

type reportsCommand struct {
	List   reportsListCommand   `cmd:"" help:"List the audit reports that are kept."`
	Make   reportsMakeCommand   `cmd:"" help:"Make an audit report of a time, sign it and keep it."`
	Verify reportsVerifyCommand `cmd:"" help:"Tell whether reports are as they were signed."`
	Key    reportsKeyCommand    `cmd:"" help:"Print the public key with which reports are signed."`
}

// errNotAsSigned says that a report is not as it was signed; what is wrong was printed.
var errNotAsSigned = errors.New("not everything is as it was signed")

// open opens the reports for a while.
func (f *hereFlags) reports(ctx context.Context, use func(r *app.Reports, cfg *config.Config) error) (err error) {
	cfg, err := config.Load(f.Config, app.Known())
	if err != nil {
		return err
	}
	r, err := app.OpenReports(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	return use(r, cfg)
}

type reportsListCommand struct {
	hereFlags `embed:""`
}

// Run lists.
func (c *reportsListCommand) Run(ctx context.Context, io streams) error {
	return c.reports(ctx, func(r *app.Reports, _ *config.Config) error {
		all, err := r.Reports(ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			return printEach(io.out, all)
		}
		if len(all) == 0 {
			fmt.Fprintln(io.out, "no reports")
			return nil
		}
		t := columns(io.out, "id", "period", "made", "folder", "manifest's SHA-256")
		for _, k := range all {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%.16s\n", printable(k.ID), audit.PeriodName(k.From, k.To), k.Made.UTC().Format(time.DateTime), printable(k.Dir), k.SHA256)
		}
		return t.Flush()
	})
}

type reportsMakeCommand struct {
	hereFlags `embed:""`
	byFlag    `embed:""`

	From   string `placeholder:"DAY" help:"The first day, such as 2026-10-01 (default: the whole month before this one)."`
	To     string `placeholder:"DAY" help:"The day after the last one, such as 2026-11-01."`
	Output string `short:"o" placeholder:"DIR" help:"Copy the report's files into this folder as well."`
}

// Help is shown below the flags.
func (reportsMakeCommand) Help() string {
	return `The report tells who had access and used it, dormant accounts, what vendors took against their contracts,
reads after consent had ended, what could not be seen, what was found and how it ended, and who watched the
watcher. It is one page of HTML and a PDF, signed, and kept in the data folder. A second one of the same time
is another revision: none is ever replaced. Works while the service runs, and when it doesn't. Days are UTC.

Examples:

    vigil reports make
    vigil reports make --from 2026-10-01 --to 2026-11-01 -o /tmp/october`
}

// Run makes a report.
func (c *reportsMakeCommand) Run(ctx context.Context, io streams) error {
	from, to, err := c.period(time.Now())
	if err != nil {
		return &usageError{err}
	}
	by, err := c.name()
	if err != nil {
		return err
	}
	return c.reports(ctx, func(r *app.Reports, cfg *config.Config) error {
		k, err := r.Make(ctx, api.ReportAsk{From: from, To: to, By: by})
		if err != nil {
			return err
		}
		if c.Output != "" {
			if err := app.ExportReport(cfg, k, c.Output); err != nil {
				return fmt.Errorf("report %s is kept; %w", k.ID, err)
			}
		}
		if c.JSON {
			return printJSON(io.out, &k)
		}
		fmt.Fprintf(io.out, "%s: %s, kept in %s of the data folder\n", k.ID, audit.PeriodName(k.From, k.To), k.Dir)
		for _, f := range k.Files {
			fmt.Fprintf(io.out, "  %s\n", f)
		}
		return nil
	})
}

// period reads the days that are asked for.
func (c *reportsMakeCommand) period(now time.Time) (from, to time.Time, err error) {
	if c.From == "" && c.To == "" {
		from, to = app.LastMonth(now)
		return from, to, nil
	}
	if c.From == "" || c.To == "" {
		return from, to, errors.New("--from and --to go together: name both days, or none for the month before this one")
	}
	if from, err = time.Parse(time.DateOnly, c.From); err != nil {
		return from, to, fmt.Errorf("--from %q is no day; write it as 2026-10-01", c.From)
	}
	if to, err = time.Parse(time.DateOnly, c.To); err != nil {
		return from, to, fmt.Errorf("--to %q is no day; write it as 2026-11-01", c.To)
	}
	return from, to, nil
}

type reportsVerifyCommand struct {
	Path string `arg:"" placeholder:"DIR-or-FILE" help:"A folder with reports, or one file of a report; its others lie beside it."`
	Key  string `placeholder:"PUBLIC-KEY" help:"The key that must have signed, or a file with it (see vigil reports key)."`
	JSON bool   `name:"json" help:"Print JSON."`
}

// Help is shown below the flags.
func (reportsVerifyCommand) Help() string {
	return `Compares each file with its SHA-256 in the manifest, and the manifest with its signature (Ed25519). It needs
no data folder, no configuration and no service. Without --key it shows that nothing was changed since it was
signed, and not by whom: whoever can make a report can sign one with a key of their own. Exits with 1 when
anything is not as it was signed.

Examples:

    vigil reports verify /tmp/october --key "$(vigil reports key)"
    vigil reports verify vigil-audit-2026-10-r1.pdf --key officer.pub`
}

// Run verifies.
func (c *reportsVerifyCommand) Run(_ context.Context, io streams) error {
	all, err := c.verify()
	if err != nil {
		return err
	}
	bad := 0
	for i := range all {
		if len(all[i].Problems) > 0 {
			bad++
		}
		if c.JSON {
			if err := printJSON(io.out, &all[i]); err != nil {
				return err
			}
			continue
		}
		printVerified(io.out, &all[i])
	}
	if bad > 0 {
		return errNotAsSigned
	}
	return nil
}

func (c *reportsVerifyCommand) verify() ([]app.VerifiedReport, error) {
	if c.Key == "" {
		return app.VerifyReports(c.Path, nil)
	}
	key, err := app.ParseReportKey(c.Key)
	if err != nil {
		return nil, &usageError{fmt.Errorf("--key: %w", err)}
	}
	return app.VerifyReports(c.Path, key)
}

func printVerified(w io.Writer, v *app.VerifiedReport) {
	for _, p := range v.Problems {
		fmt.Fprintf(w, "NOT as signed: %s\n", printable(p))
	}
	if len(v.Problems) > 0 {
		return
	}
	m := &v.Manifest
	fmt.Fprintf(w, "%s: as signed on %s: %s, %s\n", printable(m.ID), phrase.Moment(m.Made), audit.PeriodName(m.From, m.To), plural(int64(len(m.Files)), "1 file", fmt.Sprint(len(m.Files))+" files"))
	fmt.Fprintf(w, "  audit log then: %s records, head %s\n", count(int64(m.AuditRecords)), printable(m.AuditHead))
	if v.Trusted {
		fmt.Fprintln(w, "  signed with the key that was given")
	} else {
		fmt.Fprintf(w, "  signed with %s: this is what the report itself says; give the key with --key to know by whom\n", printable(m.Key))
	}
}

type reportsKeyCommand struct {
	Config string `short:"c" default:"vigil.yaml" placeholder:"FILE" help:"The configuration of the vigil that is meant (default: ${default})."`
	PEM    bool   `name:"pem" help:"Print it as PEM, for other programs."`
}

// Run prints the key.
func (c *reportsKeyCommand) Run(io streams) error {
	cfg, err := config.Load(c.Config, app.Known())
	if err != nil {
		return err
	}
	line, asPEM, err := app.ReportKey(cfg)
	if err != nil {
		return err
	}
	if c.PEM {
		fmt.Fprint(io.out, asPEM)
		return nil
	}
	fmt.Fprintln(io.out, line)
	return nil
}
