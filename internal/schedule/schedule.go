// Package schedule runs the program's regular jobs: the log's ticks, snapshots,
// sealing, retention and the daily digest.
//
// The wiring adds jobs, starts the schedule and stops it. Each job runs in a
// goroutine of its own; a job that is still running when its time comes again is
// skipped, and the skip counted, so that a slow job neither piles up nor delays
// another. What a job returns is counted, and logged when it changes; a panic is
// an error like any other. A time that passes while the machine sleeps is not
// made up for. Stop cancels the jobs' context and waits for them.
package schedule

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/robfig/cron/v3"
)

// Options is what code passes.
type Options struct {
	// Location is the time zone of the jobs' times; nil means UTC.
	Location *time.Location
	// Logger gets changes of a job's outcome; nil means none.
	Logger *slog.Logger
}

// Job is one regular job.
type Job struct {
	// Name is for logs and Stats. Required and unique.
	Name string
	// Spec is when: five fields of cron ("0 7 * * *"), or "@every 10s", "@daily"
	// and the like. See Parse.
	Spec string
	// Run does it. It must return soon after ctx is cancelled.
	Run func(ctx context.Context) error
}

// Stats says how a job fares.
type Stats struct {
	// Runs ended without an error, Failures with one, of them Panics by a panic;
	// Skipped counts the times that came while it was still running.
	Runs, Failures, Panics, Skipped int64
	// Last is when the last run ended, Took how long it ran; zero before.
	Last time.Time
	Took time.Duration
	// Next is when it runs next, zero when the schedule is not started.
	Next time.Time
	// Err is the last run's error, nil when it had none.
	Err error
}

// Schedule runs jobs. It is safe for concurrent use.
type Schedule struct {
	cron *cron.Cron
	loc  *time.Location
	log  *slog.Logger
	// ctx is the jobs' context: it ends with Stop.
	ctx    context.Context
	cancel context.CancelFunc

	mu      sync.Mutex // guards the rest
	jobs    map[string]*job
	started bool
	stopped bool
}

type job struct {
	Job
	s  *Schedule
	id cron.EntryID

	mu      sync.Mutex // guards stats and lastLog
	stats   Stats
	lastLog string
}

// New makes a schedule without jobs.
func New(opts Options) *Schedule {
	if opts.Location == nil {
		opts.Location = time.UTC
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	ctx, cancel := context.WithCancel(context.Background())
	return &Schedule{
		cron: cron.New(cron.WithLocation(opts.Location), cron.WithLogger(cron.DiscardLogger)),
		loc:  opts.Location, log: opts.Logger, ctx: ctx, cancel: cancel, jobs: map[string]*job{},
	}
}

// maxSpec bounds a spec's length, in bytes.
const maxSpec = 200

// Parse reads a spec: five fields of cron (minute, hour, day of the month, month,
// day of the week), or @every and a duration of whole seconds, or @hourly,
// @daily, @weekly, @monthly, @yearly. The error says what is wrong and what to
// write.
func Parse(spec string) (cron.Schedule, error) { return parse(spec, time.UTC) }

func parse(spec string, loc *time.Location) (s cron.Schedule, err error) {
	const remedy = `write five fields such as "0 7 * * *" (minute, hour, day, month, weekday), or "@every 10s", or "@daily"`
	// The library panics on some specs ("TZ=UTC" without more).
	defer func() {
		if r := recover(); r != nil {
			s, err = nil, fmt.Errorf("schedule %q can't be read: %s", spec, remedy)
		}
	}()
	if len(spec) > maxSpec {
		return nil, fmt.Errorf("schedule of %d characters is too long: %s", len(spec), remedy)
	}
	if strings.HasPrefix(spec, "TZ=") || strings.HasPrefix(spec, "CRON_TZ=") {
		// One zone for all jobs, or a day's digest and its retention drift apart.
		return nil, fmt.Errorf("schedule %q names a time zone: leave it out, times are in %s", spec, loc)
	}
	if every, ok := strings.CutPrefix(spec, "@every "); ok {
		d, derr := time.ParseDuration(strings.TrimSpace(every))
		if derr != nil || d < time.Second || d%time.Second != 0 {
			// The library would round it without a word.
			return nil, fmt.Errorf("schedule %q is not a duration of whole seconds, at least one: %s", spec, remedy)
		}
	}
	s, err = cron.ParseStandard(spec)
	if err != nil {
		return nil, fmt.Errorf("schedule %q can't be read (%w): %s", spec, err, remedy)
	}
	if s.Next(time.Date(2024, 1, 1, 0, 0, 0, 0, loc)).IsZero() {
		return nil, fmt.Errorf("schedule %q never comes: %s", spec, remedy)
	}
	return s, nil
}

// Add adds a job, before or after Start. The error names the job and the spec.
func (s *Schedule) Add(j Job) error {
	if j.Name == "" || j.Run == nil {
		return errors.New("a job needs a name and something to run")
	}
	when, err := parse(j.Spec, s.loc)
	if err != nil {
		return fmt.Errorf("add job %q: %w", j.Name, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return fmt.Errorf("add job %q: the schedule is stopped", j.Name)
	}
	if s.jobs[j.Name] != nil {
		return fmt.Errorf("add job %q: there is one of that name", j.Name)
	}
	w := &job{Job: j, s: s}
	s.jobs[j.Name] = w
	// SkipIfStillRunning must be the outer one: inside of Recover, a panic would
	// keep its token, and the job would be skipped for ever.
	chain := cron.NewChain(cron.SkipIfStillRunning(skips{w}), cron.Recover(panics{w}))
	w.id = s.cron.Schedule(when, chain.Then(cron.FuncJob(w.run)))
	return nil
}

// Start begins running jobs at their times. It returns at once.
func (s *Schedule) Start() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.started || s.stopped {
		return
	}
	s.started = true
	s.cron.Start()
}

// Stop runs no more jobs, cancels the running ones and waits until they have
// ended, or until ctx is done: then it returns ctx's error. It may be called
// again, to wait longer.
func (s *Schedule) Stop(ctx context.Context) error {
	s.mu.Lock()
	s.stopped = true
	s.cancel()
	done := s.cron.Stop().Done()
	s.mu.Unlock()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("stop the schedule: %w", ctx.Err())
	}
}

// RunNow runs a job at once, in the caller's goroutine and with its context,
// whether or not its time has come. The error is the job's, or that there is no
// such job. The run counts in Stats.
func (s *Schedule) RunNow(ctx context.Context, name string) (err error) {
	s.mu.Lock()
	j := s.jobs[name]
	s.mu.Unlock()
	if j == nil {
		return fmt.Errorf("no job is called %q", name)
	}
	defer func() {
		if r := recover(); r != nil {
			err = j.panicked(fmt.Sprint(r), string(debug.Stack()))
		}
	}()
	return j.once(ctx)
}

// Stats tells how the jobs fare, by name.
func (s *Schedule) Stats() map[string]Stats {
	s.mu.Lock()
	jobs := make([]*job, 0, len(s.jobs))
	for _, j := range s.jobs {
		jobs = append(jobs, j)
	}
	running := s.started && !s.stopped
	s.mu.Unlock()
	out := make(map[string]Stats, len(jobs))
	for _, j := range jobs {
		j.mu.Lock()
		st := j.stats
		j.mu.Unlock()
		if running {
			st.Next = s.cron.Entry(j.id).Next
		}
		out[j.Name] = st
	}
	return out
}

func (j *job) run() {
	if j.s.ctx.Err() != nil {
		return
	}
	_ = j.once(j.s.ctx)
}

// once runs the job and counts the outcome. A panic passes through.
func (j *job) once(ctx context.Context) error {
	began := time.Now()
	err := j.Run(ctx)
	if err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		// Cancelled by us: no failure of the job's.
		return err
	}
	j.ended(began, err)
	return err
}

func (j *job) ended(began time.Time, err error) {
	now := time.Now()
	text := ""
	if err != nil {
		text = err.Error()
	}
	j.mu.Lock()
	j.stats.Last, j.stats.Err = now, err
	if !began.IsZero() {
		j.stats.Took = now.Sub(began)
	}
	if err != nil {
		j.stats.Failures++
	} else {
		j.stats.Runs++
	}
	changed, was := text != j.lastLog, j.lastLog
	j.lastLog = text
	j.mu.Unlock()
	switch {
	case changed && err != nil:
		j.s.log.Error("a regular job failed", slog.String("job", j.Name), slog.String("error", text))
	case changed && was != "":
		j.s.log.Info("a regular job works again", slog.String("job", j.Name))
	}
}

func (j *job) panicked(what, stack string) error {
	err := fmt.Errorf("job panicked: %q", what)
	j.mu.Lock()
	j.stats.Panics++
	first := j.lastLog != err.Error()
	j.mu.Unlock()
	if first {
		j.s.log.Error("stack of a panic", slog.String("job", j.Name), slog.String("stack", stack))
	}
	j.ended(time.Time{}, err)
	return err
}

// skips is the logger by which cron tells of a skipped run.
type skips struct{ j *job }

// Info counts the skip: it is all that the wrapper says.
func (l skips) Info(string, ...any) {
	l.j.mu.Lock()
	defer l.j.mu.Unlock()
	l.j.stats.Skipped++
}

// Error is never called by the wrapper.
func (l skips) Error(error, string, ...any) {}

// panics is the logger by which cron tells of a panic.
type panics struct{ j *job }

// Info is never called by the wrapper.
func (l panics) Info(string, ...any) {}

// Error takes the panic and its stack.
func (l panics) Error(err error, _ string, kv ...any) {
	stack := ""
	for i := 0; i+1 < len(kv); i += 2 {
		if kv[i] == "stack" {
			stack = fmt.Sprint(kv[i+1])
		}
	}
	_ = l.j.panicked(err.Error(), stack)
}
