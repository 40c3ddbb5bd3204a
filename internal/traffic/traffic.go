// Package traffic makes believable help-desk traffic: clean, deterministic,
// in time order. It feeds benchmarks and the detector's tests, and never a
// running vigil.
//
// What it imitates is the texture that makes detection hard rather than any one
// company: people work shifts in their own time zone, at their own pace, with
// lunch, weekends, illness and holidays; counts are overdispersed (a gamma
// factor per day and per hour over Poisson); sizes are log-normal; statements
// come in a few dozen shapes used by Zipf's law; browsers are updated, people
// move to another network now and then, new customers keep arriving; machines
// run on schedules of their own.
//
// Each actor draws from a random stream of its own, so that adding events or
// looking at one actor alters nothing about the others. The same Config gives
// the same events on every machine of one architecture.
//
// On top come Happenings: what goes on in a real help desk and looks like a breach
// to a naive detector, each switched on by name and listed with its span and its
// people. Without them a world is a plain one. Config.Crowd adds many customers
// with little to do each, for measurements of scale.
//
// A World is not safe for concurrent use; different worlds are independent.
// Memory is bounded by MaxCells hours of actors plus an hour of events and the
// visits that begin in it; a crowd costs nothing per head.
package traffic

import (
	"cmp"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"gonum.org/v1/gonum/stat/distuv"

	"vigil"
)

// MaxCells bounds Actors × Days × 24, of which each costs 4 bytes.
const MaxCells = 200_000_000

// Config says how much traffic to make. The zero value of each field stands for
// its default.
type Config struct {
	// Events is the exact number of clean events of the staff and its machines;
	// 100,000 by default. Customers' visits, incidents and the like come on top.
	Events int
	// Actors is the number of people and machines, at least 20; 1,000 by default.
	Actors int
	// Days is the length in days; 28 by default.
	Days int
	// Seed picks the world; 1 by default.
	Seed uint64
	// Start is the first instant, cut to the hour; Monday 2026-10-05 UTC by default.
	Start time.Time
	// Happenings are what goes on besides; nothing by default.
	Happenings Set
	// Crowd is a number of customers who sign in to the portal, each at least once
	// in the span; none by default. A crowd keeps no state per head.
	Crowd int
	// CrowdActive is the share of the crowd, from 0 to 1, that comes every day;
	// 0.1 by default.
	CrowdActive float64
}

// withDefaults fills in what c leaves open.
func (c Config) withDefaults() Config {
	if c.Events == 0 {
		c.Events = 100_000
	}
	if c.Actors == 0 {
		c.Actors = 1_000
	}
	if c.Days == 0 {
		c.Days = 28
	}
	if c.Seed == 0 {
		c.Seed = 1
	}
	if c.Start.IsZero() {
		c.Start = time.Date(2026, 10, 5, 0, 0, 0, 0, time.UTC)
	}
	if c.CrowdActive == 0 {
		c.CrowdActive = 0.1
	}
	c.Start = c.Start.UTC().Truncate(time.Hour)
	return c
}

// validate reports what can't be generated.
func (c Config) validate() error {
	switch {
	case c.Events < 0:
		return fmt.Errorf("events is %d, must not be negative", c.Events)
	case c.Actors < 20:
		return fmt.Errorf("actors is %d, must be at least 20 so that each role is there", c.Actors)
	case c.Days < 1:
		return fmt.Errorf("days is %d, must be at least 1", c.Days)
	case c.Crowd < 0 || c.Crowd > MaxCrowd:
		return fmt.Errorf("crowd is %d, must be from 0 to %d", c.Crowd, MaxCrowd)
	case !(c.CrowdActive >= 0 && c.CrowdActive <= 1):
		return fmt.Errorf("the active share of the crowd is %v, must be from 0 to 1", c.CrowdActive)
	case c.Happenings&^Everything() != 0:
		return fmt.Errorf("happenings %#x holds some that are not known", uint64(c.Happenings))
	case c.Actors > MaxCells/24/c.Days:
		return fmt.Errorf("%d actors over %d days is more than %d actor-hours", c.Actors, c.Days, MaxCells)
	}
	return nil
}

// World is one help desk: its staff and machines, and what each will do.
type World struct {
	cfg    Config
	actors []*actor
	byID   map[string]*actor
	demand []float64 // by day: how much customers want of everybody that day
	plan   []int32   // events by actor × hour
	extra  []*vigil.Event
	used   bool

	scale   float64 // the staff's pace, 1 being natural
	pool    *pool   // nil without a happening that needs it
	log     []Occurrence
	sources []source
	serial  int          // of visits
	engaged map[int]bool // by actor: has a part in a happening already
}

// New makes the world of a configuration.
func New(cfg Config) (*World, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("plan traffic: %w", err)
	}
	w := &World{cfg: cfg, byID: make(map[string]*actor, cfg.Actors)}
	rng := stream(cfg.Seed, 0, 0)
	w.demand = make([]float64, cfg.Days+2)
	for d := range w.demand {
		w.demand[d] = math.Exp(0.1*rng.NormFloat64()) * weekday(cfg.Start.AddDate(0, 0, d))
	}
	w.actors = cast(cfg, rng)
	for _, a := range w.actors {
		w.byID[a.ID] = a
	}
	w.prepare()
	w.schedule(rng)
	w.arrange()
	return w, nil
}

// Generate hands every event of cfg's world to emit, in time order. The event is
// emit's to keep. It fails only on a configuration that can't be met.
func Generate(cfg Config, emit func(*vigil.Event)) error {
	w, err := New(cfg)
	if err != nil {
		return err
	}
	for e := range w.Events() {
		emit(e)
	}
	return nil
}

// Inject adds events of the caller's making (a breach, a trap) to what Events
// will give, at their places in time. Call it before Events.
func (w *World) Inject(events ...*vigil.Event) {
	w.extra = append(w.extra, events...)
}

// Span returns the first instant of the world and the one after its last.
func (w *World) Span() (start, end time.Time) {
	return w.cfg.Start, w.cfg.Start.AddDate(0, 0, w.cfg.Days)
}

// Events gives every event in time order; events of one instant are in the order
// of actors, injected ones last. It can be ranged over once: a second time gives
// nothing, since actors have moved on.
func (w *World) Events() iter.Seq[*vigil.Event] {
	return func(yield func(*vigil.Event) bool) {
		if w.used {
			return
		}
		w.used = true
		slices.SortStableFunc(w.extra, byTime)
		extra := w.extra
		hours := w.cfg.Days * 24
		var hour, later []*vigil.Event
		for h := range hours {
			hour, later = append(hour[:0], later...), later[:0]
			for i, a := range w.actors {
				if n := w.plan[i*hours+h]; n > 0 {
					hour = a.work(w, h, int(n), hour)
				}
			}
			end := w.cfg.Start.Add(time.Duration(h+1) * time.Hour)
			if len(w.sources) > 0 || w.has(BotSessions) {
				for _, s := range w.sources {
					hour = s.hour(w, h, hour)
				}
				hour, later = part(hour, later, end)
			}
			for len(extra) > 0 && (extra[0].Time.Before(end) || h == hours-1) {
				hour = append(hour, extra[0])
				extra = extra[1:]
			}
			slices.SortStableFunc(hour, byTime)
			for _, e := range hour {
				if !yield(e) {
					return
				}
			}
		}
	}
}

// part moves the events that are not before end to later.
func part(events, later []*vigil.Event, end time.Time) (now, then []*vigil.Event) {
	now = events[:0]
	for _, e := range events {
		if e.Time.Before(end) {
			now = append(now, e)
		} else {
			later = append(later, e)
		}
	}
	return now, later
}

func byTime(a, b *vigil.Event) int { return cmp.Compare(a.Time.UnixNano(), b.Time.UnixNano()) }

// schedule draws how many events each actor makes in each hour, and brings the
// sum to exactly the number asked for.
func (w *World) schedule(rng *rand.Rand) {
	hours := w.cfg.Days * 24
	w.plan = make([]int32, len(w.actors)*hours)
	means := make([]float32, hours)
	total := 0.0
	for _, a := range w.actors {
		a.means(w, means)
		for _, m := range means {
			total += float64(m)
		}
	}
	if total == 0 || w.cfg.Events == 0 {
		return
	}
	scale := float64(w.cfg.Events) / total
	w.scale = scale
	sum := 0
	for i, a := range w.actors {
		a.means(w, means)
		src := stream(w.cfg.Seed, a.index, streamCounts)
		for h, m := range means {
			if m == 0 {
				continue
			}
			lambda := float64(m) * scale
			if a.burst > 0 {
				lambda *= distuv.Gamma{Alpha: a.burst, Beta: a.burst, Src: src}.Rand()
			}
			n := int(distuv.Poisson{Lambda: lambda, Src: src}.Rand())
			w.plan[i*hours+h] = int32(min(n, math.MaxInt32))
			sum += n
		}
	}
	w.settle(rng, sum)
}

// settle adds to or takes from random hours in which somebody works, one event
// at a time, until the plan's sum is what was asked for.
func (w *World) settle(rng *rand.Rand, sum int) {
	var busy []int
	for c, n := range w.plan {
		if n > 0 {
			busy = append(busy, c)
		}
	}
	if len(busy) == 0 { // so little was asked for that chance gave nothing
		a := w.actors[rng.IntN(len(w.actors))]
		busy = append(busy, a.index*w.cfg.Days*24+9)
	}
	for ; sum < w.cfg.Events; sum++ {
		w.plan[busy[rng.IntN(len(busy))]]++
	}
	for sum > w.cfg.Events {
		if c := busy[rng.IntN(len(busy))]; w.plan[c] > 0 {
			w.plan[c]--
			sum--
		}
	}
}

// The purposes for which an actor has a stream of its own.
const (
	streamCast = iota + 1
	streamCalendar
	streamMeans
	streamCounts
	streamWork
	streamHappening
)

// stream returns the random stream of one actor and purpose.
func stream(seed uint64, actor, purpose int) *rand.Rand {
	return rand.New(rand.NewPCG(seed, uint64(actor)<<8|uint64(purpose)))
}

// weekday is the customers' demand by day of the week.
func weekday(t time.Time) float64 {
	return [7]float64{0.55, 1.18, 1.05, 1.0, 1.0, 0.95, 0.62}[t.Weekday()]
}

// lognormal draws a size whose median is given.
func lognormal(rng *rand.Rand, median, sigma float64) float64 {
	return median * math.Exp(sigma*rng.NormFloat64())
}

// zipf draws a rank below n, rank r in proportion to 1/(r+1)^s.
func zipf(rng *rand.Rand, n int, s float64) int {
	if n <= 1 {
		return 0
	}
	// Inversion of the continuous form: exact enough, and without a table.
	u := rng.Float64()
	if s == 1 {
		return min(int(math.Exp(u*math.Log(float64(n)+1)))-1, n-1)
	}
	top := math.Pow(float64(n)+1, 1-s) - 1
	return min(int(math.Pow(u*top+1, 1/(1-s)))-1, n-1)
}
