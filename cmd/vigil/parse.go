package main

import (
	"bufio"
	"context"
	"fmt"

	"vigil"
	"vigil/collectors/formats/native"
	"vigil/internal/app"
)

type parseCommand struct {
	inputFlags `embed:""`

	Quiet bool `short:"q" help:"Don't list what was set aside, only count it."`
}

// Help is shown below the flags.
func (parseCommand) Help() string {
	return `Prints one event a line in vigil's native form, oldest first. What can't be read goes to stderr
as file:line: reason, with a summary last. Exits with 0 also when records were set aside.

Examples:

    vigil parse /var/log/postgresql/postgresql-15-main.log
    vigil parse --format nginx --log-format '$remote_addr $request_time "$request"' access.log*
    vigil parse --mapping desk.yaml export.csv
    vigil parse --pseudonyms audit.csv.gz | jq -r .actor | sort | uniq -c`
}

// Run parses.
func (c *parseCommand) Run(ctx context.Context, io streams) error {
	c.eventsOnly = true
	resolved, bar, err := c.resolve(io, listing(c.Quiet, listAll))
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(io.out, 1<<16)
	var line []byte
	summary, err := app.ParseEvents(ctx, resolved.Input, func(e *vigil.Event) error {
		line = append(native.Append(line[:0], e), '\n')
		_, err := out.Write(line)
		return err
	})
	bar.done()
	if ferr := out.Flush(); err == nil && ferr != nil {
		err = fmt.Errorf("print events: %w", ferr)
	}
	if err != nil {
		return err
	}
	printSummary(io.err, summary)
	return nil
}
