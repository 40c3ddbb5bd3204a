package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"vigil"
	"vigil/dashboards/phrase"
	"vigil/internal/api"
	"vigil/internal/app"
	"vigil/internal/config"
)

type replayCommand struct {
	Live    string   `short:"c" default:"vigil.yaml" placeholder:"FILE" help:"The configuration of the vigil whose history is judged again (default: ${default})."`
	From    string   `placeholder:"TIME" help:"Compare findings from this time on, such as 2026-10-01 (default: 30 days before --to)."`
	To      string   `placeholder:"TIME" help:"Up to this time, itself excluded (default: the newest access)."`
	Other   string   `name:"config" placeholder:"FILE" help:"Judge with this configuration's budget, rules and max_actors instead of the live ones."`
	Budget  *float64 `placeholder:"N" help:"Judge with so many false findings a day."`
	Without []string `placeholder:"RULE" help:"Leave out a rule, by its id; repeat it for more."`
	JSON    bool     `name:"json" help:"Print the whole comparison as JSON."`
}

// Help is shown below the flags.
func (replayCommand) Help() string {
	return `Judges what the service has kept once more, and shows how that differs from what it told then: what is
found earlier, later, newly or no more, and what people had said of it. With the setting that was live
nothing differs. Reads beside the running service, changes nothing, and can be stopped at any time.

Examples:

    vigil replay -c vigil.yaml --budget 2
    vigil replay --from 2026-10-01 --to 2026-11-01 --config other.yaml --json`
}

// Run judges again.
func (c *replayCommand) Run(ctx context.Context, io streams) error {
	opts := app.BacktestOptions{Budget: c.Budget, Without: c.Without}
	if c.Budget != nil && (*c.Budget < 0 || *c.Budget > vigil.MaxBudget) {
		return &usageError{fmt.Errorf("--budget is %g, must be 0 to %d; 0 is the default budget", *c.Budget, vigil.MaxBudget)}
	}
	var err error
	if opts.From, err = parseTime("--from", c.From); err != nil {
		return &usageError{err}
	}
	if opts.To, err = parseTime("--to", c.To); err != nil {
		return &usageError{err}
	}
	cfg, err := config.Load(c.Live, app.Known())
	if err != nil {
		return err
	}
	if c.Other != "" {
		if opts.Other, err = config.Load(c.Other, app.Known()); err != nil {
			return err
		}
	}
	bar := newProgress(io.err, "judging again")
	bar.plain = true
	opts.Progress = func(done float64) { bar.set(int64(done*1_000), 1_000) }
	r, err := app.Backtest(ctx, cfg, opts)
	bar.done()
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(io.out, r)
	}
	return printReplay(io.out, r)
}

// listedDifferences is how many are printed; JSON has more.
const listedDifferences = 30

func printReplay(w io.Writer, r *api.ReplayReport) error {
	fmt.Fprintf(w, "%s to %s, judged again %s: %s %s, a budget of %s false findings a day\n",
		r.From.Format(time.DateTime), r.To.Format(time.DateTime), replaySetting(r), count(r.Events), plural(r.Events, "access", "accesses"), phrase.Number(r.Budget))
	if r.All.Differ() == 0 {
		fmt.Fprintf(w, "Nothing differs: the same %s %s, at the same times.\n", count(int64(r.All.Live)), plural(int64(r.All.Live), "finding", "findings"))
	}
	t := columns(w, "", "live", "again", "same", "earlier", "later", "new", "gone")
	for _, row := range []struct {
		name string
		c    api.ReplayCounts
	}{{"all findings", r.All}, {"judged a breach or misuse", r.Breaches}, {"judged expected", r.Expected}, {"not judged", r.Unjudged}} {
		c := row.c
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\n", row.name, c.Live, c.Again, c.Same, c.Earlier, c.Later, c.New, c.Gone)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if len(r.Lanes) > 0 {
		t = columns(w, "found by", "live", "again")
		for _, l := range r.Lanes {
			fmt.Fprintf(t, "%s\t%d\t%d\n", printable(l.Lane), l.Live, l.Again)
		}
		if err := t.Flush(); err != nil {
			return err
		}
	}
	for i := range r.Differences[:min(len(r.Differences), listedDifferences)] {
		printDifference(w, &r.Differences[i])
	}
	if more := len(r.Differences) - listedDifferences + r.More; more > 0 {
		fmt.Fprintf(w, "%s more; see --json\n", count(int64(more)))
	}
	if len(r.Unused) > 0 {
		fmt.Fprintf(w, "these settings differ too and can't change what was recorded: %s\n", strings.Join(r.Unused, ", "))
	}
	for _, s := range r.Warnings {
		if _, err := fmt.Fprintf(w, "warning: %s\n", printable(s)); err != nil {
			return err
		}
	}
	return nil
}

// replaySetting says by what was judged again.
func replaySetting(r *api.ReplayReport) string {
	if !r.Changed {
		return "as it was live"
	}
	return "with another " + strings.Join(r.Used, " and ")
}

func printDifference(w io.Writer, d *api.ReplayDifference) {
	f := d.Again
	if f == nil {
		f = d.Live
	}
	by := ""
	if d.Seconds != 0 {
		by = " by " + phrase.Length(time.Duration(d.Seconds*float64(time.Second)).Abs())
	}
	word := ""
	if d.Word != "" {
		word = ", " + string(d.Word)
	}
	fmt.Fprintf(w, "%s%s: %s %s, %s%s\n    %s\n", d.Change, by, f.Detected.UTC().Format(time.DateTime), f.Severity, printable(f.ID), word, printable(f.Sentence))
}
