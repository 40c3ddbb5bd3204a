package console_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"vigil/dashboards/internal/browser"
	"vigil/internal/access"
	"vigil/internal/api"
	"vigil/internal/app"
	"vigil/internal/config"
	"vigil/internal/gate"
)

// The aims for every page, whatever there is behind it.
const (
	aimFirstByte = 200 * time.Millisecond
	aimDrawn     = time.Second
	aimReaders   = 2 * time.Second
	warmRuns     = 9
	// scaleForm is the secret of the forms of who looks.
	scaleForm = "scale"
)

// TestScale measures how soon each page answers, over a data folder that tools/consoleworld
// filled and VIGIL_WORLD names: the first byte of the first time, the medians of the first and
// the last byte of those that follow, and when Chromium has drawn it. It tells which pages
// miss their aim, and fails for those that are not answered at all.
func TestScale(t *testing.T) {
	dir := os.Getenv("VIGIL_WORLD")
	if dir == "" {
		t.Skip("SKIPPED: VIGIL_WORLD names no data folder: see tools/consoleworld")
	}
	text, err := os.ReadFile(filepath.Join(dir, "pages.json"))
	if err != nil {
		t.Fatal(err)
	}
	pages := map[string][]string{}
	if err := json.Unmarshal(text, &pages); err != nil {
		t.Fatal(err)
	}
	for _, r := range access.Routes() { // what needs no object is looked at as it is
		if r.Kind == access.KindPage && r.Deed != access.DeedPublic && !strings.Contains(r.Pattern, "{") {
			pages[r.Name()] = []string{r.Pattern}
		}
	}
	base := scaleService(t, dir)
	askReaders(t, base, pages["GET /readers/{id}"])
	b := browser.Start(t)
	t.Logf("%-60s %10s %10s %10s %10s %10s", "page", "cold ms", "warm ms", "whole ms", "cpu ms", "drawn ms")
	for _, name := range slices.Sorted(maps.Keys(pages)) {
		for _, path := range pages[name] {
			cold, _, code := bytesOf(t, base+path)
			if code >= http.StatusInternalServerError {
				t.Errorf("%s: status %d", path, code)
			}
			var first, last []time.Duration
			used := processorTime(t)
			for range warmRuns {
				a, z, _ := bytesOf(t, base+path)
				first, last = append(first, a), append(last, z)
			}
			used = (processorTime(t) - used) / warmRuns
			slices.Sort(first)
			slices.Sort(last)
			median, whole, drawn := first[warmRuns/2], last[warmRuns/2], 0.0
			if !strings.HasPrefix(path, "/api/") && !strings.HasSuffix(path, "/live") {
				t.Run(path, func(t *testing.T) { // its tab is closed with it
					p := b.Open(t, base+path, browser.Look{})
					_, drawn = p.Drawn()
					_ = p.Faults() // refusals are among what is looked at
				})
			}
			aim := aimFirstByte
			if name == "GET /readers/{id}" {
				aim = aimReaders
			}
			missed := ""
			if median > aim {
				missed = fmt.Sprintf("  above %s", aim)
			}
			if drawn > float64(max(aimDrawn, aim).Milliseconds()) {
				missed += "  drawn late"
			}
			if whole > max(aimDrawn, aim) {
				missed += "  whole late"
			}
			t.Logf("%-60s %10.0f %10.0f %10.0f %10.0f %10.0f%s", fmt.Sprintf("%s (%d)", path, code), milli(cold), milli(median), milli(whole), milli(used), drawn, missed)
		}
	}
}

func milli(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// processorTime is how long this process has kept processors busy: unlike the clock, it says
// the same on a machine that others use.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// scaleService starts the real service on the folder, open to whoever asks.
func scaleService(t *testing.T, dir string) string {
	t.Helper()
	cfg := config.DefaultConfig()
	cfg.DataDir, cfg.Listen, cfg.Retention, cfg.Digest = dir, "127.0.0.1:0", 0, "off"
	began := time.Now()
	a, err := app.New(cfg, app.Options{
		Output: &bytes.Buffer{}, Quiet: true,
		Door: gate.Open{By: "console", Roles: access.Roles(), Way: api.WayLocal, Signed: began.Add(time.Hour), Form: scaleForm},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	t.Logf("the service is there after %s", time.Since(began).Round(time.Millisecond))
	return strings.TrimSuffix(a.URL(), "/")
}

// bytesOf tells how long the answer's first and last byte take, and its status.
func bytesOf(t *testing.T, address string) (first, last time.Duration, status int) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	first = time.Since(began)
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Fatal(err)
	}
	return first, time.Since(began), resp.StatusCode
}

// askReaders says why the customers' readers are asked for, as the page wants it.
func askReaders(t *testing.T, base string, paths []string) {
	t.Helper()
	for _, path := range paths {
		form := url.Values{"customer": {strings.TrimPrefix(path, "/readers/")}, "purpose": {"how long the answer takes"}, gate.FormField: {scaleForm}}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/readers", strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", base)
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusSeeOther {
			t.Fatalf("asking who read %s: status %d", path, resp.StatusCode)
		}
	}
}
