package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"vigil/internal/app"
)

type drillGainCommand struct {
	drillFlags `embed:""`

	JSON bool `name:"json" help:"Print all figures as one JSON object, with what the findings said."`
}

// Help is shown below the flags.
func (drillGainCommand) Help() string {
	return `Makes up clean weeks in which nothing is staged and judges them several times: with all feeds, with none,
and without each. Every finding is a false one, so the difference is what a feed spares you.

Examples:

    vigil drill gain
    vigil drill gain --feeds assignment,shift,change --seeds 3
    vigil drill gain --json | jq '.rows[] | {name, findings}'`
}

// Run measures.
func (c *drillGainCommand) Run(ctx context.Context, io streams) error {
	if len(c.IDs) > 0 || c.All {
		return &usageError{errors.New("gain stages nothing: leave out the names of drills")}
	}
	if len(c.Traffic) > 0 {
		return &usageError{errors.New("--traffic can't be used: only of made-up traffic is it known that it is clean")}
	}
	opts, bar, err := c.resolve(io)
	if err != nil {
		return err
	}
	if len(opts.Feeds) == 0 {
		return &usageError{errors.New("--feeds none leaves nothing to compare; name some, or all")}
	}
	gains, err := app.DrillGains(ctx, opts)
	bar.done()
	if err != nil {
		return err
	}
	if c.JSON {
		encoder := json.NewEncoder(io.out)
		encoder.SetEscapeHTML(false)
		return encoder.Encode(gains)
	}
	t := columns(io.out, "feeds", "false findings", "a day for each 1,000 actors")
	for _, row := range gains.Rows {
		fmt.Fprintf(t, "%s\t%d\t%.2f\n", row.Name, row.Findings, row.False)
	}
	return t.Flush()
}
