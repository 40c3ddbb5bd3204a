package app_test

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"vigil/internal/app"
	"vigil/internal/config"
	"vigil/internal/traffic"
)

// Events pushed in batches of a thousand by four senders, into a whole service with its
// ledger on disk: how many a second are acknowledged, and how long senders wait; with and
// without the vault of names.
func BenchmarkPush(b *testing.B) {
	for _, vault := range []string{"on", "off"} {
		b.Run("vault="+vault, func(b *testing.B) { benchmarkPush(b, vault) })
	}
}

func benchmarkPush(b *testing.B, vault string) {
	const perRequest, senders = 1_000, 4
	var all bytes.Buffer
	if _, err := traffic.Write(&all, traffic.Config{Events: 200_000, Actors: 1_000, Days: 28, Seed: 1}); err != nil {
		b.Fatal(err)
	}
	var bodies [][]byte
	for lines := slices.Collect(bytes.Lines(all.Bytes())); len(lines) >= perRequest; lines = lines[perRequest:] {
		bodies = append(bodies, bytes.Join(lines[:perRequest], nil))
	}
	for b.Loop() {
		b.StopTimer()
		cfg := config.DefaultConfig()
		cfg.DataDir, cfg.Listen, cfg.Vault = b.TempDir(), "127.0.0.1:0", vault
		cfg.Sources = []config.Source{{Name: "bot", Push: &config.Push{Token: config.NewSecret(token)}}}
		a, err := app.New(cfg, app.Options{Output: io.Discard})
		if err != nil {
			b.Fatal(err)
		}
		if err := a.Start(b.Context()); err != nil {
			b.Fatal(err)
		}
		var waits []time.Duration
		var mu sync.Mutex
		var next atomic.Int64
		var wg sync.WaitGroup
		b.StartTimer()
		began, busy := time.Now(), cpu(b)
		for range senders {
			wg.Go(func() {
				for {
					i := int(next.Add(1)) - 1
					if i >= len(bodies) {
						return
					}
					sent := time.Now()
					post(b, a.PushURL(), bodies[i])
					mu.Lock()
					waits = append(waits, time.Since(sent))
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		took := time.Since(began)
		busy = cpu(b) - busy
		b.StopTimer()
		b.ReportMetric(float64(busy.Nanoseconds())/float64(len(bodies)*perRequest), "cpu-ns/event")
		slices.Sort(waits)
		b.ReportMetric(float64(len(bodies)*perRequest)/took.Seconds(), "events/s")
		b.ReportMetric(float64(waits[len(waits)/2].Milliseconds()), "p50-ms")
		b.ReportMetric(float64(waits[len(waits)*99/100].Milliseconds()), "p99-ms")
		if err := a.Stop(b.Context()); err != nil {
			b.Fatal(err)
		}
		_ = os.RemoveAll(cfg.DataDir)
		b.StartTimer()
	}
}

func post(b *testing.B, url string, body []byte) {
	r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		b.Error(err)
		return
	}
	r.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		b.Error(err)
		return
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	if res.StatusCode != http.StatusAccepted {
		b.Errorf("answered %d", res.StatusCode)
	}
}
