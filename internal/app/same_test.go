package app_test

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/internal/app"
	"vigil/internal/config"
	"vigil/internal/privacy"
	"vigil/internal/traffic"
)

// key is the pseudonym key of tests that compare pseudonyms.
const key = "a pseudonym key for tests"

// The same log gives the same findings: read at once by a scan, or taken in piece
// by piece by a service that is stopped and started on the way.
func TestServeFindsWhatScanFinds(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	log := filepath.Join(dir, "traffic.ndjson")
	lines := writeTraffic(t, log)

	pseudonyms, err := privacy.New([]byte(key), privacy.Options{})
	if err != nil {
		t.Fatal(err)
	}
	result, err := app.Scan(t.Context(), app.Input{Files: []string{log}, Pseudonyms: pseudonyms}, app.ScanOptions{Budget: 1})
	if err != nil {
		t.Fatal(err)
	}
	if len(result.Findings) == 0 {
		t.Fatal("the scan found nothing; there is nothing to compare")
	}

	cfg := configure(t, filepath.Join(dir, "data"))
	cfg.Budget, cfg.PseudonymKey = 1, config.NewSecret(key)
	var found []vigil.Finding
	pieces := slices.Collect(slices.Chunk(lines, len(lines)/5+1))
	for i, piece := range pieces {
		w := begin(t, cfg, app.Options{})
		for part := range slices.Chunk(piece, 1_000) {
			if resp, text := send(t, w.PushURL(), token, strings.Join(part, ""), true); resp.StatusCode != http.StatusAccepted {
				t.Fatalf("push: %d %s", resp.StatusCode, text)
			}
		}
		app.Judged(t, w.App)
		if i == len(pieces)-1 {
			found = w.findings()
		}
		w.end()
	}
	if diff := cmp.Diff(declared(result.Findings), declared(found)); diff != "" {
		t.Errorf("scan and serve differ (- scan, + serve):\n%s", diff)
	}
}

// declared is what of findings must not depend on how the log came: what is
// about whom, since when, and when it was declared. A scan ends its input, so it
// also closes what is open, and declares what only the end brings.
func declared(findings []vigil.Finding) []string {
	var out []string
	for _, f := range findings {
		out = append(out, strings.Join([]string{f.ID, f.Actor, f.Lane, f.Start.String(), f.Detected.String()}, " "))
	}
	slices.Sort(out)
	return out
}

func writeTraffic(t *testing.T, path string) []string {
	t.Helper()
	world, err := traffic.New(traffic.Config{Events: 5_000, Actors: 25, Days: 6, Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	for _, threat := range []traffic.Threat{traffic.MassExport, traffic.InjectedBot} {
		b, err := world.Stage(traffic.Stage{Threat: threat})
		if err != nil {
			t.Fatal(err)
		}
		world.Inject(b.Events...)
	}
	var text bytes.Buffer
	if _, err := world.Write(&text); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return strings.SplitAfter(strings.TrimSuffix(text.String(), "\n"), "\n")
}

// The findings do not depend on the number of cores.
func TestScanIsTheSameOnAnyNumberOfCores(t *testing.T) {
	t.Parallel()
	log := filepath.Join(t.TempDir(), "traffic.ndjson")
	writeTraffic(t, log)
	var first []vigil.Finding
	for _, workers := range []int{1, 5} {
		result, err := app.Scan(t.Context(), app.Input{Files: []string{log}}, app.ScanOptions{Budget: 1, Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = result.Findings
		}
		if diff := cmp.Diff(first, result.Findings); diff != "" {
			t.Errorf("%d workers differ from one:\n%s", workers, diff)
		}
	}
}

func TestScanStopsWhenCancelled(t *testing.T) {
	t.Parallel()
	log := filepath.Join(t.TempDir(), "traffic.ndjson")
	writeTraffic(t, log)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := app.Scan(ctx, app.Input{Files: []string{log}}, app.ScanOptions{}); err == nil {
		t.Error("a cancelled scan succeeds")
	}
}

func TestDigestSumsUpTheDay(t *testing.T) {
	t.Parallel()
	w := begin(t, configure(t, t.TempDir()), app.Options{})
	if resp, text := send(t, w.PushURL(), token, breach(day()), false); resp.StatusCode != http.StatusAccepted {
		t.Fatalf("push: %d %s", resp.StatusCode, text)
	}
	until(t, "a finding", func() bool { return len(w.findings()) > 0 })
	for range 2 { // the second of one day is told once
		app.Digest(t, w.App)
	}
	until(t, "the digest", func() bool { return strings.Contains(w.output.String(), "Digest") })
	if n := strings.Count(w.output.String(), "Digest"); n != 1 {
		t.Errorf("%d digests:\n%s", n, w.output)
	}
	for _, want := range []string{"1 finding", "7 accesses", "warms up"} {
		if !strings.Contains(w.output.String(), want) {
			t.Errorf("%q is not in the digest:\n%s", want, w.output)
		}
	}
}
