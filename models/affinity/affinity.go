// Package affinity judges who reads whom: whether an edge (an actor and what it
// reads, a network and an actor) or one of its ends is busier now than its past
// lets expect.
//
// Each key has a count of the present tick that halves from tick to tick, a
// second one over some sixty ticks for what is slow but steady, and a past that
// forgets over weeks. The score asks how surprising the counts are where the rate
// is only known from that past and from a prior worth one event in a day. So a
// young key, and a young sketch, is judged too, where a test against the past
// alone has nothing to say until it has a past, and where a flood that lasts
// becomes its own standard. A tick teaches a key's past no more than twice what
// was expected and a calm tick's worth: an attack does not raise its own
// baseline. What bursts day by day, as nightly jobs do, is expected to, by the
// geometric mean of its daily peaks. For an end of an edge, edges that were never
// seen before are counted and judged in the same way, which finds enumeration by a
// source and a convergence on a destination.
//
// Sources: Bhatia, Hooi, Yoon, Shin and Faloutsos, "MIDAS: microcluster-based
// detector of anomalies in edge streams" (AAAI 2020) and Bhatia et al., "Real-time
// anomaly detection in edge streams" (TKDD 2022) for the present against the past
// of edges and nodes, and for merging under a condition. Their chi-squared
// statistic is replaced by the one-sided log-likelihood ratio of a negative
// binomial count, because chi-squared with no past is zero or without bound.
//
// The engine calls it with event time; there is no clock and no I/O. A Model is
// immutable and may be shared by any number of goroutines; a Sketch is not safe
// for concurrent use. Memory is bounded: a sketch doubles up to Config.Limit
// slots, then a new key takes the place of the lightest of the eight keys beside
// it, whose past is gone. A key that comes back is a new key, and new keys are
// judged more strictly than old ones, not less.
package affinity

import (
	"errors"
	"fmt"
	"math"
)

// Config says how long things are remembered. A tick is the caller's unit of
// event time; the defaults are meant for minutes. The zero Config stands for
// DefaultConfig.
type Config struct {
	// Day is how many ticks a day has, over which the prior's one event is spread
	// and of which peaks are kept. From 1; zero means 1440.
	Day int64
	// Slow is over how many ticks the second, slower count is held. From 2; zero
	// means 64.
	Slow int64
	// HalfLife is after how many ticks the past weighs half. From 1; zero means
	// 14 days of 1440 ticks.
	HalfLife int64
	// Calm is how many events of one key in one tick may always be learnt as
	// usual, beside twice what was expected. Above zero; zero means 16.
	Calm float64
	// Limit is how many slots of 96 bytes a sketch may have. From 64, rounded down
	// to a power of two; zero means 65536, which is 6 MiB.
	Limit int
	// Seed keys the hashes, so that nobody can choose keys that crowd each other.
	// Any value will do.
	Seed uint64
}

// DefaultConfig is for ticks of one minute.
func DefaultConfig() Config {
	return Config{Day: 1440, Slow: 64, HalfLife: 14 * 1440, Calm: 16, Limit: 1 << 16}
}

// Model is a Config made ready: the tables that its sketches share. It does not
// change.
type Model struct {
	cfg Config
	// quick, slow and past give what is left of a weight after some ticks.
	quick, slow, past *powers
	// quickWindow and slowWindow turn a rate into the decayed count that it keeps.
	quickWindow, slowWindow float64
	// days is the same with days for ticks; nil in a model of days.
	days *Model
}

// ErrConfig is wrapped by each error about a Config's field.
var ErrConfig = errors.New("affinity configuration")

// New checks cfg and makes its tables.
func New(cfg Config) (*Model, error) {
	d := DefaultConfig()
	cfg.Day, cfg.Slow, cfg.HalfLife = or(cfg.Day, d.Day), or(cfg.Slow, d.Slow), or(cfg.HalfLife, d.HalfLife)
	cfg.Calm, cfg.Limit = or(cfg.Calm, d.Calm), or(cfg.Limit, d.Limit)
	switch {
	case cfg.Day < 1:
		return nil, fmt.Errorf("%w: day: %d ticks, want at least 1", ErrConfig, cfg.Day)
	case cfg.Slow < 2:
		return nil, fmt.Errorf("%w: slow: %d ticks, want at least 2", ErrConfig, cfg.Slow)
	case cfg.HalfLife < 1:
		return nil, fmt.Errorf("%w: half-life: %d ticks, want at least 1", ErrConfig, cfg.HalfLife)
	case !(cfg.Calm > 0) || math.IsInf(cfg.Calm, 0):
		return nil, fmt.Errorf("%w: calm: %v events, want above zero", ErrConfig, cfg.Calm)
	case cfg.Limit < 64 || cfg.Limit > 1<<30:
		return nil, fmt.Errorf("%w: limit: %d slots, want 64 to 2^30", ErrConfig, cfg.Limit)
	}
	for cfg.Limit&(cfg.Limit-1) != 0 {
		cfg.Limit &= cfg.Limit - 1
	}
	m := ready(cfg)
	cfg.HalfLife, cfg.Day = max(cfg.HalfLife/cfg.Day, 1), 1
	m.days = ready(cfg)
	return m, nil
}

// ready makes the tables of a configuration that was checked.
func ready(cfg Config) *Model {
	return &Model{
		cfg:         cfg,
		quick:       newPowers(.5),
		slow:        newPowers(1 - 1/float64(cfg.Slow)),
		past:        newPowers(halving(cfg.HalfLife)),
		quickWindow: 2,
		slowWindow:  float64(cfg.Slow),
	}
}

func or[T int | int64 | float64](v, d T) T {
	if v == 0 {
		return d
	}
	return v
}

// Config returns the configuration, defaults filled in.
func (m *Model) Config() Config { return m.cfg }

// span is how many ticks' weight a past of dt ticks has: dt while it is young,
// the half-life over ln 2 in the end.
func (m *Model) span(dt uint64) float64 {
	return (1 - m.past.of(dt)) / (1 - m.past.table[0][1])
}

// surprise is the one-sided log-likelihood ratio of a count of n where mu was
// expected, in nats: zero up to mu, then growing with n without end. The count is
// taken as negative binomial with shape 2, wide as counts of what comes in bursts:
// its standard deviation is never less than .7 of its mean.
func surprise(n, mu float64) float64 {
	if !(n > mu) {
		return 0
	}
	const shape = 2
	return max(float64(n*ln(n*(mu+shape)/(mu*(n+shape))))-float64(shape*ln((n+shape)/(mu+shape))), 0)
}

// Combine makes one raw score of the scores of an edge's parts, or of an event's
// edges: the largest. A part that is not a number, or below zero, does not count.
func Combine(scores ...float64) float64 {
	best := 0.0
	for _, s := range scores {
		if s > best {
			best = s
		}
	}
	return best
}
