package app

import (
	"fmt"
	"log/slog"

	"vigil/collectors"
	"vigil/collectors/kafka"
	"vigil/internal/config"
)

// kafkaOf makes the collector of a source that reads topics.
func kafkaOf(s *config.Source, logger *slog.Logger) (collectors.Collector, error) {
	decoder, err := decodeOf(s)
	if err != nil {
		return nil, err
	}
	trust, err := tlsOf(s.Kafka.TLS)
	if err != nil {
		return nil, err
	}
	cfg := kafka.Config{
		Decode: decoder, Brokers: s.Kafka.Brokers, Topics: s.Kafka.Topics, Pattern: s.Kafka.TopicPattern,
		Group: s.Kafka.Group, Start: s.Kafka.Start, TLS: trust,
	}
	if sasl := s.Kafka.SASL; sasl != nil {
		password, err := sasl.Password.Reveal()
		if err != nil {
			return nil, fmt.Errorf("read kafka.sasl.password: %w", err)
		}
		cfg.SASL = &kafka.SASL{Mechanism: sasl.Mechanism, User: sasl.User, Password: password}
	}
	return kafka.New(cfg, kafka.Options{Logger: logger})
}
