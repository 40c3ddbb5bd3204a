package app

import (
	"log/slog"

	"vigil/collectors"
	"vigil/collectors/decode"
	"vigil/collectors/file"
	"vigil/collectors/formats/catalog"
	"vigil/internal/config"
)

// collectorOf makes the collector of a source; nil for one that is sent to at the
// addresses that all sources share.
func collectorOf(s *config.Source, logger *slog.Logger) (collectors.Collector, error) {
	switch s.Way() {
	case "file":
		return tailOf(s, logger)
	case "syslog":
		return syslogOf(s, logger)
	case "kafka":
		return kafkaOf(s, logger)
	case "nats":
		return natsOf(s, logger)
	case "objects":
		return objectsOf(s, logger)
	case "sql":
		return sqlOf(s, logger)
	case "redis":
		return redisOf(s, logger)
	case "zendesk":
		return zendeskOf(s, logger)
	case "salesforce":
		return salesforceOf(s, logger)
	case "intercom":
		return intercomOf(s, logger)
	case "okta":
		return oktaOf(s, logger)
	}
	return nil, nil
}

// decodeOf says how the messages of a source are read.
func decodeOf(s *config.Source) (decode.Config, error) {
	params, err := paramsByFormat(s.Format, s.FormatParams())
	if err != nil {
		return decode.Config{}, err
	}
	mapping, err := mappingOf(&s.Mapping)
	if err != nil {
		return decode.Config{}, err
	}
	return decode.Config{
		Source: s.Name, Store: s.StoreName(), Formats: catalog.All(), Format: s.Format, Params: params, Mapping: mapping,
	}, nil
}

// tailOf makes the collector that follows a source's files.
func tailOf(s *config.Source, logger *slog.Logger) (collectors.Collector, error) {
	cfg, err := decodeOf(s)
	if err != nil {
		return nil, err
	}
	return file.NewTail(s.File, file.TailConfig{
		Config: file.Config{
			Source: cfg.Source, Store: cfg.Store, Formats: cfg.Formats, Format: cfg.Format, Params: cfg.Params, Mapping: cfg.Mapping,
		},
	}, file.TailOptions{Logger: logger})
}
