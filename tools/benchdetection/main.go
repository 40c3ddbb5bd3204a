// Command benchdetection measures how well vigil's scores tell labelled attacks in
// public data, and writes the tables into the documentation.
//
//	go run ./tools/benchdetection -only logins -print
//
// It builds vigil and runs it on each set with its default settings, with other
// programs' isolation forests beside it. Where the data is not there it says so and writes
// nothing of it. How well p-values are calibrated is measured on made-up traffic, and
// drawn as well. The work is in internal/evaluate.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"vigil/internal/evaluate"
	"vigil/internal/traffic"
)

// options is what the command line says.
type options struct {
	data, output string
	sets         []string
	print        bool
	limit        int
}

// sets are the names of what can be measured, in the order of the document.
var sets = [...]string{"calibration", "darpa", "logins", "nab", "ms"}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "benchdetection:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out, log io.Writer) error {
	o, err := parse(args, log)
	if err != nil {
		return err
	}
	if _, err := os.Stat(o.data); errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintf(log, "benchdetection: NO PUBLIC DATA: there is no folder %s; name the one with the public data by -data\n", o.data)
	}
	dir, err := os.MkdirTemp("", "vigil-benchdetection-")
	if err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	defer os.RemoveAll(dir)
	program, err := evaluate.Build(ctx, ".", dir)
	if err != nil {
		return err
	}
	bench := bench{options: o, program: program, dir: dir, log: log}
	for _, set := range o.sets {
		fmt.Fprintf(log, "benchdetection: %s ...\n", set)
		text, err := bench.measure(ctx, set)
		if errors.Is(err, fs.ErrNotExist) {
			fmt.Fprintf(log, "benchdetection: NOT MEASURED: %s: %v\n", set, err)
			continue
		}
		if err != nil {
			return err
		}
		if o.print {
			fmt.Fprintln(out, text)
			continue
		}
		if err := write(o.output, set, text); err != nil {
			return err
		}
	}
	return nil
}

func parse(args []string, log io.Writer) (options, error) {
	var o options
	var only string
	flags := flag.NewFlagSet("benchdetection", flag.ContinueOnError)
	flags.SetOutput(log)
	flags.StringVar(&o.data, "data", filepath.Join("..", "shared", "data"), "the folder with the public data")
	flags.StringVar(&only, "only", "", "measure only these sets, with commas between: "+strings.Join(sets[:], ", "))
	flags.StringVar(&o.output, "o", filepath.Join("docs", "benchmarks.md"), "the document whose tables are replaced")
	flags.BoolVar(&o.print, "print", false, "print the tables and leave the document alone")
	flags.IntVar(&o.limit, "limit", 0, "take only so many edges, for a quick look; 0 takes all")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("%q is no flag", flags.Arg(0))
	}
	o.sets = sets[:]
	if only != "" {
		o.sets = strings.Split(only, ",")
	}
	for _, s := range o.sets {
		if !slices.Contains(sets[:], s) {
			return o, fmt.Errorf("-only %q: there is %s", s, strings.Join(sets[:], ", "))
		}
	}
	return o, nil
}

// write puts a table into the document.
func write(path, set, text string) error {
	doc, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read the document: %w", err)
	}
	next, err := evaluate.Insert(string(doc), set, text)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, []byte(next), 0o644); err != nil {
		return fmt.Errorf("write the document: %w", err)
	}
	return nil
}

// bench is one run.
type bench struct {
	options
	program evaluate.Program
	dir     string
	log     io.Writer
}

// measure returns a set's table.
func (b *bench) measure(ctx context.Context, set string) (string, error) {
	switch set {
	case "calibration":
		return b.calibration(ctx)
	case "darpa":
		events, err := evaluate.Edges(ctx, b.data, b.limit)
		if err != nil {
			return "", err
		}
		scores, err := b.program.Score(ctx, events)
		if err != nil {
			return "", err
		}
		return evaluate.EventTable(scores, nil)
	case "logins":
		return b.logins(ctx)
	case "nab":
		r, err := b.program.NAB(ctx, b.data)
		if err != nil {
			return "", err
		}
		return evaluate.NABTable(r), nil
	case "ms":
		r, err := b.program.Cloud(ctx, b.data)
		if err != nil {
			return "", err
		}
		return evaluate.CloudTable(r), nil
	}
	return "", fmt.Errorf("measure %q: there is no such set", set)
}

// The traffic on which calibration is measured: quiet, of some worlds, the last half
// of four weeks.
const (
	quietEvents = 150_000
	quietActors = 300
	quietDays   = 28
	quietSeed   = 77
	quietWorlds = 5
)

// calibration returns the table of small p-values, and draws it unless tables are
// only printed.
func (b *bench) calibration(ctx context.Context) (string, error) {
	start := time.Date(2026, 10, 5, 0, 0, 0, 0, time.UTC)
	var quiet []func(io.Writer) error
	for i := range uint64(quietWorlds) {
		cfg := traffic.Config{Events: quietEvents, Actors: quietActors, Days: quietDays, Seed: quietSeed + i, Start: start}
		quiet = append(quiet, func(w io.Writer) error {
			world, err := traffic.New(cfg)
			if err != nil {
				return err
			}
			_, err = world.WriteAs(w, traffic.Native)
			return err
		})
	}
	c, err := b.program.Calibrate(ctx, start.AddDate(0, 0, quietDays/2), quiet...)
	if err != nil {
		return "", err
	}
	if !b.print {
		path := filepath.Join(filepath.Dir(b.output), "images", "calibration.svg")
		if err := os.WriteFile(path, []byte(evaluate.CalibrationPlot(c)), 0o644); err != nil {
			return "", fmt.Errorf("write the picture: %w", err)
		}
	}
	return evaluate.CalibrationTable(c), nil
}

func (b *bench) logins(ctx context.Context) (string, error) {
	logins, err := evaluate.Logins(b.data)
	if err != nil {
		return "", err
	}
	scores, err := b.program.Score(ctx, evaluate.LoginEvents(logins))
	if err != nil {
		return "", err
	}
	features := evaluate.LoginFeatures(logins)
	var peers []evaluate.PeerRow
	for _, p := range evaluate.Peers() {
		row := evaluate.PeerRow{Name: p.Name}
		if row.PeerResult, row.Err = p.Measure(ctx, ".", b.dir, features, scores.Labels); row.Err != nil {
			fmt.Fprintf(b.log, "benchdetection: %s: %v\n", p.Name, row.Err)
		}
		peers = append(peers, row)
	}
	return evaluate.EventTable(scores, peers)
}
