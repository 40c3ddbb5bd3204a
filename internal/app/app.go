package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"time"

	"vigil/alerts"
	"vigil/alerts/slack"
	"vigil/alerts/terminal"
	"vigil/collectors"
	"vigil/collectors/file"
	"vigil/collectors/formats/catalog"
	"vigil/detector"
	"vigil/internal/config"
	"vigil/internal/ledger"
	"vigil/internal/privacy"
	"vigil/internal/series"
	"vigil/internal/series/influx"
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
	applier *applier
	outbox  *outbox
	super   *supervisor
	reader  *reader
	url     string
	pushURL string
	failed  chan error
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
	if err := a.startJobs(); err != nil {
		return err
	}
	if err := a.startWeb(web, pushed); err != nil {
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

func (a *App) openLedger(ctx context.Context) error {
	if err := os.MkdirAll(a.cfg.DataDir, 0o700); err != nil {
		return fmt.Errorf("make data folder: %w", err)
	}
	l, err := ledger.Open(ctx, ledgerConfig(a.cfg), ledger.Options{Logger: a.logger, Now: a.opts.Now, Free: a.opts.Free})
	if err != nil {
		return err
	}
	a.ledger = l
	a.clean.add("ledger", func(context.Context) error { return l.Close() })
	return nil
}

// forever is a retention that never comes to pass.
const forever = 200 * 365 * 24 * time.Hour

func ledgerConfig(cfg *config.Config) ledger.Config {
	keep := func(d config.Duration) time.Duration {
		if d == 0 {
			return forever
		}
		return d.Std()
	}
	return ledger.Config{
		Dir: cfg.DataDir, Retention: keep(cfg.Retention), FindingRetention: keep(cfg.FindingRetention),
		RollupRetention: keep(cfg.FindingRetention), MinFree: int64(cfg.DiskFloor), MaxBytes: int64(cfg.MaxSize),
		Spool: cfg.Influx.URL != "",
	}
}

func (a *App) openIntake() error {
	key, err := serviceKey(a.cfg.PseudonymKey, a.cfg.DataDir, true)
	if err != nil {
		return err
	}
	pseudonyms, err := privacy.New(key, privacy.Options{})
	if err != nil {
		return err
	}
	rules, err := newActorRules(a.cfg.Actors)
	if err != nil {
		return err
	}
	a.intake = &intake{
		ledger: a.ledger, pseudonyms: pseudonyms, sources: map[string]*normaliser{}, pace: newPace(a.opts.Now), now: a.opts.Now,
	}
	for i := range a.cfg.Sources {
		s := &a.cfg.Sources[i]
		n := &normaliser{source: s.Name, store: s.StoreName(), tenant: s.Tenant, rules: rules, now: a.opts.Now}
		if a.opts.Quiet {
			n.now = nil
		}
		a.intake.sources[s.Name] = n
	}
	return nil
}

// startTelling starts the delivery of messages.
func (a *App) startTelling(ctx context.Context) error {
	notifier, fallback, err := a.notifiers()
	if err != nil {
		return err
	}
	a.outbox = newOutbox(a.ledger, []string{notifier.Name()})
	d, err := alerts.NewDeliverer(alerts.Config{}, alerts.Options{
		Outbox: a.outbox, Notifiers: []alerts.Notifier{notifier}, Fallback: fallback, Logger: a.logger,
	})
	if err != nil {
		return fmt.Errorf("set up delivery: %w", err)
	}
	a.background(ctx, "delivery", d.Run)
	a.background(ctx, "delivery's bell", func(ctx context.Context) error {
		for {
			news := a.ledger.MailSignal()
			d.Wake()
			select {
			case <-news:
			case <-ctx.Done():
				return nil
			}
		}
	})
	return nil
}

// notifiers returns who tells findings, and who steps in for it.
func (a *App) notifiers() (notifier, fallback alerts.Notifier, err error) {
	printer, err := terminal.New(a.opts.Output, terminal.Config{ConsoleURL: a.consoleURL()})
	if err != nil {
		return nil, nil, fmt.Errorf("set up printing: %w", err)
	}
	if !a.cfg.Slack.Token.IsSet() {
		return printer, nil, nil
	}
	token, err := a.cfg.Slack.Token.Reveal()
	if err != nil {
		return nil, nil, fmt.Errorf("read slack.token: %w", err)
	}
	n, err := slack.New(slack.Config{
		Token: slack.Token(token), Channel: a.cfg.Slack.Channel, APIURL: a.cfg.Slack.APIURL, ConsoleURL: a.consoleURL(),
	}, slack.Options{Logger: a.logger})
	if err != nil {
		return nil, nil, fmt.Errorf("set up Slack: %w", err)
	}
	return n, printer, nil
}

// consoleURL is the console's address as people reach it.
func (a *App) consoleURL() string {
	if a.cfg.ConsoleURL != "" {
		return a.cfg.ConsoleURL
	}
	return a.url
}

// startJudging restores the detector and starts the applier.
func (a *App) startJudging(ctx context.Context) error {
	var err error
	a.applier, err = newApplier(ctx, a.ledger, detector.Config{Budget: a.cfg.Budget, MaxActors: a.cfg.MaxActors}, a.logger)
	if err != nil {
		return fmt.Errorf("restore the detector: %w", err)
	}
	a.applier.messages = a.outbox.messages
	a.reader = newReader(a)
	a.clean.add("last snapshot", func(ctx context.Context) error { return a.applier.snapshot(ctx) })
	a.background(ctx, "judging", a.applier.run)
	a.clean.add("last judging", a.judged)
	return nil
}

// judged waits until everything accepted is judged, or ctx ends.
func (a *App) judged(ctx context.Context) error {
	for last := a.ledger.Last(); a.ledger.Applied() < last; {
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d entries are left to judge at the next start: %w", last-a.ledger.Applied(), ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}

// startShipping sends the time series to InfluxDB where one is configured.
func (a *App) startShipping(ctx context.Context) error {
	if a.cfg.Influx.URL == "" {
		return nil
	}
	token, err := a.cfg.Influx.Token.Reveal()
	if err != nil {
		return fmt.Errorf("read influx.token: %w", err)
	}
	w, err := influx.New(influx.Config{
		URL: a.cfg.Influx.URL, Token: influx.Secret(token), Org: a.cfg.Influx.Org, Bucket: a.cfg.Influx.Bucket,
	}, influx.Options{Logger: a.logger})
	if err != nil {
		return fmt.Errorf("set up InfluxDB: %w", err)
	}
	a.clean.add("InfluxDB client", func(context.Context) error { w.Close(); return nil })
	if err := w.Check(ctx); err != nil {
		a.logger.Warn("InfluxDB does not answer; points wait in the ledger meanwhile", "error", err.Error())
	}
	a.background(ctx, "shipping", func(ctx context.Context) error {
		return series.Ship(ctx, a.ledger, w, series.ShipConfig{}, series.ShipOptions{Logger: a.logger})
	})
	return nil
}

func (a *App) startWeb(web, pushed net.Listener) error {
	page, err := newConsole(a.cfg.ConsoleURL, a.reader, a.logger, a.opts.Now)
	if err != nil {
		return fmt.Errorf("set up console: %w", err)
	}
	receiver, err := newPush(a.cfg.Sources, a.intake)
	if err != nil {
		return fmt.Errorf("set up push: %w", err)
	}
	if receiver != nil {
		a.pushURL = a.url + pushPath
	}
	here := receiver
	if pushed != nil && receiver != nil {
		a.pushURL = "http://" + pushed.Addr().String() + pushPath
		here = nil
		a.clean.add("push", serve(pushed, muxOf(receiver, nil), a.logger))
	}
	a.clean.add("console", serve(web, muxOf(here, page), a.logger))
	return nil
}

func (a *App) startCollecting(ctx context.Context) error {
	a.super = &supervisor{sink: a.intake.patient(), position: a.ledger.Position, logger: a.logger}
	// Collectors outlive the start's context and end with this one.
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	a.clean.add("collectors", func(ctx context.Context) error {
		cancel()
		return a.super.wait(ctx)
	})
	for i := range a.cfg.Sources {
		s := &a.cfg.Sources[i]
		c := a.opts.Collectors[s.Name]
		if c == nil {
			if len(s.File) == 0 {
				continue
			}
			var err error
			if c, err = tailOf(s, a.logger); err != nil {
				return fmt.Errorf("set up source %q: %w", s.Name, err)
			}
		}
		a.super.start(run, s.Name, c)
	}
	return nil
}

// tailOf makes the collector that follows a source's files.
func tailOf(s *config.Source, logger *slog.Logger) (collectors.Collector, error) {
	params, err := paramsByFormat(s.Format, s.FormatParams())
	if err != nil {
		return nil, err
	}
	mapping, err := mappingOf(&s.Mapping)
	if err != nil {
		return nil, err
	}
	return file.NewTail(s.File, file.TailConfig{
		Config: file.Config{
			Source: s.Name, Store: s.StoreName(), Formats: catalog.All(), Format: s.Format, Params: params, Mapping: mapping,
		},
	}, file.TailOptions{Logger: logger})
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
