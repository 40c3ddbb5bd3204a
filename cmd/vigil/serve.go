package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

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
SIGTERM: what was taken in is durable, and the next start goes on from there. SIGHUP reads the
configuration again: a good one comes into force without a pause, a bad one changes nothing.

Examples:

    vigil serve -c vigil.yaml
    vigil check -c vigil.yaml && vigil serve -c vigil.yaml --json 2>> vigil.log
    vigil check -c vigil.yaml && pkill -HUP -x vigil
    curl -H "Authorization: Bearer $TOKEN" --data-binary @events.ndjson http://127.0.0.1:8470/v1/events`
}

// Run serves until it is told to stop.
func (c *serveCommand) Run(ctx context.Context, io streams) (err error) {
	cfg, err := config.Load(c.Config, app.Known())
	if err != nil {
		return err
	}
	service, err := app.New(cfg, app.Options{Logger: logger(io, c.Verbose, c.JSON), Output: io.out, Version: version()})
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
	if link := service.SetUpLink(); link != "" {
		fmt.Fprintf(io.err, "vigil: nobody can sign in yet; set up the first account within 30 minutes, once: %s\n", link)
	}
	err = c.stay(ctx, io, service)
	fmt.Fprintln(io.err, "vigil: stopping")
	return errors.Join(err, service.Stop(ctx))
}

// stay returns when the service is to end. Until then it reloads the configuration as
// often as it is told to.
func (c *serveCommand) stay(ctx context.Context, io streams, service *app.App) error {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-service.Failed():
			return err
		case <-hup:
			cfg, err := config.Load(c.Config, app.Known())
			if err == nil {
				err = service.Reload(ctx, cfg)
			}
			if err != nil {
				fmt.Fprintf(io.err, "vigil: the configuration was not reloaded, the old one stays:\n")
				_ = fail(io, err)
				continue
			}
			fmt.Fprintf(io.err, "vigil: reloaded %s\n", printable(c.Config))
		}
	}
}
