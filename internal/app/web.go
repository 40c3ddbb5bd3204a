package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"vigil/collectors"
	"vigil/collectors/push"
	"vigil/dashboards/console"
	"vigil/internal/access"
	"vigil/internal/api"
	"vigil/internal/api/rest"
	"vigil/internal/config"
	"vigil/internal/gate"
	"vigil/internal/ledger"
)

// pushPath is where events are pushed to.
const pushPath = "/v1/events"

// The time-outs of every server: slow clients must not hold connections.
const (
	headerTimeout = 10 * time.Second
	readTimeout   = 2 * time.Minute // a push of 16 MiB over a slow line
	writeTimeout  = 3 * time.Minute
	idleTimeout   = 2 * time.Minute
	maxHeader     = 64 << 10
)

// listen binds an address. The error says what to do when it is taken.
func listen(ctx context.Context, address string) (net.Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w; is another vigil running? set another address, or port 0 for a free one", address, err)
	}
	return l, nil
}

// serve runs a handler on a listener until stop is called.
func serve(l net.Listener, h http.Handler, logger *slog.Logger) (stop func(ctx context.Context) error) {
	server := &http.Server{
		Handler: h, ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			logger.Error("server ended", "address", l.Addr().String(), "error", err.Error())
		}
	}()
	return func(ctx context.Context) error {
		err := server.Shutdown(ctx)
		if err != nil {
			err = errors.Join(err, server.Close())
		}
		<-done
		return err
	}
}

// changed passes on to open pages what has become durable.
func (a *App) changed(c ledger.Change) {
	var topics []api.Topic
	if c.Judged {
		topics = append(topics, api.TopicStatus)
	}
	if len(c.Findings)+len(c.Cases) > 0 {
		topics = append(topics, api.TopicQueue)
	}
	for _, id := range c.Findings {
		topics = append(topics, api.FindingTopic(id))
	}
	for _, id := range c.Cases {
		topics = append(topics, api.CaseTopic(id))
	}
	a.news.Publish(topics...)
}

// newConsole makes what answers people and programs, with the gate before it.
func (a *App) newConsole(cfg *config.Config) (*gate.Gate, error) {
	gated := gate.Config{Logger: a.logger, Now: a.opts.Now}
	services := a.services()
	var people api.People // nil where nobody signs in
	var tokens api.Tokens
	behindTLS := ""
	if cfg.ConsoleURL != "" {
		u, err := url.Parse(cfg.ConsoleURL)
		if err != nil {
			return nil, fmt.Errorf("read console_url: %w", err)
		}
		gated.Hosts = append(gated.Hosts, u.Hostname())
		if u.Scheme == "https" {
			behindTLS = u.Hostname()
		}
	}
	if gated.Door = a.opts.Door; gated.Door == nil {
		door, err := a.newDoor(cfg, behindTLS)
		if err != nil {
			return nil, err
		}
		gated.Door, gated.Secure, gated.SignIn = door, door.Secure, "/sign-in"
		services.Accounts, people, tokens = door, door, door
	}
	pages, err := console.New(console.Config{Logger: a.logger, Now: a.opts.Now}, services)
	if err != nil {
		return nil, err
	}
	programs, err := rest.New(rest.Config{Logger: a.logger}, rest.Services{
		Reader: services.Reader, Decider: services.Decider, Silencer: services.Silencer, Reporter: services.Reporter,
		Once: a.ledger, Worker: services.Worker,
		Replayer: services.Replayer, Tuner: services.Tuner, Explorer: services.Explorer, Subjects: services.Subjects, Readers: services.Readers,
		Notices: services.Notices, Packs: services.Packs, Auditor: services.Auditor, Driller: services.Driller, Keeper: services.Keeper,
		People: people, Tokens: tokens,
	})
	if err != nil {
		return nil, err
	}
	gated.Fail = func(w http.ResponseWriter, r *http.Request, p *api.Problem) {
		if strings.HasPrefix(r.URL.Path, "/api/") || strings.HasPrefix(r.URL.Path, "/v1/") {
			programs.Fail(w, r, p)
			return
		}
		pages.Fail(w, r, p)
	}
	return gate.New(gated, access.Routes(), pages.Handlers(), programs.Handlers())
}

// newPush makes the receiver of the configured push sources; nil when there is
// none.
func newPush(sources []config.Source, sink collectors.Sink, now func() time.Time) (*push.Handler, error) {
	cfg := push.Config{Now: now}
	for i := range sources {
		s := &sources[i]
		if s.Push == nil {
			continue
		}
		token, err := s.Push.Token.Reveal()
		if err != nil {
			return nil, fmt.Errorf("read token of source %q: %w", s.Name, err)
		}
		how, err := decodeOf(s)
		if err != nil {
			return nil, fmt.Errorf("set up source %q: %w", s.Name, err)
		}
		cfg.Sources = append(cfg.Sources, push.Source{Token: token, Decode: how})
	}
	if len(cfg.Sources) == 0 {
		return nil, nil
	}
	return push.New(cfg, sink)
}

// receivers puts handlers under their paths.
func receivers(byPath map[string]http.Handler) *http.ServeMux {
	mux := http.NewServeMux()
	for path, h := range byPath {
		mux.Handle(path, h)
	}
	return mux
}
