package file_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"vigil/collectors/file"
)

// resident is the memory of this process that lies in RAM, in bytes.
func resident(b *testing.B) int64 {
	b.Helper()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		b.Skip("there is no /proc")
	}
	pages, err := strconv.ParseInt(strings.Fields(string(text))[1], 10, 64)
	if err != nil {
		b.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// What a thousand sources cost that have nothing to say: each follows a log of its own, that
// holds some lines, with the usual settings. The share is of one core.
func BenchmarkTailIdle(b *testing.B) {
	const sources, watch = 1_000, 20 * time.Second
	for _, glob := range []string{"help.log", "help.log*"} {
		b.Run(strings.ReplaceAll(glob, "*", "-star"), func(b *testing.B) {
			dir := b.TempDir()
			for range b.N {
				ctx, cancel := context.WithCancel(b.Context())
				l := &ledger{}
				var wg sync.WaitGroup
				for i := range sources {
					at := filepath.Join(dir, fmt.Sprint(i))
					if err := os.MkdirAll(at, 0o700); err != nil {
						b.Fatal(err)
					}
					appendTo(b, filepath.Join(at, "help.log"), lines(i*5, i*5+5, time.Second))
					t := tail(b, func(cfg *file.TailConfig) {
						*cfg = file.TailConfig{Config: cfg.Config}
					}, filepath.Join(at, glob))
					wg.Go(func() {
						if err := t.Run(ctx, nil, l); err != nil {
							b.Error(err)
						}
					})
				}
				eventually(b, "all are read", l.has(sources*5))
				runtime.GC()
				before := processorTime(b)
				wait(watch)
				used := processorTime(b) - before
				b.ReportMetric(float64(resident(b))/(1<<20), "MiB-rss")
				b.ReportMetric(100*used.Seconds()/watch.Seconds(), "%cpu")
				cancel()
				wg.Wait()
			}
		})
	}
}
