package app

import (
	"errors"
	"log/slog"

	"vigil/collectors"
	"vigil/internal/config"
)

// objectsOf makes the collector of a source that reads what is put into a bucket, container or folder.
func objectsOf(*config.Source, *slog.Logger) (collectors.Collector, error) {
	return nil, errors.New("not built yet")
}
