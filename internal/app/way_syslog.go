package app

import (
	"fmt"
	"log/slog"
	"net/netip"

	"vigil/collectors"
	"vigil/collectors/syslog"
	"vigil/internal/config"
)

// syslogOf makes the collector of a source that takes messages from syslog senders.
func syslogOf(s *config.Source, logger *slog.Logger) (collectors.Collector, error) {
	cfg, err := decodeOf(s)
	if err != nil {
		return nil, err
	}
	k := s.Syslog
	c := syslog.Config{
		Decode: cfg, Listen: k.Listen, Transport: syslog.Transport(k.Transport),
		MaxConnections: k.MaxConnections, IdleTimeout: k.IdleTimeout.Std(),
	}
	if t := k.TLS; t != nil {
		c.Cert, c.Key, c.ClientCA, c.ClientNames = t.Cert, t.Key, t.ClientCA, t.ClientNames
	}
	for _, network := range k.From {
		prefix, err := netip.ParsePrefix(network)
		if err != nil {
			return nil, fmt.Errorf("read the network %q: %w", network, err)
		}
		c.From = append(c.From, prefix.Masked())
	}
	return syslog.New(c, syslog.Options{Logger: logger.With("source", s.Name)})
}
