package app

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net/http"

	"vigil/alerts"
	"vigil/alerts/slack/talk"
	"vigil/collectors/otlp"
	"vigil/collectors/push"
	"vigil/collectors/relay"
	"vigil/detector"
	"vigil/detector/rules"
	"vigil/internal/config"
	"vigil/internal/feeds"
	"vigil/internal/gate"
	"vigil/internal/series"
	"vigil/internal/series/influx"
)

// edition is everything that follows from one configuration, made whole before any of it
// takes the place of what runs.
type edition struct {
	cfg     *config.Config
	sources map[string]*normaliser
	// collectors are the wanted ones by source; one that is nil runs already, unchanged.
	collectors map[string]desired
	rules      *rules.Set
	people     *people
	policy     alerts.Policy
	ways       *ways
	templates  *alerts.Templates
	// talk is nil where nobody answers in Slack, and where the one that is stays.
	talk *talk.Talk
	// writer is nil where there is no InfluxDB, and where the one that is stays.
	writer  *influx.Writer
	push    *push.Handler
	otlp    []otlp.Source
	peers   []relay.Peer
	console *gate.Gate
	secure  *tls.Config
}

// prepare makes what follows from a configuration. It touches nothing that runs. The
// error says what can't be made.
func (a *App) prepare(ctx context.Context, cfg *config.Config) (*edition, error) {
	next := &edition{cfg: cfg}
	var err error
	if next.sources, err = a.normalisers(cfg); err != nil {
		return nil, err
	}
	if next.rules, err = a.rulesNow(ctx, cfg); err != nil {
		return nil, err
	}
	next.people, next.policy = newPeople(cfg, a.intake.pseudonyms), policyOf(&cfg.Alerts)
	if next.ways, err = a.maker(cfg).ways(cfg, a.opts.Output); err != nil {
		return nil, err
	}
	if err := next.policy.Check(next.ways.names()); err != nil {
		return nil, fmt.Errorf("set up alerts: %w", err)
	}
	if next.templates, err = templatesOf(cfg); err != nil {
		return nil, fmt.Errorf("set up alerts.templates: %w", err)
	}
	if !a.made(partTelling, a.tellingPrint(cfg)) {
		if next.talk, err = a.newTalk(cfg); err != nil {
			return nil, err
		}
	}
	if next.secure, err = serverTLS(cfg.PushTLS); err != nil {
		return nil, fmt.Errorf("set up push_tls: %w", err)
	}
	if next.push, err = newPush(cfg.Sources, a.intake, a.opts.Now); err != nil {
		return nil, fmt.Errorf("set up push: %w", err)
	}
	if next.otlp, err = otlpSources(cfg.Sources); err != nil {
		return nil, fmt.Errorf("set up OTLP: %w", err)
	}
	if next.peers, err = relayPeers(cfg); err != nil {
		return nil, fmt.Errorf("set up collectors: %w", err)
	}
	if next.console, err = a.newConsole(cfg); err != nil {
		return nil, fmt.Errorf("set up console: %w", err)
	}
	if next.collectors, err = a.wantedCollectors(cfg); err != nil {
		return nil, err
	}
	// The last: nothing that fails after it would leave it open.
	if !a.made(partShipping, config.PrintOf(cfg.Influx)) {
		if next.writer, err = newWriter(cfg, a.logger); err != nil {
			return nil, fmt.Errorf("set up InfluxDB: %w", err)
		}
	}
	return next, nil
}

// normalisers makes one for each source. Those of sources that stay as they are go on,
// with what they have seen.
func (a *App) normalisers(cfg *config.Config) (map[string]*normaliser, error) {
	actors, err := newActorRules(cfg.Actors)
	if err != nil {
		return nil, err
	}
	old := a.intake.all()
	out := map[string]*normaliser{}
	for i := range cfg.Sources {
		s := &cfg.Sources[i]
		print := config.PrintOf(*s, cfg.Actors)
		if n := old[s.Name]; n != nil && n.print == print {
			out[s.Name] = n
			continue
		}
		n := &normaliser{
			source: s.Name, store: s.StoreName(), tenant: s.Tenant, rules: actors, now: a.opts.Now,
			quota: newQuota(s.Quota, a.opts.Now), print: print,
		}
		if a.opts.Quiet {
			n.now = nil
		}
		out[s.Name] = n
	}
	return out, nil
}

// wantedCollectors makes the collectors of a configuration, save those that run and stay
// as they are.
func (a *App) wantedCollectors(cfg *config.Config) (map[string]desired, error) {
	out := map[string]desired{}
	for i := range cfg.Sources {
		s := &cfg.Sources[i]
		print := config.PrintOf(*s)
		if a.super.runs(s.Name, print) {
			out[s.Name] = desired{print: print}
			continue
		}
		c := a.opts.Collectors[s.Name]
		if c == nil {
			var err error
			if c, err = collectorOf(s, a.logger); err != nil {
				return nil, fmt.Errorf("set up source %q: %w", s.Name, err)
			}
		}
		if c != nil {
			out[s.Name] = desired{print: print, collector: c}
		}
	}
	return out, nil
}

// begin puts an edition in the place of what runs, collectors and listeners aside. It
// needs reloading.
func (a *App) begin(ctx context.Context, next *edition) error {
	cfg := next.cfg
	a.cfg.Store(cfg)
	a.intake.use(next.sources)
	a.people.Store(next.people) // they follow the sources' tenants too
	for _, p := range []struct {
		name  string
		print config.Print
		start func() (stop func(context.Context) error, err error)
	}{
		{partTelling, a.tellingPrint(cfg), func() (func(context.Context) error, error) { return a.tell(ctx, next) }},
		{partJudging, judgingPrint(cfg, next.rules), func() (func(context.Context) error, error) { return a.startJudging(ctx, next) }},
		{partShipping, config.PrintOf(cfg.Influx), func() (func(context.Context) error, error) { return a.ship(ctx, next), nil }},
		{partFeeds, config.PrintOf(cfg.Feeds, cfg.DataDir), func() (func(context.Context) error, error) { a.startFeeds(ctx); return nil, nil }},
		{partJobs, config.PrintOf(cfg.Snapshots, cfg.Sealing, cfg.Pruning, cfg.FeedPolls, cfg.Previews, cfg.Ticks, cfg.Digest, cfg.Alerts.Weekly, cfg.Alerts.Report, cfg.AuditCheckpoints), a.startJobs},
	} {
		if err := a.replace(ctx, p.name, p.print, p.start); err != nil {
			return err
		}
	}
	// Behind the feeds, which wait until what is in the log by then is judged.
	if err := a.noteRules(ctx); err != nil {
		a.logger.Error("which rules judge can't be written down; it is tried again", "error", err.Error())
	}
	if err := a.settings.note(ctx); err != nil {
		a.logger.Error("the alert budget can't be written down; it is tried again", "error", err.Error())
	}
	return a.open(next)
}

// tellingPrint is what the ways to tell are made of.
func (a *App) tellingPrint(cfg *config.Config) config.Print {
	return config.PrintOf(cfg.Slack, cfg.Alerts, cfg.Users, a.consoleOf(cfg))
}

// judgingPrint is what the detector is made of.
func judgingPrint(cfg *config.Config, set *rules.Set) config.Print {
	return config.PrintOf(cfg.Budget, cfg.MaxActors, cfg.MaxCold, set.Marks())
}

// startJudging restores the detector and starts the applier. When there was one, its
// state is kept first, and it goes on if the new one can't be made.
func (a *App) startJudging(ctx context.Context, next *edition) (stop func(context.Context) error, err error) {
	old := a.judge()
	if old != nil {
		if err := old.snapshot(ctx); err != nil {
			a.logger.Warn("the detector's state can't be kept before it changes; the log is judged again from the one before", "error", err.Error())
		}
	}
	cfg := detector.Config{Budget: next.cfg.Budget, MaxActors: next.cfg.MaxActors, MaxCold: next.cfg.MaxCold}
	j, err := newApplier(ctx, a.ledger, cfg, detector.Options{Rules: next.rules}, a.logger)
	if err != nil {
		err = fmt.Errorf("restore the detector: %w", err)
		if old == nil {
			return nil, err
		}
		a.logger.Error("the detector goes on as it was", "error", err.Error())
		return a.background(ctx, "judging", old.run), nil
	}
	j.rules, j.rulesFrom, j.messages = next.rules, a.ledger.Applied()+1, a.outbox.messages
	a.notingRules.Lock()
	a.rulesAudited, a.rulesNoted = false, false
	a.notingRules.Unlock()
	a.judging.Store(j)
	return a.background(ctx, "judging", j.run), nil
}

// newWriter makes the client of InfluxDB; nil where none is configured.
func newWriter(cfg *config.Config, logger *slog.Logger) (*influx.Writer, error) {
	if cfg.Influx.URL == "" {
		return nil, nil
	}
	token, err := cfg.Influx.Token.Reveal()
	if err != nil {
		return nil, fmt.Errorf("read influx.token: %w", err)
	}
	return influx.New(influx.Config{
		URL: cfg.Influx.URL, Token: influx.Secret(token), Org: cfg.Influx.Org, Bucket: cfg.Influx.Bucket,
	}, influx.Options{Logger: logger})
}

// ship sends the time series to InfluxDB where one is configured.
func (a *App) ship(ctx context.Context, next *edition) (stop func(context.Context) error) {
	w := next.writer
	if w == nil {
		return nil
	}
	if err := w.Check(ctx); err != nil {
		a.logger.Warn("InfluxDB does not answer; points wait in the ledger meanwhile", "error", err.Error())
	}
	return stopAll(func(context.Context) error { w.Close(); return nil }, a.background(ctx, "shipping", func(ctx context.Context) error {
		return series.Ship(ctx, a.ledger, w, series.ShipConfig{}, series.ShipOptions{Logger: a.logger})
	}))
}

// open leads the doors to the receivers and the console of an edition.
func (a *App) open(next *edition) error {
	fed, err := a.feedReceiver()
	if err != nil {
		return fmt.Errorf("set up feeds: %w", err)
	}
	byPath := map[string]http.Handler{}
	if next.push != nil {
		byPath[pushPath] = next.push
	}
	if fed != nil {
		byPath[feeds.PushPath] = fed
	}
	if err := a.otlp.Update(next.otlp); err != nil {
		return err
	}
	if len(next.otlp) > 0 {
		mountOTLP(a.otlp, byPath)
	}
	if err := a.relay.Update(next.peers); err != nil {
		return err
	}
	if len(next.peers) > 0 {
		byPath[relay.Path] = a.relay
	}
	if cfg := a.conf(); interactive(cfg) && cfg.Slack.SigningSecret.IsSet() {
		byPath["/slack/"] = a.slackHandler()
	}
	here := receivers(nil)
	if a.conf().PushListen == "" {
		here = receivers(byPath)
	}
	here.Handle("/", next.console)
	a.gate.Store(next.console)
	a.push.behind.Store(receivers(byPath))
	a.door.behind.Store(here)
	url := ""
	if next.push != nil {
		url = a.pushBase + pushPath
	}
	a.pushURL.Store(&url)
	return nil
}
