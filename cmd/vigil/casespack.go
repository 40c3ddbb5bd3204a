package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"vigil/internal/app"
)

type casesPackCommand struct {
	deskFlags `embed:""`

	ID  string `arg:"" help:"The case's id."`
	Out string `short:"o" placeholder:"FILE" help:"Where it goes (default: vigil-evidence-ID.zip here). A file that is there is left as it is."`
}

// Help is shown below the flags.
func (casesPackCommand) Help() string {
	return `Has the running service make the evidence pack of a case: its findings, the accesses behind them, its
timeline, its notifications and its part of the audit log, signed. That it was made is in the audit log.

Examples:

    vigil cases pack c-0123456789abcdef -o evidence.zip
    vigil verify evidence.zip`
}

// Run makes the pack.
func (c *casesPackCommand) Run(ctx context.Context, streams streams) error {
	path := c.Out
	if path == "" {
		path = "vigil-evidence-" + filepath.Base(c.ID) + ".zip"
	}
	return c.at(ctx, func(d *app.Desk) error {
		size, err := writeNew(path, func(w io.Writer) error {
			_, err := d.MakePack(ctx, c.ID, w)
			return err
		})
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(streams.out, map[string]any{"case": c.ID, "file": path, "bytes": size})
		}
		fmt.Fprintf(streams.out, "%s: evidence pack of %s bytes in %s\n", printable(c.ID), count(size), printable(path))
		return nil
	})
}

// writeNew writes a file that is not there yet, and takes it away again when that fails.
// The size is in bytes.
func writeNew(path string, write func(w io.Writer) error) (size int64, err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return 0, fmt.Errorf("%s is there already: name another file with -o", path)
	}
	if err != nil {
		return 0, err
	}
	if err = write(f); err == nil {
		size, err = f.Seek(0, io.SeekCurrent)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return 0, errors.Join(err, os.Remove(path))
	}
	return size, nil
}
