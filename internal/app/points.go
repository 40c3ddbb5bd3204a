package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"vigil"
	"vigil/collectors/file"
	"vigil/collectors/formats"
	"vigil/internal/points"
	"vigil/models/series"
)

// disordered is from how many rows on that lie before the row ahead of them a file
// is given up, when they are also most of its rows.
const disordered = 100

// SeriesOptions says which series are judged, and how.
type SeriesOptions struct {
	// Files are paths, folders or globs, - for the standard input; each file is a
	// series of its own.
	Files []string
	// TimeColumn and ValueColumn are the columns' names; they are found where empty.
	TimeColumn, ValueColumn string
	// Side is the suspicious direction; empty means both.
	Side series.Side
	// Each gets one score per point, in order, on the caller's goroutine.
	Each func(SeriesPoint) error
	// Quarantine, when set, gets each row that is set aside.
	Quarantine func(vigil.Quarantined)
}

// SeriesPoint is a judged point.
type SeriesPoint struct {
	File  string
	Line  int64
	Time  time.Time
	Value float64
	Score series.Score
}

// SeriesSummary tells what was read of one file.
type SeriesSummary struct {
	Path string
	// Points are judged; Missing are rows without a value.
	Points, Missing int64
	// Quarantined counts by code what was set aside.
	Quarantined map[string]int64
	First, Last time.Time
}

// ScoreSeries judges each file's series in one pass, each point before it is
// learnt from.
func ScoreSeries(ctx context.Context, opts SeriesOptions) ([]SeriesSummary, error) {
	paths, err := file.Expand(opts.Files)
	if err != nil {
		return nil, err
	}
	if _, err := series.New(series.Config{Side: opts.Side}); err != nil {
		return nil, err
	}
	var all []SeriesSummary
	for _, path := range paths {
		s, err := scoreSeries(ctx, path, opts)
		all = append(all, s)
		if err != nil {
			return all, err
		}
	}
	return all, nil
}

// judging is one file being judged.
type judging struct {
	SeriesSummary
	opts  SeriesOptions
	dec   *points.Decoder
	model *series.Model
	// last is the newest point, lastLine where it stands; early counts the rows whose
	// time lies before it.
	last            points.Point
	lastLine, early int64
}

func scoreSeries(ctx context.Context, path string, opts SeriesOptions) (SeriesSummary, error) {
	j := &judging{SeriesSummary: SeriesSummary{Path: path, Quarantined: map[string]int64{}}, opts: opts}
	text, err := file.OpenText(path)
	if err != nil {
		return j.SeriesSummary, fmt.Errorf("read %s: %w", path, err)
	}
	defer func() { _ = text.Close() }() // it was only read
	j.dec = points.New(opts.TimeColumn, opts.ValueColumn)
	if j.model, err = series.New(series.Config{Side: opts.Side}); err != nil {
		return j.SeriesSummary, err
	}
	for {
		if err := ctx.Err(); err != nil {
			return j.SeriesSummary, err
		}
		line, err := text.Next()
		var bad *formats.Error
		switch {
		case errors.Is(err, io.EOF):
			return j.SeriesSummary, j.end()
		case errors.As(err, &bad):
			j.aside(line, bad.Code, bad.Reason)
		case err != nil:
			j.aside(line, "unreadable", err.Error())
			return j.SeriesSummary, j.end()
		default:
			if err := j.row(line); err != nil {
				return j.SeriesSummary, err
			}
		}
	}
}

// row judges one row; the error is of the one who gets the scores, or says that
// the file makes no sense.
func (j *judging) row(line formats.Line) error {
	p, err := j.dec.Decode(string(line.Text))
	var bad *points.Error
	switch {
	case errors.Is(err, points.ErrHeader):
		return nil
	case errors.Is(err, points.ErrMissing):
		j.Missing++
		return nil
	case errors.As(err, &bad):
		j.aside(line, bad.Code, bad.Reason)
		return nil
	case err != nil:
		return err
	}
	if j.Points > 0 && p == j.last {
		j.aside(line, "duplicate", fmt.Sprintf("time and value are those of line %d", j.lastLine))
		return nil
	}
	score, err := j.model.Observe(p.Time, p.Value)
	switch {
	case errors.Is(err, series.ErrOrder):
		j.aside(line, "order", fmt.Sprintf("the time lies before that of line %d: sort the rows by time first", j.lastLine))
		if j.early++; j.early >= disordered && j.early > j.Points {
			return j.unsorted(line.Number)
		}
		return nil
	case err != nil:
		j.aside(line, "value", err.Error())
		return nil
	}
	if j.Points == 0 {
		j.First = p.Time
	}
	j.Points++
	j.Last, j.last, j.lastLine = p.Time, p, line.Number
	return j.opts.Each(SeriesPoint{File: j.Path, Line: line.Number, Time: p.Time, Value: p.Value, Score: score})
}

// end says when a file that was read to its end makes no sense as a whole.
func (j *judging) end() error {
	switch {
	case j.early > j.Points:
		return j.unsorted(j.lastLine)
	case j.Points == 0 && len(j.Quarantined) > 0:
		return fmt.Errorf("%s holds no point that can be read", j.Path)
	}
	return nil
}

func (j *judging) unsorted(line int64) error {
	return fmt.Errorf("%s:%d: of %d rows %d lie before the row ahead of them, the newest being line %d (%s): sort the rows by time, oldest first",
		j.Path, line, j.Points+j.early, j.early, j.lastLine, j.Last.Format(time.RFC3339))
}

func (j *judging) aside(line formats.Line, code, reason string) {
	j.Quarantined[code]++
	if j.opts.Quarantine != nil {
		j.opts.Quarantine(vigil.Quarantined{File: j.Path, Line: line.Number, Offset: line.Offset, Code: code, Reason: reason,
			Size: int64(len(line.Text)), Hash: formats.RecordHash(line.Text)})
	}
}
