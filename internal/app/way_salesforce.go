package app

import (
	"fmt"
	"log/slog"

	"vigil/collectors"
	"vigil/collectors/rest"
	"vigil/collectors/rest/salesforce"
	"vigil/internal/config"
)

// salesforceOf makes the collector of a source that reads Salesforce's event log files.
func salesforceOf(s *config.Source, logger *slog.Logger) (collectors.Collector, error) {
	cfg, err := decodeOf(s)
	if err != nil {
		return nil, err
	}
	k := s.Salesforce
	secret, err := k.ClientSecret.Reveal()
	if err != nil {
		return nil, fmt.Errorf("read client_secret: %w", err)
	}
	key, err := k.PrivateKey.Reveal()
	if err != nil {
		return nil, fmt.Errorf("read private_key: %w", err)
	}
	return salesforce.New(salesforce.Config{
		Decode: cfg, URL: k.URL, ClientID: k.ClientID, ClientSecret: rest.Secret(secret), PrivateKey: rest.Secret(key), Username: k.Username,
		Audience: k.Audience, Interval: k.Interval, Events: k.Events,
		Poll: k.Poll.Std(), Overlap: k.Overlap.Std(), Start: k.Start.Std(), AllowPrivate: k.AllowPrivate,
	}, salesforce.Options{Client: rest.ClientOptions{Logger: logger}})
}
