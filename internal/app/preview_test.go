package app_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/collectors"
	"vigil/detector/rules"
	"vigil/internal/app"
	"vigil/internal/config"
	"vigil/internal/ledger"
)

// nightRule writes a rule's file and returns its path.
func nightRule(t *testing.T, id string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), id+".yaml")
	text := `id: ` + id + `
name: An export at night
severity: high
when: action == "export" and hour < 6
sentence: "{who} exported."
counterfactual: None.
examples:
  - fires: true
    events: [{time: "2026-11-02T02:00:00Z", actor: eve, action: export}]
  - fires: false
    events: [{actor: eve, action: export}]
`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestPreviewOfWhatWasKept runs a rule over a data folder, while it is in use and
// afterwards.
func TestPreviewOfWhatWasKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l, err := ledger.Open(t.Context(), ledger.Config{Dir: dir}, ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now().UTC().Truncate(24 * time.Hour).Add(-48 * time.Hour)
	for day := range 2 {
		var events []*vigil.Event
		for i := range 12 {
			e := vigil.NewEvent()
			e.ID, e.Time, e.Action = fmt.Sprintf("e-%d-%d", day, i), start.AddDate(0, 0, day).Add(time.Duration(i)*time.Hour), vigil.ActionExport
			e.Actor.ID = fmt.Sprintf("a-%d", i%3)
			events = append(events, e)
		}
		if _, _, err := l.Accept(t.Context(), collectors.Batch{Source: "s", Events: events}); err != nil {
			t.Fatal(err)
		}
	}
	r, wrong := app.LoadRule(nightRule(t, "night"))
	if len(wrong) > 0 {
		t.Fatal(wrong)
	}
	used, err := app.PreviewLedger(t.Context(), r, dir, 0)
	if err != nil {
		t.Fatalf("a folder in use: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	p, err := app.PreviewLedger(t.Context(), r, dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	if p.Events != 24 || p.Hits != 12 || p.Actors != 3 || p.HitActors != 3 || p.Days != 2 || p.HitDays != 2 || p.Findings != 3 || len(p.Top) != 3 || p.Top[0].Hits != 4 {
		t.Errorf("%+v", p)
	}
	if len(p.Warnings) != 2 {
		t.Errorf("warnings: %q", p.Warnings)
	}
	if diff := cmp.Diff(p, used); diff != "" {
		t.Errorf("in use and afterwards: %s", diff)
	}
	if _, err := app.PreviewLedger(t.Context(), r, t.TempDir(), 0); err == nil || !strings.Contains(err.Error(), "holds no log") {
		t.Errorf("a folder without a log: %v", err)
	}
}

// builtin finds a rule that comes along.
func builtin(t *testing.T, id string) *rules.Rule {
	t.Helper()
	set, wrong := app.LoadRules(nil)
	if len(wrong) > 0 {
		t.Fatal(wrong)
	}
	return set.Find(id)
}

// What feeds told stands in the log, and a preview knows it from when on it was told.
// Where the log's beginning is gone it is taken from the newest snapshot.
func TestPreviewKnowsWhatFeedsTold(t *testing.T) {
	t.Parallel()
	cfg := configure(t, t.TempDir())
	cfg.PseudonymKey = config.NewSecret(key)
	cfg.Feeds = []config.Feed{{Name: "hr", Kind: "person", Push: &config.Push{Token: config.NewSecret(token)}}}
	start := time.Now().UTC().Truncate(time.Hour).Add(-48 * time.Hour)
	w := begin(t, cfg, app.Options{Quiet: true})
	tell := func(from, n int) {
		t.Helper()
		var lines strings.Builder
		for i := from; i < from+n; i++ {
			fmt.Fprintf(&lines, `{"id":"e-%d","time":%q,"actor":"ann","actor_kind":"human","action":"read","resource":"messages","subjects":["c-%d"]}`+"\n",
				i, start.Add(time.Duration(i)*time.Minute).Format(time.RFC3339), i)
		}
		if resp, text := send(t, w.PushURL(), token, lines.String(), false); resp.StatusCode != http.StatusAccepted {
			t.Fatalf("push: %d %s", resp.StatusCode, text)
		}
	}
	tell(0, 10)
	r := builtin(t, "leaver")
	p, err := app.PreviewLedger(t.Context(), r, cfg.DataDir, 0)
	if err != nil || p.Events != 10 || p.Hits != 0 || !strings.Contains(strings.Join(p.Warnings, " "), "feeds of person, and none told anything") {
		t.Fatalf("without a directory: %+v, %v", p, err)
	}
	app.Judged(t, w.App)
	people := "actor,last_day\nann," + start.AddDate(0, 0, -3).Format(time.DateOnly) + "\n"
	if code := put(t, w.URL()+"/v1/feeds/hr", token, people); code != http.StatusAccepted {
		t.Fatalf("feed: %d", code)
	}
	tell(10, 20)
	app.Judged(t, w.App)
	// As when it is judged, the newest of before still waited for its place in time.
	if p, err = app.PreviewLedger(t.Context(), r, cfg.DataDir, 0); err != nil || p.Events != 30 || p.Hits != 21 || p.Top[0].Kind != vigil.KindHuman {
		t.Fatalf("with a directory: %+v, %v", p, err)
	}
	for _, warning := range p.Warnings {
		if strings.Contains(warning, "none told") || strings.Contains(warning, "retention") {
			t.Errorf("with a directory: %s", warning)
		}
	}
	// Everything up to here goes past its retention.
	app.Snapshot(t, w.App)
	app.CutLog(t, w.App)
	tell(30, 5)
	if p, err = app.PreviewLedger(t.Context(), r, cfg.DataDir, 0); err != nil || p.Events != 5 || p.Hits != 5 ||
		!strings.Contains(strings.Join(p.Warnings, " "), "as it stood at the last snapshot") {
		t.Fatalf("with its beginning gone: %+v, %v", p, err)
	}
}

// Over log files a preview knows what the input's feeds tell.
func TestPreviewOfFilesWithFeeds(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	log, people := filepath.Join(dir, "log.ndjson"), filepath.Join(dir, "people.csv")
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(log, `{"time":"2026-11-02T10:00:00Z","actor":"ann","action":"read"}
{"time":"2026-11-04T10:00:00Z","actor":"ann","action":"read"}
{"time":"2026-11-04T11:00:00Z","actor":"bob","action":"read"}
`)
	write(people, "actor,last_day\nann,2026-11-03\nbob,2026-12-01\n")
	for name, c := range map[string]struct {
		feeds []string
		hits  int64
	}{"none": {nil, 0}, "a directory": {[]string{"person=" + people}, 1}} {
		s, err := app.Settings{Files: []string{log}, Feeds: c.feeds, Pseudonyms: true}.Resolve()
		if err != nil {
			t.Fatal(err)
		}
		p, err := app.PreviewFiles(t.Context(), builtin(t, "leaver"), s.Input, 0)
		if err != nil || p.Events != 3 || p.Hits != c.hits {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
}

func TestRuleFilesAreToldApart(t *testing.T) {
	t.Parallel()
	one, two := nightRule(t, "same"), nightRule(t, "same")
	set, wrong := app.LoadRules([]string{one, filepath.Dir(one)})
	if len(wrong) > 0 || set.Find("same") == nil {
		t.Errorf("a file that is named twice: %v", wrong)
	}
	for _, c := range []struct {
		patterns []string
		want     string
	}{
		{[]string{one, two}, "is also the id of the rule in"},
		{[]string{filepath.Join(t.TempDir(), "none.yaml")}, "no such rule file"},
		{[]string{"["}, "is no file pattern"},
	} {
		if _, wrong := app.LoadRules(c.patterns); len(wrong) != 1 || !strings.Contains(wrong[0].String(), c.want) {
			t.Errorf("%q: %v, want %q", c.patterns, wrong, c.want)
		}
	}
	if set, wrong := app.LoadRules([]string{t.TempDir()}); set == nil {
		t.Errorf("an empty folder: %v", wrong)
	}
}
