package app

import (
	"fmt"
	"log/slog"

	"vigil/collectors"
	"vigil/collectors/rest"
	"vigil/collectors/rest/zendesk"
	"vigil/internal/config"
)

// zendeskOf makes the collector of a source that reads Zendesk's access and audit logs.
func zendeskOf(s *config.Source, logger *slog.Logger) (collectors.Collector, error) {
	cfg, err := decodeOf(s)
	if err != nil {
		return nil, err
	}
	k := s.Zendesk
	secret, err := k.ClientSecret.Reveal()
	if err != nil {
		return nil, fmt.Errorf("read client_secret: %w", err)
	}
	token, err := k.Token.Reveal()
	if err != nil {
		return nil, fmt.Errorf("read token: %w", err)
	}
	return zendesk.New(zendesk.Config{
		Decode: cfg, URL: k.URL, ClientID: k.ClientID, ClientSecret: rest.Secret(secret), Scope: k.Scope, Token: rest.Secret(token), Email: k.Email,
		Logs: k.Logs, Poll: k.Poll.Std(), Overlap: k.Overlap.Std(), Start: k.Start.Std(), AllowPrivate: k.AllowPrivate,
	}, zendesk.Options{Client: rest.ClientOptions{Logger: logger}})
}
