package app

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"vigil"
	"vigil/internal/api"
	"vigil/internal/drill"
	"vigil/internal/ledger"
)

const (
	// sightEvents bounds the accesses from which is told what could be seen, sightKept is
	// for how long that is kept.
	sightEvents = 50_000
	sightKept   = 5 * time.Minute
	// sampleEvents bounds the events of a sample that are listed, sampleProblems the
	// problems.
	sampleEvents   = 20
	sampleProblems = 20
)

// sourceDesk tells what those who keep sources ask for. It is safe for concurrent use.
type sourceDesk struct {
	app *App

	mu    sync.Mutex // held while it is looked, so that one looks for all
	at    time.Time
	sight *api.Sight
}

var _ api.SourceKeeper = (*sourceDesk)(nil)

func (d *sourceDesk) record(ctx context.Context, what string) error {
	return d.app.desk.audit(ctx, cmp.Or(api.PersonOf(ctx).By, "console"), what, "")
}

// SetAside implements api.SourceKeeper.
func (d *sourceDesk) SetAside(ctx context.Context, max int) ([]vigil.Quarantined, error) {
	out, err := d.app.ledger.Quarantined(ctx, max)
	if err != nil || len(out) == 0 {
		return nil, err
	}
	return out, d.app.reader.record(ctx, "set-aside records listed", "")
}

// Sight implements api.SourceKeeper.
func (d *sourceDesk) Sight(ctx context.Context) (api.Sight, error) {
	if err := d.app.reader.record(ctx, "blind spots read", ""); err != nil {
		return api.Sight{}, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.app.opts.Now()
	if d.sight != nil && now.Sub(d.at).Abs() < sightKept {
		return *d.sight, nil
	}
	cover := drill.NewCoverage()
	seen, err := d.app.ledger.Survey(ctx, ledger.Survey{Most: sightEvents, Newest: true}, func(events []*vigil.Event) {
		for _, e := range events {
			cover.Add(e)
		}
	})
	if err != nil {
		return api.Sight{}, err
	}
	out := api.Sight{Looked: seen.Looked, Held: seen.Held}
	for _, f := range d.app.conf().Feeds {
		if !slices.Contains(out.Feeds, f.Kind) {
			out.Feeds = append(out.Feeds, f.Kind)
		}
	}
	if seen.Looked == 0 {
		return out, nil // of nothing can be told what it does not tell
	}
	for _, v := range drill.Meter(cover, out.Feeds) {
		out.Rows = append(out.Rows, api.SightRow{ID: v.Row, Name: v.Name, Seen: string(v.Sight), By: v.By, Lacks: v.Lacks, Mend: v.Mend})
	}
	d.sight, d.at = &out, now
	return out, nil
}

// ReadSample implements api.SourceKeeper.
func (d *sourceDesk) ReadSample(ctx context.Context, format string, text []byte) (out api.SampleReading, err error) {
	if len(text) > api.MaxSample {
		return out, fmt.Errorf("%w: the sample is longer than %d KiB; a few lines are enough", api.ErrRefused, api.MaxSample>>10)
	}
	if err := d.record(ctx, "a sample of a log read"); err != nil {
		return out, err
	}
	defer func() {
		if p := recover(); p != nil { // a text of anybody's must not end more than its reading
			err = fmt.Errorf("%w: this text can't be read", api.ErrRefused)
		}
	}()
	x, err := Explain(&Input{Source: "sample", Format: format}, text, false)
	if err != nil {
		return out, fmt.Errorf("%w: %w", api.ErrRefused, err)
	}
	out.Format, out.Sure, out.Next, out.NextSure = x.Format, x.Sure, x.Next, x.NextSure
	for _, e := range x.Events[:min(len(x.Events), sampleEvents)] {
		var event api.ReadEvent
		for _, f := range e.Fields {
			event.Fields = append(event.Fields, api.ReadField(f))
		}
		out.Events = append(out.Events, event)
	}
	out.Problems = x.Problems[:min(len(x.Problems), sampleProblems)]
	out.More = len(x.Events) - len(out.Events) + len(x.Problems) - len(out.Problems)
	return out, nil
}
