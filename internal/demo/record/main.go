// Command record makes the recorded help desk: it starts a real PostgreSQL with
// pgaudit in a network namespace of its own, lets simulated people and services
// work on it, and writes the server's log, its times moved to simulated ones,
// together with the key of truth.
//
// It must run as root (the namespace needs it; the server itself runs as an
// ordinary user) on Linux with PostgreSQL 15, pgaudit and iproute2:
//
//	go run ./internal/demo/record -out internal/demo
//
// Statements run one after another in the order of simulated time, so that the
// same seed gives the same statements; process ids, ports and milliseconds
// differ. An interrupt stops the server, removes the temporary folder and
// leaves the output untouched.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
	_ "time/tzdata" // shifts follow local clocks, also where no zone files are
)

// options are the program's flags.
type options struct {
	out    string
	seed   uint64
	days   int
	agents int
	pgbin  string
	user   string
	level  int
	keep   string
	dry    bool
	quiet  bool
}

// lastDay is the recording's last day, a Tuesday.
var lastDay = time.Date(2026, 11, 3, 0, 0, 0, 0, time.UTC)

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stderr)
	cancel()
	if err != nil {
		fmt.Fprintln(os.Stderr, "record:", err)
		os.Exit(1)
	}
}

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	fs := flag.NewFlagSet("record", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.StringVar(&o.out, "out", "", "folder to write helpdesk.log.zst and truth.json to (required)")
	fs.Uint64Var(&o.seed, "seed", 20261103, "seed of everything random")
	fs.IntVar(&o.days, "days", 30, "days to record, ending with 2026-11-03 (1 to 30)")
	fs.IntVar(&o.agents, "agents", 40, "how many human agents work (3 to 40)")
	fs.StringVar(&o.pgbin, "pgbin", "/usr/lib/postgresql/15/bin", "folder of PostgreSQL's programs")
	fs.StringVar(&o.user, "user", "postgres", "system user that runs the server, not root")
	fs.IntVar(&o.level, "level", 19, "zstd level as the reference tool counts, 1 to 22")
	fs.StringVar(&o.keep, "keep", "", "also write the log uncompressed to this file")
	fs.BoolVar(&o.dry, "dry", false, "start no server: print who would send how many statements")
	fs.BoolVar(&o.quiet, "quiet", false, "show no progress")
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	switch {
	case o.out == "" && !o.dry:
		return o, fmt.Errorf("-out is required: the folder to write to")
	case o.days < 1 || o.days > 30:
		return o, fmt.Errorf("-days %d is outside 1 to 30", o.days)
	case o.agents < 3 || o.agents > 40:
		return o, fmt.Errorf("-agents %d is outside 3 to 40", o.agents)
	case o.level < 1 || o.level > 22:
		return o, fmt.Errorf("-level %d is outside 1 to 22", o.level)
	}
	return o, nil
}

// run does all of it; the first call re-executes the program inside a network
// namespace, the second one records.
func run(ctx context.Context, args []string, stderr io.Writer) error {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	if o.dry {
		t := newDryTape()
		s := newSim(o, t)
		if _, err := s.run(ctx); err != nil {
			return err
		}
		t.report(stderr)
		return nil
	}
	if info, err := os.Stat(o.out); err != nil {
		return fmt.Errorf("find the folder to write to: %w: make it first, or correct -out", err)
	} else if !info.IsDir() {
		return fmt.Errorf("-out %q is not a folder", o.out)
	}
	if !inNamespace() {
		return enterNamespace(ctx, args, stderr)
	}
	return record(ctx, o, stderr)
}
