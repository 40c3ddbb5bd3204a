package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"vigil/collectors"
	"vigil/detector/rules"
	"vigil/internal/config"
	"vigil/internal/feeds"
	"vigil/internal/ledger"
)

// Options is what code passes to New.
type Options struct {
	// Logger gets what happens; nil means none.
	Logger *slog.Logger
	// Output gets findings as cards when Slack is not configured, and as the
	// fallback when it is. Required.
	Output io.Writer
	// Now tells the time; nil means the clock.
	Now func() time.Time
	// Collectors are read instead of what the configuration says of the sources of
	// these names; for replays.
	Collectors map[string]collectors.Collector
	// Quiet leaves out the ticks of the clock, for replays of the past: time is
	// then what the events say.
	Quiet bool
	// Note stands in the console's status, and Progress gives how far a bounded
	// replay is, 0 to 1, or less than 0 when there is none; both optional.
	Note     func() string
	Progress func() float64
	// Free tells how many bytes are free on a folder's disk; nil asks the system.
	Free func(dir string) (int64, error)
}

// App is the running service.
type App struct {
	cfg    *config.Config
	opts   Options
	logger *slog.Logger

	clean   cleanups
	ledger  *ledger.Ledger
	intake  *intake
	desk    *desk
	applier *applier
	outbox  *outbox
	feeds   *feeds.Service
	// rules are those that run, from the log's entry rulesFrom on.
	rules     *rules.Set
	rulesFrom uint64
	super     *supervisor
	reader    *reader
	url       string
	pushURL   string
	otlpAddr  string
	failed    chan error

	notingRules sync.Mutex
	// rulesAudited and rulesNoted say that it is in the audit log, and in the log, that
	// the rules are other ones than before.
	rulesAudited, rulesNoted bool
}

// New prepares the service of a configuration that config.Load has accepted.
// Nothing is opened before Start.
func New(cfg *config.Config, opts Options) (*App, error) {
	if opts.Output == nil {
		return nil, errors.New("no output is given")
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	a := &App{cfg: cfg, opts: opts, logger: opts.Logger, failed: make(chan error, 8)}
	a.clean.logger = opts.Logger
	return a, nil
}

// URL is the console's address once Start has returned; PushURL is where events
// are pushed to, empty when no source takes any.
func (a *App) URL() string { return a.url }

// PushURL is the full address of POST /v1/events, empty when no source is pushed
// to.
func (a *App) PushURL() string { return a.pushURL }

// OTLPAddr is the address of OTLP over gRPC as host:port, empty when there is none.
func (a *App) OTLPAddr() string { return a.otlpAddr }

// Failed yields the error of a part without which the service can't go on. The
// caller then calls Stop.
func (a *App) Failed() <-chan error { return a.failed }

// Start starts everything and returns once the console answers. When a part
// can't be started, those before it are stopped again.
func (a *App) Start(ctx context.Context) (err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, a.clean.run(context.WithoutCancel(ctx)))
		}
	}()
	// Listeners come first: a taken address is known before anything is touched.
	web, err := a.bind(ctx, "console's listener", a.cfg.Listen)
	if err != nil {
		return err
	}
	a.url = "http://" + web.Addr().String()
	var pushed net.Listener
	if a.cfg.PushListen != "" {
		if pushed, err = a.bind(ctx, "push listener", a.cfg.PushListen); err != nil {
			return err
		}
	}
	spoken, err := a.bindOTLP(ctx)
	if err != nil {
		return err
	}
	if err := a.openLedger(ctx); err != nil {
		return err
	}
	if err := a.openIntake(); err != nil {
		return err
	}
	if err := a.startTelling(ctx); err != nil {
		return err
	}
	if err := a.startJudging(ctx); err != nil {
		return err
	}
	if err := a.startShipping(ctx); err != nil {
		return err
	}
	a.startFeeds(ctx)
	// Behind the feeds, which wait until what is in the log by then is judged.
	if err := a.noteRules(ctx); err != nil {
		a.logger.Error("which rules judge can't be written down; it is tried again", "error", err.Error())
	}
	if err := a.startJobs(); err != nil {
		return err
	}
	if err := a.startWeb(web, pushed, spoken); err != nil {
		return err
	}
	if err := a.publishAddress(); err != nil {
		return err
	}
	return a.startCollecting(ctx)
}

// Stop ends intake, lets what is accepted be judged, keeps a snapshot, and closes
// everything, each step in bounded time. What is left undone is done at the next
// start.
func (a *App) Stop(ctx context.Context) error {
	return a.clean.run(context.WithoutCancel(ctx))
}

func (a *App) bind(ctx context.Context, name, address string) (net.Listener, error) {
	l, err := listen(ctx, address)
	if err != nil {
		return nil, err
	}
	a.clean.add(name, func(context.Context) error {
		if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	})
	return l, nil
}

// background runs a part until the clean-up of its name. Its error ends the
// service.
func (a *App) background(ctx context.Context, name string, run func(ctx context.Context) error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if r := recover(); r != nil {
				a.fail(fmt.Errorf("%s: panic: %v", name, r))
			}
		}()
		if err := run(ctx); err != nil {
			a.fail(fmt.Errorf("%s: %w", name, err))
		}
	}()
	a.clean.add(name, func(wait context.Context) error {
		cancel()
		select {
		case <-done:
			return nil
		case <-wait.Done():
			return wait.Err()
		}
	})
}

func (a *App) fail(err error) {
	select {
	case a.failed <- err:
	default: // the first few say it all
	}
}
