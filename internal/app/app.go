package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"vigil/alerts/slack/talk"
	"vigil/collectors"
	"vigil/collectors/otlp"
	"vigil/collectors/relay"
	"vigil/internal/api"
	"vigil/internal/config"
	"vigil/internal/feeds"
	"vigil/internal/gate"
	"vigil/internal/identity"
	"vigil/internal/ledger"
	"vigil/internal/news"
	"vigil/internal/reveal"
	"vigil/internal/vault"
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
	// Door tells who looks at the console; nil lets in who has signed in.
	Door gate.Door
	// Guises are those as whom a demonstration is looked at; nil where people sign in.
	Guises api.Guises
	// Version is this program's, for what is handed to other systems; may be empty.
	Version string
	// Free tells how many bytes are free on a folder's disk; nil asks the system.
	Free func(dir string) (int64, error)
}

// App is the running service. What its configuration decides can be changed while it
// runs, see Reload.
type App struct {
	opts   Options
	logger *slog.Logger
	// cfg is the configuration in force; conf returns it.
	cfg atomic.Pointer[config.Config]

	clean  cleanups
	ledger *ledger.Ledger
	intake *intake
	// whose tells whose data cases touched, askers who read a customer, reveals leads
	// pseudonyms back to names.
	whose   *caseSubjects
	askers  *whoRead
	reveals *reveal.Desk
	// vault is nil where the configuration wants none.
	vault *vault.Vault
	desk  *desk
	// reports makes audit reports.
	reports *reporter
	outbox  *outbox
	book    *casebook
	// identity knows who signs in; localToken is with which commands on this machine come.
	identity   *identity.Service
	localToken string
	setUp      string
	super      *supervisor
	reader     *reader
	// settings changes the budget and the rules, backtests judges history again.
	settings  *settings
	backtests *backtests
	tuning    *tuning
	// judging is the applier in force, see judge; fed reads the feeds in force.
	judging atomic.Pointer[applier]
	fed     atomic.Pointer[feeds.Service]
	// people are the users in force, dispatcher decides what they are told.
	people     atomic.Pointer[people]
	dispatcher atomic.Pointer[dispatcher]
	// talking answers what people press in Slack, nil where nobody does.
	talking atomic.Pointer[talk.Talk]
	// tellers are the ways to tell in force.
	tellers  atomic.Pointer[ways]
	troubles troubles
	// sources tells what those who keep sources ask for.
	sources *sourceDesk
	// audits watches the audit log itself.
	audits auditWatch
	// drills stages breaches beside what is live.
	drills *drillDesk
	// news passes on to open pages what changed.
	news     *news.Hub
	checking sync.WaitGroup
	// door leads what senders bring to the receivers in force, and what people look at to
	// the console.
	door, push *door
	// gate is before the console in force.
	gate atomic.Pointer[gate.Gate]
	url  string
	// born is when the program began.
	born time.Time
	// pushBase is the address under which the receivers are, pushURL that of events.
	pushBase string
	pushURL  atomic.Pointer[string]
	failed   chan error
	// relay takes from remote collectors, otlp from those who speak OTLP. They stay; whom
	// they let in follows the configuration.
	relay    *relay.Receiver
	otlp     *otlp.Receiver
	otlpAddr string

	// reloading is held while parts are started, replaced and stopped; guards parts and
	// clean.
	reloading sync.Mutex
	parts     map[string]*part
	// ending is over once Stop is called: a reload does not go on then.
	ending context.Context
	end    context.CancelFunc

	notingRules sync.Mutex
	// rulesAudited and rulesNoted say that it is in the audit log, and in the log, that
	// the rules are other ones than before.
	rulesAudited, rulesNoted bool
}

// conf is the configuration in force.
func (a *App) conf() *config.Config { return a.cfg.Load() }

// judge is the applier in force.
func (a *App) judge() *applier { return a.judging.Load() }

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
	a := &App{opts: opts, logger: opts.Logger, failed: make(chan error, 8), parts: map[string]*part{}, door: &door{}, push: &door{}, news: news.New()}
	a.born = opts.Now()
	a.settings = &settings{app: a}
	a.ending, a.end = context.WithCancel(context.Background())
	a.cfg.Store(cfg)
	a.clean.logger = opts.Logger
	return a, nil
}

// URL is the console's address once Start has returned; PushURL is where events
// are pushed to, empty when no source takes any.
func (a *App) URL() string { return a.url }

// PushURL is the full address of POST /v1/events, empty when no source is pushed
// to.
func (a *App) PushURL() string {
	if url := a.pushURL.Load(); url != nil {
		return *url
	}
	return ""
}

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
	web, err := a.bind(ctx, "console's listener", a.conf().Listen)
	if err != nil {
		return err
	}
	a.url = "http://" + web.Addr().String()
	var pushed net.Listener
	if a.conf().PushListen != "" {
		if pushed, err = a.bind(ctx, "push listener", a.conf().PushListen); err != nil {
			return err
		}
	}
	var spoken net.Listener
	if a.conf().OTLPListen != "" {
		if spoken, err = a.bind(ctx, "OTLP listener", a.conf().OTLPListen); err != nil {
			return err
		}
		a.otlpAddr = spoken.Addr().String()
	}
	if err := a.openLedger(ctx); err != nil {
		return err
	}
	if err := a.openIntake(ctx); err != nil {
		return err
	}
	// Before anything else enters the log: what was not heard meanwhile is nobody's silence.
	if a.intake.presence != nil {
		if err := a.intake.presence.listening(ctx); err != nil {
			a.logger.Warn("it can't be written down that nobody listened; it is tried again", "error", err.Error())
		}
	}
	a.reader, a.drills, a.sources = newReader(a), newDrillDesk(a), &sourceDesk{app: a}
	a.openSubjects()
	if a.backtests, err = newBacktests(a.ending, a.reader, a.conf().DataDir, a.logger, a.opts.Now); err != nil {
		return err
	}
	a.clean.add("back-test", a.backtests.wait)
	a.tuning = &tuning{reader: a.reader, standing: &standing{ledger: a.ledger, said: a.desk.triage.words.Load, ending: a.ending, logger: a.logger}}
	a.clean.add("measuring triage", a.tuning.standing.wait)
	if a.otlp, err = newOTLP(nil, a.conf().PushTLS, a.intake, a.logger, a.opts.Now); err != nil {
		return fmt.Errorf("set up OTLP: %w", err)
	}
	if a.relay, err = relay.New(relay.Config{Position: a.ledger.Position, Now: a.opts.Now}, a.intake); err != nil {
		return err
	}
	a.super = newSupervisor(patient(a.intake), a.ledger.Position, a.logger)
	a.reloading.Lock()
	defer a.reloading.Unlock()
	next, err := a.prepare(ctx, a.conf())
	if err != nil {
		return err
	}
	// In this order they are started, and in the other one stopped.
	a.clean.add("last snapshot", func(ctx context.Context) error {
		if j := a.judge(); j != nil {
			return j.snapshot(ctx)
		}
		return nil
	})
	for _, name := range []string{partTelling, partJudging} {
		a.clean.add(name, func(ctx context.Context) error { return a.stopPart(ctx, name) })
	}
	a.clean.add("last judging", a.judged)
	for _, name := range []string{partShipping, partFeeds, partJobs} {
		a.clean.add(name, func(ctx context.Context) error { return a.stopPart(ctx, name) })
	}
	a.pushBase = a.pushedTo(pushed)
	if err := a.begin(ctx, next); err != nil {
		return err
	}
	a.startWeb(web, pushed, next)
	if spoken != nil {
		a.clean.add("OTLP", a.otlp.ServeGRPC(spoken))
	}
	if err := a.publishAddress(); err != nil {
		return err
	}
	if err := a.firstRun(ctx); err != nil {
		return err
	}
	a.startCollecting(ctx, next)
	return nil
}

// Stop ends intake, lets what is accepted be judged, keeps a snapshot, and closes
// everything, each step in bounded time. What is left undone is done at the next
// start.
func (a *App) Stop(ctx context.Context) error {
	a.end()
	a.reloading.Lock()
	defer a.reloading.Unlock()
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

func (a *App) fail(err error) {
	select {
	case a.failed <- err:
	default: // the first few say it all
	}
}
