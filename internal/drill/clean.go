package drill

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// week is a clean week's length.
const week = 7 * 24 * time.Hour

// Clean is what came of traffic in which nothing is staged: each of its findings
// is false.
type Clean struct {
	Seeds []uint64 `json:"seeds"`
	// Worlds are in the order of the seeds.
	Worlds []CleanWorld `json:"worlds"`
	// Weeks is how many were judged, Within in how many of them the false findings
	// stayed within the budget; WorldsWithin counts the worlds that did so over all
	// their weeks together.
	Weeks        int `json:"weeks"`
	Within       int `json:"weeks_within"`
	WorldsWithin int `json:"worlds_within"`
}

// CleanWorld is one world's weeks.
type CleanWorld struct {
	Seed   uint64 `json:"seed"`
	Events int64  `json:"events"`
	// Actors leaves out customers who look after themselves.
	Actors int `json:"actors"`
	// Budget is how many false findings a day are accepted, as it stood at the end.
	Budget   float64     `json:"budget_per_day"`
	Findings int         `json:"findings"`
	Weeks    []CleanWeek `json:"weeks"`
}

// CleanWeek is one week from the traffic's first day on; the last may be shorter.
type CleanWeek struct {
	Start time.Time `json:"start"`
	Days  float64   `json:"days"`
	// Budget is how many false findings are accepted within it.
	Budget   float64 `json:"budget"`
	Findings int     `json:"findings"`
	// Sentences say what the findings were about.
	Sentences []string `json:"sentences,omitempty"`
}

// within says whether so many findings stay within the budget.
func within(findings int, budget float64) bool { return float64(findings) <= budget }

// RunClean judges the traffic that source gives for each seed as it is. A finding
// counts in the week in which it was declared. Of the options, Scenarios, Intensity
// and Curves have no meaning.
func RunClean(ctx context.Context, source func(seed uint64) Source, opts Options) (*Clean, error) {
	if len(opts.Seeds) == 0 {
		opts.Seeds = []uint64{1}
	}
	opts.Curves = false
	result := &Clean{Seeds: opts.Seeds}
	for i, seed := range opts.Seeds {
		src := source(seed)
		facts, err := opts.facts(seed)
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
		found, status, err := judge(ctx, src, facts, newWorld(scene, seed), nil, nil, opts)
		if err != nil {
			return nil, err
		}
		w := CleanWorld{Seed: seed, Events: scene.Events, Actors: scene.Actors(), Budget: status.Budget, Findings: len(found)}
		first := scene.Start.UTC().Truncate(24 * time.Hour)
		for at := first; at.Before(scene.End); at = at.Add(week) {
			days := min(scene.End.Sub(at), week).Hours() / 24
			w.Weeks = append(w.Weeks, CleanWeek{Start: at, Days: days, Budget: days * status.Budget})
		}
		if len(w.Weeks) == 0 {
			w.Weeks = []CleanWeek{{Start: first}} // a single event at midnight
		}
		for _, f := range found {
			n := min(max(int(f.first.Sub(first)/week), 0), len(w.Weeks)-1)
			w.Weeks[n].Findings++
			w.Weeks[n].Sentences = append(w.Weeks[n].Sentences, f.Sentence)
		}
		result.add(w)
		if opts.Progress != nil {
			opts.Progress(i+1, len(opts.Seeds))
		}
	}
	return result, nil
}

func (c *Clean) add(w CleanWorld) {
	c.Worlds = append(c.Worlds, w)
	accepted := 0.0
	for _, k := range w.Weeks {
		c.Weeks++
		if within(k.Findings, k.Budget) {
			c.Within++
		}
		accepted += k.Budget
	}
	if within(w.Findings, accepted) {
		c.WorldsWithin++
	}
}
