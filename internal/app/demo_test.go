package app_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"vigil"
	"vigil/internal/app"
)

// The recorded help desk, through the whole program: all three breaches are
// found, at most two other findings, and nobody is named in what is kept.
func TestDemoFindsItsBreaches(t *testing.T) {
	t.Parallel()
	out := &buffer{}
	began := time.Now()
	d, err := app.StartDemo(t.Context(), app.DemoOptions{Output: out})
	if err != nil {
		t.Fatal(err)
	}
	stop := func() {
		if err := d.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("stop: %v", err)
		}
	}
	defer stop()
	if err := d.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Logf("the recording took %s", time.Since(began).Round(100*time.Millisecond))
	breaches, others, err := d.Truth(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(breaches) != 3 {
		t.Errorf("the recording has %d breaches", len(breaches))
	}
	for _, b := range breaches {
		if b.Finding == nil {
			t.Errorf("missed: %s by %s", b.Kind, b.Actor)
			continue
		}
		t.Logf("%s: began %s, found %s", b.Kind, b.Start.Format(time.DateTime), b.Finding.Detected.Format(time.DateTime))
		_, page := fetch(t, d.URL()+"/findings/"+b.Finding.ID)
		if !strings.Contains(page, b.Pseudonym) || strings.Contains(page, b.Actor) {
			t.Errorf("the page of %s", b.Finding.ID)
		}
		if !strings.Contains(out.String(), b.Finding.ID) {
			t.Errorf("no card of %s was printed", b.Finding.ID)
		}
	}
	for _, f := range others {
		t.Logf("other: %s %s", f.Severity, f.Sentence)
	}
	if len(others) > 2 {
		t.Errorf("%d other findings", len(others))
	}
	var s status
	decode(t, d.URL()+"/api/v1/status", &s)
	if s.Events < 100_000 || s.Quarantined != 0 {
		t.Errorf("status: %+v", s)
	}
	named := 0
	app.EachDemoEvent(t, d, func(e *vigil.Event) {
		if e.IP != "" || !strings.HasPrefix(e.Actor.ID, "actor-") || !strings.HasPrefix(e.Session+"session-", "session-") {
			named++
		}
		for _, s := range e.Subjects {
			if !strings.HasPrefix(s, "subject-") {
				named++
			}
		}
	})
	if named > 0 {
		t.Errorf("%d identifiers are kept as they were", named)
	}
	reportOfDemo(t, d, breaches)
	dir := d.Dir()
	stop()
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the demo's folder is left: %v", err)
	}
}
