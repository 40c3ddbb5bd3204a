package app_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vigil"
	"vigil/internal/app"
)

// reportOfDemo has people say what the recorded breaches are, and makes the report of
// their time: it tells of each with the verdict, is signed, and shows any byte that is
// changed afterwards.
func reportOfDemo(t *testing.T, d *app.Demo, breaches []app.DemoBreach) {
	t.Helper()
	a := app.DemoApp(d)
	for _, b := range breaches {
		if err := app.Judge(t, a, b.Finding.ID, vigil.WordBreach); err != nil {
			t.Fatal(err)
		}
	}
	var from, to time.Time
	for _, b := range breaches {
		if from.IsZero() || b.Start.Before(from) {
			from = b.Start.Truncate(24 * time.Hour)
		}
		if b.Finding.Detected.After(to) {
			to = b.Finding.Detected.Truncate(24 * time.Hour).Add(24 * time.Hour)
		}
	}
	k, err := a.AuditReport(t.Context(), from, to)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(d.Dir(), k.Dir)
	page := readFile(t, filepath.Join(dir, "vigil-audit-"+k.ID+".html"))
	for _, b := range breaches {
		at := strings.Index(page, b.Finding.ID)
		if at < 0 || !strings.Contains(page[at:at+200], ">breach<") {
			t.Errorf("the report does not tell of %s with its verdict", b.Finding.ID)
		}
		if strings.Contains(page, b.Actor) {
			t.Errorf("the report names %s", b.Actor)
		}
	}
	verified, err := app.VerifyReports(dir, nil)
	if err != nil || len(verified) != 1 || len(verified[0].Problems) > 0 {
		t.Fatalf("verify: %+v, %v", verified, err)
	}
	// Every file, at its beginning, its middle and its end.
	for _, name := range k.Files {
		data := readFile(t, filepath.Join(dir, name))
		for _, at := range []int{0, len(data) / 2, len(data) - 1} {
			altered := []byte(data)
			altered[at] ^= 1
			if err := os.WriteFile(filepath.Join(dir, name), altered, 0o600); err != nil {
				t.Fatal(err)
			}
			verified, err := app.VerifyReports(filepath.Join(dir, name), nil)
			if err != nil || len(verified) != 1 || len(verified[0].Problems) != 1 || !strings.Contains(verified[0].Problems[0], name) {
				t.Errorf("byte %d of %s changed: %+v, %v", at, name, verified, err)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	again, err := a.AuditReport(t.Context(), from, to)
	if err != nil || again.Revision != 2 || again.ID == k.ID {
		t.Fatalf("a second report of the month: %+v, %v", again, err)
	}
	if verified, err := app.VerifyReports(dir, nil); err != nil || len(verified) != 2 || len(verified[0].Problems)+len(verified[1].Problems) > 0 {
		t.Errorf("verify both: %+v, %v", verified, err)
	}
	trail := strings.Join(app.AuditTrail(t, a), "\n")
	for _, want := range []string{"audit report made report " + k.ID, "audit report kept report " + k.ID + ", manifest's SHA-256 " + k.SHA256, "key of reports made"} {
		if !strings.Contains(trail, want) {
			t.Errorf("the audit log does not say %q", want)
		}
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
