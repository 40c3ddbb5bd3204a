package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"vigil"
	"vigil/detector"
	"vigil/internal/app"
	"vigil/models/series"
)

type scoreCommand struct {
	inputFlags `embed:""`

	Models bool    `help:"Add each model's raw score and p to each event."`
	Budget float64 `placeholder:"N" help:"False findings a day that people accept."`
	Quiet  bool    `short:"q" help:"Don't list what was set aside, only count it."`

	Series        bool     `help:"Take the files as metric series: tables with the columns timestamp and value."`
	SeriesSide    string   `enum:"both,high,low" default:"both" help:"Which values of a series are suspicious: ${enum}."`
	SeriesColumns []string `placeholder:"TIME,VALUE" help:"The columns of a series, when they have other names."`
}

// Help is shown below the flags.
func (scoreCommand) Help() string {
	return `Judges each event as it comes and prints one line of JSON per event, in order of time: id, time,
actor, p (how rare, 1 is usual), surprise (-log10 p), evidence (log10 of what the actor has gathered),
and the largest contributions. Early events score low: nothing is known yet.

With --series each file is a metric series, a table with the columns timestamp and value, and each
point gets a line: expected, low and high (where 99 of 100 points should lie), p, surprise, and news
(the surprise, where the last sixty points were all less surprising).

Examples:

    vigil score helpdesk.log.zst | jq -c 'select(.surprise > 4)'
    vigil score --models events.ndjson > scores.ndjson
    vigil score --series requests.csv | jq -c 'select(.news > 3)'`
}

// scoreLine is the public form of a score.
type scoreLine struct {
	ID            string                         `json:"id"`
	Time          time.Time                      `json:"time"`
	Actor         string                         `json:"actor"`
	P             float64                        `json:"p"`
	Surprise      float64                        `json:"surprise"`
	Evidence      float64                        `json:"evidence"`
	Contributions []vigil.Contribution           `json:"contributions"`
	Models        map[string]detector.ModelScore `json:"models,omitempty"`
}

// Run scores.
func (c *scoreCommand) Run(ctx context.Context, io streams) error {
	if c.Series {
		return c.series(ctx, io)
	}
	if c.SeriesSide != string(series.Both) || len(c.SeriesColumns) > 0 {
		return &usageError{errors.New("--series-side and --series-columns go with --series")}
	}
	resolved, bar, err := c.resolve(io, listing(c.Quiet, listSome))
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(io.out, 1<<16)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var printErr error
	opts := app.ScoreOptions{
		ScanOptions: app.ScanOptions{Budget: c.Budget, MaxActors: resolved.MaxActors, MaxCold: resolved.MaxCold, Rules: resolved.Rules},
		Models:      c.Models,
		Each: func(s detector.Score) {
			if printErr != nil {
				return
			}
			if printErr = encoder.Encode(newScoreLine(s)); printErr != nil {
				stop() // nobody reads on
			}
		},
	}
	if c.Budget == 0 {
		opts.Budget = resolved.Budget
	}
	summary, err := app.ScoreEvents(ctx, resolved.Input, opts)
	bar.done()
	if ferr := out.Flush(); printErr == nil {
		printErr = ferr
	}
	if printErr != nil {
		err = fmt.Errorf("print scores: %w", printErr)
	}
	if err != nil {
		return err
	}
	printSummary(io.err, summary)
	return nil
}

func newScoreLine(s detector.Score) scoreLine {
	line := scoreLine{
		ID: s.Event.ID, Time: s.Event.Time, Actor: s.Event.Actor.ID,
		P: app.Finite(s.P), Surprise: app.Finite(s.Surprise), Evidence: app.Finite(s.Evidence),
		Contributions: s.Contributions, Models: s.Models,
	}
	if line.Contributions == nil {
		line.Contributions = []vigil.Contribution{}
	}
	for i := range line.Contributions {
		app.FiniteContribution(&line.Contributions[i])
	}
	for name, m := range line.Models {
		line.Models[name] = detector.ModelScore{Score: app.Finite(m.Score), P: app.Finite(m.P)}
	}
	return line
}
