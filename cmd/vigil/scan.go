package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"vigil"
	"vigil/alerts"
	"vigil/alerts/terminal"
	"vigil/dashboards/phrase"
	"vigil/detector"
	"vigil/internal/app"
)

type scanCommand struct {
	inputFlags `embed:""`

	Budget float64  `placeholder:"N" help:"False findings a day that people accept (default: one for each 1,000 actors)."`
	Since  string   `placeholder:"TIME" help:"Drop findings that ended before (2026-11-02, or 2026-11-02T15:04:05Z). All events are learnt from."`
	HTML   string   `name:"html" placeholder:"FILE" help:"Write a report with pictures, in one file that needs nothing else."`
	JSON   bool     `name:"json" help:"Print one finding a line as JSON, and no summary."`
	FailOn severity `placeholder:"SEVERITY" help:"Exit with 3 when there is a finding at least as severe: low, medium, high or critical."`
	Quiet  bool     `short:"q" help:"Don't list what was set aside, only count it."`
}

// severity is a flag that names one.
type severity vigil.Severity

// UnmarshalText takes one of the closed set.
func (s *severity) UnmarshalText(text []byte) error {
	if vigil.Severity(text).Rank() == 0 {
		return fmt.Errorf("%q is no severity; use low, medium, high or critical", text)
	}
	*s = severity(text)
	return nil
}

// Help is shown below the flags.
func (scanCommand) Help() string {
	return `Reads the files once, oldest event first, learns what is normal on the way and judges each event by
what was known before it. Give it weeks rather than hours: without a past there is nothing to compare
with, and the summary says what could not be judged. Exits with 0 also when there are findings.

Examples:

    vigil scan /var/log/postgresql/
    vigil scan --preset chatwoot --html report.html postgresql-*.log.gz
    vigil scan -c vigil.yaml --since 2026-11-01 --json audit.ndjson | jq .sentence
    vigil scan --fail-on high --quiet nightly.log || alert`
}

// Run scans.
func (c *scanCommand) Run(ctx context.Context, io streams) error {
	since, err := parseTime("--since", c.Since)
	if err != nil {
		return &usageError{err}
	}
	if c.Budget < 0 {
		return &usageError{fmt.Errorf("--budget %v is negative; leave it out for the default", c.Budget)}
	}
	resolved, bar, err := c.resolve(io, listing(c.Quiet, listSome))
	if err != nil {
		return err
	}
	opts := app.ScanOptions{Budget: c.Budget, MaxActors: resolved.MaxActors, MaxCold: resolved.MaxCold, Rules: resolved.Rules, Since: since}
	if c.Budget == 0 {
		opts.Budget = resolved.Budget
	}
	result, err := app.Scan(ctx, resolved.Input, opts)
	bar.done()
	if err != nil {
		return err
	}
	// The report comes first: who reads the list through head or less may end
	// this program before the list does.
	if c.HTML != "" {
		if err := app.WriteReport(ctx, c.HTML, resolved.Input, result); err != nil {
			return err
		}
	}
	if err := c.print(ctx, io.out, result); err != nil {
		return fmt.Errorf("print findings: %w", err)
	}
	atLeast := vigil.Severity(c.FailOn).Rank()
	if atLeast > 0 && slices.ContainsFunc(result.Findings, func(f vigil.Finding) bool { return f.Severity.Rank() >= atLeast }) {
		return errFindings
	}
	return nil
}

// parseTime reads the time that a flag names, UTC where it does not say.
func parseTime(flag, s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339, "2006-01-02T15:04", time.DateTime} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%s %q is no time; write 2026-11-02 or 2026-11-02T15:04:05Z", flag, s)
}

func (c *scanCommand) print(ctx context.Context, w io.Writer, result *app.ScanResult) error {
	out := bufio.NewWriter(w)
	if c.JSON {
		encoder := json.NewEncoder(out)
		encoder.SetEscapeHTML(false)
		for i := range result.Findings {
			if err := encoder.Encode(&result.Findings[i]); err != nil {
				return err
			}
		}
		return out.Flush()
	}
	printer, err := terminal.New(w, terminal.Config{})
	if err != nil {
		return err
	}
	for i := range result.Findings {
		f := &result.Findings[i]
		if _, err := printer.Notify(ctx, alerts.Message{ID: f.ID, Kind: alerts.KindFinding, Finding: f}); err != nil {
			return err
		}
	}
	printResult(out, result)
	return out.Flush()
}

// printResult is the summary below the cards.
func printResult(w io.Writer, result *app.ScanResult) {
	n := int64(len(result.Findings))
	if n == 0 {
		fmt.Fprintln(w, "no findings")
	} else {
		fmt.Fprintf(w, "\n%s %s\n", count(n), plural(n, "finding", "findings"))
	}
	if result.Dropped > 0 {
		fmt.Fprintf(w, "  %s milder ones are not listed\n", count(result.Dropped))
	}
	printSummary(w, result.Input)
	s := result.Detector
	fmt.Fprintf(w, "%s %s judged, budget %s false %s\n", count(int64(s.Actors)), plural(int64(s.Actors), "actor", "actors"), phrase.Number(s.Budget), "findings a day")
	printLanes(w, s.Lanes)
}

// printLanes says what was judged and what was not, one line for all that was and
// one for each thing that was not.
func printLanes(w io.Writer, lanes []detector.Lane) {
	var judged []string
	for _, l := range lanes {
		if l.Ready {
			judged = append(judged, phrase.Lane(l.Name))
		}
	}
	if len(judged) > 0 {
		fmt.Fprintf(w, "  judged: %s\n", strings.Join(judged, ", "))
	}
	// What waits for the same thing stands on one line.
	var whys []string
	names := map[string][]string{}
	for _, l := range lanes {
		if l.Ready {
			continue
		}
		why, part := phrase.Learning(l.Why)
		if part >= 0 {
			why = "learning: " + why
		}
		if names[why] == nil {
			whys = append(whys, why)
		}
		names[why] = append(names[why], phrase.Lane(l.Name))
	}
	for _, why := range whys {
		fmt.Fprintf(w, "  not judged yet: %s (%s)\n", strings.Join(names[why], ", "), printable(why))
	}
}
