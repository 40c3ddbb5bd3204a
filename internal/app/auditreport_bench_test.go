package app

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"vigil"
	"vigil/collectors"
	"vigil/dashboards/audit"
	"vigil/internal/config"
	"vigil/internal/ledger"
	"vigil/internal/series"
	"vigil/internal/traffic"
)

// BenchmarkAuditReport makes the report of a month of VIGIL_BENCH_EVENTS events (a
// million by default) that are sealed, and tells its time and the most live memory that
// it took.
func BenchmarkAuditReport(b *testing.B) {
	n := 1_000_000
	if s := os.Getenv("VIGIL_BENCH_EVENTS"); s != "" {
		if _, err := fmt.Sscan(s, &n); err != nil {
			b.Fatal(err)
		}
	}
	dir := b.TempDir()
	l, err := ledger.Open(b.Context(), ledger.Config{Dir: dir, MaxPending: -1, Retention: forever, Window: 1}, ledger.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	fill(b, l, n, 10_000)
	from := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	a := &auditor{ledger: l, cfg: &config.Config{DataDir: dir}, logger: slog.New(slog.DiscardHandler)}
	var most atomic.Uint64
	ctx, stop := context.WithCancel(b.Context())
	defer stop()
	go watchHeap(ctx, &most)
	for b.Loop() {
		r := audit.Report{ID: "2026-10-r1", From: from, To: from.AddDate(0, 1, 0), Made: from.AddDate(0, 1, 1)}
		if err := a.gather(b.Context(), &r); err != nil {
			b.Fatal(err)
		}
		if r.Access.Sample.Looked < int64(n)*9/10 {
			b.Fatalf("%+v", r.Access.Sample)
		}
		if err := audit.HTML(io.Discard, &r); err != nil {
			b.Fatal(err)
		}
		if err := audit.PDF(io.Discard, &r); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(most.Load())/(1<<20), "MiB-heap")
}

// watchHeap notes the largest heap in use.
func watchHeap(ctx context.Context, most *atomic.Uint64) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	var m runtime.MemStats
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			runtime.ReadMemStats(&m)
			if m.HeapInuse > most.Load() {
				most.Store(m.HeapInuse)
			}
		}
	}
}

// fill keeps, applies and seals a made-up month, in batches of a size.
func fill(b testing.TB, l *ledger.Ledger, n, size int) {
	b.Helper()
	caps := series.NewCaps(0, nil)
	var batch []*vigil.Event
	keep := func() {
		if len(batch) == 0 {
			return
		}
		seq, _, err := l.Accept(b.Context(), collectors.Batch{Source: "desk", Events: batch})
		if err != nil {
			b.Fatal(err)
		}
		if err := l.Apply(b.Context(), ledger.Applied{From: seq, Seq: seq, Points: series.Roll(batch, caps), Events: int64(len(batch))}); err != nil {
			b.Fatal(err)
		}
		batch = nil
		if seq%200 == 0 {
			if _, err := l.SealAll(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	}
	if err := traffic.Generate(traffic.Config{Events: n, Actors: min(1_000, n/10), Days: 27}, func(e *vigil.Event) {
		if batch = append(batch, e); len(batch) == size {
			keep()
		}
	}); err != nil {
		b.Fatal(err)
	}
	keep()
	if _, err := l.SealAll(b.Context()); err != nil {
		b.Fatal(err)
	}
}
