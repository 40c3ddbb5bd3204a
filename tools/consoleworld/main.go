// Command consoleworld fills a data folder for the measurement of the console: events of
// ninety days sealed into segments, and findings with their cases, through the same ledger
// as the service's.
//
//	go run ./tools/consoleworld -dir /tmp/world -scale 0.01
//	VIGIL_WORLD=/tmp/world go test ./dashboards/console -run TestScale -v -timeout 30m
//
// Scale 1 is 100 million events (some 6 GB) and 100,000 findings; there are always 10,000
// actors. Customers are a hundredth of the events. One actor and one customer are in every
// minute: they are the worst that a page can be about. The folder's pages.json lists what
// to look at. The judging's model is of the last hour alone: what is measured here is
// reading, and a model that learnt it all would take longer to make than the rest.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"vigil/internal/ledger"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "consoleworld:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) (err error) {
	flags := flag.NewFlagSet("consoleworld", flag.ContinueOnError)
	dir := flags.String("dir", "", "data folder to fill; it must not be there yet")
	scale := flags.Float64("scale", 0.01, "how much of 100 million events and 100,000 findings")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *dir == "" || *scale <= 0 || *scale > 1 {
		return errors.New("name a -dir, and a -scale above 0 and up to 1")
	}
	if _, err := os.Stat(filepath.Join(*dir, "ledger.db")); err == nil {
		return fmt.Errorf("%s holds a ledger already: name another folder", *dir)
	}
	l, err := ledger.Open(ctx, ledger.Config{Dir: *dir, MaxPending: -1}, ledger.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	w := newWorld(l, *scale, time.Now().UTC().Truncate(time.Hour))
	began := time.Now()
	if err := w.fill(ctx); err != nil {
		return err
	}
	fmt.Printf("%d events in %s\n", w.made, time.Since(began).Round(time.Second))
	pages, err := w.find(ctx)
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(pages, "", "\t")
	if err != nil {
		return err
	}
	fmt.Printf("%d findings; all of it in %s\n", w.findings, time.Since(began).Round(time.Second))
	return os.WriteFile(filepath.Join(*dir, "pages.json"), append(text, '\n'), 0o600)
}
