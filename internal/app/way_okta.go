package app

import (
	"errors"
	"log/slog"

	"vigil/collectors"
	"vigil/internal/config"
)

// oktaOf makes the collector of a source that reads Okta's system log.
func oktaOf(*config.Source, *slog.Logger) (collectors.Collector, error) {
	return nil, errors.New("not built yet")
}
