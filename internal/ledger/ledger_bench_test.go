package ledger_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"vigil"
	"vigil/internal/ledger"
	"vigil/internal/series"
)

// BenchmarkAccept measures what is durable, with a full sync before each return.
func BenchmarkAccept(b *testing.B) {
	for _, n := range []int{1, 100, 1_000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			l := open(b, ledger.Config{MaxPending: -1}, ledger.Options{})
			events := traffic(0, n)
			i := 0
			for b.Loop() {
				b.StopTimer()
				fresh := make([]*vigil.Event, n)
				for j, e := range events {
					c := *e
					c.ID = fmt.Sprintf("%d-%s", i, e.ID)
					fresh[j] = &c
				}
				i++
				b.StartTimer()
				bt := batch(0, 0)
				bt.Events = fresh
				if _, got, err := l.Accept(b.Context(), bt); err != nil || got != n {
					b.Fatalf("%d fresh, error %v", got, err)
				}
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

// BenchmarkAcceptParallel has 16 callers with small batches share commits.
func BenchmarkAcceptParallel(b *testing.B) {
	l := open(b, ledger.Config{MaxPending: -1}, ledger.Options{})
	var next atomic.Int64
	b.SetParallelism(8)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, _, err := l.Accept(b.Context(), batch(int(next.Add(10)), 10)); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(10*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkApply measures an entry with the points of 10,000 events: those of a
// live minute, and those of a replay in which they spread over 40 minutes.
func BenchmarkApply(b *testing.B) {
	for name, spread := range map[string]time.Duration{"live": 10 * time.Second, "replay": 40 * time.Minute, "sparse replay": 5000 * time.Minute} {
		b.Run(name, func(b *testing.B) {
			l := open(b, ledger.Config{MaxPending: -1, Spool: true}, ledger.Options{})
			events := traffic(0, 10_000)
			for i, e := range events {
				e.Time = start.Add(spread * time.Duration(i) / 10_000)
			}
			caps := series.NewCaps(0, nil)
			points := 0
			for b.Loop() {
				seq, err := l.AcceptTick(b.Context(), vigil.Tick{Watermark: start})
				if err != nil {
					b.Fatal(err)
				}
				p := series.Roll(events, caps)
				points = len(p)
				if err := l.Apply(b.Context(), ledger.Applied{Seq: seq, Points: p, Events: 10_000}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(points), "points")
			b.ReportMetric(float64(points)*float64(b.N)/b.Elapsed().Seconds(), "points/s")
		})
	}
}

func filled(b *testing.B, batches int) *ledger.Ledger {
	b.Helper()
	l := open(b, ledger.Config{MaxPending: -1}, ledger.Options{})
	for i := range batches {
		accept(b, l, i*10_000, 10_000)
	}
	applyAll(b, l)
	return l
}

func BenchmarkSeal(b *testing.B) {
	const batches = 12
	for b.Loop() {
		b.StopTimer()
		l := filled(b, batches)
		b.StartTimer()
		if s, err := l.SealAll(b.Context()); err != nil || s.Events != batches*10_000 {
			b.Fatalf("sealed %+v, error %v", s, err)
		}
		b.StopTimer()
		if err := l.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	b.ReportMetric(batches*10_000*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkQuery asks half a million sealed events and 10,000 that are not.
func BenchmarkQuery(b *testing.B) {
	l := filled(b, 50)
	if _, err := l.SealAll(b.Context()); err != nil {
		b.Fatal(err)
	}
	accept(b, l, 500_000, 10_000)
	for name, q := range map[string]ledger.EventQuery{
		"actors-day":  {Actor: "agent-07", From: start, To: start.Add(24 * time.Hour)},
		"subject":     {Subject: "cust-17"},
		"new-subject": {Subject: "nobody"},
	} {
		b.Run(name, func(b *testing.B) {
			total := 0
			for b.Loop() {
				page, err := l.Events(b.Context(), q)
				if err != nil {
					b.Fatal(err)
				}
				total = page.Total
			}
			b.ReportMetric(float64(total), "found")
		})
	}
}

// BenchmarkOpen opens a ledger whose window of ids is full.
func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	l := open(b, ledger.Config{Dir: dir, MaxPending: -1}, ledger.Options{})
	for i := range 100 {
		accept(b, l, i*10_000, 10_000)
	}
	for b.Loop() {
		if err := l.Close(); err != nil {
			b.Fatal(err)
		}
		l = open(b, ledger.Config{Dir: dir}, ledger.Options{})
	}
}

// BenchmarkReplay reads a sealed log back in order.
func BenchmarkReplay(b *testing.B) {
	l := filled(b, 20)
	if _, err := l.SealAll(b.Context()); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if n := len(events(b, l)); n != 200_000 {
			b.Fatalf("%d events", n)
		}
	}
	b.ReportMetric(200_000*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
