package app_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"vigil/internal/app"
)

// How many actors are remembered, and how well, is the configuration's to say in a
// scan as in the service.
func TestScanRemembersAsManyAsConfigured(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name string, text []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	var log bytes.Buffer
	for i := range 6_000 {
		fmt.Fprintf(&log, `{"time":"2026-11-02T%02d:%02d:%02dZ","actor":"agent-%d","action":"read"}`+"\n", 8+i/3600, i/60%60, i%60, i)
	}
	events := write("events.jsonl", log.Bytes())
	scan := func(limits string) (hot, cold, gone int) {
		resolved, err := app.Settings{
			Config: write("vigil.yaml", fmt.Appendf(nil, "data_dir: %s\n%ssources: [{name: desk, file: %q, format: native}]\n", dir, limits, events)),
			Files:  []string{events},
		}.Resolve()
		if err != nil {
			t.Fatal(err)
		}
		r, err := app.Scan(t.Context(), resolved.Input, app.ScanOptions{MaxActors: resolved.MaxActors, MaxCold: resolved.MaxCold})
		if err != nil {
			t.Fatal(err)
		}
		return r.Detector.Hot, r.Detector.Cold, r.Detector.Gone
	}
	if hot, cold, gone := scan(""); hot != 6_000 || cold != 0 || gone != 0 {
		t.Errorf("by default %d actors are held in full, %d in short, %d are gone", hot, cold, gone)
	}
	if hot, cold, gone := scan("max_actors: 256\nmax_cold: 512\n"); hot > 256 || cold > 512 || cold < 100 || gone < 1_000 {
		t.Errorf("with limits %d actors are held in full, %d in short, %d are gone", hot, cold, gone)
	}
}
