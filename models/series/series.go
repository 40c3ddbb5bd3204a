// Package series judges the points of a metric series one after the other, each
// before it is learnt from: how far it lies from what the volume of this series
// usually is.
//
// A point is looked at in five ways: its height over all that was seen, its deviation from
// the season and the slow level, its step from the point before, and how restless and how far
// off the last few points were together. Each way, and each direction of it, is
// ranked against its own past, with a generalised Pareto tail (package
// calibrate), so no distribution is assumed of the metric. The p-values are merged
// by the Cauchy combination, as those of events are.
//
// Levels and spreads forget; an outlier moves them little, a lasting change moves
// them in the end. The season (hour of the day, hour of the week, five minutes of the day) is used as
// far as its predictions have come true. Memory is constant, about 80 KiB, and one pass is
// enough. A Model is deterministic, has no clock and no I/O, and is for one
// goroutine.
package series

import (
	"errors"
	"fmt"
	"math"
	"time"

	"vigil/models/calibrate"
)

// Side says which deviations are suspicious.
type Side string

// The sides. The empty one means Both.
const (
	Both Side = "both"
	High Side = "high"
	Low  Side = "low"
)

// Config says how a series is judged.
type Config struct {
	// Side is the suspicious direction; empty means Both. Restlessness has no
	// direction and counts with Both alone.
	Side Side
}

// The memories, in points: how many the slow level, the spreads and the height
// are averaged over, how many the recent level, how many make up restlessness
// and a run of points that are off, and for how many a told surprise stays told.
const (
	slowMemory   = 3000
	recentMemory = 60
	restMemory   = 12
	runMemory    = 4
	toldMemory   = 60
)

// warmUp is how many points pass before anything is judged.
const warmUp = 4

// resolution is how much of the usual height a deviation must be to be more than
// rounding.
const resolution = 1e-3

// maxGap is how many usual intervals without a point break a series: what came
// before is no neighbour of what comes after.
const maxGap = 20

// Score is the judgement of one point.
type Score struct {
	// Expected is what the season and the recent level made likely; 99 of 100
	// points should lie between Low and High.
	Expected, Low, High float64
	// P is how rare the point is, 1 being usual; Surprise is -log10 of it.
	P, Surprise float64
	// News is the surprise where it exceeds that of each of the last sixty points,
	// and 0 elsewhere: what is worth telling when the same trouble is to be told once.
	News float64
}

// The ways in which a point is looked at.
const (
	viewHeight = iota
	viewSeason
	viewStep
	viewRestless
	viewRun
	views
)

// Model is one series in the making.
type Model struct {
	side   Side
	season *season

	// height is of the values as they are; slow and recent are without season.
	height, slow, recent level
	// step is the usual size of a step, restless that of the last few steps;
	// off is the usual distance from the slow level, run that of the last few points.
	step, restless, off, run level
	// pace is the usual interval, in seconds.
	pace level

	up, down [views]rank
	told     [toldMemory]float64

	n        int
	lastTime time.Time
	last     float64
	negative bool
}

// New makes a model that has seen nothing.
func New(cfg Config) (*Model, error) {
	switch cfg.Side {
	case "":
		cfg.Side = Both
	case Both, High, Low:
	default:
		return nil, fmt.Errorf("side %q: must be high, low or both", string(cfg.Side))
	}
	return &Model{
		side: cfg.Side, season: newSeason(),
		height: level{memory: slowMemory}, slow: level{memory: slowMemory}, recent: level{memory: recentMemory},
		step: level{memory: slowMemory}, restless: level{memory: restMemory},
		off: level{memory: slowMemory}, run: level{memory: runMemory},
		pace: level{memory: slowMemory},
	}, nil
}

// The reasons for which a point is refused.
var (
	ErrNotFinite = errors.New("the value is not a finite number")
	ErrOrder     = errors.New("the time lies before that of the point before")
)

// Observe judges a point, then learns it. Two points may have the same time. A
// refused point changes nothing.
func (m *Model) Observe(t time.Time, v float64) (Score, error) {
	// Beyond this, sums of squares and differences of two values would overflow.
	if math.IsNaN(v) || math.Abs(v) > 1e150 {
		return Score{}, ErrNotFinite
	}
	if m.n > 0 && t.Before(m.lastTime) {
		return Score{}, ErrOrder
	}
	elapsed := t.Sub(m.lastTime).Seconds()
	if m.n > warmUp && elapsed > maxGap*m.pace.mean {
		m.forgetRecent()
	}
	season := m.season.at(t.Unix())
	score := m.judge(v, season)
	m.learn(t, v, season, elapsed)
	return score, nil
}

// forgetRecent lets the short memories begin anew after a gap.
func (m *Model) forgetRecent() {
	m.recent.n = min(m.recent.n, 1)
	m.restless.n, m.run.n = 0, 0
	m.told = [toldMemory]float64{}
	m.last = math.NaN()
}

// judge looks at a point in all ways.
func (m *Model) judge(v, season float64) Score {
	rest := v - season
	if m.n == 0 {
		return Score{Expected: v, Low: v, High: v, P: 1}
	}
	s := Score{Expected: season + m.recent.mean, P: 1}
	if !m.negative {
		s.Expected = math.Max(0, s.Expected) // a count, a rate or a duration
	}
	floor := float64(resolution*math.Abs(m.height.mean)) + math.SmallestNonzeroFloat32
	s.Low, s.High = m.interval(s.Expected, floor)
	if m.n < warmUp {
		return s
	}
	z := [views]float64{
		viewHeight:   (v - m.height.mean) / (m.height.spread + floor),
		viewSeason:   (rest - m.slow.mean) / (m.slow.spread + floor),
		viewStep:     (v - m.last) / (m.step.mean + floor),
		viewRestless: math.Log((m.restless.mean + floor) / (m.step.mean + floor)),
		viewRun:      math.Log((m.run.mean + floor) / (m.off.mean + floor)),
	}
	var ps, weights [2 * views]float64
	k := 0
	look := func(r *rank, z float64, counts bool) {
		if math.IsNaN(z) {
			return
		}
		// What is on the usual side ties with what is usual.
		p := r.p(math.Max(0, z))
		if counts {
			ps[k], weights[k] = p, 1
			k++
		}
	}
	for i := range z {
		switch i {
		case viewRestless, viewRun:
			// Calm is no breach, and a run on one side has its direction in the others.
			look(&m.up[i], z[i], m.side == Both)
		default:
			look(&m.up[i], z[i], m.side != Low)
			look(&m.down[i], -z[i], m.side != High)
		}
	}
	s.P = calibrate.Merge(ps[:k], weights[:k])
	s.Surprise = math.Max(0, -math.Log10(s.P))
	before := 0.0
	for _, told := range m.told {
		before = math.Max(before, told)
	}
	if s.Surprise > before {
		s.News = s.Surprise
	}
	m.told[m.n%toldMemory] = s.Surprise
	return s
}

// interval is where 99 of 100 points should lie: by Student's t with four degrees
// of freedom, since metrics have heavy tails, around the recent level.
func (m *Model) interval(expected, floor float64) (low, high float64) {
	const t99 = 4.604
	half := t99 * (m.recent.spread + float64(0.1*m.slow.spread) + floor)
	low, high = expected-half, expected+half
	if !m.negative {
		low = math.Max(0, low)
	}
	return low, high
}

// learn teaches a point.
func (m *Model) learn(t time.Time, v, season, elapsed float64) {
	rest := v - season
	if m.n > 0 {
		m.pace.observe(elapsed)
		if !math.IsNaN(m.last) {
			m.step.observe(math.Abs(v - m.last))
			m.restless.observe(math.Abs(v - m.last))
		}
		m.off.observe(math.Abs(rest - m.slow.mean))
		m.run.observe(math.Abs(rest - m.slow.mean))
	}
	deviation := v - m.slow.mean
	if m.n > 20 {
		limit := 2 * maxTeach * m.slow.spread
		deviation = math.Min(math.Max(deviation, -limit), limit)
	}
	m.season.learn(t.Unix(), deviation)
	m.recent.observe(rest)
	m.slow.observe(rest)
	m.height.observe(v)
	m.negative = m.negative || v < 0
	m.last, m.lastTime = v, t
	m.n++
}
