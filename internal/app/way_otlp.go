package app

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"time"

	"vigil/collectors"
	"vigil/collectors/otlp"
	"vigil/internal/config"
)

// bindOTLP binds the address of OTLP over gRPC where there is one and a source to send to
// it.
func (a *App) bindOTLP(ctx context.Context) (net.Listener, error) {
	if a.cfg.OTLPListen == "" || !slices.ContainsFunc(a.cfg.Sources, func(s config.Source) bool { return s.OTLP != nil }) {
		return nil, nil
	}
	l, err := a.bind(ctx, "OTLP listener", a.cfg.OTLPListen)
	if err != nil {
		return nil, err
	}
	a.otlpAddr = l.Addr().String()
	return l, nil
}

// startOTLP serves OTLP by gRPC on l, which may be nil, and adds what takes it by HTTP.
func (a *App) startOTLP(l net.Listener, byPath map[string]http.Handler) error {
	r, err := newOTLP(a.cfg.Sources, a.cfg.PushTLS, a.intake, a.logger, a.opts.Now)
	if err != nil || r == nil {
		return err
	}
	if l != nil {
		a.clean.add("OTLP", r.ServeGRPC(l))
	}
	mountOTLP(r, byPath)
	return nil
}

// mountOTLP adds what takes OTLP by HTTP; r may be nil.
func mountOTLP(r *otlp.Receiver, byPath map[string]http.Handler) {
	if r == nil {
		return
	}
	for _, path := range otlp.Paths() {
		byPath[path] = r.Handler()
	}
}

// newOTLP makes the receiver of the sources that send by OTLP; nil when there is none.
func newOTLP(sources []config.Source, t *config.ServerTLS, sink collectors.Sink, logger *slog.Logger, now func() time.Time) (*otlp.Receiver, error) {
	var cfg otlp.Config
	for i := range sources {
		s := &sources[i]
		if s.OTLP == nil {
			continue
		}
		token, err := s.OTLP.Token.Reveal()
		if err != nil {
			return nil, fmt.Errorf("read token of source %q: %w", s.Name, err)
		}
		how, err := decodeOf(s)
		if err != nil {
			return nil, fmt.Errorf("set up source %q: %w", s.Name, err)
		}
		cfg.Sources = append(cfg.Sources, otlp.Source{Token: token, Decode: how})
	}
	if len(cfg.Sources) == 0 {
		return nil, nil
	}
	secure, err := serverTLS(t)
	if err != nil {
		return nil, fmt.Errorf("set up push_tls: %w", err)
	}
	return otlp.New(cfg, sink, otlp.Options{TLS: secure, Logger: logger, Now: now})
}
