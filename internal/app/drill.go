package app

import (
	"context"

	"vigil"
	"vigil/internal/drill"
	"vigil/internal/traffic"
)

// DrillOptions says which drills are run, in what.
type DrillOptions struct {
	drill.Options
	// Traffic, when set, is the recorded traffic in which breaches are staged. Else
	// Actors people and machines are made up who work for Days days.
	Traffic      *Input
	Actors, Days int
}

// drillEvents is how many events a made-up actor makes in a day, on average.
const drillEvents = 120

// Drill stages breaches and tells which of them are found.
func Drill(ctx context.Context, opts DrillOptions) (*drill.Result, error) {
	if in := opts.Traffic; in != nil {
		quarantine := in.Quarantine
		source := func(ctx context.Context, use func([]*vigil.Event) error) error {
			reading := *in
			reading.Quarantine, quarantine = quarantine, nil // told the first time
			_, err := reading.each(ctx, use)
			return err
		}
		return drill.Run(ctx, func(uint64) drill.Source { return source }, true, opts.Options)
	}
	return drill.Run(ctx, func(seed uint64) drill.Source {
		return drill.Generated(traffic.Config{Events: opts.Actors * opts.Days * drillEvents, Actors: opts.Actors, Days: opts.Days, Seed: seed, Happenings: traffic.Everything()})
	}, false, opts.Options)
}
