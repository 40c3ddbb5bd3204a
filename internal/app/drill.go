package app

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"

	"vigil"
	"vigil/internal/drill"
	"vigil/internal/drill/page"
	"vigil/internal/traffic"
)

// DrillOptions says which drills are run, in what.
type DrillOptions struct {
	drill.Options
	// Traffic, when set, is the recorded traffic in which breaches are staged. Else
	// Actors people and machines are made up who work for Days days.
	Traffic      *Input
	Actors, Days int
	// Happenings are what goes on in made-up traffic besides.
	Happenings traffic.Set
}

// drillEvents is how many events a made-up actor makes in a day, on average.
const drillEvents = 120

// made is the made-up traffic of a seed.
func (o *DrillOptions) made(seed uint64) traffic.Config {
	return traffic.Config{Events: o.Actors * o.Days * drillEvents, Actors: o.Actors, Days: o.Days, Seed: seed, Happenings: o.Happenings}
}

// source gives the traffic of a seed; fixed says that it is the same for all.
func (o *DrillOptions) source() (source func(seed uint64) drill.Source, fixed bool) {
	in := o.Traffic
	if in == nil {
		o.Facts = func(seed uint64) ([]traffic.Told, error) { return drill.CompanyFacts(o.made(seed)) }
		return func(seed uint64) drill.Source { return drill.Generated(o.made(seed)) }, false
	}
	quarantine := in.Quarantine
	recorded := func(ctx context.Context, use func([]*vigil.Event) error) error {
		reading := *in
		reading.Quarantine, quarantine = quarantine, nil // told the first time
		_, err := reading.each(ctx, use)
		return err
	}
	if len(in.Facts) > 0 {
		o.known(in.Facts)
	}
	return func(uint64) drill.Source { return recorded }, true
}

// known has the detector know facts from the beginning.
func (o *DrillOptions) known(facts []vigil.Facts) {
	told := make([]traffic.Told, len(facts))
	for i := range facts {
		told[i].Facts = facts[i]
		if !slices.Contains(o.Feeds, facts[i].Kind) {
			o.Feeds = append(o.Feeds, facts[i].Kind)
		}
		o.Assigned = o.Assigned || facts[i].Kind == vigil.FactAssignment
	}
	o.Facts = func(uint64) ([]traffic.Told, error) { return told, nil }
}

// Drill stages breaches and tells which of them are found.
func Drill(ctx context.Context, opts DrillOptions) (*drill.Result, error) {
	source, fixed := opts.source()
	return drill.Run(ctx, source, fixed, opts.Options)
}

// DrillClean stages nothing and tells what is found all the same.
func DrillClean(ctx context.Context, opts DrillOptions) (*drill.Clean, error) {
	source, _ := opts.source()
	return drill.RunClean(ctx, source, opts.Options)
}

// DrillGains tells what each feed is worth in traffic in which nothing is staged.
func DrillGains(ctx context.Context, opts DrillOptions) (*drill.Gains, error) {
	source, _ := opts.source()
	return drill.MeasureGains(ctx, source, opts.Options)
}

// WriteDrillReport drills at several intensities and writes the page about it to
// path. The evidence over time is followed at the one that is nearest to plain.
func WriteDrillReport(ctx context.Context, path string, opts DrillOptions, intensities []float64) error {
	plain := 0
	for i, x := range intensities {
		if math.Abs(math.Log(x)) < math.Abs(math.Log(intensities[plain])) {
			plain = i
		}
	}
	progress := opts.Progress
	var results []*drill.Result
	for i, x := range intensities {
		opts.Intensity, opts.Curves = x, i == plain
		if progress != nil {
			opts.Progress = func(done, total int) { progress(i*total+done, len(intensities)*total) }
		}
		r, err := Drill(ctx, opts)
		if err != nil {
			return fmt.Errorf("drill at intensity %v: %w", x, err)
		}
		results = append(results, r)
	}
	return writeWhole(path, func(w io.Writer) error { return page.HTML(w, results) })
}
