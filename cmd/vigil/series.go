package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"vigil"
	"vigil/internal/app"
	"vigil/models/series"
)

// seriesLine is the public form of a judged point.
type seriesLine struct {
	Series   string    `json:"series"`
	Line     int64     `json:"line"`
	Time     time.Time `json:"time"`
	Value    float64   `json:"value"`
	Expected float64   `json:"expected"`
	Low      float64   `json:"low"`
	High     float64   `json:"high"`
	P        float64   `json:"p"`
	Surprise float64   `json:"surprise"`
	News     float64   `json:"news"`
}

// errSeriesFlags says which flags don't go together.
var errSeriesFlags = errors.New("--series reads tables with time and value; flags about logs, actors or models don't go with it")

// series judges metric series.
func (c *scoreCommand) series(ctx context.Context, io streams) error {
	opts := app.SeriesOptions{Files: c.Files, Side: series.Side(c.SeriesSide), Quarantine: lister(io.err, listing(c.Quiet, listSome))}
	switch len(c.SeriesColumns) {
	case 0:
	case 2:
		opts.TimeColumn, opts.ValueColumn = c.SeriesColumns[0], c.SeriesColumns[1]
	default:
		return &usageError{fmt.Errorf("--series-columns takes two names, TIME,VALUE, not %d", len(c.SeriesColumns))}
	}
	if f := c.inputFlags; c.Models || c.Budget != 0 || f.Config != "" || f.Source != "" || f.Format != "" || f.Preset != "" ||
		f.LogLinePrefix != "" || f.LogFormat != "" || len(f.Param) > 0 || f.Mapping != "" || f.Store != "" || f.Pseudonyms {
		return &usageError{errSeriesFlags}
	}
	out := bufio.NewWriterSize(io.out, 1<<16)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	opts.Each = func(p app.SeriesPoint) error {
		s := p.Score
		line := seriesLine{
			Series: p.File, Line: p.Line, Time: p.Time, Value: p.Value, Expected: app.Finite(s.Expected), Low: app.Finite(s.Low),
			High: app.Finite(s.High), P: app.Finite(s.P), Surprise: app.Finite(s.Surprise), News: app.Finite(s.News),
		}
		if err := encoder.Encode(line); err != nil {
			return fmt.Errorf("print scores: %w", err)
		}
		return nil
	}
	summaries, err := app.ScoreSeries(ctx, opts)
	if ferr := out.Flush(); err == nil && ferr != nil {
		err = fmt.Errorf("print scores: %w", ferr)
	}
	if err != nil {
		return err
	}
	printSeries(io.err, summaries)
	return nil
}

// lister prints the first records that are set aside for each reason.
func lister(w io.Writer, list int) func(vigil.Quarantined) {
	if list == listNone {
		return nil
	}
	listed := map[string]int{}
	return func(q vigil.Quarantined) {
		switch n := listed[q.Code]; {
		case n < list:
			fmt.Fprintln(w, quarantineLine(q))
		case n == list:
			fmt.Fprintf(w, "vigil: more rows like these (%q) are counted only\n", q.Code)
		default:
			return
		}
		listed[q.Code]++
	}
}

// printSeries tells what was read, one fact a line.
func printSeries(w io.Writer, all []app.SeriesSummary) {
	for _, s := range all {
		fmt.Fprintf(w, "%s: %s %s", printable(s.Path), count(s.Points), plural(s.Points, "point", "points"))
		if s.Points > 0 {
			fmt.Fprintf(w, ", %s to %s", s.First.Format(time.DateTime), s.Last.Format(time.DateTime))
		}
		fmt.Fprintln(w)
		if s.Missing > 0 {
			fmt.Fprintf(w, "  without a value: %s\n", count(s.Missing))
		}
		for _, code := range sortedKeys(s.Quarantined) {
			fmt.Fprintf(w, "  set aside as %q: %s\n", code, count(s.Quarantined[code]))
		}
	}
}
