package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"time"

	"vigil"
	"vigil/collectors"
	"vigil/collectors/formats"
	"vigil/collectors/formats/postgresql"
	"vigil/internal/api"
	"vigil/internal/config"
	"vigil/internal/demo"
)

// demoSource is what the recorded help desk's source is called.
const demoSource = "helpdesk-db"

// DemoOptions says how the recorded help desk is replayed.
type DemoOptions struct {
	// Dir is the folder to keep everything in; empty makes one that Stop removes.
	Dir string
	// Listen is the console's address; empty takes a free port on 127.0.0.1.
	Listen string
	// Speed is how many times faster than life the last day plays; zero means as
	// fast as it goes.
	Speed float64
	// Output gets the cards. Required.
	Output io.Writer
	// Logger gets what happens; nil means none.
	Logger *slog.Logger
}

// Demo is a running demonstration: the same program as the service, fed with a
// recording.
type Demo struct {
	app    *App
	door   *demoDoor
	replay *replay
	truth  demo.Truth
	dir    string
	remove bool
}

// StartDemo starts the service on the recorded help desk.
func StartDemo(ctx context.Context, opts DemoOptions) (d *Demo, err error) {
	d = &Demo{dir: opts.Dir}
	if d.truth, err = demo.Key(); err != nil {
		return nil, err
	}
	if d.dir == "" {
		if d.dir, err = os.MkdirTemp("", "vigil-demo-"); err != nil {
			return nil, fmt.Errorf("make the demo's folder: %w", err)
		}
		d.remove = true
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.cleanUp())
		}
	}()
	d.replay = &replay{
		source: demoSource, open: demo.Log, format: postgresql.New(),
		opts: formats.Options{
			Source: demoSource, Store: demo.Store, File: demo.Name, Mapping: demo.Mapping(),
			Params: map[string]string{"log_line_prefix": demo.LogLinePrefix},
		},
		start: d.truth.Start, paced: d.truth.LastDay, end: d.truth.End, speed: opts.Speed,
		done: make(chan struct{}),
	}
	cfg := config.DefaultConfig()
	cfg.DataDir, cfg.Listen = d.dir, "127.0.0.1:0"
	if opts.Listen != "" {
		cfg.Listen = opts.Listen
	}
	cfg.Retention = 0 // the recording's days are past
	cfg.Digest = "off"
	cfg.Sources = []config.Source{{Name: demoSource, Format: postgresql.Name, Store: demo.Store}}
	for _, r := range demo.ActorRules() {
		cfg.Actors = append(cfg.Actors, config.ActorRule{Match: r.Match, Kind: r.Kind, Role: r.Role, Team: r.Team})
	}
	door := newDemoDoor()
	d.door = door
	d.app, err = New(cfg, Options{
		Door: door, Guises: door,
		Logger: opts.Logger, Output: opts.Output, Quiet: true,
		Collectors: map[string]collectors.Collector{demoSource: d.replay},
		Note:       d.note, Progress: d.progress,
	})
	if err != nil {
		return nil, err
	}
	if err := d.app.Start(ctx); err != nil {
		return nil, err
	}
	return d, nil
}

// note says that nothing here is real, and progress how far the replay is.
func (d *Demo) note() string {
	if d.replay.over() {
		return "This is a recorded help desk, and its recording is over."
	}
	return "A recorded help desk is replayed: nothing here is happening now."
}

func (d *Demo) progress() float64 {
	if d.replay.over() {
		return -1
	}
	return d.replay.fraction()
}

// URL is the console's address.
func (d *Demo) URL() string { return d.app.URL() }

// Dir is the folder in which everything is kept.
func (d *Demo) Dir() string { return d.dir }

// Progress is how much of the recording is handed over, 0 to 1, and LastDay
// from where on it plays slowly.
func (d *Demo) Progress() (fraction, lastDay float64) {
	return d.replay.fraction(), float64(d.truth.LastDay.Sub(d.truth.Start)) / float64(d.truth.End.Sub(d.truth.Start))
}

// Failed yields the error of a part without which the demo can't go on.
func (d *Demo) Failed() <-chan error { return d.app.Failed() }

// Wait returns once the whole recording is judged and told.
func (d *Demo) Wait(ctx context.Context) error {
	select {
	case <-d.replay.done:
	case err := <-d.app.Failed():
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
	// The recording is over: time goes on, and what waited for its order is judged.
	for range 3 {
		if _, err := d.app.ledger.AcceptTick(ctx, vigil.Tick{Watermark: d.truth.End.Add(patience)}); err != nil {
			return fmt.Errorf("end the replay: %w", err)
		}
	}
	if err := d.app.judged(ctx); err != nil {
		return err
	}
	return d.app.told(ctx)
}

// told waits until nothing is left in the outbox, or ctx ends.
func (a *App) told(ctx context.Context) error {
	for {
		_, waiting, err := a.ledger.NextDue(ctx)
		if err != nil || !waiting {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Stop ends the demonstration and removes its folder, unless it was given.
func (d *Demo) Stop(ctx context.Context) error {
	return errors.Join(d.app.Stop(ctx), d.cleanUp())
}

func (d *Demo) cleanUp() error {
	if !d.remove {
		return nil
	}
	if err := os.RemoveAll(d.dir); err != nil {
		return fmt.Errorf("remove the demo's folder: %w", err)
	}
	return nil
}

// DemoBreach is a breach of the recording and what became of it.
type DemoBreach struct {
	demo.Breach
	// Pseudonym is what the actor is called in findings.
	Pseudonym string
	// Finding is the first one about it, nil when it was missed.
	Finding *vigil.Finding
}

// Truth holds what was found against the recording's key: each breach, and the
// findings that are about none.
func (d *Demo) Truth(ctx context.Context) (breaches []DemoBreach, others []vigil.Finding, err error) {
	page, err := d.app.ledger.Findings(ctx, api.FindingFilter{Limit: 10_000})
	if err != nil {
		return nil, nil, err
	}
	for _, b := range d.truth.Breaches {
		breaches = append(breaches, DemoBreach{Breach: b, Pseudonym: d.app.intake.pseudonyms.Actor("", b.Actor)})
	}
	for i := range page.Findings {
		f := &page.Findings[i]
		hit := false
		for j := range breaches {
			b := &breaches[j]
			if !b.told(f) {
				continue
			}
			hit = true
			if b.Finding == nil || f.Detected.Before(b.Finding.Detected) {
				b.Finding = f
			}
		}
		if !hit {
			others = append(others, *f)
		}
	}
	return breaches, others, nil
}

// told says that a finding tells of the breach: it covers some of its time, and is
// about its actor, or about a customer, network or team and names the actor among
// those who took part. One about a source tells of nobody.
func (b *DemoBreach) told(f *vigil.Finding) bool {
	if f.End.Before(b.Start) || f.Start.After(b.End) {
		return false
	}
	switch f.About {
	case vigil.AboutActor, "":
		return f.Actor == b.Pseudonym
	case vigil.AboutSource:
		return false
	}
	return slices.Contains(f.Actors, b.Pseudonym)
}
