package drill

import (
	"context"
	"time"

	"vigil"
	"vigil/internal/traffic"
)

// Perform stages one scenario and hands the merged traffic to use.
func Perform(ctx context.Context, src Source, scene *Scene, sc Scenario, seed uint64, intensity float64, use func([]*vigil.Event) error) (breach, trap *Act, err error) {
	w := newWorld(scene, seed)
	if breach, err = w.prepare(&sc, false, intensity); err != nil {
		return nil, nil, err
	}
	if trap, err = w.prepare(&sc, true, 1); err != nil {
		return nil, nil, err
	}
	m := newMerger([]*Act{breach, trap}, w.clean)
	if err := src(ctx, func(events []*vigil.Event) error { return use(m.merge(nil, events)) }); err != nil {
		return nil, nil, err
	}
	return breach, trap, use(m.rest(nil))
}

// Tell says how findings are assigned: for each the scenario's id, "trap" for a
// trap and "" for nothing.
func Tell(acts []*Act, words ...vigil.Finding) []string {
	var found []*told
	for i := range words {
		f := words[i]
		found = append(found, &told{Finding: f, first: f.Detected, ids: idsOf(&f), revisions: []revision{{f.End, f.Evidence, f.Severity.Rank(), f.Events}}})
	}
	of := assign(found, acts)
	var out []string
	for _, f := range found {
		switch a := of[f]; {
		case a == nil:
			out = append(out, "")
		case a.Trap:
			out = append(out, "trap")
		default:
			out = append(out, a.Scenario)
		}
	}
	return out
}

// Exposed counts the customers shown until a time.
func (a *Act) Exposed(until time.Time) int64 { return a.exposed(until) }

// Worlds tells which scenarios share one.
func Worlds(list []Scenario) [][]string {
	var out [][]string
	for _, group := range worlds(list) {
		var ids []string
		for _, s := range group {
			ids = append(ids, s.ID)
		}
		out = append(out, ids)
	}
	return out
}

// Deal hands out traffic with what feeds tell between, as a run without anything
// staged does.
func Deal(ctx context.Context, src Source, told []traffic.Told, kinds []vigil.FactKind, seed uint64, control func(*vigil.Facts) error, fold func([]*vigil.Event) error) error {
	f := newFeeder(kinds, seed, told, nil)
	m := newMerger(nil, nil)
	m.see = f.see
	if err := src(ctx, func(events []*vigil.Event) error { return f.deal(m.merge(nil, events), control, fold) }); err != nil {
		return err
	}
	return f.deal(m.rest(nil), control, fold)
}

// Stripped is opts with a source that tells less.
func Stripped(opts Options, strip func(*vigil.Event)) Options {
	opts.strip = strip
	return opts
}
