package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"

	"vigil"
	"vigil/collectors/file"
	"vigil/collectors/formats"
	"vigil/collectors/formats/catalog"
	"vigil/internal/config"
	"vigil/internal/privacy"
)

// entrySize is how many events make one entry of the log when files are read
// after the fact.
const entrySize = 4096

// Input says which files are read after the fact, and how.
type Input struct {
	// Files are paths, folders or globs.
	Files []string
	// Source is stamped on every event; empty keeps what the events say. Store is
	// stamped on those that name none.
	Source, Store string
	// Tenant separates pseudonyms where the events name no tenant.
	Tenant string
	// Format names the files' format; empty finds it. Params are the formats'
	// settings by format and name.
	Format string
	Params map[string]map[string]string
	// Mapping says how the store names its subjects; nil maps nothing.
	Mapping *formats.Mapping
	// Actors say who is who.
	Actors []config.ActorRule
	// Facts are what feeds tell, known before the first event.
	Facts []vigil.Facts
	// Pseudonyms replaces identifiers; nil leaves them as they stand.
	Pseudonyms *privacy.Pseudonymizer

	// Quarantine, when set, gets each record that is set aside, in order.
	Quarantine func(vigil.Quarantined)
	// Progress, when set, gets the bytes read and the bytes there are.
	Progress func(done, total int64)
}

// reading is an Input that is open. It is for one goroutine.
type reading struct {
	in     *Input
	reader *file.Reader
	normal *normaliser
	extra  map[string]int64 // set aside after reading, by code
}

func (in *Input) open() (*reading, error) {
	rules, err := newActorRules(in.Actors)
	if err != nil {
		return nil, err
	}
	r := &reading{
		in:     in,
		normal: &normaliser{source: in.Source, store: in.Store, tenant: in.Tenant, rules: rules},
		extra:  map[string]int64{},
	}
	r.reader, err = file.Open(in.Files, file.Config{
		Source: in.Source, Store: in.Store, Formats: catalog.All(), Format: in.Format, Params: in.Params,
		Mapping: in.Mapping, Quarantine: r.aside, Progress: in.Progress,
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// aside passes on what is set aside, with people's names hidden when asked.
func (r *reading) aside(q vigil.Quarantined) {
	if r.in.Quarantine == nil {
		return
	}
	if r.in.Pseudonyms != nil {
		r.in.Pseudonyms.Quarantined(&q)
	}
	r.in.Quarantine(q)
}

// next returns the next events, normalised, and io.EOF after the last. It may
// return none without being at the end.
func (r *reading) next() ([]*vigil.Event, error) {
	events, err := r.reader.NextBatch(entrySize)
	if err != nil {
		return nil, err
	}
	kept := events[:0]
	for _, e := range events {
		if q, ok := r.normal.event(e); !ok {
			r.extra[q.Code]++
			r.aside(q)
			continue
		}
		if r.in.Pseudonyms != nil {
			r.in.Pseudonyms.Event(e, r.normal.tenant)
		}
		kept = append(kept, e)
	}
	return kept, nil
}

// summary tells what was read, with what normalising set aside.
func (r *reading) summary() file.Summary {
	s := r.reader.Summary()
	if len(r.extra) > 0 {
		s.Quarantined = maps.Clone(s.Quarantined)
		if s.Quarantined == nil {
			s.Quarantined = map[string]int64{}
		}
		for code, n := range r.extra {
			s.Quarantined[code] += n
			s.Events -= n
		}
	}
	return s
}

func (r *reading) close() error { return r.reader.Close() }

// each reads all of the input, handing batches to use on the caller's goroutine
// while the next one is read on another.
func (in *Input) each(ctx context.Context, use func([]*vigil.Event) error) (file.Summary, error) {
	r, err := in.open()
	if err != nil {
		return file.Summary{}, err
	}
	outer := ctx
	ctx, cancel := context.WithCancel(outer)
	batches := make(chan []*vigil.Event, 2)
	failed := make(chan error, 1)
	go func() {
		defer close(batches)
		failed <- r.pump(ctx, batches)
	}()
	var useErr error
	for events := range batches {
		if useErr == nil && ctx.Err() == nil {
			if useErr = use(events); useErr != nil {
				cancel()
			}
		}
	}
	cancel()
	err = <-failed
	switch {
	case useErr != nil:
		err = useErr // reading was only told to stop
	case err == nil:
		err = outer.Err()
	}
	summary := r.summary()
	if cerr := r.close(); err == nil && cerr != nil {
		err = fmt.Errorf("close input: %w", cerr)
	}
	return summary, err
}

func (r *reading) pump(ctx context.Context, out chan<- []*vigil.Event) error {
	for {
		events, err := r.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read input: %w", err)
		}
		if len(events) == 0 {
			continue
		}
		select {
		case out <- events:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
