package nats_test

import (
	"context"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"vigil/collectors"
	"vigil/collectors/nats"
)

// BenchmarkRead reads records out of a stream that is full of them.
func BenchmarkRead(b *testing.B) {
	p := withStream(b, jetstream.StreamConfig{})
	js := p.js()
	for _, r := range records(1, b.N) {
		if _, err := js.PublishAsync("access.desk", r.Line()); err != nil {
			b.Fatal(err)
		}
	}
	<-js.PublishAsyncComplete()
	n, err := nats.New(p.config(), options)
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	seen := 0
	b.ResetTimer()
	err = n.Run(ctx, nil, collectors.SinkFunc(func(_ context.Context, batch collectors.Batch) error {
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
