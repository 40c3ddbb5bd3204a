// Command gen writes made-up help-desk traffic, for benchmarks and for trying
// things out: as native lines, as a PostgreSQL log with pgaudit, or as nginx's
// access log. The same flags give the same bytes.
//
//	go run ./tools/gen -events 1000000 -o traffic.ndjson
//	go run ./tools/gen -happenings all -log - -format pgaudit -o postgresql.log
//	go run ./tools/gen -happenings all,-vpn -breach mass-export -format nginx
//	go run ./tools/gen -events 1000 -days 1 -crowd 1000000
//	go run ./tools/gen -happenings all -facts feeds -o traffic.ndjson
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"vigil/internal/traffic"
)

func main() {
	err := run(os.Args[1:], os.Stdout, os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(args []string, out, messages io.Writer) (err error) {
	var cfg traffic.Config
	flags := flag.NewFlagSet("gen", flag.ContinueOnError)
	flags.SetOutput(messages)
	flags.IntVar(&cfg.Events, "events", 100_000, "number of events")
	flags.IntVar(&cfg.Actors, "actors", 1_000, "number of people and machines, at least 20")
	flags.IntVar(&cfg.Days, "days", 28, "number of days")
	flags.Uint64Var(&cfg.Seed, "seed", 1, "which world")
	flags.IntVar(&cfg.Crowd, "crowd", 0, "number of customers besides, with little to do each")
	flags.Float64Var(&cfg.CrowdActive, "crowd-active", 0.1, "share of the crowd that comes every day")
	flags.Func("start", "first day, as 2026-10-05 (the default)", func(s string) (err error) {
		cfg.Start, err = time.Parse(time.DateOnly, s)
		return err
	})
	flags.Func("happenings", "what goes on besides: all, none (the default), or names separated by commas, those after - taken out: "+traffic.Everything().String(),
		func(s string) (err error) {
			cfg.Happenings, err = traffic.ParseSet(s)
			return err
		})
	format := flags.String("format", string(traffic.Native), fmt.Sprintf("form of the lines: one of %q", traffic.WriteFormats()))
	breach := flags.String("breach", "", fmt.Sprintf("breach to stage: one of %q", traffic.Threats()))
	poison := flags.String("poison", "", fmt.Sprintf("poisoning to stage: one of %q", traffic.Poisons()))
	key := flags.String("log", "", "file to write the happenings and what is staged to, as JSON lines; - is standard error")
	facts := flags.String("facts", "", "folder, which must be there, to write what the company's other systems tell to, one file a kind of feed")
	form := flags.String("facts-form", "csv", "form of those files: csv or json")
	path := flags.String("o", "", "file to write; standard output without it")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%q is no flag", flags.Arg(0))
	}
	world, err := traffic.New(cfg)
	if err != nil {
		return err
	}
	known, err := stage(world, *breach, *poison)
	if err != nil {
		return err
	}
	if err := writeKey(*key, messages, known); err != nil {
		return err
	}
	if *facts != "" {
		if _, err := traffic.WriteFacts(*facts, *form, world.Facts()); err != nil {
			return err
		}
	}
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
	_, err = world.WriteAs(out, traffic.Format(*format))
	return err
}

// truth is one line of the key: a happening, or what was staged.
type truth struct {
	What       string
	Start, End time.Time
	Actors     []string `json:",omitempty"`
	Subjects   []string `json:",omitempty"`
	Taken      int64    `json:",omitempty"`
	Ticket     string   `json:",omitempty"`
	Network    string   `json:",omitempty"`
	Note       string   `json:",omitempty"`
}

// stage injects a breach and a poisoning, where asked for, and returns the key.
func stage(w *traffic.World, breach, poison string) ([]truth, error) {
	var out []truth
	for _, o := range w.Happenings() {
		out = append(out, truth{
			What: o.Happening.String(), Start: o.Start, End: o.End, Actors: o.Actors, Subjects: o.Subjects,
			Ticket: o.Ticket, Network: o.Network, Note: o.Note,
		})
	}
	if breach != "" {
		b, err := w.Stage(traffic.Stage{Threat: traffic.Threat(breach)})
		if err != nil {
			return nil, err
		}
		w.Inject(b.Events...)
		out = append(out, truth{What: "breach " + breach, Start: b.Start, End: b.End, Actors: []string{b.Actor}, Taken: b.Subjects})
	}
	if poison != "" {
		p, err := w.Poison(traffic.PoisonStage{Poison: traffic.Poison(poison)})
		if err != nil {
			return nil, err
		}
		w.Inject(p.Events...)
		out = append(out, truth{What: "poison " + poison, Start: p.Theft, End: p.End, Actors: []string{p.Actor}, Taken: p.Subjects})
	}
	return out, nil
}

// writeKey writes the key as JSON lines.
func writeKey(path string, out io.Writer, key []truth) (err error) {
	switch path {
	case "":
		return nil
	case "-":
	default:
		f, err := os.Create(path)
		if err != nil {
			return fmt.Errorf("create log of happenings: %w", err)
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		out = f
	}
	enc := json.NewEncoder(out)
	for _, t := range key {
		if err := enc.Encode(t); err != nil {
			return fmt.Errorf("write log of happenings: %w", err)
		}
	}
	return nil
}
