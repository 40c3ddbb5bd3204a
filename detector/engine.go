// Package detector is the engine: it folds the log into findings.
package detector

import (
	"time"

	"vigil"
)

// Config is what a user may set.
type Config struct {
	// Budget is the number of false findings a day that people accept. Zero
	// means the default: one a day for each 1,000 actors, at least one a month.
	Budget float64
	// MaxActors bounds the actors held in memory; zero means 100,000.
	MaxActors int
}

// Options is what code passes.
type Options struct {
	// Workers is how many goroutines share the shards; zero means GOMAXPROCS.
	// The result does not depend on it.
	Workers int
	// Score, when set, gets one score per event, in the log's order of events.
	Score func(Score)
	// Models asks for each model's raw score and p in every Score.
	Models bool
}

// Score is the judgement of one event.
type Score struct {
	Event *vigil.Event
	// P is the merged p-value; Surprise is -log10 of it.
	P, Surprise float64
	// Evidence is log10 of the actor's e-detector, the largest lane.
	Evidence      float64
	Contributions []vigil.Contribution
	// Models holds each model's raw score and p, when asked for.
	Models map[string]ModelScore
}

// ModelScore is one model's judgement of one event.
type ModelScore struct {
	Score float64 `json:"score"`
	P     float64 `json:"p"`
}

// Part is a piece of the engine's state. Parts are saved and restored by name.
type Part struct {
	Name string
	Data []byte
}

// Lane is how one lane of epochs stands.
type Lane struct {
	Name  string
	Ready bool
	Why   string
	// Theory and Threshold are log10; ActorEpochs is a day's number.
	Theory, Threshold, ActorEpochs float64
}

// Status is how the engine stands.
type Status struct {
	Watermark time.Time
	Events    int64
	Late      int64
	Actors    int
	Lanes     []Lane
	Budget    float64
}

// Engine folds log entries into findings. It is not safe for concurrent use;
// inside, shards run on several goroutines.
type Engine struct{}

// New makes an engine with no past.
func New(cfg Config, opts Options) (*Engine, error) { return &Engine{}, nil }

// Fold takes the next entry of the log and returns the findings that opened,
// grew or closed by it, each in full. The engine owns the entry's events from
// then on; they are not changed save for Late.
func (e *Engine) Fold(entry *vigil.Entry) ([]vigil.Finding, error) { return nil, nil }

// Finish ends a bounded input: all spans close and open findings come out a
// last time. The engine can't be used afterwards.
func (e *Engine) Finish() ([]vigil.Finding, error) { return nil, nil }

// Status tells how the engine stands.
func (e *Engine) Status() Status { return Status{} }

// Snapshot returns the parts of the state that changed since the last call, or
// all of them. Restoring every part's latest version gives the same engine.
func (e *Engine) Snapshot(all bool) ([]Part, error) { return nil, nil }

// Restore takes back the parts of a snapshot. It is called before any Fold.
func (e *Engine) Restore(parts []Part) error { return nil }
