package app_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vigil"
	"vigil/internal/app"
	"vigil/internal/config"
)

// others is three weeks of a help desk, and a last day on which one customer is read
// by everybody and many accounts are tried from one network; then the source falls
// silent for some hours. Every identifier is a canary.
func others(end time.Time) []string {
	var out []string
	id := 0
	add := func(at time.Time, actor, ip, outcome, more string) {
		id++
		out = append(out, line(at, fmt.Sprint("canary-event-", id), actor, fmt.Sprintf(
			`,"actor_kind":"human","role":"agent","team":"emea","session":%q,"store":"helpdesk","resource":"messages","ip":%q,"outcome":%q%s`, "canary-session-"+actor, ip, outcome, more)))
	}
	read := func(customer int) string { return fmt.Sprintf(`,"subjects":["canary-customer-%d"]`, customer) }
	const days = 21
	n := 0
	for d := range days + 1 {
		morning := end.Truncate(24*time.Hour).AddDate(0, 0, d-days)
		for quarter := range 48 {
			at := morning.Add(6*time.Hour + time.Duration(quarter)*15*time.Minute)
			if d == days && quarter >= 16 {
				break
			}
			for k := range 3 {
				n++
				add(at.Add(time.Duration(k)*time.Minute), fmt.Sprintf("canary-actor-%d", (n*7+d)%20), "198.51.100.77", "success", read((n*131+d*17)%300))
			}
		}
	}
	at := end.Truncate(24 * time.Hour).Add(10 * time.Hour)
	for i := range 20 {
		add(at.Add(time.Duration(i)*time.Second), fmt.Sprintf("canary-actor-%d", i), "198.51.100.77", "success", read(7))
	}
	for i := range 60 {
		add(at.Add(30*time.Second+time.Duration(i)*time.Second), fmt.Sprintf("canary-guess-%d", i), "203.0.113.99", "denied", "")
	}
	// Silence, until somebody comes in the afternoon.
	add(at.Add(7*time.Hour), "canary-actor-1", "198.51.100.77", "success", read(9))
	add(at.Add(7*time.Hour+2*time.Minute), "canary-actor-2", "198.51.100.77", "success", read(10))
	return out
}

// A report draws the accesses of what each finding is about.
func TestReportOfFindingsAboutOthers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	log, page := filepath.Join(dir, "helpdesk.ndjson"), filepath.Join(dir, "report.html")
	appendFile(t, log, strings.Join(others(time.Date(2025, 11, 4, 0, 0, 0, 0, time.UTC)), ""))
	in := app.Input{Files: []string{log}, Source: "helpdesk"}
	result, err := app.Scan(t.Context(), in, app.ScanOptions{Budget: 5})
	if err != nil {
		t.Fatal(err)
	}
	if err := app.WriteReport(t.Context(), page, in, result); err != nil {
		t.Fatal(err)
	}
	body, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"Accesses to this customer", "Accesses from this network", "What this source told",
		"Who read this customer", "Who came from there", "canary-customer-7", "203.0.113.0/24",
	} {
		if !strings.Contains(string(body), want) {
			t.Errorf("the report does not hold %q", want)
		}
	}
}

// Findings about customers, networks and sources hold pseudonyms wherever they are
// served, and the events that they show are those of what they are about.
func TestFindingsAboutOthersShowNobody(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	slack := newSlackServer(t)
	cfg := configure(t, filepath.Join(dir, "data"))
	cfg.Slack = config.Slack{Token: config.NewSecret(slackToken), Channel: "C1", APIURL: slack.url + "/"}
	cfg.PseudonymKey, cfg.Budget = config.NewSecret("canary-key-of-enough-bytes"), 50
	w := begin(t, cfg, app.Options{})
	// A Tuesday, long past: no clock matters.
	lines := others(time.Date(2025, 11, 4, 0, 0, 0, 0, time.UTC))
	for len(lines) > 0 {
		part := lines[:min(len(lines), 1000)]
		lines = lines[len(part):]
		if resp, text := send(t, w.PushURL(), token, strings.Join(part, ""), true); resp.StatusCode != http.StatusAccepted {
			t.Fatalf("push: %d %s", resp.StatusCode, text)
		}
	}
	app.Judged(t, w.App)

	seen := map[string]string{}
	about := map[vigil.About]vigil.Finding{}
	for _, f := range w.findings() {
		about[f.About] = f
		seen["the page of "+f.ID] = w.get("/findings/" + f.ID)
		seen["the JSON of "+f.ID] = w.get("/api/v1/findings/" + f.ID)
	}
	for a, want := range map[vigil.About]struct {
		form string
		of   func(*vigil.Finding) string
	}{
		vigil.AboutSubject: {"subject-", func(f *vigil.Finding) string { return f.Subject }},
		vigil.AboutNetwork: {"203.0.113.0/24", func(f *vigil.Finding) string { return f.Network }},
		vigil.AboutSource:  {"bot", func(f *vigil.Finding) string { return f.Source }},
	} {
		f, ok := about[a]
		if !ok {
			t.Errorf("no finding about a %s", a)
			continue
		}
		if !strings.HasPrefix(want.of(&f), want.form) {
			t.Errorf("the finding about a %s names %q", a, want.of(&f))
		}
		page := seen["the page of "+f.ID]
		if !strings.Contains(page, want.of(&f)) || !strings.Contains(page, "Over time") {
			t.Errorf("the page about a %s does not show it", a)
		}
		for _, actor := range f.Actors {
			if !strings.HasPrefix(actor, "actor-") || !strings.Contains(page, actor) {
				t.Errorf("about a %s: actor %q", a, actor)
			}
		}
		if a != vigil.AboutSource && len(f.Actors) < 15 {
			t.Errorf("about a %s: %d actors", a, len(f.Actors))
		}
		if strings.Contains(page, "None is kept any more") {
			t.Errorf("the page about a %s shows no accesses", a)
		}
	}
	until(t, "a card in Slack", func() bool { return strings.Contains(slack.String(), "subject-") })
	seen["Slack"], seen["the queue"], seen["the log"] = slack.String(), w.get("/"), w.logs.String()
	seen["the list"], seen["what is kept"] = w.get("/api/v1/findings"), w.dump()
	w.end()
	err := filepath.WalkDir(cfg.DataDir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		seen[path] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for where, text := range seen {
		text = strings.ReplaceAll(text, dir, "")
		for _, name := range []string{"canary", "198.51.100.77", "203.0.113.99"} {
			if i := strings.Index(text, name); i >= 0 {
				t.Errorf("%q shows in %s: %.200q", name, where, text[max(0, i-60):])
			}
		}
	}
}
