package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"

	"vigil/collectors/formats"
	"vigil/internal/app"
)

type explainCommand struct {
	Line []string `arg:"" name:"line" help:"A record, FILE:LINE for a line of a file, or - for standard input."`

	Config        string            `short:"c" placeholder:"FILE" help:"Take mapping and format from this configuration."`
	Source        string            `placeholder:"NAME" help:"The source in the configuration that the record is of."`
	Format        string            `placeholder:"NAME" help:"The log format (see vigil formats); found by itself when left out."`
	Preset        string            `placeholder:"NAME" help:"A schema that vigil knows: chatwoot or rasa."`
	LogLinePrefix string            `placeholder:"PREFIX" help:"PostgreSQL's log_line_prefix, when it isn't found by itself."`
	LogFormat     string            `placeholder:"FORMAT" help:"The log format as nginx, Apache or Envoy are configured, when it isn't found by itself."`
	Param         map[string]string `mapsep:"none" placeholder:"NAME=VALUE" help:"Another setting of the format."`
}

// Help is shown below the flags.
func (explainCommand) Help() string {
	return `Shows how one record was understood, field by field: what vigil took from it, where it stood, and what
that means; or why it is no access, or can't be read. Nothing is kept.

Examples:

    vigil explain '203.0.113.7 - ann [12/Oct/2026:09:14:05 +0000] "GET /conversations/4711 HTTP/1.1" 200 812'
    vigil explain /var/log/postgresql/postgresql.csv:120
    head -1 audit.ndjson | vigil explain -`
}

// Run explains.
func (c *explainCommand) Run(_ context.Context, io streams) error {
	text, first, err := c.text()
	if err != nil {
		return err
	}
	resolved, err := app.Settings{
		Files: []string{"-"}, Config: c.Config, Source: c.Source, Format: c.Format, Preset: c.Preset,
		LogLinePrefix: c.LogLinePrefix, LogFormat: c.LogFormat, Params: c.Param, EventsOnly: true,
	}.Resolve()
	if err != nil {
		return err
	}
	x, err := app.Explain(&resolved.Input, text, first)
	if err != nil {
		return err
	}
	printExplanation(io.out, x)
	if len(x.Problems) > 0 && len(x.Events) == 0 {
		return errors.New("the record can't be read")
	}
	return nil
}

func printExplanation(w io.Writer, x *app.Explanation) {
	fmt.Fprintf(w, "format: %s (%.0f %% sure", x.Format, 100*x.Sure)
	if x.Next != "" {
		fmt.Fprintf(w, "; next %s, %.0f %%", x.Next, 100*x.NextSure)
	}
	fmt.Fprintln(w, ")")
	for i, e := range x.Events {
		if len(x.Events) > 1 {
			fmt.Fprintf(w, "\nevent %d\n", i+1)
		} else {
			fmt.Fprintln(w)
		}
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		for _, f := range e.Fields {
			from := f.From
			if from != "" && from != "as it stands in the line" {
				from = "from " + from
			}
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", f.Name, printable(shorten(f.Value, 60)), f.Meaning, printable(from))
		}
		_ = t.Flush() // to a writer that fails later as well
	}
	switch {
	case len(x.Problems) > 0:
		fmt.Fprintln(w)
		for _, p := range x.Problems {
			fmt.Fprintln(w, printable(p))
		}
	case len(x.Events) == 0:
		fmt.Fprintln(w, "\nThis is a record of that format, and no access: it yields no event.")
	}
}

func shorten(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

// followed is how many lines behind the one that is asked for are looked at: a record
// may span several.
const followed = 200

// text is what is to be explained; first says that only the record that begins in its
// first line is meant.
func (c *explainCommand) text() (text []byte, first bool, err error) {
	arg := strings.Join(c.Line, " ")
	if arg == "-" {
		text, err = readBounded(os.Stdin)
		return text, false, err
	}
	if at := strings.LastIndexByte(arg, ':'); at > 0 && len(c.Line) == 1 {
		n, err := strconv.Atoi(arg[at+1:])
		if err == nil && n > 0 {
			if f, err := os.Open(arg[:at]); err == nil {
				defer f.Close()
				text, err = linesFrom(f, n, arg[:at])
				return text, true, err
			}
		}
	}
	return []byte(arg), false, nil
}

func readBounded(r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, formats.MaxLine+1))
	if err == nil && len(text) > formats.MaxLine {
		err = errors.New("more than 1 MiB is given: explain takes one record or a few")
	}
	return text, err
}

// linesFrom is line n of a file and some that follow.
func linesFrom(r io.Reader, n int, name string) (text []byte, err error) {
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 64<<10), formats.MaxLine)
	for i := 1; s.Scan() && i < n+followed && len(text) < formats.MaxLine; i++ {
		if i >= n {
			text = append(append(text, s.Bytes()...), '\n')
		}
	}
	if err := s.Err(); err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if text == nil {
		return nil, fmt.Errorf("%s has fewer than %d lines", name, n)
	}
	return text, nil
}
