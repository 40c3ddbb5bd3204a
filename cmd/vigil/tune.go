package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"vigil"
	"vigil/dashboards/phrase"
	"vigil/internal/app"
	"vigil/internal/config"
)

type tuneCommand struct {
	Config string   `short:"c" default:"vigil.yaml" placeholder:"FILE" help:"The configuration of the vigil that is meant (default: ${default})."`
	Budget *float64 `placeholder:"N" help:"Say what so many false findings a day would have told in the last 30 days."`
	JSON   bool     `name:"json" help:"Print JSON."`
}

// Help is shown below the flags.
func (tuneCommand) Help() string {
	return `Shows the alert budget in force, since when and by whom, what is proposed, and what held before. With --budget
it judges the last 30 days again by another one, beside what was live, and changes nothing. To change the
budget one person proposes it in the console and a second one confirms it there: both are signed in.

Examples:

    vigil tune -c vigil.yaml
    vigil tune --budget 2`
}

// Run shows.
func (c *tuneCommand) Run(ctx context.Context, io streams) error {
	if c.Budget != nil {
		return (&replayCommand{Live: c.Config, Budget: c.Budget, JSON: c.JSON}).Run(ctx, io)
	}
	cfg, err := config.Load(c.Config, app.Known())
	if err != nil {
		return err
	}
	b, err := app.BudgetHistory(ctx, cfg)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(io.out, b)
	}
	return printBudgets(io.out, b)
}

// budgetText says a budget: "2 false findings a day".
func budgetText(perDay float64) string {
	if perDay == 0 {
		return "the default: one false finding a day for each 1,000 people who read customers' data, at least one a month"
	}
	return phrase.Number(perDay) + " false " + plural(int64(perDay), "finding", "findings") + " a day"
}

func printBudgets(w io.Writer, b *app.Budgets) error {
	if len(b.Changes) == 0 {
		fmt.Fprintf(w, "budget: %s, by the configuration\n", budgetText(b.File))
	}
	for i := range b.Changes {
		c := &b.Changes[i]
		head := "before"
		if i == 0 {
			head = "budget"
		}
		fmt.Fprintf(w, "%s: %s, since %s%s\n", head, budgetText(c.PerDay), c.Time.UTC().Format(time.DateTime), whoChanged(c))
	}
	if len(b.Changes) > 0 && b.Changes[0].Own && b.Changes[0].PerDay != b.File {
		fmt.Fprintf(w, "the configuration says %s, which is not in force\n", budgetText(b.File))
	}
	if p := b.Proposal; p != nil {
		fmt.Fprintf(w, "proposed: %s, by %s at %s: %s\n", budgetText(p.PerDay), printable(p.By), p.Time.UTC().Format(time.DateTime), printable(p.Why))
	}
	return nil
}

func whoChanged(c *vigil.BudgetChange) string {
	if c.By == "" {
		return ", by the configuration"
	}
	return fmt.Sprintf(", proposed by %s, confirmed by %s: %s", printable(c.By), printable(c.Confirmed), printable(c.Why))
}
