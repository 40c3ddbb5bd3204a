package app

import (
	"fmt"
	"log/slog"

	"vigil/collectors"
	"vigil/collectors/nats"
	"vigil/internal/config"
)

// natsOf makes the collector of a source that reads a JetStream stream.
func natsOf(s *config.Source, logger *slog.Logger) (collectors.Collector, error) {
	decoder, err := decodeOf(s)
	if err != nil {
		return nil, err
	}
	trust, err := tlsOf(s.NATS.TLS)
	if err != nil {
		return nil, err
	}
	cfg := nats.Config{
		Decode: decoder, URLs: s.NATS.URLs, Stream: s.NATS.Stream, Subjects: s.NATS.Subjects, Durable: s.NATS.Durable,
		Start: s.NATS.Start, TLS: trust, Credentials: s.NATS.Credentials, User: s.NATS.User,
	}
	for _, secret := range []struct {
		name string
		from config.Secret
		to   *string
	}{{"password", s.NATS.Password, &cfg.Password}, {"token", s.NATS.Token, &cfg.Token}, {"nkey", s.NATS.Nkey, &cfg.Seed}} {
		if *secret.to, err = secret.from.Reveal(); err != nil {
			return nil, fmt.Errorf("read nats.%s: %w", secret.name, err)
		}
	}
	return nats.New(cfg, nats.Options{Logger: logger})
}
