package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"vigil/dashboards/phrase"
	"vigil/internal/app"
	"vigil/internal/config"
)

type demoCommand struct {
	Speed           float64 `default:"2880" help:"How many times faster than life the last day plays (2880: the day in 30 seconds; 0: as fast as it goes)."`
	Listen          string  `placeholder:"HOST:PORT" help:"The console's address (default: a free port on 127.0.0.1)."`
	Keep            string  `placeholder:"FOLDER" help:"Keep everything in this folder, which must be new or empty, instead of a temporary one."`
	ExitAfterReplay bool    `help:"End when the recording is over, instead of staying up to be looked at."`
	Verbose         bool    `short:"v" help:"Log what happens to stderr."`
}

// Help is shown below the flags.
func (demoCommand) Help() string {
	return `Replays the recorded audit log of a help desk's PostgreSQL database: four weeks of history in seconds,
then a day with three breaches. It is the same program as serve, with its console on a free local port
and cards in this terminal. Nothing is installed, nothing leaves this machine, and the data folder is
removed at the end. Stop it with Ctrl-C.

Examples:

    vigil demo
    vigil demo --speed 600
    vigil demo --speed 0 --exit-after-replay --keep /tmp/vigil-demo`
}

// Run replays.
func (c *demoCommand) Run(ctx context.Context, io streams) (err error) {
	if c.Speed < 0 {
		return &usageError{fmt.Errorf("--speed %v is negative", c.Speed)}
	}
	if c.Listen != "" {
		if err := config.CheckListen(c.Listen); err != nil {
			return &usageError{fmt.Errorf("--listen: %w", err)}
		}
	}
	if c.Keep != "" {
		if err := app.EmptyDir(c.Keep); err != nil {
			return &usageError{err}
		}
	}
	d, err := app.StartDemo(ctx, app.DemoOptions{
		Dir: c.Keep, Listen: c.Listen, Speed: c.Speed, Output: io.out, Logger: newLogger(io, c.Verbose),
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Stop(ctx)) }()
	fmt.Fprintf(io.out, "The console is at %s\nReplaying four weeks of a help desk's database log, then a day with three breaches.\n\n", d.URL())
	finished := make(chan error, 1)
	go func() { finished <- d.Wait(ctx) }()
	if err := watch(io, d, finished); err != nil {
		return stopped(ctx, err)
	}
	if err := c.tell(ctx, io.out, d); err != nil {
		return stopped(ctx, err)
	}
	if c.ExitAfterReplay {
		return nil
	}
	if err := d.Furnish(ctx); err != nil {
		return stopped(ctx, err)
	}
	fmt.Fprintf(io.out, "\nThe console stays at %s until you press Ctrl-C.\n", d.URL())
	select {
	case <-ctx.Done():
		return nil
	case err := <-d.Failed():
		return err
	}
}

// stopped makes an interruption no error: a demo ends by being stopped.
func stopped(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return nil
}

// watch shows the replay's progress until it has ended.
func watch(io streams, d *app.Demo, finished <-chan error) error {
	bar := newProgress(io.err, "learning four weeks")
	bar.plain = true
	defer bar.done()
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case err := <-finished:
			return err
		case <-ticker.C:
			fraction, lastDay := d.Progress()
			if fraction >= lastDay {
				bar.done() // cards come now
				continue
			}
			bar.set(int64(1000*fraction/lastDay), 1000)
		}
	}
}

// tell holds what was found against the recording's key of truth.
func (c *demoCommand) tell(ctx context.Context, w io.Writer, d *app.Demo) error {
	breaches, others, err := d.Truth(ctx)
	if err != nil {
		return err
	}
	found := 0
	for _, b := range breaches {
		if b.Finding != nil {
			found++
		}
	}
	fmt.Fprintf(w, "The recording is over. Of its %d breaches %d were found; %d other %s.\n\n",
		len(breaches), found, len(others), plural(int64(len(others)), "finding", "findings"))
	for _, b := range breaches {
		fmt.Fprintf(w, "  %s, by %s, who is %s here\n", b.Kind, b.Actor, b.Pseudonym)
		fmt.Fprintf(w, "    began %s, in quantity %s\n", phrase.Moment(b.Start), phrase.Moment(b.Bulk))
		if b.Finding == nil {
			fmt.Fprintln(w, "    missed")
			continue
		}
		fmt.Fprintf(w, "    found %s: %s/findings/%s\n", phrase.Moment(b.Finding.Detected), d.URL(), b.Finding.ID)
	}
	return nil
}

// newLogger writes warnings to stderr, and everything when asked.
func newLogger(io streams, verbose bool) *slog.Logger {
	level := slog.LevelWarn
	if verbose {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(io.err, &slog.HandlerOptions{Level: level}))
}
