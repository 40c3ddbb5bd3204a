package series

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"
)

// Token stands for the windows that one call of DirtyPoints returned.
type Token any

// Dirty are whole windows whose totals changed, oldest first.
type Dirty struct {
	Points   []Point
	Findings []FindingPoint
	Cases    []CasePoint
	// Readings are as they were taken.
	Readings []Reading
	Token    Token
}

// Empty reports whether nothing waits.
func (d *Dirty) Empty() bool {
	return len(d.Points)+len(d.Findings)+len(d.Cases)+len(d.Readings) == 0
}

// windows are the starts of the windows, sorted.
func (d *Dirty) windows() []time.Time {
	var all []time.Time
	for i := range d.Points {
		all = append(all, d.Points[i].Start)
	}
	for i := range d.Findings {
		all = append(all, d.Findings[i].Start)
	}
	for i := range d.Cases {
		all = append(all, d.Cases[i].Start)
	}
	for i := range d.Readings {
		all = append(all, d.Readings[i].Start)
	}
	slices.SortFunc(all, time.Time.Compare)
	return slices.CompactFunc(all, time.Time.Equal)
}

// Spool is where points wait for the writer. The ledger is one.
type Spool interface {
	// DirtyPoints returns totals that changed since they were last marked as
	// written, oldest first and whole windows at a time: at least one window, and
	// about max points. An empty answer means that none wait.
	DirtyPoints(ctx context.Context, max int) (Dirty, error)
	// MarkWritten takes the points of the token off the spool, save those that
	// changed meanwhile.
	MarkWritten(ctx context.Context, token Token) error
	// DropDirty takes the oldest windows off the spool until at most keep are
	// left, and says how many windows it took. The totals themselves stay.
	DropDirty(ctx context.Context, keep int) (int64, error)
	// WaitDirty returns when points may be waiting, or with ctx's error.
	WaitDirty(ctx context.Context) error
}

// MaxWrite is the most points that are given to a writer at once.
const MaxWrite = 5_000

// ShipConfig is what a user may set for shipping.
type ShipConfig struct {
	// Interval is the shortest time between two rounds of writing; zero means
	// 10 s. A window that still changes is written again each round.
	Interval time.Duration
	// MaxBackoff is the longest wait after a failure; zero means 1 minute.
	MaxBackoff time.Duration
	// MaxWindows bounds the windows that wait while the writer is down; the
	// oldest go first. Zero means 44,640: a month of minutes.
	MaxWindows int
	// Timeout bounds one write; zero means 30 s.
	Timeout time.Duration
}

// ShipOptions is what code passes.
type ShipOptions struct {
	Logger *slog.Logger
	// Report, when set, is told of each change of standing.
	Report func(Shipped)
}

// Shipped counts what became of points.
type Shipped struct {
	// Points were written, Writes calls succeeded and Failures failed.
	Points, Writes, Failures int64
	// Dropped windows gave way because the spool was full.
	Dropped int64
	// Err is the last write's error, nil when it succeeded.
	Err error
}

// Ship writes points from the spool to w until ctx is cancelled, and then
// returns nil. A write that fails is tried again, first after a second and then
// at growing distances up to MaxBackoff; points wait in the spool meanwhile, and
// since each is a total, what is written twice is still right. Ship returns an
// error only when the spool fails.
func Ship(ctx context.Context, spool Spool, w Writer, cfg ShipConfig, opts ShipOptions) error {
	s := &shipper{spool: spool, w: w, cfg: cfg, report: opts.Report, log: opts.Logger}
	s.defaults()
	wait := time.Second
	for ctx.Err() == nil {
		if err := spool.WaitDirty(ctx); err != nil {
			return quiet(ctx, err)
		}
		pause := s.cfg.Interval
		written, err := s.round(ctx)
		if err != nil {
			return quiet(ctx, err)
		}
		if !written {
			pause = wait
			wait = min(2*wait, s.cfg.MaxBackoff)
		} else {
			wait = time.Second
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
	return nil
}

// quiet makes an ordered end no error.
func quiet(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil
	}
	return err
}

type shipper struct {
	spool  Spool
	w      Writer
	cfg    ShipConfig
	report func(Shipped)
	log    *slog.Logger
	state  Shipped
}

func (s *shipper) defaults() {
	if s.cfg.Interval <= 0 {
		s.cfg.Interval = 10 * time.Second
	}
	if s.cfg.MaxBackoff <= 0 {
		s.cfg.MaxBackoff = time.Minute
	}
	if s.cfg.MaxWindows <= 0 {
		s.cfg.MaxWindows = 31 * 24 * 60
	}
	if s.cfg.Timeout <= 0 {
		s.cfg.Timeout = 30 * time.Second
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.report == nil {
		s.report = func(Shipped) {}
	}
}

// round writes all that waits now. It reports false when the writer failed.
func (s *shipper) round(ctx context.Context) (bool, error) {
	dropped, err := s.spool.DropDirty(ctx, s.cfg.MaxWindows)
	if err != nil {
		return false, fmt.Errorf("bound the spool: %w", err)
	}
	if dropped > 0 {
		s.state.Dropped += dropped
		s.log.Warn("time series spool is full: oldest windows are not written", "windows", dropped)
		s.report(s.state)
	}
	// A round is bounded by what waited at its start, at most the whole spool: a
	// window that changes all the time must not keep it going for ever.
	seen := make(map[time.Time]bool)
	for ctx.Err() == nil {
		waiting, err := s.spool.DirtyPoints(ctx, MaxWrite)
		if err != nil {
			return false, fmt.Errorf("read the spool: %w", err)
		}
		windows := waiting.windows()
		if len(windows) == 0 || seen[windows[0]] {
			return true, nil
		}
		for _, at := range windows {
			seen[at] = true
		}
		if err := s.write(ctx, &waiting); err != nil {
			if ctx.Err() != nil {
				return false, nil
			}
			// The same failure again and again is one line.
			if s.state.Err == nil || s.state.Err.Error() != err.Error() {
				s.log.Warn("time series can't be written; points wait", "error", err)
			}
			s.state.Failures++
			s.state.Err = err
			s.report(s.state)
			return false, nil
		}
		if s.state.Err != nil {
			s.log.Info("time series are written again")
		}
		s.state.Err = nil
		s.state.Points += int64(len(waiting.Points) + len(waiting.Findings) + len(waiting.Cases) + len(waiting.Readings))
		if err := s.spool.MarkWritten(ctx, waiting.Token); err != nil {
			return false, fmt.Errorf("mark points as written: %w", err)
		}
		s.report(s.state)
	}
	return true, nil
}

func (s *shipper) write(ctx context.Context, d *Dirty) error {
	if err := inParts(ctx, s, d.Points, s.w.Write); err != nil {
		return err
	}
	if err := inParts(ctx, s, d.Findings, s.w.WriteFindings); err != nil {
		return err
	}
	if err := inParts(ctx, s, d.Cases, s.w.WriteCases); err != nil {
		return err
	}
	return inParts(ctx, s, d.Readings, s.w.WriteReadings)
}

// inParts gives the writer at most MaxWrite at once, until one part fails.
func inParts[T any](ctx context.Context, s *shipper, all []T, write func(context.Context, []T) error) error {
	for part := range slices.Chunk(all, MaxWrite) {
		once := func() error {
			ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
			defer cancel()
			return write(ctx, part)
		}
		if err := once(); err != nil {
			return err
		}
		s.state.Writes++
	}
	return nil
}
