package app_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
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

// The feeds of a configuration count in a scan, but those of a kind that is given; what
// is left out is told.
func TestConfiguredFeedsAreRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	events := write("events.jsonl", `{"time":"2026-11-02T08:00:00Z","actor":"ann","action":"read"}`+"\n")
	people := write("people.csv", "actor,team\nann,emea\n")
	other := write("other.csv", "actor,team\nbob,apac\n")
	shifts := write("shifts.csv", "actor,duty,from,to\nann,shift,2026-11-02,2026-11-02\n")
	cfg := write("vigil.yaml", fmt.Sprintf(`data_dir: %s
sources: [{name: desk, file: %q, format: native}]
feeds:
  - {name: people, kind: person, file: %q}
  - {name: rota, kind: shift, file: %q}
  - {name: gone, kind: change, file: %q}
  - {name: tickets, kind: assignment, push: {token: a-token-of-sixteen-letters}}
`, dir, events, people, shifts, filepath.Join(dir, "missing.csv")))
	for name, c := range map[string]struct {
		settings    app.Settings
		facts, left []string
	}{
		"configured":  {app.Settings{}, []string{"people", "rota"}, []string{"gone", "tickets"}},
		"one given":   {app.Settings{Feeds: []string{"person=" + other}}, []string{"person=" + other, "rota"}, []string{"gone", "tickets"}},
		"events only": {app.Settings{EventsOnly: true}, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var told []string
			s := c.settings
			s.Config, s.Files, s.Problem = cfg, []string{events}, func(text string) { told = append(told, text) }
			resolved, err := s.Resolve()
			if err != nil {
				t.Fatal(err)
			}
			var facts []string
			for i := range resolved.Input.Facts {
				facts = append(facts, resolved.Input.Facts[i].Feed)
			}
			if !slices.Equal(facts, c.facts) || len(told) != len(c.left) {
				t.Fatalf("read %v and told %q; want %v and %v left out", facts, told, c.facts, c.left)
			}
			for i, feed := range c.left {
				if !strings.Contains(told[i], "feed "+feed+" is ") {
					t.Errorf("%q does not tell that feed %s is left out", told[i], feed)
				}
			}
		})
	}
}
