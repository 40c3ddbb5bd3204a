package app_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"vigil"
	"vigil/internal/api"
	"vigil/internal/app"
)

// A word about a finding is in the audit log before it is in force, under a
// pseudonym; what is refused leaves no trace in the log.
func TestVerdictIsAuditedFirst(t *testing.T) {
	t.Parallel()
	cfg := configure(t, t.TempDir())
	app.Keep(t, cfg.DataDir, vigil.Finding{ID: "f-1", Revision: 1, State: vigil.StateOpen, Actor: "actor-9", About: vigil.AboutActor, End: time.Now(), Detected: time.Now()})
	w := begin(t, cfg, app.Options{})
	d, err := app.OpenDesk(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	v, err := d.Decide(t.Context(), api.Saying{Finding: "f-1", Word: vigil.WordBreach, By: "ann@example.com", Note: " why\x00 "})
	if err != nil {
		t.Fatal(err)
	}
	if v.Word != vigil.WordBreach || v.Note != "why" || !strings.HasPrefix(v.By, "actor-") || v.Actor != "actor-9" {
		t.Errorf("got %+v", v)
	}
	said := app.AuditTrail(t, w.App)
	if want := fmt.Sprintf("%s verdict: breach finding f-1", v.By); said[len(said)-1] != want {
		t.Errorf("the audit log ends with %q, not %q", said[len(said)-1], want)
	}
	// The one who says so is nowhere by name.
	if dump := w.dump(); strings.Contains(dump, "ann@") {
		t.Error("the analyst's name is kept")
	}
	f, err := d.Finding(t.Context(), "f-1")
	if err != nil || f.Verdict == nil || f.Verdict.Word != vigil.WordBreach {
		t.Errorf("got %+v, %v", f.Verdict, err)
	}
	for _, bad := range []api.Saying{
		{Finding: "f-2", Word: vigil.WordBreach, By: "ann"}, {Finding: "f-1", Word: "odd", By: "ann"},
	} {
		if _, err := d.Decide(t.Context(), bad); err == nil {
			t.Errorf("%+v was taken", bad)
		}
	}
	for _, line := range app.AuditTrail(t, w.App)[len(said):] {
		if strings.Contains(line, "verdict") {
			t.Errorf("what was refused is written down as done: %s", line)
		}
	}
	w.end()
	if _, err := d.Decide(t.Context(), api.Saying{Finding: "f-1", Word: vigil.WordBreach, By: "ann"}); err == nil {
		t.Error("a stopped service took a verdict")
	}
}
