package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"vigil/collectors/relay"
	"vigil/internal/config"
	"vigil/internal/spool"
)

// CollectOptions are what code passes to NewCollect.
type CollectOptions struct {
	// Logger gets what happens; nil means none.
	Logger *slog.Logger
	// Now tells the time; nil means the clock.
	Now func() time.Time
}

// Collect is a remote collector: it reads sources near where they are, spools what it
// reads, and sends it to a central vigil.
type Collect struct {
	cfg    *config.Collect
	opts   CollectOptions
	logger *slog.Logger
	clean  cleanups
	spool  *spool.Spool
	super  *supervisor
	url    string
}

// NewCollect prepares the collector of a configuration that config.LoadCollect has
// accepted. Nothing is opened before Start.
func NewCollect(cfg *config.Collect, opts CollectOptions) *Collect {
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	c := &Collect{cfg: cfg, opts: opts, logger: opts.Logger}
	c.clean.logger = opts.Logger
	return c
}

// PushURL is the full address of POST /v1/events, empty when no source is pushed to.
func (c *Collect) PushURL() string { return c.url }

// Waiting is how many bytes wait for the central vigil.
func (c *Collect) Waiting() int64 { return c.spool.Waiting() }

// Start starts reading and sending. When a part can't be started, those before it are
// stopped again.
func (c *Collect) Start(ctx context.Context) (err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, c.clean.run(context.WithoutCancel(ctx)))
		}
	}()
	var l net.Listener
	if c.cfg.Listen != "" {
		if l, err = listen(ctx, c.cfg.Listen); err != nil {
			return err
		}
		c.clean.add("listener", func(context.Context) error {
			if err := l.Close(); !errors.Is(err, net.ErrClosed) {
				return err
			}
			return nil
		})
	}
	key, err := c.cfg.Key.Reveal()
	if err != nil {
		return fmt.Errorf("read key: %w", err)
	}
	c.spool, err = spool.Open(ctx, spool.Config{
		Dir: c.cfg.SpoolDir, Key: []byte(key), MaxBytes: int64(c.cfg.SpoolSize), MinFree: int64(c.cfg.DiskFloor),
	})
	if err != nil {
		return err
	}
	c.clean.add("spool", func(context.Context) error { return c.spool.Close() })
	trust, err := tlsOf(c.cfg.TLS)
	if err != nil {
		return fmt.Errorf("set up tls: %w", err)
	}
	sender, err := relay.NewSender(relay.SenderConfig{
		URL: c.cfg.Central, Collector: c.cfg.Name, Key: []byte(key), TLS: trust, Now: c.opts.Now,
	}, relay.SenderOptions{Logger: c.logger})
	if err != nil {
		return fmt.Errorf("set up sending: %w", err)
	}
	c.send(ctx, sender)
	if l != nil {
		if err := c.receive(l); err != nil {
			return err
		}
	}
	return c.collect(ctx)
}

func (c *Collect) send(ctx context.Context, sender *relay.Sender) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		sender.Run(ctx, c.spool)
	}()
	c.clean.add("sending", func(context.Context) error {
		cancel()
		<-done
		return nil
	})
}

// receive takes what is pushed here.
func (c *Collect) receive(l net.Listener) error {
	h, err := newPush(c.cfg.Sources, c.spool, c.opts.Now)
	if err != nil {
		return fmt.Errorf("set up push: %w", err)
	}
	secure, err := serverTLS(c.cfg.ListenTLS)
	if err != nil {
		return fmt.Errorf("set up listen_tls: %w", err)
	}
	scheme := "http://"
	if secure != nil {
		l, scheme = tls.NewListener(l, secure), "https://"
	}
	byPath := map[string]http.Handler{}
	if h != nil {
		byPath[pushPath], c.url = h, scheme+l.Addr().String()+pushPath
	}
	telemetry, err := otlpSources(c.cfg.Sources)
	if err != nil {
		return fmt.Errorf("set up OTLP: %w", err)
	}
	if len(telemetry) > 0 {
		r, err := newOTLP(telemetry, nil, c.spool, c.logger, c.opts.Now) // by HTTP alone
		if err != nil {
			return fmt.Errorf("set up OTLP: %w", err)
		}
		mountOTLP(r, byPath)
	}
	c.clean.add("push", serve(l, receivers(byPath), c.logger))
	return nil
}

func (c *Collect) collect(ctx context.Context) error {
	c.super = newSupervisor(patient(c.spool), c.spool.Position, c.logger)
	all := map[string]desired{}
	for i := range c.cfg.Sources {
		s := &c.cfg.Sources[i]
		one, err := collectorOf(s, c.logger)
		if err != nil {
			return fmt.Errorf("set up source %q: %w", s.Name, err)
		}
		if one != nil {
			all[s.Name] = desired{print: config.PrintOf(*s), collector: one}
		}
	}
	c.clean.add("collectors", c.super.stop)
	c.super.apply(ctx, all)
	return nil
}

// Stop ends reading and sending. What is not sent waits in the spool.
func (c *Collect) Stop(ctx context.Context) error { return c.clean.run(context.WithoutCancel(ctx)) }

// relayPeers lists the collectors that may send, with the sources that each brings.
func relayPeers(cfg *config.Config) ([]relay.Peer, error) {
	var out []relay.Peer
	for i := range cfg.Collectors {
		r := &cfg.Collectors[i]
		key, err := r.Key.Reveal()
		if err != nil {
			return nil, fmt.Errorf("read key of collector %q: %w", r.Name, err)
		}
		p := relay.Peer{Name: r.Name, Key: []byte(key)}
		for j := range cfg.Sources {
			if cfg.Sources[j].Collector == r.Name {
				p.Sources = append(p.Sources, cfg.Sources[j].Name)
			}
		}
		out = append(out, p)
	}
	return out, nil
}
