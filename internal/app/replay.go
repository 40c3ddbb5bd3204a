package app

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"sync/atomic"
	"time"

	"vigil"
	"vigil/collectors"
	"vigil/collectors/formats"
)

// paceStep is how often a paced replay hands over what is due.
const paceStep = 200 * time.Millisecond

// replay is a collector that reads a recorded log once: what lies before paced
// as fast as it is taken, the rest at speed times the speed of life. A record that
// can't be read is set aside. Run ends without an error at the end of the log.
type replay struct {
	source string
	open   func() (io.ReadCloser, error)
	format formats.Format
	opts   formats.Options
	// start and end bound the log in event time, for progress.
	start, paced, end time.Time
	speed             float64

	progress atomic.Uint64 // bits of a float64, 0 to 1
	done     chan struct{} // closed once everything is handed over

	began time.Time // when the paced part began
	batch collectors.Batch
	last  time.Time
}

// fraction is how much of the log's time is handed over, 0 to 1.
func (r *replay) fraction() float64 { return math.Float64frombits(r.progress.Load()) }

// over says that everything is handed over.
func (r *replay) over() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}

// Run implements collectors.Collector.
func (r *replay) Run(ctx context.Context, _ []byte, sink collectors.Sink) error {
	in, err := r.open()
	if err != nil {
		return err
	}
	defer in.Close()
	decoder, err := r.format.New(r.opts)
	if err != nil {
		return fmt.Errorf("make decoder: %w", err)
	}
	var failed error
	emit := func(e *vigil.Event, _ formats.Line) {
		if failed == nil {
			failed = r.take(ctx, e, sink)
		}
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 64<<10), formats.MaxLine)
	at := formats.Line{Number: 1}
	for lines.Scan() && failed == nil {
		at.Text = lines.Bytes()
		if err := decoder.Decode(at, emit); err != nil {
			r.setAside(at, err)
		}
		at.Offset += int64(len(at.Text)) + 1
		at.Number++
	}
	if failed == nil {
		failed = lines.Err()
	}
	if failed == nil {
		failed = decoder.Flush(emit)
	}
	if failed == nil {
		failed = r.handOver(ctx, sink)
	}
	if failed != nil {
		return ignoreEnd(ctx, failed)
	}
	r.progress.Store(math.Float64bits(1))
	close(r.done)
	return nil
}

func (r *replay) setAside(at formats.Line, err error) {
	q := vigil.Quarantined{File: r.opts.File, Line: at.Number, Offset: at.Offset, Reason: err.Error(), Code: "format", Size: int64(len(at.Text))}
	var bad *formats.Error
	if errors.As(err, &bad) {
		q.Code = bad.Code
	}
	r.batch.Quarantined = append(r.batch.Quarantined, q)
}

// take adds an event to the batch, and hands the batch over when it is due.
func (r *replay) take(ctx context.Context, e *vigil.Event, sink collectors.Sink) error {
	if e.Time.Before(r.paced) || r.speed <= 0 {
		r.add(e)
		if len(r.batch.Events) >= entrySize {
			return r.handOver(ctx, sink)
		}
		return nil
	}
	if r.began.IsZero() {
		if err := r.handOver(ctx, sink); err != nil {
			return err
		}
		r.began = time.Now()
	}
	due := r.began.Add(time.Duration(float64(e.Time.Sub(r.paced)) / r.speed))
	for wait := time.Until(due); wait > 0; wait = time.Until(due) {
		if err := r.handOver(ctx, sink); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(max(min(wait, time.Second), paceStep)):
		}
	}
	r.add(e)
	return nil
}

func (r *replay) add(e *vigil.Event) {
	r.batch.Events = append(r.batch.Events, e)
	if e.Time.After(r.last) {
		r.last = e.Time
	}
}

func (r *replay) handOver(ctx context.Context, sink collectors.Sink) error {
	if len(r.batch.Events)+len(r.batch.Quarantined) == 0 {
		return nil
	}
	b := r.batch
	b.Source = r.source
	r.batch = collectors.Batch{}
	if err := sink.Accept(ctx, b); err != nil {
		return err
	}
	if whole := r.end.Sub(r.start); whole > 0 {
		r.progress.Store(math.Float64bits(min(max(float64(r.last.Sub(r.start))/float64(whole), 0), 1)))
	}
	return nil
}
