package app_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vigil"
	"vigil/collectors"
	"vigil/internal/app"
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

// TestPreviewOfWhatWasKept runs a rule over a data folder, and says so when the
// folder is in use.
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
	if _, err := app.PreviewLedger(t.Context(), r, dir, 0); err == nil || !strings.Contains(err.Error(), "stop vigil serve") {
		t.Errorf("a folder in use: %v", err)
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
