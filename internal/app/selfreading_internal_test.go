package app

import (
	"context"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"vigil/internal/config"
	"vigil/internal/series"
)

// A running service says each minute how it and its sources are, in every field that
// there is.
func TestReadingsAreTaken(t *testing.T) {
	t.Parallel()
	sources := "data_dir: " + t.TempDir() + `
sources:
  - {name: bot, push: {token: 0123456789abcdef}}
  - {name: quiet, push: {token: 0123456789abcdeg}}
influx: {url: "http://127.0.0.1:1", bucket: vigil/autogen}
`
	cfg, err := config.Parse("vigil.yaml", []byte(sources), Known())
	if err != nil {
		t.Fatal(err)
	}
	cfg.Listen, cfg.Digest = "127.0.0.1:0", "off"
	clock := time.Now
	a, err := New(cfg, Options{Output: io.Discard, Now: clock})
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
	line := `{"time":"` + clock().UTC().Add(-time.Minute).Format(time.RFC3339) + `","actor":"ann","action":"read","store":"crm","subjects":["s-1"],"outcome":"success"}`
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, a.PushURL(), strings.NewReader(line+"\nno event\n"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer 0123456789abcdef")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusAccepted {
		t.Fatalf("pushing is answered %s", resp.Status)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := a.judged(ctx); err != nil {
		t.Fatal(err)
	}
	if err := a.judge().askSnapshot(ctx); err != nil {
		t.Fatal(err)
	}
	if err := a.takeReadings(ctx); err != nil {
		t.Fatal(err)
	}
	waiting, err := a.ledger.DirtyPoints(ctx, 1_000)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]map[string]int64{}
	for _, r := range waiting.Readings {
		got[r.Source] = r.Values
		if !r.Start.Equal(series.WindowOf(r.Start)) || clock().Sub(r.Start) > 5*time.Minute {
			t.Errorf("a reading of %s", r.Start)
		}
	}
	names := func(fields []series.Field, not ...string) (out []string) {
		for _, f := range fields {
			if !slices.Contains(not, f.Name) {
				out = append(out, f.Name)
			}
		}
		slices.Sort(out)
		return out
	}
	for source, want := range map[string][]string{
		"": names(series.ProgramFields()), "bot": names(series.SourceFields()), "quiet": names(series.SourceFields(), series.SourceQuiet),
	} {
		if have := slices.Sorted(maps.Keys(got[source])); !slices.Equal(have, want) {
			t.Errorf("source %q: fields %v, want %v", source, have, want)
		}
	}
	program, bot := got[""], got["bot"]
	if program[series.ProgramAccepted] != 1 || program[series.ProgramJudged] != 1 || program[series.ProgramQuarantined] != 1 ||
		program[series.ProgramKept] == 0 || program[series.ProgramFree] == 0 || program[series.ProgramHeap] == 0 || program[series.ProgramGoroutines] < 5 {
		t.Errorf("program: %v", program)
	}
	if bot[series.SourceEvents] != 1 || bot[series.SourceQuarantined] != 1 || bot[series.SourceLag] < 59 || got["quiet"][series.SourceState] != series.StateNever {
		t.Errorf("sources: %v", got)
	}
}
