package app

import (
	"fmt"
	"log/slog"

	"vigil/collectors"
	"vigil/collectors/rest"
	"vigil/collectors/rest/intercom"
	"vigil/internal/config"
)

// intercomOf makes the collector of a source that reads Intercom's activity logs.
func intercomOf(s *config.Source, logger *slog.Logger) (collectors.Collector, error) {
	cfg, err := decodeOf(s)
	if err != nil {
		return nil, err
	}
	k := s.Intercom
	token, err := k.Token.Reveal()
	if err != nil {
		return nil, fmt.Errorf("read token: %w", err)
	}
	return intercom.New(intercom.Config{
		Decode: cfg, URL: k.URL, Token: rest.Secret(token),
		Poll: k.Poll.Std(), Overlap: k.Overlap.Std(), Start: k.Start.Std(), AllowPrivate: k.AllowPrivate,
	}, intercom.Options{Client: rest.ClientOptions{Logger: logger}})
}
