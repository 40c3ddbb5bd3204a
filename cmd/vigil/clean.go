package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"vigil/internal/app"
	"vigil/internal/drill"
)

type drillCleanCommand struct {
	Seeds     int     `default:"5" placeholder:"N" help:"How many worlds are judged (default: ${default})."`
	FirstSeed uint64  `default:"1" placeholder:"N" help:"The first world's number; other numbers give other worlds."`
	Actors    int     `default:"120" placeholder:"N" help:"People and machines of the made-up traffic (default: ${default})."`
	Days      int     `default:"28" placeholder:"N" help:"Its length in days (default: ${default})."`
	Goings    string  `name:"happenings" default:"all" placeholder:"LIST" help:"What goes on in it: all, none, or names such as spike,vpn (default: ${default})."`
	Feeds     string  `placeholder:"LIST" help:"What other systems tell the detector: all, none, or kinds such as assignment,consent (default: all in made-up traffic, none in recorded)."`
	Budget    float64 `placeholder:"N" help:"False findings a day that people accept (default: one for each 1,000 actors, at least one a month)."`
	JSON      bool    `name:"json" help:"Print all figures as one JSON object, with what each false finding was about."`

	drillTraffic `embed:""`
}

// Help is shown below the flags.
func (drillCleanCommand) Help() string {
	return `Judges weeks of made-up traffic in which nobody does wrong, or yours if you know that it is clean, as
scan would. Every finding is false. For each world and week it tells how many there were, and how many
the budget accepts. Exits with 0 also when they were more.

Examples:

    vigil drill clean
    vigil drill clean --seeds 5 --actors 1000 --json > clean.json
    vigil drill clean --traffic /var/log/postgresql/ --preset chatwoot`
}

// Run judges clean weeks.
func (c *drillCleanCommand) Run(ctx context.Context, io streams) error {
	flags := drillFlags{
		Seeds: c.Seeds, FirstSeed: c.FirstSeed, Actors: c.Actors, Days: c.Days, Goings: c.Goings, Feeds: c.Feeds, Budget: c.Budget, drillTraffic: c.drillTraffic,
	}
	if len(c.Traffic) > 0 {
		flags.Seeds = 1 // it is the same in every world
	}
	opts, bar, err := flags.resolve(io)
	if err != nil {
		return err
	}
	result, err := app.DrillClean(ctx, opts)
	bar.done()
	if err != nil {
		return err
	}
	if c.JSON {
		encoder := json.NewEncoder(io.out)
		encoder.SetEscapeHTML(false)
		return encoder.Encode(result)
	}
	return printClean(io.out, result)
}

// printClean is the table of weeks, what they come to, and the findings.
func printClean(w io.Writer, r *drill.Clean) error {
	t := columns(w, "world", "actors", "week", "from", "false findings", "budget")
	for _, world := range r.Worlds {
		for i, k := range world.Weeks {
			fmt.Fprintf(t, "%d\t%d\t%d\t%s\t%d\t%.2f\n", world.Seed, world.Actors, i+1, k.Start.Format(time.DateOnly), k.Findings, k.Budget)
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	worlds := int64(len(r.Worlds))
	_, err := fmt.Fprintf(w, "\n%d of %d weeks within the budget; %d of %d %s over all weeks\n", r.Within, r.Weeks, r.WorldsWithin, worlds, plural(worlds, "world", "worlds"))
	if err != nil {
		return err
	}
	for _, world := range r.Worlds {
		for i, k := range world.Weeks {
			for _, s := range k.Sentences {
				if _, err := fmt.Fprintf(w, "  world %d, week %d: %s\n", world.Seed, i+1, printable(s)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
