package main

import (
	"context"
	"fmt"
	"log/slog"

	"vigil/internal/app"
	"vigil/internal/config"
)

type collectCommand struct {
	Config  string `short:"c" required:"" placeholder:"FILE" help:"The collector's configuration file."`
	Check   bool   `help:"Validate the configuration and do nothing else."`
	Verbose bool   `short:"v" help:"Log more than what an operator needs."`
	JSON    bool   `name:"json" help:"Log as JSON, one object a line."`
}

// Help is shown below the flags.
func (collectCommand) Help() string {
	return `Reads sources near where they are and sends what it reads to a central vigil over HTTPS, signed with a
key of its own. Until the central vigil has it on disk, it waits in an encrypted spool: nothing is lost
while the network or the other end is away. Stop it with Ctrl-C or SIGTERM.

Examples:

    vigil collect -c collect.yaml --check
    vigil collect -c collect.yaml --json 2>> collect.log

A configuration:

    name: edge-berlin
    key: env:VIGIL_COLLECTOR_KEY
    central: https://vigil.example.com:8471
    spool_dir: /var/lib/vigil-collect
    sources:
      - {name: berlin-db, file: /var/log/postgresql/*.log}

and at the central vigil:

    collectors: [{name: edge-berlin, key: env:BERLIN_KEY}]
    sources: [{name: berlin-db, collector: edge-berlin}]`
}

// Run collects until it is told to stop.
func (c *collectCommand) Run(ctx context.Context, io streams) error {
	cfg, err := config.LoadCollect(c.Config, app.Known())
	if err != nil {
		return err
	}
	if c.Check {
		fmt.Fprintf(io.out, "%s: good, with %d %s\n", printable(c.Config), len(cfg.Sources), plural(int64(len(cfg.Sources)), "source", "sources"))
		return nil
	}
	service := app.NewCollect(cfg, app.CollectOptions{Logger: logger(io, c.Verbose, c.JSON)})
	if err := service.Start(ctx); err != nil {
		return err
	}
	fmt.Fprintf(io.err, "vigil: collecting %d %s for %s\n", len(cfg.Sources), plural(int64(len(cfg.Sources)), "source", "sources"), printable(cfg.Central))
	if url := service.PushURL(); url != "" {
		fmt.Fprintf(io.err, "vigil: events are taken at %s\n", url)
	}
	<-ctx.Done()
	fmt.Fprintf(io.err, "vigil: stopping; %s bytes wait in the spool\n", count(service.Waiting()))
	return service.Stop(ctx)
}

// logger makes the log of a program that stays.
func logger(io streams, verbose, json bool) *slog.Logger {
	options := &slog.HandlerOptions{Level: slog.LevelInfo}
	if verbose {
		options.Level = slog.LevelDebug
	}
	if json {
		return slog.New(slog.NewJSONHandler(io.err, options))
	}
	return slog.New(slog.NewTextHandler(io.err, options))
}
