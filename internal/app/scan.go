package app

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"vigil"
	"vigil/collectors/file"
	"vigil/detector"
	"vigil/detector/rules"
)

// maxFindings bounds the findings that a scan holds. Beyond it the least harmful
// are dropped and counted.
const maxFindings = 20_000

// ScanOptions says how files are judged.
type ScanOptions struct {
	// Budget is the number of false findings a day; zero means the default.
	Budget float64
	// MaxActors bounds the actors held in full, MaxCold those held in short; zero
	// means the default.
	MaxActors, MaxCold int
	// Rules are the deterministic rules; nil means those that are built in.
	Rules *rules.Set
	// Since drops findings that ended before it; all events are learnt from.
	Since time.Time
	// Workers is how many goroutines judge; zero means as many as there are
	// cores. The findings do not depend on it.
	Workers int
}

// ScanResult is what a scan found.
type ScanResult struct {
	// Findings are sorted worst first: by harm, then by id.
	Findings []vigil.Finding
	// Dropped counts findings beyond those that are held.
	Dropped int64
	// Input tells what was read, Detector how the engine stands at the end.
	Input    file.Summary
	Detector detector.Status
}

// Scan learns and judges the input in one pass. The same input gives the same
// result on any number of cores.
func Scan(ctx context.Context, in Input, opts ScanOptions) (*ScanResult, error) {
	engine, err := detector.New(
		detector.Config{Budget: opts.Budget, MaxActors: opts.MaxActors, MaxCold: opts.MaxCold},
		detector.Options{Workers: opts.Workers, Rules: opts.Rules},
	)
	if err != nil {
		return nil, fmt.Errorf("set up detector: %w", err)
	}
	kept := newFindingSet(opts.Since)
	summary, err := in.fold(ctx, engine, kept.add)
	if err != nil {
		return nil, err
	}
	found, err := engine.Finish()
	if err != nil {
		return nil, fmt.Errorf("finish judging: %w", err)
	}
	kept.add(found)
	return &ScanResult{Findings: kept.worstFirst(), Dropped: kept.dropped, Input: summary, Detector: engine.Status()}, nil
}

// fold feeds the input to the engine.
func (in *Input) fold(ctx context.Context, engine *detector.Engine, found func([]vigil.Finding)) (file.Summary, error) {
	return in.entries(ctx, func(entry *vigil.Entry) error {
		findings, err := engine.Fold(entry)
		if err != nil {
			return fmt.Errorf("judge entry %d: %w", entry.Seq, err)
		}
		found(findings)
		return nil
	})
}

// entries hands the input to use as numbered entries of a log: what feeds tell, and then
// the events.
func (in *Input) entries(ctx context.Context, use func(*vigil.Entry) error) (file.Summary, error) {
	var seq uint64
	for i := range in.Facts {
		data, err := json.Marshal(&in.Facts[i])
		if err != nil {
			return file.Summary{}, fmt.Errorf("encode facts: %w", err)
		}
		seq++
		if err := use(&vigil.Entry{Seq: seq, Kind: vigil.EntryControl, Control: vigil.Control{Type: vigil.ControlFacts, Data: data}}); err != nil {
			return file.Summary{}, err
		}
	}
	return in.each(ctx, func(events []*vigil.Event) error {
		seq++
		return use(&vigil.Entry{Seq: seq, Kind: vigil.EntryEvents, Source: in.Source, Events: events})
	})
}

// ScoreOptions says how events are scored.
type ScoreOptions struct {
	ScanOptions
	// Models asks for each model's raw score and p.
	Models bool
	// Each gets one score per event, in order. It is called on one goroutine.
	Each func(detector.Score)
}

// ScoreEvents judges the input and hands each event's score to opts.Each.
func ScoreEvents(ctx context.Context, in Input, opts ScoreOptions) (file.Summary, error) {
	engine, err := detector.New(
		detector.Config{Budget: opts.Budget, MaxActors: opts.MaxActors, MaxCold: opts.MaxCold},
		detector.Options{Workers: opts.Workers, Score: opts.Each, Models: opts.Models, Rules: opts.Rules},
	)
	if err != nil {
		return file.Summary{}, fmt.Errorf("set up detector: %w", err)
	}
	summary, err := in.fold(ctx, engine, func([]vigil.Finding) {})
	if err != nil {
		return summary, err
	}
	if _, err := engine.Finish(); err != nil {
		return summary, fmt.Errorf("finish judging: %w", err)
	}
	return summary, nil
}

// ParseEvents reads the input and hands each event to use, in order, on the
// caller's goroutine.
func ParseEvents(ctx context.Context, in Input, use func(*vigil.Event) error) (file.Summary, error) {
	return in.each(ctx, func(events []*vigil.Event) error {
		for _, e := range events {
			if err := use(e); err != nil {
				return err
			}
		}
		return nil
	})
}

// findingSet holds the latest revision of each finding.
type findingSet struct {
	since   time.Time
	byID    map[string]vigil.Finding
	dropped int64
}

func newFindingSet(since time.Time) *findingSet {
	return &findingSet{since: since, byID: map[string]vigil.Finding{}}
}

func (s *findingSet) add(findings []vigil.Finding) {
	for i := range findings {
		f := findings[i]
		finite(&f)
		if f.End.Before(s.since) {
			continue
		}
		if old, ok := s.byID[f.ID]; !ok || f.Revision >= old.Revision {
			s.byID[f.ID] = f
		}
	}
	if len(s.byID) > 2*maxFindings {
		for _, f := range s.worstFirst()[maxFindings:] {
			delete(s.byID, f.ID)
			s.dropped++
		}
	}
}

func (s *findingSet) worstFirst() []vigil.Finding {
	out := make([]vigil.Finding, 0, len(s.byID))
	for _, f := range s.byID {
		out = append(out, f)
	}
	slices.SortFunc(out, WorstFirst)
	return out
}

// WorstFirst orders findings by harm, largest first, and by id where harm is
// equal.
func WorstFirst(a, b vigil.Finding) int {
	harm := func(f vigil.Finding) float64 {
		if math.IsNaN(f.Harm) {
			return math.Inf(-1)
		}
		return f.Harm
	}
	if c := cmp.Compare(harm(b), harm(a)); c != 0 {
		return c
	}
	return cmp.Compare(a.ID, b.ID)
}
