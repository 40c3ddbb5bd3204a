package app_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"vigil"
	"vigil/internal/app"
	"vigil/internal/config"
)

const collectorKey = "a-collector-key-for-tests-canary"

// central is a service that takes what collector "edge" brings.
func central(t *testing.T, dir, listen string) *config.Config {
	cfg := configure(t, dir)
	cfg.Listen = listen
	cfg.Collectors = []config.Collector{{Name: "edge", Key: config.NewSecret(collectorKey)}}
	cfg.Sources = append(cfg.Sources, config.Source{Name: "far", Collector: "edge", Store: "desk"})
	return cfg
}

// A collector far away reads a file and takes pushes; the central service comes and goes,
// and so does the collector. Each event counts once, under the name that the central
// configuration gives it.
func TestCollect(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data, log := filepath.Join(dir, "data"), filepath.Join(dir, "access.log")
	w := begin(t, central(t, data, "127.0.0.1:0"), app.Options{})
	listen := strings.TrimPrefix(w.URL(), "http://")
	edge := config.DefaultCollect()
	edge.Name, edge.Key, edge.Central = "edge", config.NewSecret(collectorKey), w.URL()
	edge.SpoolDir = filepath.Join(dir, "spool")
	edge.Sources = []config.Source{{Name: "far", File: []string{log}, Format: "native"}}
	logs := &buffer{}
	start := func() *app.Collect {
		c := app.NewCollect(edge, app.CollectOptions{Logger: slog.New(slog.NewTextHandler(logs, nil))})
		if err := c.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		return c
	}
	written := 0
	write := func(n int) {
		var b strings.Builder
		for range n {
			written++
			b.WriteString(line(day().Add(time.Duration(written)*time.Second), fmt.Sprintf("far-%d", written), "ann", `,"source":"bot"`))
		}
		appendFile(t, log, b.String())
	}
	arrived := func() bool {
		for _, s := range w.status().Sources {
			if s.Name == "far" {
				return s.Events >= int64(written)
			}
		}
		return false
	}
	c := start()
	write(50)
	until(t, "what was written came", arrived)
	w.end() // the central service is away
	write(50)
	until(t, "the spool fills", func() bool { return c.Waiting() > 0 })
	if err := c.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	c = start() // and the collector was started again meanwhile
	write(50)
	w = begin(t, central(t, data, listen), app.Options{})
	until(t, "what waited came", arrived)
	if err := c.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	n := map[string]int{}
	app.EachEvent(t, w.App, func(e *vigil.Event) {
		if e.Source != "far" || e.Store != "desk" && e.Store != "far" {
			t.Errorf("an event of source %q, store %q", e.Source, e.Store)
		}
		n[e.ID]++
	})
	if len(n) != written {
		t.Errorf("%d events came of %d", len(n), written)
	}
	for _, c := range app.Controls(t, w.App) {
		if strings.HasPrefix(c, vigil.ControlLapse) {
			t.Errorf("a lapse is told: %s", c)
		}
	}
	if strings.Contains(logs.String(), collectorKey) || strings.Contains(w.logs.String(), collectorKey) {
		t.Error("the key is in a log")
	}
	w.end()
}

// A key that was taken back lets nothing in any more.
func TestARevokedCollector(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	log := filepath.Join(dir, "access.log")
	cfg := central(t, filepath.Join(dir, "data"), "127.0.0.1:0")
	cfg.Collectors[0].Key = config.NewSecret("another-key-than-the-collector-has")
	w := begin(t, cfg, app.Options{})
	edge := config.DefaultCollect()
	edge.Name, edge.Key, edge.Central = "edge", config.NewSecret(collectorKey), w.URL()
	edge.SpoolDir = filepath.Join(dir, "spool")
	edge.Sources = []config.Source{{Name: "far", File: []string{log}, Format: "native"}}
	logs := &buffer{}
	c := app.NewCollect(edge, app.CollectOptions{Logger: slog.New(slog.NewTextHandler(logs, nil))})
	if err := c.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	appendFile(t, log, line(day(), "x", "ann", ""))
	until(t, "the operator is told", func() bool { return strings.Contains(logs.String(), "by this key") })
	if c.Waiting() == 0 {
		t.Error("what was refused does not wait")
	}
	if err := c.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	app.EachEvent(t, w.App, func(*vigil.Event) { t.Error("an event was taken") })
	w.end()
}

// A source over its quota is told to come again, and what it sends again counts once.
func TestPushOverQuota(t *testing.T) {
	t.Parallel()
	cfg := configure(t, filepath.Join(t.TempDir(), "data"))
	cfg.Sources[0].Quota = 1 // 60 are saved up
	w := begin(t, cfg, app.Options{})
	body := func(n int) string {
		var b strings.Builder
		for i := range 100 {
			b.WriteString(line(day(), fmt.Sprintf("%d-%d", n, i), "ann", ""))
		}
		return b.String()
	}
	if resp, text := send(t, w.PushURL(), token, body(1), false); resp.StatusCode != http.StatusAccepted {
		t.Fatalf("%d %s", resp.StatusCode, text)
	}
	resp, text := send(t, w.PushURL(), token, body(2), false)
	if resp.StatusCode != http.StatusTooManyRequests || resp.Header.Get("Retry-After") == "" || !strings.Contains(text, "more than it may") {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
	w.end()
}

// A request that is more than its source may bring at once comes in whole in the end, though
// each time it is sent from its beginning.
func TestALargePushOverQuotaComesToItsEnd(t *testing.T) {
	t.Parallel()
	cfg := configure(t, filepath.Join(t.TempDir(), "data"))
	cfg.Sources[0].Quota = 100 // 6,000 are saved up
	var mu sync.Mutex
	now := day()
	w := begin(t, cfg, app.Options{Now: func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return now
	}})
	const all = 40_000
	var b strings.Builder
	for i := range all {
		b.WriteString(line(day(), fmt.Sprint(i), "ann", ""))
	}
	for tries := 0; ; tries++ {
		resp, text := send(t, w.PushURL(), token, b.String(), true)
		if resp.StatusCode == http.StatusAccepted {
			break
		}
		if resp.StatusCode != http.StatusTooManyRequests || tries == 10 {
			t.Fatalf("%d %s", resp.StatusCode, text)
		}
		seconds, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
		mu.Lock()
		now = now.Add(time.Duration(seconds) * time.Second)
		mu.Unlock()
	}
	w.end()
}
