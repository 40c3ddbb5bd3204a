package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"vigil"
	"vigil/alerts/slack/preview"
	"vigil/internal/app"
	"vigil/internal/config"
)

type alertsCommand struct {
	Preview alertsPreviewCommand `cmd:"" help:"Show a message as people would get it, in the words of your templates."`
	Test    alertsTestCommand    `cmd:"" help:"Send a message that says that it is a test."`
}

type alertsPreviewCommand struct {
	Config    string `short:"c" placeholder:"FILE" help:"The configuration whose templates and console address are used (default: none)."`
	Templates string `placeholder:"FOLDER" help:"The folder of templates, in place of the configuration's."`
	Kind      string `default:"case" placeholder:"KIND" help:"What to show: case, acknowledged, resolved, digest, flood or test."`
	Channel   string `default:"slack" placeholder:"NAME" help:"For which channel, where templates differ."`
	Finding   string `placeholder:"ID" help:"Show this finding of the configuration's vigil, in place of an example."`
	HTML      string `name:"html" placeholder:"FILE" help:"Write a page that shows it as in Slack, in light and dark."`
	JSON      bool   `name:"json" help:"Print the blocks that Slack is given."`
}

// Help is shown below the flags.
func (alertsPreviewCommand) Help() string {
	return `Nothing is sent. A template that can't be used is told, and vigil's own words stand in its place.

Examples:

    vigil alerts preview --kind digest
    vigil alerts preview -c vigil.yaml --templates ./templates --html card.html
    vigil alerts preview -c vigil.yaml --finding f-0123456789abcdef`
}

// Run shows it.
func (c *alertsPreviewCommand) Run(ctx context.Context, io streams) error {
	cfg := config.DefaultConfig()
	if c.Config != "" {
		loaded, err := config.Load(c.Config, app.Known())
		if err != nil {
			return err
		}
		cfg = loaded
	}
	if c.Templates != "" {
		cfg.Alerts.Templates = c.Templates
	}
	var f *vigil.Finding
	if c.Finding != "" {
		if c.Config == "" {
			return &usageError{errors.New("--finding needs the configuration of the vigil that has it: give -c")}
		}
		d, err := app.OpenDesk(ctx, cfg)
		if err != nil {
			return err
		}
		defer func() { _ = d.Close() }() // nothing was written
		found, err := d.Finding(ctx, c.Finding)
		if err != nil {
			return err
		}
		f = &found
	}
	p, err := app.PreviewMessage(cfg, c.Kind, c.Channel, f, time.Now())
	if err != nil {
		return err
	}
	if p.Problem != "" {
		fmt.Fprintln(io.err, printable("vigil: templates: "+strings.ReplaceAll(p.Problem, "\n", "; ")))
	}
	if c.HTML != "" {
		if err := os.WriteFile(c.HTML, preview.HTML(p.Blocks, nil), 0o600); err != nil {
			return fmt.Errorf("write page: %w", err)
		}
	}
	if c.JSON {
		fmt.Fprintln(io.out, string(p.Blocks))
		return nil
	}
	fmt.Fprint(io.out, p.Text)
	return nil
}

type alertsTestCommand struct {
	Config  string   `short:"c" required:"" placeholder:"FILE" help:"The configuration."`
	Channel []string `placeholder:"NAME" help:"By this channel only; may be given several times (default: all)."`
	JSON    bool     `name:"json" help:"Print one JSON object for each channel."`
}

// Help is shown below the flags.
func (alertsTestCommand) Help() string {
	return `Each channel is sent one message at once, of severity high, so that it also reaches channels that call people. It says that
it is a test. What can't be sent is told with the remedy, and the exit status is 1.

Examples:

    vigil alerts test -c vigil.yaml
    vigil alerts test -c vigil.yaml --channel mail --channel pager`
}

// Run sends it.
func (c *alertsTestCommand) Run(ctx context.Context, io streams) error {
	cfg, err := config.Load(c.Config, app.Known())
	if err != nil {
		return err
	}
	results, err := app.TestChannels(ctx, cfg, c.Channel, time.Now())
	if err != nil {
		return err
	}
	failed := 0
	for i := range results {
		r := &results[i]
		if !r.OK {
			failed++
		}
		if c.JSON {
			if err := printJSON(io.out, r); err != nil {
				return err
			}
			continue
		}
		if r.OK {
			fmt.Fprintf(io.out, "%s: sent\n", printable(r.Channel))
		} else {
			fmt.Fprintf(io.out, "%s: not sent: %s\n", printable(r.Channel), printable(r.Problem))
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d channels could not be told", failed, len(results))
	}
	return nil
}
