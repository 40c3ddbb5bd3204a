package app

import (
	"errors"
	"log/slog"

	"vigil/collectors"
	"vigil/internal/config"
)

// sqlOf makes the collector of a source that reads an audit table as it grows.
func sqlOf(*config.Source, *slog.Logger) (collectors.Collector, error) {
	return nil, errors.New("not built yet")
}
