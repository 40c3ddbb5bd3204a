package kafka_test

import (
	"context"
	"log/slog"
	"testing"

	"vigil/collectors"
	"vigil/collectors/kafka"
)

// BenchmarkRead reads records out of a topic of four partitions that is full of them.
func BenchmarkRead(b *testing.B) {
	peer := newBroker(b)
	const chunk = 10_000
	for n := 0; n < b.N; n += chunk {
		peer.mustWrite(topic, records(n+1, min(chunk, b.N-n))...)
	}
	k, err := kafka.New(peer.config(), kafka.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	seen := 0
	b.ResetTimer()
	err = k.Run(ctx, nil, collectors.SinkFunc(func(_ context.Context, batch collectors.Batch) error {
		if seen += len(batch.Events); seen >= b.N {
			cancel()
		}
		return nil
	}))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(seen)/b.Elapsed().Seconds(), "events/s")
}
