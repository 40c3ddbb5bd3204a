package app

import (
	"errors"
	"log/slog"

	"vigil/collectors"
	"vigil/internal/config"
)

// zendeskOf makes the collector of a source that reads Zendesk's access and audit logs.
func zendeskOf(*config.Source, *slog.Logger) (collectors.Collector, error) {
	return nil, errors.New("not built yet")
}
