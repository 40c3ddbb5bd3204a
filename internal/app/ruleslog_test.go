package app_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/internal/app"
)

// When the service starts with other rules than before, the log and the audit log say
// which were added, changed and removed, once; those that are off are in the status.
func TestChangedRulesAreInTheLog(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	own := filepath.Join(dir, "rules")
	if err := os.Mkdir(own, 0o700); err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(own, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text := func(id string) string {
		t.Helper()
		data, err := os.ReadFile(nightRule(t, id))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	write("a.yaml", text("canary-a"))
	write("b.yaml", text("canary-b"))
	cfg := configure(t, filepath.Join(dir, "data"))
	cfg.Rules = []string{own}
	records := func(w *watched) (out []vigil.RulesChange) {
		t.Helper()
		for _, data := range app.RulesRecords(t, w.App) {
			if strings.Contains(data, "export") {
				t.Errorf("a rule's text is in the log: %s", data)
			}
			var c vigil.RulesChange
			if err := json.Unmarshal([]byte(data), &c); err != nil {
				t.Fatal(err)
			}
			out = append(out, c)
		}
		return out
	}
	ids := func(marks []vigil.RuleMark) (out []string) {
		for _, m := range marks {
			out = append(out, m.ID)
		}
		return out
	}

	w := begin(t, cfg, app.Options{})
	first := records(w)
	if len(first) != 1 || len(first[0].Added) != len(first[0].Rules) || !slices.Contains(first[0].Added, "canary-a") || !slices.Contains(first[0].Added, "leaver") || first[0].From != 1 {
		t.Fatalf("the first start: %+v", first)
	}
	s := w.status()
	if s.Rules.Running != len(first[0].Rules) || len(s.Rules.Off) != 0 {
		t.Errorf("the status: %+v", s.Rules)
	}
	w.end()

	// The same rules once more; also with their snapshot, and without one.
	w = begin(t, cfg, app.Options{})
	if err := app.NoteRules(t, w.App); err != nil {
		t.Error(err)
	}
	if got := records(w); len(got) != 1 {
		t.Errorf("the same rules: %+v", got[1:])
	}
	app.Snapshot(t, w.App)
	w.end()

	write("a.yaml", text("canary-a")+"disabled: true\n")
	write("c.yaml", text("canary-c"))
	if err := os.Remove(filepath.Join(own, "b.yaml")); err != nil {
		t.Fatal(err)
	}
	w = begin(t, cfg, app.Options{})
	got := records(w)
	if len(got) != 2 {
		t.Fatalf("%d records", len(got))
	}
	c := got[1]
	if diff := cmp.Diff([][]string{{"canary-c"}, {"canary-a"}, {"canary-b"}}, [][]string{c.Added, ids(c.Changed), ids(c.Removed)}); diff != "" || c.From <= first[0].From {
		t.Errorf("from entry %d: %s", c.From, diff)
	}
	at := slices.IndexFunc(c.Rules, func(r vigil.RuleMark) bool { return r.ID == "canary-a" })
	if at < 0 || !c.Rules[at].Off || c.Rules[at].Digest == c.Changed[0].Digest {
		t.Errorf("the changed rule: %+v", c.Rules)
	}
	var audit []string
	for _, line := range app.AuditTrail(t, w.App) {
		if strings.HasPrefix(line, "vigil rules changed") {
			audit = append(audit, line)
		}
	}
	if len(audit) != 2 || !strings.Contains(audit[1], "added canary-c (") || !strings.Contains(audit[1], ", off); removed canary-b") {
		t.Errorf("the audit log: %q", audit)
	}
	s = w.status()
	if len(s.Rules.Off) != 1 || s.Rules.Off[0].ID != "canary-a" || s.Rules.Off[0].Why != "configuration" || s.Rules.Running != len(c.Rules)-1 {
		t.Errorf("the status: %+v", s.Rules)
	}
	// Read beside the running service.
	history, err := app.RulesHistory(t.Context(), cfg, 10)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]vigil.RulesChange{c, first[0]}, history); diff != "" {
		t.Error(diff)
	}
}

// On a full disk the service starts all the same, and writes down which rules judge once
// there is room.
func TestRulesAreNotedOnceThereIsRoom(t *testing.T) {
	t.Parallel()
	var free atomic.Int64
	cfg := configure(t, filepath.Join(t.TempDir(), "data"))
	w := begin(t, cfg, app.Options{Now: func() time.Time { return time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC) }, Free: func(string) (int64, error) { return free.Load(), nil }})
	if err := app.NoteRules(t, w.App); err == nil || len(app.RulesRecords(t, w.App)) != 0 {
		t.Errorf("noted without room: %v", err)
	}
	free.Store(1 << 40)
	for range 2 {
		if err := app.NoteRules(t, w.App); err != nil {
			t.Error(err)
		}
	}
	if got := app.RulesRecords(t, w.App); len(got) != 1 {
		t.Errorf("%d records once there is room", len(got))
	}
	if trail := strings.Join(app.AuditTrail(t, w.App), "\n"); strings.Count(trail, "rules changed") != 1 {
		t.Errorf("the audit log: %s", trail)
	}
}
