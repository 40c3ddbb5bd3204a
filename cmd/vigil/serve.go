package main

import (
	"context"
	"errors"
	"fmt"

	"vigil/internal/app"
	"vigil/internal/config"
)

type serveCommand struct {
	Config  string `short:"c" required:"" placeholder:"FILE" help:"The configuration file."`
	Verbose bool   `short:"v" help:"Log more than what an operator needs."`
	JSON    bool   `name:"json" help:"Log as JSON, one object a line."`
}

// Help is shown below the flags.
func (serveCommand) Help() string {
	return `Follows the configured files, takes pushes at POST /v1/events, keeps and judges what comes, and tells
findings to Slack, or prints them. The console is at the configured address. Stop it with Ctrl-C or
SIGTERM: what was taken in is durable, and the next start goes on from there.

Examples:

    vigil serve -c vigil.yaml
    vigil check -c vigil.yaml && vigil serve -c vigil.yaml --json 2>> vigil.log
    curl -H "Authorization: Bearer $TOKEN" --data-binary @events.ndjson http://127.0.0.1:8470/v1/events`
}

// Run serves until it is told to stop.
func (c *serveCommand) Run(ctx context.Context, io streams) (err error) {
	cfg, err := config.Load(c.Config, app.Known())
	if err != nil {
		return err
	}
	service, err := app.New(cfg, app.Options{Logger: logger(io, c.Verbose, c.JSON), Output: io.out})
	if err != nil {
		return err
	}
	if err := service.Start(ctx); err != nil {
		return err
	}
	fmt.Fprintf(io.err, "vigil: the console is at %s\n", service.URL())
	if url := service.PushURL(); url != "" {
		fmt.Fprintf(io.err, "vigil: events are taken at %s\n", url)
	}
	select {
	case <-ctx.Done():
	case err = <-service.Failed():
	}
	fmt.Fprintln(io.err, "vigil: stopping")
	return errors.Join(err, service.Stop(ctx))
}
