package app_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vigil/internal/app"
	"vigil/internal/config"
)

// put sends a feed and returns the answer's status.
func put(t *testing.T, url, secret, body string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+secret)
	resp, err := testClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

// Feeds reach the log once, from files and by pushes, over restarts with and without a
// snapshot; nobody shows in anything that is kept or said.
func TestFeedsReachTheLogOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	people := filepath.Join(dir, "people.csv")
	text := "actor,role,team,surname,phone,email,last_day\ncanary-ana,agent,emea,Canaryson,0301234567,canary@example.com,2026-03-31\ncanary-bob,agent,emea,,,,\n"
	if err := os.WriteFile(people, []byte(text+"canary-eve,robot,,,,,31.3.2026\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := configure(t, filepath.Join(dir, "data"))
	cfg.PseudonymKey = config.NewSecret(key)
	const secret = "another-token-for-tests"
	cfg.Feeds = []config.Feed{
		{Name: "hr", Kind: "person", File: []string{people}},
		{Name: "desk", Kind: "assignment", Push: &config.Push{Token: config.NewSecret(secret)}},
	}
	tickets := "actor,ticket,subject\ncanary-ana,canary-ticket,canary-customer\n"
	for round := range 3 {
		w := begin(t, cfg, app.Options{})
		if status := put(t, w.URL()+"/v1/feeds/desk", secret, tickets); status != http.StatusAccepted {
			t.Fatalf("round %d: push: %d", round, status)
		}
		if status := put(t, w.URL()+"/v1/feeds/desk", "wrong", tickets); status != http.StatusUnauthorized {
			t.Fatalf("a wrong token: %d", status)
		}
		app.Poll(t, w.App)
		app.Judged(t, w.App)
		controls := app.Controls(t, w.App)
		if len(controls) != 2 {
			t.Fatalf("round %d: %d control records:\n%s", round, len(controls), strings.Join(controls, "\n"))
		}
		if round == 1 {
			app.Snapshot(t, w.App)
		}
		for what, all := range map[string]string{"ledger": w.dump() + strings.Join(controls, ""), "log": w.logs.String(), "output": w.output.String()} {
			for _, name := range []string{"canary", "Canary", "0301234567", "301234567"} {
				if strings.Contains(all, name) {
					t.Errorf("round %d: %s shows in the %s", round, name, what)
				}
			}
		}
		w.end()
	}
	note, err := os.ReadFile(filepath.Join(dir, "data", "feeds.json"))
	if err != nil || !strings.Contains(string(note), `"records": 2`) || strings.Contains(string(note), "canary") {
		t.Errorf("the note of feeds: %s, %v", note, err)
	}
	// The whole of the data folder, as bytes.
	err = filepath.WalkDir(filepath.Join(dir, "data"), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		bytes, err := os.ReadFile(path)
		if strings.Contains(string(bytes), "canary") {
			t.Errorf("somebody shows in %s", d.Name())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	// Without its feeds the configuration has what they told forgotten.
	cfg.Feeds = nil
	w := begin(t, cfg, app.Options{})
	app.Poll(t, w.App)
	if controls := app.Controls(t, w.App); len(controls) != 4 || !strings.Contains(controls[3], `"whole":true`) {
		t.Errorf("%d control records: %v", len(controls), controls)
	}
}

// What is wrong with a feed is said where people look.
func TestFeedTroublesAreSaid(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cfg := configure(t, filepath.Join(dir, "data"))
	cfg.Feeds = []config.Feed{{Name: "hr", Kind: "person", File: []string{filepath.Join(dir, "none.csv")}}}
	w := begin(t, cfg, app.Options{})
	if note := w.status().Note; !strings.Contains(note, "Feed hr: there is no file") {
		t.Errorf("the status says %q", note)
	}
	checks := app.CheckFeeds(cfg)
	if len(checks) != 1 || !checks[0].Unusable {
		t.Errorf("%+v", checks)
	}
}
