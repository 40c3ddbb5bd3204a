package app

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"vigil/alerts"
	"vigil/alerts/slack"
	"vigil/alerts/terminal"
	"vigil/collectors/relay"
	"vigil/detector"
	"vigil/internal/config"
	"vigil/internal/feeds"
	"vigil/internal/ledger"
	"vigil/internal/privacy"
	"vigil/internal/series"
	"vigil/internal/series/influx"
)

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
		n := &normaliser{source: s.Name, store: s.StoreName(), tenant: s.Tenant, rules: rules, now: a.opts.Now, quota: newQuota(s.Quota, a.opts.Now)}
		if a.opts.Quiet {
			n.now = nil
		}
		a.intake.sources[s.Name] = n
	}
	a.desk = &desk{ledger: a.ledger, pseudonyms: pseudonyms, triage: newTriager(a.ledger, a.cfg.DataDir, a.logger), now: a.opts.Now}
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
	set, wrong := LoadRules(a.cfg.Rules)
	if len(wrong) > 0 {
		return &config.Error{Problems: wrong}
	}
	cfg := detector.Config{Budget: a.cfg.Budget, MaxActors: a.cfg.MaxActors, MaxCold: a.cfg.MaxCold}
	a.applier, err = newApplier(ctx, a.ledger, cfg, detector.Options{Rules: set}, a.logger)
	if err != nil {
		return fmt.Errorf("restore the detector: %w", err)
	}
	a.rules, a.rulesFrom = set, a.ledger.Applied()+1
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

func (a *App) startWeb(web, pushed, spoken net.Listener) error {
	page, err := newConsole(a.cfg.ConsoleURL, a.reader, a.desk, a.logger, a.opts.Now)
	if err != nil {
		return fmt.Errorf("set up console: %w", err)
	}
	byPath, err := a.receivers(spoken)
	if err != nil {
		return err
	}
	here := receivers(byPath)
	if byPath[pushPath] != nil {
		a.pushURL = a.url + pushPath
	}
	if pushed != nil {
		secure, err := serverTLS(a.cfg.PushTLS)
		if err != nil {
			return fmt.Errorf("set up push_tls: %w", err)
		}
		scheme := "http://"
		if secure != nil {
			pushed, scheme = tls.NewListener(pushed, secure), "https://"
		}
		if byPath[pushPath] != nil {
			a.pushURL = scheme + pushed.Addr().String() + pushPath
		}
		a.clean.add("push", serve(pushed, receivers(byPath), a.logger))
		here = receivers(nil)
	}
	here.Handle("/", page)
	a.clean.add("console", serve(web, here, a.logger))
	return nil
}

// receivers makes what takes from senders, by its path; nil for what nobody sends to.
func (a *App) receivers(spoken net.Listener) (map[string]http.Handler, error) {
	pushed, err := newPush(a.cfg.Sources, a.intake, a.opts.Now)
	if err != nil {
		return nil, fmt.Errorf("set up push: %w", err)
	}
	fed, err := a.feedReceiver()
	if err != nil {
		return nil, fmt.Errorf("set up feeds: %w", err)
	}
	relayed, err := newRelay(a.cfg, a.ledger.Position, a.intake, a.opts.Now)
	if err != nil {
		return nil, fmt.Errorf("set up collectors: %w", err)
	}
	byPath := map[string]http.Handler{pushPath: pushed, feeds.PushPath: fed, relay.Path: relayed}
	if err := a.startOTLP(spoken, byPath); err != nil {
		return nil, fmt.Errorf("set up OTLP: %w", err)
	}
	return byPath, nil
}

func (a *App) startCollecting(ctx context.Context) error {
	a.super = &supervisor{sink: patient(a.intake), position: a.ledger.Position, logger: a.logger}
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
			var err error
			if c, err = collectorOf(s, a.logger); err != nil {
				return fmt.Errorf("set up source %q: %w", s.Name, err)
			}
		}
		if c != nil {
			a.super.start(run, s.Name, c)
		}
	}
	return nil
}
