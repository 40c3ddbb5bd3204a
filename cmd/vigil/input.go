package main

import (
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"time"

	"vigil"
	"vigil/collectors/file"
	"vigil/internal/app"
)

// keyVariable names the environment variable of the pseudonym key in help texts.
const keyVariable = app.KeyVariable

// inputFlags are the flags of the commands that read files.
type inputFlags struct {
	Files []string `arg:"" name:"file" help:"Log files, folders or globs, - for standard input; plain, gzip or zstd, rotated, in any order."`

	Config        string            `short:"c" placeholder:"FILE" help:"Take mapping, actors, format, feeds and pseudonym key from this configuration."`
	Source        string            `placeholder:"NAME" help:"The source in the configuration that the files belong to."`
	Format        string            `placeholder:"NAME" help:"The log format (see vigil formats); found by itself when left out."`
	Preset        string            `placeholder:"NAME" help:"A schema that vigil knows: chatwoot or rasa."`
	LogLinePrefix string            `placeholder:"PREFIX" help:"PostgreSQL's log_line_prefix, when it isn't found by itself."`
	LogFormat     string            `placeholder:"FORMAT" help:"The log format as nginx, Apache or Envoy are configured, when it isn't found by itself."`
	Param         map[string]string `mapsep:"none" placeholder:"NAME=VALUE" help:"Another setting of the format, such as actor=$$http_x_user of nginx."`
	Mapping       string            `placeholder:"FILE" help:"A mapping file, for logs of no format that vigil knows (format mapped)."`
	Store         string            `placeholder:"NAME" help:"The system that the logs are of, for events that don't name it."`
	Feed          []string          `sep:"none" placeholder:"KIND=FILE" help:"A file that tells reasons for reads, such as person=people.csv or assignment=tickets.csv; repeat it for more."`
	Pseudonyms    bool              `help:"Replace people's identifiers by pseudonyms (key: the configuration's, else the variable ${keyvar}, else one of this run alone)."`

	// eventsOnly leaves out what the configuration's feeds tell.
	eventsOnly bool
}

// How many of the records that are set aside for one reason are listed.
const (
	listNone = 0
	listSome = 20
	listAll  = math.MaxInt
)

// resolve turns the flags into an input. Of the records that are set aside, list
// of each kind are printed to stderr, as file:line: reason.
func (f *inputFlags) resolve(io streams, list int) (*app.Resolved, *progress, error) {
	if err := f.mapped(); err != nil {
		return nil, nil, err
	}
	resolved, err := app.Settings{
		Files: f.Files, Config: f.Config, Source: f.Source, Format: f.Format, Preset: f.Preset,
		LogLinePrefix: f.LogLinePrefix, LogFormat: f.LogFormat, Store: f.Store, Params: f.Param, Pseudonyms: f.Pseudonyms,
		Feeds: f.Feed, EventsOnly: f.eventsOnly, Problem: func(text string) { fmt.Fprintf(io.err, "vigil: %s\n", printable(text)) },
	}.Resolve()
	if err != nil {
		return nil, nil, err
	}
	if resolved.RandomKey {
		fmt.Fprintf(io.err, "vigil: the pseudonyms are of this run alone; set %s to have the same ones again\n", keyVariable)
	}
	bar := newProgress(io.err, "reading")
	resolved.Input.Progress = bar.set
	if list > 0 {
		listed := map[string]int{}
		resolved.Input.Quarantine = func(q vigil.Quarantined) {
			n := listed[q.Code]
			if n > list {
				return
			}
			listed[q.Code]++
			bar.clear()
			if n == list {
				fmt.Fprintf(io.err, "vigil: more records like these (%q) are counted only; vigil parse lists every one\n", q.Code)
				return
			}
			fmt.Fprintln(io.err, quarantineLine(q))
		}
	}
	return resolved, bar, nil
}

// mapped lets a mapping file choose the format that reads by it.
func (f *inputFlags) mapped() error {
	switch {
	case f.Mapping == "":
		return nil
	case f.Format != "" && f.Format != "mapped":
		return &usageError{fmt.Errorf("--mapping is for the format mapped, not for %s; leave --format out", f.Format)}
	}
	f.Format = "mapped"
	params := maps.Clone(f.Param)
	if params == nil {
		params = map[string]string{}
	}
	params["mapping"] = f.Mapping
	f.Param = params
	return nil
}

// listing is how much is listed: nothing when quiet was asked for.
func listing(quiet bool, otherwise int) int {
	if quiet {
		return listNone
	}
	return otherwise
}

// quarantineLine says where and why a record was set aside.
func quarantineLine(q vigil.Quarantined) string {
	at := q.File
	if q.Line > 0 {
		at = fmt.Sprintf("%s:%d", q.File, q.Line)
	}
	return printable(fmt.Sprintf("%s: %s", at, q.Reason))
}

// printSummary tells what was read, one fact a line.
func printSummary(w io.Writer, s file.Summary) {
	fmt.Fprintf(w, "%s %s, %s %s, %s %s set aside\n",
		count(int64(len(s.Files))), plural(int64(len(s.Files)), "file", "files"),
		count(s.Events), plural(s.Events, "event", "events"),
		count(total(s.Quarantined)), plural(total(s.Quarantined), "record", "records"))
	for _, f := range s.Files {
		span := ""
		if !f.First.IsZero() {
			span = fmt.Sprintf(", %s to %s", f.First.UTC().Format(time.DateTime), f.Last.UTC().Format(time.DateTime))
		}
		format := f.Format
		if format == "" {
			format = "not read"
		}
		fmt.Fprintf(w, "  %s: %s, %s %s%s\n", printable(f.Path), format, count(f.Events), plural(f.Events, "event", "events"), span)
	}
	for _, code := range sortedKeys(s.Quarantined) {
		fmt.Fprintf(w, "  set aside as %q: %s\n", code, count(s.Quarantined[code]))
	}
	for _, note := range s.Notes {
		fmt.Fprintf(w, "  note: %s\n", printable(note))
	}
	if s.Late > 0 {
		fmt.Fprintf(w, "  note: %s events came after their place in time had passed\n", count(s.Late))
	}
}

// isTerminal reports whether w is a terminal.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
}
