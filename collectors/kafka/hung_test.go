package kafka_test

import (
	"log/slog"
	"testing"

	"vigil/collectors"
	"vigil/collectors/collectorstest"
	"vigil/collectors/decode"
	"vigil/collectors/formats/catalog"
	"vigil/collectors/kafka"
)

// A stop does not wait for a broker that hangs.
func TestStopOfAHungBroker(t *testing.T) {
	t.Parallel()
	collectorstest.Deaf(t, func(address string) (collectors.Collector, error) {
		return kafka.New(kafka.Config{
			Decode: decode.Config{Source: source, Formats: catalog.All(), Format: "native"}, Brokers: []string{address}, Topics: []string{topic},
		}, kafka.Options{Logger: slog.New(slog.DiscardHandler)})
	})
}
