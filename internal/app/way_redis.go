package app

import (
	"fmt"
	"log/slog"

	"vigil/collectors"
	"vigil/collectors/redis"
	"vigil/internal/config"
)

// redisOf makes the collector of a source that reads what a Redis server's MONITOR tells.
func redisOf(s *config.Source, logger *slog.Logger) (collectors.Collector, error) {
	cfg, err := decodeOf(s)
	if err != nil {
		return nil, err
	}
	url, err := s.Redis.URL.Reveal()
	if err != nil {
		return nil, fmt.Errorf("read redis.url: %w", err)
	}
	trust, err := tlsOf(s.Redis.TLS)
	if err != nil {
		return nil, err
	}
	return redis.New(redis.Config{Decode: cfg, URL: url, TLS: trust}, redis.Options{Logger: logger})
}
