// Package detector is the engine: it folds the log into findings.
//
// Events are put in order of their event time, dealt to 256 shards by actor, and
// counted in spans (a quarter of an hour, a day, a week). When a span closes, or
// earlier when a count outgrows it, the models judge it; the p-values become
// e-values, and evidence adds up until it crosses the line that the alert budget
// sets. What shards share is frozen between merges at full hours of event time,
// so the result is the same on any number of cores.
//
// The engine reads no clock and does no I/O. Its memory is bounded: actors by
// Config.MaxActors and Config.MaxCold, all else by constants named where they apply.
package detector

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"vigil"
	"vigil/detector/features"
	"vigil/detector/reasons"
	"vigil/detector/rules"
	"vigil/models/affinity"
)

// Config is what a user may set.
type Config struct {
	// Budget is the number of false findings a day that people accept, until the log
	// names one (vigil.ControlBudget). Zero means the default: one a day for each 1,000
	// actors, at least one a month.
	Budget float64
	// MaxActors bounds the actors held in full, about 10 KiB each; zero means
	// 100,000.
	MaxActors int
	// MaxCold bounds the actors held in short, about 400 bytes each; zero means ten
	// for each of MaxActors. Of those who make room there, eight bytes stay.
	MaxCold int
}

// Options is what code passes.
type Options struct {
	// Workers is how many goroutines share the shards; zero means GOMAXPROCS.
	// The result does not depend on it.
	Workers int
	// Score, when set, gets one score per event, in the log's order of events.
	Score func(Score)
	// Rules are the deterministic rules; nil means those that are built in.
	Rules *rules.Set
	// Models asks for each model's raw score and p in every Score.
	Models bool
	// Untaught are times of actors from which nothing is learnt.
	Untaught []Untaught
	// Tally asks for counts of the p-values of spans, see Engine.Tallies; nil for none.
	Tally *TallyOptions
}

// Score is the judgement of one event.
type Score struct {
	Event *vigil.Event
	// P is the merged p-value; Surprise is -log10 of it.
	P, Surprise float64
	// Evidence is log10 of the actor's e-detector, the largest lane.
	Evidence      float64
	Contributions []vigil.Contribution
	// Models holds each model's raw score and p, when asked for: of those that had
	// something to judge. A login names nothing that is read, so there are no edges
	// to it, and nothing of affinity.
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
	// Actors is how many are known: Hot ones in full, Cold ones in short.
	Actors, Hot, Cold int
	// Gone is of how many more a mark is left.
	Gone   int
	Lanes  []Lane
	Budget float64
	// Facts is what feeds have told; Unread counts control records that could not be
	// read.
	Facts  reasons.Counts
	Unread int64
	// RulesFailed are the ids of the rules that are switched off since they failed too
	// often, sorted.
	RulesFailed []string
}

// Engine folds log entries into findings. It is not safe for concurrent use;
// inside, shards run on several goroutines.
type Engine struct {
	cfg    Config
	opts   Options
	shared *shared
	shards [shardCount]*shard
	order  order
	// sources judges the networks that actors come from, all in one.
	affinities affinities
	sources    *affinity.Sources
	hour       int64 // the hour of event time up to which the shards are merged
	events     int64
	late       int64
	unread     int64 // control records that could not be read
	done       bool

	targets [shardCount]*targets
	inbox   [shardCount][]int32 // indexes into run, by shard
	reached [shardCount][]reach // likewise, by target shard
	traces  []trace             // what targets leave for actors, like run
	run     []*vigil.Event
	score   []Score
}

// defaultMaxActors bounds the actors in memory when the configuration does not.
const defaultMaxActors = 100_000

// The customers and networks whose past is remembered.
const (
	maxSubjects = 500_000
	maxNetworks = 100_000
)

// New makes an engine with no past.
func New(cfg Config, opts Options) (*Engine, error) {
	if cfg.Budget < 0 {
		return nil, errors.New("budget is negative")
	}
	if cfg.MaxActors == 0 {
		cfg.MaxActors = defaultMaxActors
	}
	if cfg.MaxActors < shardCount {
		return nil, fmt.Errorf("max actors is %d, at least %d", cfg.MaxActors, shardCount)
	}
	if cfg.MaxCold == 0 {
		cfg.MaxCold = coldFactor * cfg.MaxActors
	}
	if cfg.MaxCold < shardCount {
		return nil, fmt.Errorf("max cold actors is %d, at least %d", cfg.MaxCold, shardCount)
	}
	if opts.Workers <= 0 {
		opts.Workers = runtime.GOMAXPROCS(0)
	}
	if opts.Rules == nil {
		set, err := builtinRules()
		if err != nil {
			return nil, err
		}
		opts.Rules = set
	}
	models, err := newAffinities()
	if err != nil {
		return nil, fmt.Errorf("set up affinity: %w", err)
	}
	e := &Engine{cfg: cfg, opts: opts, shared: newShared(newBudget(cfg.Budget), opts.Rules), affinities: models, sources: models.sources.Sources()}
	e.shared.untaught = untaughtByActor(opts.Untaught)
	e.shared.events.freeze()
	var without map[string][]stretch
	if opts.Tally != nil {
		without = untaughtByActor(opts.Tally.Without)
	}
	for i := range e.shards {
		e.shards[i] = newShard(e.shared, cfg.MaxActors/shardCount, cfg.MaxCold/shardCount)
		e.shards[i].scoring = opts.Score != nil
		e.shards[i].models = opts.Models
		if opts.Tally != nil {
			e.shards[i].tally = newTally(opts.Tally, without)
		}
		e.shards[i].edges = models.edges.Sketch()
		e.targets[i] = newTargets(e.shared, models.edges, maxSubjects/shardCount, maxNetworks/shardCount)
	}
	return e, nil
}

// Fold takes the next entry of the log and returns the findings that opened,
// grew or closed by it, each in full. The engine owns the entry's events from
// then on; they are not changed save for Late.
func (e *Engine) Fold(entry *vigil.Entry) ([]vigil.Finding, error) {
	if e.done {
		return nil, errors.New("the engine has finished")
	}
	switch entry.Kind {
	case vigil.EntryEvents:
		e.order.push(entry.Source, entry.Events)
	case vigil.EntryTick:
		return e.tick(entry.Tick.Watermark.UnixNano()), nil
	case vigil.EntryControl:
		return e.control(&entry.Control), nil
	default:
		return nil, fmt.Errorf("log entry %d has the unknown kind %q", entry.Seq, entry.Kind)
	}
	return e.release(), nil
}

// tick folds that time has come so far, and looks at which sources tell no more.
func (e *Engine) tick(t int64) []vigil.Finding {
	e.order.tick(t)
	e.shared.rhythms.tick(t)
	found := e.release()
	if e.shared.Started != 0 {
		e.shared.look(min(t, e.order.watermark))
	}
	return append(found, e.collect()...)
}

// Finish ends a bounded input: all spans close and open findings come out a
// last time. The engine can't be used afterwards.
func (e *Engine) Finish() ([]vigil.Finding, error) {
	if e.done {
		return nil, errors.New("the engine has finished")
	}
	e.order.flush()
	e.shared.rhythms.ending = true
	found := e.release()
	e.done = true
	end := e.order.watermark
	if e.events == 0 {
		return found, nil
	}
	for _, sh := range e.shards {
		// Closing an unfinished span only withholds what it might still have held.
		for l := range features.Lanes {
			for _, a := range sh.touched[l] {
				sh.close(a, features.Lane(l))
			}
			sh.touched[l] = nil
		}
		sh.expire(end)
		for _, a := range sh.opened {
			sh.tell(a, true)
		}
		sh.closeRulings()
	}
	for _, t := range e.targets {
		t.closeSubjects()
		t.closeNetworks()
		t.expire(end)
		t.finish()
	}
	e.shared.finish()
	return append(found, e.collect()...), nil
}

// release folds the events whose order is settled, merging at each full hour.
func (e *Engine) release() []vigil.Finding {
	var found []vigil.Finding
	ready := e.order.pop()
	for len(ready) > 0 {
		n := 0
		for n < len(ready) && (ready[n].Late || ready[n].Time.UnixNano() < (e.hour+1)*hourNanos) {
			n++
		}
		if e.shared.Started == 0 {
			// Late ones may come before any that is not: then time begins where they
			// were late for.
			t := e.order.watermark
			if n < len(ready) {
				t = ready[n].Time.UnixNano()
			}
			e.shared.Started = t
			e.begin(minute(t))
			e.hour = t / hourNanos
			continue
		}
		if n == 0 {
			// The next one lies in a later hour.
			e.advance(ready[0].Time.UnixNano() / hourNanos)
			found = append(found, e.collect()...)
			continue
		}
		e.dispatch(ready[:n])
		found = append(found, e.collect()...)
		ready = ready[n:]
	}
	if h := e.order.watermark / hourNanos; e.shared.Started != 0 && h > e.hour {
		e.advance(h)
		found = append(found, e.collect()...)
	}
	return found
}

// begin tells all sketches when time began, so that those that are used late don't
// look young.
func (e *Engine) begin(tick int64) {
	for i := range e.shards {
		e.shards[i].edges.Begin(tick)
		e.targets[i].arrivals.Begin(tick)
	}
}

// advance closes the spans that ended before the hour and merges.
func (e *Engine) advance(hour int64) {
	t := hour * hourNanos
	e.parallel(func(i int) {
		e.targets[i].advance(t)
		e.shards[i].advance(t)
	})
	// Each day's first hour must be merged even if nothing happened in it, so
	// that days are aged alike.
	for h := e.hour + 1; h <= hour; h++ {
		if h == hour || (h%24 == 0 && hour-h < 400*24) {
			e.shared.merge(e.shards[:], e.targets[:], h*hourNanos)
		}
	}
	if hour/24 > e.hour/24 {
		e.estrangeAll(t)
	}
	e.hour = hour
}

// dispatch folds events of one hour, each shard in order, shards in parallel.
func (e *Engine) dispatch(events []*vigil.Event) {
	e.run = events
	for i := range e.inbox {
		e.inbox[i] = e.inbox[i][:0]
		e.reached[i] = e.reached[i][:0]
	}
	e.traces = slices.Grow(e.traces[:0], len(events))[:len(events)]
	for i, ev := range events {
		if ev.Late {
			e.late++
		}
		e.shared.book.Identify(ev)
		e.shared.hear(ev, e.order.watermark)
		h := actorHash(ev)
		sh := (h ^ h>>32) % shardCount
		e.inbox[sh] = append(e.inbox[sh], int32(i))
		tr := &e.traces[i]
		tr.reset()
		tr.actor = h
		if !ev.Late && ev.Network != "" {
			tr.network = features.Hash(ev.Network)
			tr.source = e.sources.Add(tr.network, h, ev.Outcome == vigil.OutcomeDenied, minute(ev.Time.UnixNano()))
		}
	}
	e.shared.tellOutages()
	e.events += int64(len(events))
	if e.opts.Score != nil {
		e.score = slices.Grow(e.score[:0], len(events))[:len(events)]
	}
	leave := func(i int) {
		for _, at := range e.inbox[i] {
			ev := e.run[at]
			e.traces[at].why = e.shards[i].quotas.check(e.shared.book, ev)
			if !ev.Late {
				depart(e.shards[i].edges, ev, &e.traces[at])
			}
		}
	}
	spread := func() {
		for i, ev := range events {
			if !ev.Late {
				e.reaches(i, ev)
			}
		}
	}
	reach := func(i int) {
		for _, r := range e.reached[i] {
			e.targets[i].apply(e.run[r.at], r, &e.traces[r.at])
		}
	}
	work := func(i int) {
		for _, at := range e.inbox[i] {
			s := e.shards[i].apply(e.run[at], &e.traces[at])
			if e.opts.Score != nil {
				e.score[at] = s
			}
		}
	}
	const worthwhile = 256 // fewer events than this are done before a goroutine starts
	if len(events) < worthwhile {
		for i := range e.inbox {
			leave(i)
		}
		spread()
		for i := range e.inbox {
			reach(i)
		}
		for i := range e.inbox {
			work(i)
		}
	} else {
		e.parallel(leave)
		spread()
		e.parallel(reach)
		e.parallel(work)
	}
	if e.opts.Score != nil {
		for i := range e.score {
			e.opts.Score(e.score[i])
		}
	}
}

// parallel runs work for every shard on the workers.
func (e *Engine) parallel(work func(shard int)) {
	workers := min(e.opts.Workers, shardCount)
	if workers == 1 {
		for i := range shardCount {
			work(i)
		}
		return
	}
	var next atomic.Int32
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= shardCount {
					return
				}
				work(i)
			}
		})
	}
	wg.Wait()
}

// collect gathers what the shards found, in an order that does not depend on
// who ran which.
func (e *Engine) collect() []vigil.Finding {
	var found []vigil.Finding
	for _, sh := range e.shards {
		found = append(found, sh.found...)
		sh.found = sh.found[:0]
	}
	for _, t := range e.targets {
		found = append(found, t.found...)
		t.found = t.found[:0]
	}
	found = append(found, e.shared.found...)
	e.shared.found = e.shared.found[:0]
	found = append(found, e.collectRuled()...)
	slices.SortStableFunc(found, func(a, b vigil.Finding) int {
		if c := a.Detected.Compare(b.Detected); c != 0 {
			return c
		}
		if a.ID != b.ID {
			if a.ID < b.ID {
				return -1
			}
			return 1
		}
		return a.Revision - b.Revision
	})
	return found
}

// Status tells how the engine stands.
func (e *Engine) Status() Status {
	s := Status{Events: e.events, Late: e.late, Facts: e.shared.book.Counts(), Unread: e.unread}
	if e.order.watermark > 0 {
		s.Watermark = utc(e.order.watermark)
	}
	for _, sh := range e.shards {
		s.Hot += len(sh.actors)
		s.Cold += len(sh.cold)
		s.Gone += sh.marks.held
	}
	s.Actors = s.Hot + s.Cold
	b := &e.shared.budget
	s.Budget = b.perDay()
	for _, r := range e.shared.rules.Rules() {
		if e.shared.switchedOff(r) {
			s.RulesFailed = append(s.RulesFailed, r.ID)
		}
	}
	for l := range lines {
		s.Lanes = append(s.Lanes, Lane{
			Name: lineName(l), Ready: b.Ready[l], Why: b.Why[l], Theory: b.Theory[l], Threshold: b.Line[l], ActorEpochs: b.PerDay[l],
		})
	}
	return s
}
