package drill

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"vigil"
	"vigil/detector"
	"vigil/internal/privacy"
	"vigil/internal/traffic"
)

// perWorld is how many scenarios are staged in one world. They use different
// actors; more of them would make much of the traffic unusual.
const perWorld = 4

// Options says how drills are run.
type Options struct {
	// Scenarios are run; none means all.
	Scenarios []Scenario
	// Seeds are run one after the other; none means 1.
	Seeds []uint64
	// Intensity scales how much is taken; zero means 1.
	Intensity float64
	// Budget and Workers are the detector's; zero means its defaults.
	Budget  float64
	Workers int
	// Curves asks for the evidence over time of each breach; it costs a score for
	// every event.
	Curves bool
	// Facts, when set, gives what the company's other systems tell in the world of a
	// seed. Feeds are the kinds of it that the detector gets; none means nothing.
	Facts func(seed uint64) ([]traffic.Told, error)
	Feeds []vigil.FactKind
	// Assigned says that Facts hold the assignments of the traffic's own work, so that
	// none are made up from what the traffic shows.
	Assigned bool
	// strip, when set, takes out of each event what a poorer source does not tell, after
	// all is staged.
	strip func(*vigil.Event)
	// Progress, when set, is told how many of all worlds are done.
	Progress func(done, total int)
}

// Run stages scenarios in the traffic that source gives for each seed, and judges
// it. A source that is the same for all seeds, as recorded traffic is, is given as
// fixed: it is surveyed once.
func Run(ctx context.Context, source func(seed uint64) Source, fixed bool, opts Options) (*Result, error) {
	if len(opts.Scenarios) == 0 {
		opts.Scenarios = Scenarios()
	}
	if len(opts.Seeds) == 0 {
		opts.Seeds = []uint64{1}
	}
	if opts.Intensity == 0 {
		opts.Intensity = 1
	}
	groups := worlds(opts.Scenarios)
	result := newResult(opts)
	done, total := 0, len(groups)*len(opts.Seeds)
	var scene *Scene
	for _, seed := range opts.Seeds {
		src := source(seed)
		facts, err := opts.facts(seed)
		if err != nil {
			return nil, err
		}
		if scene == nil || !fixed {
			if scene, err = Survey(ctx, src); err != nil {
				return nil, fmt.Errorf("survey traffic: %w", err)
			}
			if len(scene.People) == 0 {
				return nil, errors.New("survey traffic: there are no events to stage anything in")
			}
			scene.know(facts)
		}
		for _, group := range groups {
			if err := runWorld(ctx, src, facts, scene, seed, group, opts, result); err != nil {
				return nil, err
			}
			done++
			if opts.Progress != nil {
				opts.Progress(done, total)
			}
		}
		result.survey(scene)
	}
	result.sum()
	return result, nil
}

func (o *Options) facts(seed uint64) ([]traffic.Told, error) {
	if o.Facts == nil {
		return nil, nil
	}
	told, err := o.Facts(seed)
	if err != nil {
		return nil, fmt.Errorf("ask feeds: %w", err)
	}
	return told, nil
}

// worlds deals scenarios to worlds so that those that want the same scarce part are
// apart, and so are two variants of one row: each goes to the emptiest world that
// has room for it, else to one of its own.
func worlds(list []Scenario) [][]*Scenario {
	out := make([][]*Scenario, (len(list)+perWorld-1)/perWorld)
	for i := range list {
		sc := &list[i]
		best := -1
		for at, group := range out {
			apart := len(group) < perWorld && !slices.ContainsFunc(group, sc.collides)
			if apart && (best < 0 || len(group) < len(out[best])) {
				best = at
			}
		}
		if best < 0 {
			out = append(out, nil) //nolint:makezero // the first worlds are there to be filled evenly
			best = len(out) - 1
		}
		out[best] = append(out[best], sc)
	}
	return out
}

// collides reports whether two scenarios can't share a world.
func (s *Scenario) collides(other *Scenario) bool {
	return s.Row() == other.Row() || slices.ContainsFunc(s.Parts, func(p Part) bool { return slices.Contains(other.Parts, p) })
}

// pair is one scenario as it is staged in a world.
type pair struct {
	scenario     *Scenario
	breach, trap *Act
	curve        *curve
	unfit        string
}

func runWorld(ctx context.Context, src Source, facts []traffic.Told, scene *Scene, seed uint64, group []*Scenario, opts Options, result *Result) error {
	w := newWorld(scene, seed)
	var pairs []*pair
	var acts []*Act
	// Vendors are the fewest, then bots: what casts one chooses first, before others
	// make do with any machine.
	group = slices.Clone(group)
	slices.SortStableFunc(group, func(a, b *Scenario) int {
		return cmp.Or(cmp.Compare(slices.Index(b.Parts, Vendor), slices.Index(a.Parts, Vendor)), cmp.Compare(slices.Index(b.Parts, Bot), slices.Index(a.Parts, Bot)))
	})
	for _, sc := range group {
		p := &pair{scenario: sc}
		pairs = append(pairs, p)
		breach, err := w.prepare(sc, false, opts.Intensity)
		if err == nil {
			p.trap, err = w.prepare(sc, true, 1)
		}
		if errors.Is(err, ErrUnfit) {
			p.unfit, p.trap = strings.TrimPrefix(err.Error(), ErrUnfit.Error()+": "), nil
			continue
		}
		if err != nil {
			return fmt.Errorf("stage %s: %w", sc.ID, err)
		}
		p.breach = breach
		acts = append(acts, p.breach, p.trap)
		if opts.Curves {
			p.curve = newCurve(p.breach, scene)
		}
	}
	found, status, err := judge(ctx, src, facts, w, acts, pairs, opts)
	if err != nil {
		return err
	}
	of := assign(found, acts)
	result.label(found, of, pairs, fmt.Sprintf("world %d with %s, intensity %v", seed, group[0].ID, opts.Intensity))
	days := scene.Days()
	ground := Ground{Actors: scene.Actors(), Days: days}
	for _, f := range found {
		if of[f] == nil || !of[f].Trap && f.early(of[f]) {
			ground.Findings++
			ground.Sentences = append(ground.Sentences, f.Sentence)
		} else if of[f].Trap {
			ground.Traps++
		}
	}
	for _, p := range pairs {
		result.add(p, seed, found, of, ground, status.Lanes)
	}
	result.grounds = append(result.grounds, ground)
	return nil
}

// judge merges the acts into the traffic and returns what the detector says, and
// how it stands at the end.
func judge(ctx context.Context, src Source, facts []traffic.Told, w *world, acts []*Act, pairs []*pair, opts Options) ([]*told, detector.Status, error) {
	dopts := detector.Options{Workers: opts.Workers}
	if opts.Curves {
		dopts.Score = func(s detector.Score) {
			for _, p := range pairs {
				if p.curve != nil {
					p.curve.add(s)
				}
			}
		}
	}
	engine, err := detector.New(detector.Config{Budget: opts.Budget}, dopts)
	if err != nil {
		return nil, detector.Status{}, fmt.Errorf("set up detector: %w", err)
	}
	found := map[string]*told{}
	take := func(list []vigil.Finding) {
		for i := range list {
			f := &list[i]
			t := found[f.ID]
			if t == nil {
				t = &told{first: f.Detected, threshold: f.Threshold}
				found[f.ID] = t
			}
			start, end := t.Start, t.End
			t.Finding = *f
			// What an earlier word covered, the finding covers.
			if len(t.revisions) > 0 && start.Before(t.Start) {
				t.Start = start
			}
			if end.After(t.End) {
				t.End = end
			}
			t.revisions = append(t.revisions, revision{f.End, f.Evidence, f.Severity.Rank(), f.Events})
		}
	}
	m := newMerger(acts, w.clean)
	feeds := newFeeder(opts.Feeds, w.seed, facts, acts)
	if opts.Assigned {
		feeds.clerk = nil
	}
	m.see = feeds.see
	var steps privacy.Steps
	var seq uint64
	fold := func(events []*vigil.Event) error {
		if len(events) == 0 {
			return nil
		}
		for _, e := range events {
			steps.Event(e)
			if opts.strip != nil {
				opts.strip(e)
			}
		}
		seq++
		list, err := engine.Fold(&vigil.Entry{Seq: seq, Kind: vigil.EntryEvents, Source: "drill", Events: events})
		if err != nil {
			return fmt.Errorf("judge entry %d: %w", seq, err)
		}
		take(list)
		return nil
	}
	control := func(f *vigil.Facts) error {
		c, err := controlOf(f)
		if err != nil {
			return err
		}
		seq++
		list, err := engine.Fold(&vigil.Entry{Seq: seq, Kind: vigil.EntryControl, Source: "drill", Control: c})
		if err != nil {
			return fmt.Errorf("take in facts of kind %s: %w", f.Kind, err)
		}
		take(list)
		return nil
	}
	err = src(ctx, func(events []*vigil.Event) error {
		return feeds.deal(m.merge(make([]*vigil.Event, 0, len(events)+64), events), control, fold)
	})
	if err == nil {
		err = feeds.deal(m.rest(nil), control, fold)
	}
	if err != nil {
		return nil, detector.Status{}, err
	}
	list, err := engine.Finish()
	if err != nil {
		return nil, detector.Status{}, fmt.Errorf("finish judging: %w", err)
	}
	take(list)
	out := make([]*told, 0, len(found))
	for _, t := range found {
		t.ids = idsOf(&t.Finding)
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b *told) int {
		if c := a.first.Compare(b.first); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return out, engine.Status(), nil
}

// curve follows the evidence about a breach's actors over time.
type curve struct {
	who      map[personKey]bool
	from, to time.Time
	step     time.Duration
	values   []float64
	heard    []bool
}

// curveSteps bounds the points of a curve.
const curveSteps = 240

func newCurve(a *Act, scene *Scene) *curve {
	from, to := a.Since, a.Since
	for _, e := range a.events {
		if e.Time.Before(from) {
			from = e.Time
		}
		if e.Time.After(to) {
			to = e.Time
		}
	}
	before := max(to.Sub(from)/4, 6*time.Hour)
	from, to = from.Add(-before), to.Add(before)
	if from.Before(scene.Start) {
		from = scene.Start
	}
	if to.After(scene.End) {
		to = scene.End
	}
	return &curve{who: a.actors, from: from, to: to, step: max(to.Sub(from)/curveSteps, time.Second), values: make([]float64, curveSteps+1), heard: make([]bool, curveSteps+1)}
}

func (c *curve) add(s detector.Score) {
	e := s.Event
	if e.Time.Before(c.from) || e.Time.After(c.to) || !c.who[keyOf(&e.Actor)] {
		return
	}
	i := min(int(e.Time.Sub(c.from)/c.step), len(c.values)-1)
	c.values[i] = max(c.values[i], s.Evidence)
	c.heard[i] = true
}
