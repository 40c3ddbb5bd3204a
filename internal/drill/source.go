package drill

import (
	"context"

	"vigil"
	"vigil/internal/traffic"
)

// Source is traffic that can be read several times, each time the same. It calls
// use with batches in order; the events are use's to keep. An error of use ends
// the reading and is returned.
type Source func(ctx context.Context, use func([]*vigil.Event) error) error

// batch is how many events are handed on at a time.
const batch = 4096

// Generated is made-up traffic.
func Generated(cfg traffic.Config) Source {
	return func(ctx context.Context, use func([]*vigil.Event) error) error {
		w, err := traffic.New(cfg)
		if err != nil {
			return err
		}
		events := make([]*vigil.Event, 0, batch)
		for e := range w.Events() {
			if e.Network == "" {
				e.Network = vigil.NetworkOf(e.IP)
			}
			e.Source = e.Store // each system has a log of its own
			events = append(events, e)
			if len(events) == batch {
				if err := ctx.Err(); err != nil {
					return err
				}
				if err := use(events); err != nil {
					return err
				}
				events = make([]*vigil.Event, 0, batch)
			}
		}
		return use(events)
	}
}

// CompanyFacts is what the other systems of the company of made-up traffic tell.
func CompanyFacts(cfg traffic.Config) ([]traffic.Told, error) {
	w, err := traffic.New(cfg)
	if err != nil {
		return nil, err
	}
	return w.Facts(), nil
}

// Survey reads traffic once and returns its scene.
func Survey(ctx context.Context, src Source) (*Scene, error) {
	p := newProfiler()
	err := src(ctx, func(events []*vigil.Event) error {
		for _, e := range events {
			p.add(e)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return p.done(), nil
}
