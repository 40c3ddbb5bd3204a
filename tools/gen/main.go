// Command gen writes made-up help-desk traffic as native lines, for benchmarks
// and for trying things out. The same flags give the same bytes.
//
//	go run ./tools/gen -events 1000000 -o traffic.ndjson
package main

import (
	"flag"
	"fmt"
	"io"
	"os"

	"vigil/internal/traffic"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run() (err error) {
	var cfg traffic.Config
	flag.IntVar(&cfg.Events, "events", 100_000, "number of events")
	flag.IntVar(&cfg.Actors, "actors", 1_000, "number of people and machines, at least 20")
	flag.IntVar(&cfg.Days, "days", 28, "number of days")
	flag.Uint64Var(&cfg.Seed, "seed", 1, "which world")
	path := flag.String("o", "", "file to write; standard output without it")
	flag.Parse()
	var out io.Writer = os.Stdout
	if *path != "" {
		f, err := os.Create(*path)
		if err != nil {
			return fmt.Errorf("create output: %w", err)
		}
		defer func() {
			if cerr := f.Close(); err == nil {
				err = cerr
			}
		}()
		out = f
	}
	_, err = traffic.Write(out, cfg)
	return err
}
