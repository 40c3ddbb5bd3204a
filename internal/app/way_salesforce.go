package app

import (
	"errors"
	"log/slog"

	"vigil/collectors"
	"vigil/internal/config"
)

// salesforceOf makes the collector of a source that reads Salesforce's event log files.
func salesforceOf(*config.Source, *slog.Logger) (collectors.Collector, error) {
	return nil, errors.New("not built yet")
}
