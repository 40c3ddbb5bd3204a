package app

import (
	"fmt"
	"log/slog"
	"time"

	"vigil/collectors"
	sqltable "vigil/collectors/sql"
	"vigil/internal/config"
)

// sqlOf makes the collector of a source that reads an audit table as it grows.
func sqlOf(s *config.Source, logger *slog.Logger) (collectors.Collector, error) {
	cfg, err := decodeOf(s)
	if err != nil {
		return nil, err
	}
	url, err := s.SQL.URL.Reveal()
	if err != nil {
		return nil, fmt.Errorf("read sql.url: %w", err)
	}
	trust, err := tlsOf(s.SQL.TLS)
	if err != nil {
		return nil, err
	}
	zone, err := time.LoadLocation(s.SQL.Timezone)
	if err != nil {
		return nil, fmt.Errorf("read sql.timezone: %w", err)
	}
	return sqltable.New(sqltable.Config{
		Decode: cfg, URL: url, Table: s.SQL.Table, Query: s.SQL.Query, Cursor: s.SQL.Cursor, Columns: s.SQL.Columns, JSON: s.SQL.JSON,
		Sparse: s.SQL.Sparse, Timezone: zone, Poll: s.SQL.Poll.Std(), Settle: s.SQL.Settle.Std(), Batch: s.SQL.Batch, TLS: trust,
	}, sqltable.Options{Logger: logger})
}
