package app

import (
	"fmt"
	"log/slog"

	"vigil/collectors"
	"vigil/collectors/rest"
	"vigil/collectors/rest/okta"
	"vigil/internal/config"
)

// oktaOf makes the collector of a source that reads Okta's system log.
func oktaOf(s *config.Source, logger *slog.Logger) (collectors.Collector, error) {
	cfg, err := decodeOf(s)
	if err != nil {
		return nil, err
	}
	k := s.Okta
	key, err := k.PrivateKey.Reveal()
	if err != nil {
		return nil, fmt.Errorf("read private_key: %w", err)
	}
	token, err := k.Token.Reveal()
	if err != nil {
		return nil, fmt.Errorf("read token: %w", err)
	}
	return okta.New(okta.Config{
		Decode: cfg, URL: k.URL, Token: rest.Secret(token), ClientID: k.ClientID, PrivateKey: rest.Secret(key), KeyID: k.KeyID,
		Poll: k.Poll.Std(), Overlap: k.Overlap.Std(), Start: k.Start.Std(), AllowPrivate: k.AllowPrivate,
	}, okta.Options{Client: rest.ClientOptions{Logger: logger}})
}
