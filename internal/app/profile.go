package app

import (
	"context"

	"vigil/detector"
)

// profile asks the engine about an actor, between two entries. It waits for its turn until
// ctx ends.
func (a *applier) profile(ctx context.Context, tenant, id string) (detector.Profile, bool, error) {
	turn := make(chan struct{})
	given := make(chan struct{})
	go func() {
		a.using.Lock()
		defer a.using.Unlock()
		select {
		case turn <- struct{}{}:
			<-given
		case <-ctx.Done():
		}
	}()
	select {
	case <-turn:
	case <-ctx.Done():
		return detector.Profile{}, false, context.Cause(ctx)
	}
	defer close(given)
	p, known := a.engine.Profile(tenant, id)
	return p, known, nil
}
