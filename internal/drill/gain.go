package drill

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"vigil"
)

// Gains tell what each feed is worth on clean weeks: how many false findings there
// are with all of them, with none, and without each.
type Gains struct {
	Seeds []uint64 `json:"seeds"`
	// Traffic is that of the last seed.
	Traffic Traffic `json:"traffic"`
	Rows    []Gain  `json:"rows"`
}

// Gain is what clean weeks came to with some feeds.
type Gain struct {
	// Name is "all", "none" or "without KIND".
	Name  string           `json:"name"`
	Feeds []vigil.FactKind `json:"feeds"`
	// Without is the one feed that is left out of all; empty else.
	Without vigil.FactKind `json:"without,omitempty"`
	// Findings are all of them: nothing is staged, so that each is false. False is
	// their number of a day for each 1,000 actors.
	Findings int     `json:"findings"`
	False    float64 `json:"false_per_1000_actors_day"`
	// Sentences are what they said.
	Sentences []string `json:"sentences,omitempty"`
}

// MeasureGains judges traffic in which nothing is staged, with and without each of the
// feeds that opts names.
func MeasureGains(ctx context.Context, source func(seed uint64) Source, opts Options) (*Gains, error) {
	if len(opts.Feeds) == 0 {
		return nil, errors.New("measure gain: no feed is named")
	}
	if len(opts.Seeds) == 0 {
		opts.Seeds = []uint64{1}
	}
	all := opts.Feeds
	out := &Gains{Seeds: opts.Seeds, Rows: []Gain{{Name: "all", Feeds: all}, {Name: "none", Feeds: []vigil.FactKind{}}}}
	if len(all) > 1 {
		for _, kind := range all {
			rest := slices.DeleteFunc(slices.Clone(all), func(k vigil.FactKind) bool { return k == kind })
			out.Rows = append(out.Rows, Gain{Name: "without " + string(kind), Feeds: rest, Without: kind})
		}
	}
	actorDays, done := 0.0, 0
	for _, seed := range opts.Seeds {
		src := source(seed)
		told, err := opts.facts(seed)
		if err != nil {
			return nil, err
		}
		scene, err := Survey(ctx, src)
		if err != nil {
			return nil, fmt.Errorf("survey traffic: %w", err)
		}
		if len(scene.People) == 0 {
			return nil, errors.New("survey traffic: there are no events to judge")
		}
		actorDays += float64(scene.Actors()) * scene.Days()
		out.Traffic = trafficOf(scene)
		for i := range out.Rows {
			row := &out.Rows[i]
			opts.Feeds = row.Feeds
			found, _, err := judge(ctx, src, told, newWorld(scene, seed), nil, nil, opts)
			if err != nil {
				return nil, err
			}
			row.Findings += len(found)
			for _, f := range found {
				row.Sentences = append(row.Sentences, f.Sentence)
			}
			done++
			if opts.Progress != nil {
				opts.Progress(done, len(out.Rows)*len(opts.Seeds))
			}
		}
	}
	for i := range out.Rows {
		if actorDays > 0 {
			out.Rows[i].False = float64(out.Rows[i].Findings) / actorDays * 1000
		}
	}
	return out, nil
}
