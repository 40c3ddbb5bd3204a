package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"vigil"
	"vigil/internal/api"
	"vigil/internal/drill"
	"vigil/internal/ledger"
	"vigil/internal/traffic"
)

const (
	// keptDrills is how many drills are kept, drillsName under which name.
	keptDrills = 30
	drillsName = "drills"
	// drillMost bounds the events of recorded traffic: the newest are taken. They are read
	// once for each four breaches.
	drillMost = 2_000_000
)

// drillDesk runs drills in the background, one at a time, with one worker, so that judging
// what is live goes before. It is safe for concurrent use.
type drillDesk struct {
	app *App
	// actors and days are those of made-up traffic.
	actors, days int

	mu      sync.Mutex
	running *api.DrillRunning               // nil for none
	stop    func(ctx context.Context) error // ends it and waits
	stopped bool                            // by somebody
}

var _ api.Driller = (*drillDesk)(nil)

// newDrillDesk makes the desk of a service, which ends what runs before the ledger closes.
func newDrillDesk(a *App) *drillDesk {
	d := &drillDesk{app: a, actors: 40, days: 42}
	a.clean.add("drill", func(ctx context.Context) error {
		d.mu.Lock()
		stop := d.stop
		d.mu.Unlock()
		if stop == nil {
			return nil
		}
		return stop(ctx)
	})
	return d
}

// Drills implements api.Driller. They hold nothing about anybody, and looks at them are not
// recorded.
func (d *drillDesk) Drills(ctx context.Context) (out api.Drills, err error) {
	if out.Kept, err = d.kept(ctx); err != nil {
		return out, err
	}
	for _, s := range drill.Scenarios() {
		out.Choices = append(out.Choices, api.DrillChoice{ID: s.ID, Name: s.Name, About: s.About})
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.running != nil {
		now := *d.running
		out.Running = &now
	}
	return out, nil
}

func (d *drillDesk) kept(ctx context.Context) (out []api.Drill, err error) {
	data, err := d.app.ledger.Kept(ctx, drillsName)
	if err != nil || len(data) == 0 {
		return nil, err
	}
	if err := json.Unmarshal(data, &out); err != nil {
		return nil, fmt.Errorf("read the drills that are kept: %w", err)
	}
	return out, nil
}

// StartDrill implements api.Driller.
func (d *drillDesk) StartDrill(ctx context.Context, ask api.DrillAsk) error {
	return d.begin(ctx, ask, company{d.actors, d.days})
}

// company is the size of one that is made up.
type company struct{ actors, days int }

// begin is StartDrill with a company of that size for made-up traffic.
func (d *drillDesk) begin(ctx context.Context, ask api.DrillAsk, size company) error {
	scenarios, err := drill.Named(ask.Scenarios)
	if err != nil {
		return fmt.Errorf("%w: %w", api.ErrRefused, err)
	}
	if !(ask.Intensity > 0 && ask.Intensity <= 100) {
		return fmt.Errorf("%w: the intensity %v is not above 0 and at most 100", api.ErrRefused, ask.Intensity)
	}
	if ask.On != api.DrillRecorded && ask.On != api.DrillMadeUp {
		return fmt.Errorf("%w: “%s” is neither recorded nor made-up traffic", api.ErrRefused, ask.On)
	}
	if ask.On == api.DrillRecorded {
		stats, err := d.app.ledger.Stats(ctx)
		if err != nil {
			return err
		}
		if stats.Judged == 0 {
			return fmt.Errorf("%w: no access is recorded yet; run it on made-up traffic", api.ErrRefused)
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.running != nil {
		return fmt.Errorf("%w: another drill is running; wait for its end, or end it", api.ErrRefused)
	}
	now := d.app.opts.Now().UTC()
	run := &api.DrillRunning{ID: now.Format("20060102T150405.000Z"), By: cmp.Or(api.PersonOf(ctx).By, "console"), On: ask.On, Began: now}
	err = d.app.ledger.Work(ctx, ledger.Casework{Deed: ask.Key, Audit: []ledger.AuditRecord{{
		Time: now, Who: run.By, What: "drill begun",
		Object: fmt.Sprintf("%s: %d breaches in %s traffic at intensity %v", run.ID, len(scenarios), ask.On, ask.Intensity),
	}}})
	if errors.Is(err, ledger.ErrDone) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w: %w", api.ErrUnrecorded, err)
	}
	d.running, d.stopped = run, false
	d.stop = d.app.background(d.app.ending, "drill", func(ctx context.Context) error {
		d.run(ctx, *run, ask, scenarios, size)
		return nil
	})
	d.app.news.Publish(api.TopicDrills)
	return nil
}

// StopDrill implements api.Driller.
func (d *drillDesk) StopDrill(ctx context.Context, id string) error {
	d.mu.Lock()
	stop, running := d.stop, d.running != nil && d.running.ID == id
	d.mu.Unlock()
	if !running {
		return nil // it is over
	}
	if err := d.app.desk.audit(ctx, cmp.Or(api.PersonOf(ctx).By, "console"), "drill ended", id); err != nil {
		return err
	}
	d.mu.Lock()
	d.stopped = true
	d.mu.Unlock()
	return stop(ctx)
}

// run is one drill from its beginning to where its result is kept. One that the end of the
// program cuts short leaves nothing.
func (d *drillDesk) run(ctx context.Context, now api.DrillRunning, ask api.DrillAsk, scenarios []drill.Scenario, size company) {
	out := api.Drill{ID: now.ID, By: now.By, On: now.On, Began: now.Began, Intensity: ask.Intensity}
	result, meter, err := d.drill(ctx, ask, scenarios, size)
	d.mu.Lock()
	out.Stopped = d.stopped
	d.mu.Unlock()
	out.Ended = d.app.opts.Now().UTC()
	switch {
	case err == nil:
		fillDrill(&out, result, meter)
	case out.Stopped:
	case ctx.Err() != nil:
		d.over()
		return
	default:
		out.Failed = err.Error()
		d.app.logger.Error("a drill came to nothing", "error", err.Error())
	}
	if err := d.keep(context.WithoutCancel(ctx), out); err != nil {
		d.app.logger.Error("the result of a drill can't be kept", "error", err.Error())
	}
	d.over()
}

func (d *drillDesk) over() {
	d.mu.Lock()
	d.running, d.stop = nil, nil
	d.mu.Unlock()
	d.app.news.Publish(api.TopicDrills)
}

func (d *drillDesk) keep(ctx context.Context, x api.Drill) error {
	all, err := d.kept(ctx)
	if err != nil {
		return err
	}
	all = append([]api.Drill{x}, all...)
	data, err := json.Marshal(all[:min(len(all), keptDrills)])
	if err != nil {
		return err
	}
	return d.app.ledger.Work(ctx, ledger.Casework{Keep: map[string][]byte{drillsName: data}})
}

// drill stages and judges. Of recorded traffic the meter says what can't be seen in it.
func (d *drillDesk) drill(ctx context.Context, ask api.DrillAsk, scenarios []drill.Scenario, size company) (r *drill.Result, meter map[string]drill.Verdict, err error) {
	defer func() {
		if p := recover(); p != nil { // what is staged beside the service must not end it
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	opts := DrillOptions{Actors: size.actors, Days: size.days}
	opts.Scenarios, opts.Intensity, opts.Workers, opts.Budget = scenarios, ask.Intensity, 1, d.app.conf().Budget
	opts.Progress = func(done, total int) {
		d.mu.Lock()
		if d.running != nil {
			d.running.Done, d.running.Total = done, total
		}
		d.mu.Unlock()
		d.app.news.Publish(api.TopicDrills)
	}
	if ask.On == api.DrillMadeUp {
		feeds, err := drill.ParseFeeds("all")
		if err != nil {
			return nil, nil, err
		}
		opts.Happenings, opts.Feeds, opts.Budget = traffic.Everything(), feeds, 0
		r, err := Drill(ctx, opts)
		return r, nil, err
	}
	recorded := d.app.recorded(drillMost)
	cover := drill.NewCoverage()
	err = recorded(ctx, func(events []*vigil.Event) error {
		for _, e := range events {
			cover.Add(e)
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	meter = map[string]drill.Verdict{}
	for _, v := range drill.Meter(cover, nil) {
		meter[v.Row] = v
	}
	r, err = drill.Run(ctx, func(uint64) drill.Source { return recorded }, true, opts.Options)
	return r, meter, err
}

// recorded reads the newest events of the log, about most of them, in the order in which
// they were accepted. Entries that retention removes meanwhile, and damaged ones, are left
// out.
func (a *App) recorded(most int64) drill.Source {
	return func(ctx context.Context, use func([]*vigil.Event) error) error {
		stats, err := a.ledger.Stats(ctx)
		if err != nil {
			return err
		}
		from, to := stats.Cut, stats.Applied
		if stats.Judged > most {
			// As if each entry held as many: it need not be exact.
			from = max(from, to-uint64(float64(to)*float64(most)/float64(stats.Judged)))
		}
		for from < to {
			entries, err := a.ledger.Entries(ctx, from, entriesAtOnce)
			var damaged *ledger.CorruptError
			switch {
			case errors.As(err, &damaged) && damaged.Seq > from:
				from = damaged.Seq
				continue
			case errors.Is(err, ledger.ErrCut):
				if stats, err = a.ledger.Stats(ctx); err != nil {
					return err
				}
				from = max(from+1, stats.Cut)
				continue
			case err != nil:
				return err
			case len(entries) == 0:
				return nil
			}
			for i := range entries {
				if from = entries[i].Seq; from > to {
					return nil
				}
				if len(entries[i].Events) == 0 {
					continue
				}
				if err := use(entries[i].Events); err != nil {
					return err
				}
			}
		}
		return ctx.Err()
	}
}

// fillDrill takes over what a drill came to.
func fillDrill(out *api.Drill, r *drill.Result, meter map[string]drill.Verdict) {
	out.Events, out.Actors, out.From, out.To = r.Traffic.Events, r.Traffic.Actors, r.Traffic.Start, r.Traffic.End
	out.False, out.TrapsQuiet, out.Traps = r.Overall.False, r.Overall.TrapsQuiet, r.Overall.Traps
	for i := range r.Scenarios {
		f := &r.Scenarios[i]
		row := api.DrillRow{
			ID: f.ID, Name: f.Name, About: f.About, Found: f.Found, Of: f.Of, Exposed: f.Exposed, Taken: f.Taken, Seconds: float64(vigil.Unknown),
		}
		if f.Seconds != nil {
			row.Seconds = *f.Seconds
		}
		row.State, row.Why = drillState(f, meter[f.Row])
		out.Rows = append(out.Rows, row)
	}
	slices.SortFunc(out.Rows, func(a, b api.DrillRow) int { return strings.Compare(a.ID, b.ID) })
}

// drillState says what became of a breach, and why it was not found.
func drillState(f *drill.Figures, seen drill.Verdict) (state api.DrillState, why string) {
	switch {
	case f.Of == 0:
		return api.DrillUnseen, "it does not fit this traffic: " + f.Unfit
	case f.Found == 0 && seen.Sight == drill.Blind:
		return api.DrillUnseen, cmp.Or(seen.Mend, "the sources don’t tell what is needed")
	case f.Found == 0:
		return api.DrillMissed, seen.Mend
	case f.Found*2 <= f.Of:
		return api.DrillPartly, "in some of its stagings"
	case f.Exposed*2 > f.Taken && f.Exposed > 1:
		return api.DrillPartly, "late: most of it had been shown by then"
	}
	return api.DrillFound, ""
}
