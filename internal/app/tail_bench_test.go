package app_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"vigil/internal/app"
	"vigil/internal/traffic"
)

// benchNginx writes an nginx log in the combined format.
func benchNginx(b *testing.B, path string, n int) {
	b.Helper()
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	w := bufio.NewWriter(f)
	at := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	for i := range n {
		fmt.Fprintf(w, "198.51.100.%d - agent-%d [%s] \"GET /api/v1/conversations/%d/messages?page=%d HTTP/1.1\" 200 %d \"https://desk.example.com/inbox\" \"Mozilla/5.0 (X11; Linux x86_64)\"\n",
			i%200, i%300, at.Add(time.Duration(i)*10*time.Millisecond).Format("02/Jan/2006:15:04:05 -0700"), i/3, i%7, 900+i%4000)
	}
	if err := errors.Join(w.Flush(), f.Close()); err != nil {
		b.Fatal(err)
	}
}

func benchNative(b *testing.B, path string, n int) {
	b.Helper()
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	_, err = traffic.Write(f, traffic.Config{Events: n, Actors: 1_000, Days: 28, Seed: 1})
	if err := errors.Join(err, f.Close()); err != nil {
		b.Fatal(err)
	}
}

// cpu is the processor time of this process, its children aside.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// A log that is followed, from the first line until all of it is durable in a ledger: reading,
// normalising, pseudonyms, and a commit with full sync for each batch.
func BenchmarkTail(b *testing.B) {
	const lines = 400_000
	for name, write := range map[string]func(*testing.B, string, int){"nginx": benchNginx, "native": benchNative} {
		b.Run(name, func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "access.log")
			write(b, path, lines)
			var wall, used time.Duration
			for b.Loop() {
				t, err := app.NewTailBench(b.Context(), b.TempDir(), path)
				if err != nil {
					b.Fatal(err)
				}
				before, began := cpu(b), time.Now()
				if err := t.Until(b.Context(), lines); err != nil && !errors.Is(err, context.Canceled) {
					b.Fatal(err)
				}
				wall += time.Since(began)
				used += cpu(b) - before
				if err := t.Close(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(lines)*float64(b.N)/wall.Seconds(), "lines/s")
			b.ReportMetric(used.Seconds()/float64(b.N), "cpu-s/op")
			b.ReportMetric(float64(lines)*float64(b.N)/used.Seconds(), "lines/cpu-s")
		})
	}
}
