package app

import (
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"vigil/collectors"
	"vigil/collectors/otlp"
	"vigil/internal/config"
)

// mountOTLP adds what takes OTLP by HTTP.
func mountOTLP(r *otlp.Receiver, byPath map[string]http.Handler) {
	for _, path := range otlp.Paths() {
		byPath[path] = r.Handler()
	}
}

// otlpSources are the sources that send by OTLP.
func otlpSources(sources []config.Source) ([]otlp.Source, error) {
	var out []otlp.Source
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
		print := config.PrintOf(*s)
		out = append(out, otlp.Source{Token: token, Decode: how, Revision: hex.EncodeToString(print[:])})
	}
	return out, nil
}

// newOTLP makes the receiver of sources that send by OTLP.
func newOTLP(sources []otlp.Source, t *config.ServerTLS, sink collectors.Sink, logger *slog.Logger, now func() time.Time) (*otlp.Receiver, error) {
	secure, err := serverTLS(t)
	if err != nil {
		return nil, fmt.Errorf("set up push_tls: %w", err)
	}
	return otlp.New(otlp.Config{Sources: sources}, sink, otlp.Options{TLS: secure, Logger: logger, Now: now})
}
