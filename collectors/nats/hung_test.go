package nats_test

import (
	"net"
	"testing"

	"vigil/collectors"
	"vigil/collectors/collectorstest"
	"vigil/collectors/nats"
)

// A stop does not wait for servers that hang, however many there are.
func TestStopOfHungServers(t *testing.T) {
	t.Parallel()
	collectorstest.Deaf(t, func(address string) (collectors.Collector, error) {
		_, port, err := net.SplitHostPort(address)
		cfg := (&peer{}).config()
		cfg.URLs = nil
		for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0"} { // one server under four names
			cfg.URLs = append(cfg.URLs, "nats://"+host+":"+port)
		}
		if err != nil {
			return nil, err
		}
		return nats.New(cfg, options)
	})
}
