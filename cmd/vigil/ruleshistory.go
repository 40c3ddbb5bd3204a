package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"vigil"
	"vigil/internal/app"
	"vigil/internal/config"
)

type rulesHistoryCommand struct {
	Config string `short:"c" default:"vigil.yaml" placeholder:"FILE" help:"The configuration of the vigil that is meant (default: ${default})."`
	Limit  int    `default:"20" placeholder:"N" help:"At most so many changes, the newest first (default: ${default}, at most 200)."`
	JSON   bool   `name:"json" help:"Print one change a line as JSON, with all rules of that time."`
}

// Help is shown below the flags.
func (rulesHistoryCommand) Help() string {
	return `Each start of vigil serve with other rules than before is written into its log: which were added, changed and
removed, each by the SHA-256 of its file, and from which entry of the log on they judge. Works while the
service runs, and when it doesn't.

Examples:

    vigil rules history -c vigil.yaml
    vigil rules history --json --limit 1 | jq -r '.rules[] | .sha256 + "  " + .id'`
}

// Run lists.
func (c *rulesHistoryCommand) Run(ctx context.Context, io streams) error {
	if c.Limit < 1 || c.Limit > 200 {
		return &usageError{fmt.Errorf("--limit is %d, must be 1 to 200", c.Limit)}
	}
	cfg, err := config.Load(c.Config, app.Known())
	if err != nil {
		return err
	}
	changes, err := app.RulesHistory(ctx, cfg, c.Limit)
	if err != nil {
		return err
	}
	for i := range changes {
		if c.JSON {
			err = printJSON(io.out, &changes[i])
		} else {
			err = printRulesChange(io.out, &changes[i])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func printRulesChange(w io.Writer, c *vigil.RulesChange) error {
	now := map[string]vigil.RuleMark{}
	off := 0
	for _, r := range c.Rules {
		now[r.ID] = r
		if r.Off {
			off++
		}
	}
	fmt.Fprintf(w, "%s: %s %s, %s of them off, from entry %s of the log on\n", c.Time.UTC().Format(time.DateTime),
		count(int64(len(c.Rules))), plural(int64(len(c.Rules)), "rule", "rules"), count(int64(off)), count(int64(c.From)))
	if c.By != "" {
		fmt.Fprintf(w, "  %s\n", strings.TrimPrefix(whoChanged(c.By, c.Confirmed, c.Why), ", "))
	}
	state := func(r vigil.RuleMark) string {
		s := fmt.Sprintf("%.12s", r.Digest)
		if r.Off {
			s += ", off"
		}
		return s
	}
	var lines []string
	for _, id := range c.Added {
		lines = append(lines, fmt.Sprintf("added %s (%s)", id, state(now[id])))
	}
	for _, r := range c.Changed {
		lines = append(lines, fmt.Sprintf("changed %s (%s; before %s)", r.ID, state(now[r.ID]), state(r)))
	}
	for _, r := range c.Removed {
		lines = append(lines, fmt.Sprintf("removed %s (%s)", r.ID, state(r)))
	}
	for _, l := range lines {
		if _, err := fmt.Fprintf(w, "  %s\n", printable(strings.TrimSpace(l))); err != nil {
			return err
		}
	}
	return nil
}
