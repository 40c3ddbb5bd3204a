//go:build !race

package affinity_test

import (
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"vigil/models/affinity"
)

func model(tb testing.TB, cfg affinity.Config) *affinity.Model {
	tb.Helper()
	m, err := affinity.New(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// perCPU reports how many million items are done in a second of the processor's
// time since start, which a busy machine disturbs less than the clock's.
func perCPU(b *testing.B, start time.Duration, items int, unit string) {
	b.Helper()
	if spent := cpu(b) - start; spent > 0 {
		b.ReportMetric(float64(items)/spent.Seconds()/1e6, unit+"/cpu-s")
	}
}

func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// skewed draws edges as networks have them: a few edges carry most, in runs, and
// there is a long tail of edges that come once.
func skewed(n int) (src, dst []uint64, tick []int64) {
	r := rand.New(rand.NewPCG(1, 2))
	hosts := rand.NewZipf(r, 1.2, 4, 20_000)
	at := int64(15_000_000)
	for len(src) < n {
		s, d := hosts.Uint64(), hosts.Uint64()
		for range min(1+r.IntN(20), n-len(src)) {
			src, dst, tick = append(src, s), append(dst, d), append(tick, at)
		}
		if r.IntN(5) == 0 {
			at += 1 + int64(r.ExpFloat64())
		}
	}
	return src, dst, tick
}

func BenchmarkEdges(b *testing.B) {
	src, dst, tick := skewed(1 << 20)
	e := model(b, affinity.Config{}).Edges()
	for i := range src {
		e.Add(src[i], dst[i], tick[i])
	}
	span := tick[len(tick)-1] - tick[0] + 1
	b.ReportAllocs()
	start := cpu(b)
	for i, shift := 0, span; b.Loop(); i++ {
		if i == len(src) {
			i, shift = 0, shift+span
		}
		e.Add(src[i], dst[i], tick[i]+shift)
	}
	perCPU(b, start, b.N, "Medges")
}

// BenchmarkFlood is all keys new, tables full.
func BenchmarkFlood(b *testing.B) {
	e := model(b, affinity.Config{Limit: 1 << 12}).Edges()
	b.ReportAllocs()
	for i := uint64(0); b.Loop(); i++ {
		e.Add(i, i*7, int64(i/1000))
	}
}
