package app

import (
	"fmt"
	"log/slog"

	"vigil/collectors"
	"vigil/collectors/objects"
	"vigil/internal/config"
)

// objectsOf makes the collector of a source that reads what is put into a bucket, container or folder.
func objectsOf(s *config.Source, logger *slog.Logger) (collectors.Collector, error) {
	cfg, err := decodeOf(s)
	if err != nil {
		return nil, err
	}
	k := s.Objects
	since, all, err := k.Since()
	if err != nil {
		return nil, fmt.Errorf("read start: %w", err)
	}
	return objects.New(objects.Config{
		Config: cfg, URL: k.URL, Prefixes: k.Prefix, Match: k.Match, Poll: k.Poll.Std(), Notifications: k.Notifications,
		Start: since, All: all, Lookback: k.Lookback.Std(),
	}, objects.Options{Logger: logger})
}
