package app_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"vigil"
	"vigil/internal/api"
	"vigil/internal/app"
	"vigil/internal/config"
)

// smallWorld is a month of a small desk: six agents, one of whom left and reads on, a
// vendor who takes more than agreed and at night, one who is in the directory and reads
// nothing, and a customer who withdrew the consent and is read all the same.
func smallWorld(t *testing.T, dir string) (cfg *config.Config) {
	t.Helper()
	var b strings.Builder
	line := func(day, hour int, actor, kind, role, customer string) {
		fmt.Fprintf(&b, `{"time":%q,"actor":%q,"actor_kind":%q,"role":%q,"team":"emea","action":"read","resource":"tickets","subjects":[%q],"rows":1}`+"\n",
			time.Date(2024, 10, day, hour, 0, 0, 0, time.UTC).Format(time.RFC3339), actor, kind, role, customer)
	}
	for day := 1; day <= 28; day++ {
		for agent := range 6 {
			line(day, 9, fmt.Sprint("canary-agent-", agent), "human", "agent", fmt.Sprintf("canary-c-%d-%d", agent, day))
		}
		line(day, 10, "canary-lonely", "human", "auditor", fmt.Sprint("canary-l-", day))
		for n := range 3 {
			hour := 10
			if day == 20 {
				hour = 23
			}
			if n == 0 || day == 20 {
				line(day, hour, "canary-vendor", "vendor", "", fmt.Sprintf("canary-v-%d-%d", day, n))
			}
		}
		if day == 25 {
			line(day, 11, "canary-agent-1", "human", "agent", "canary-withdrawn")
		}
	}
	files := map[string]string{
		"log.ndjson": b.String(),
		"people.csv": "actor,role,team,last_day\n" + "canary-agent-0,agent,emea,2024-10-14\ncanary-agent-1,agent,emea,\ncanary-agent-2,agent,emea,\n" +
			"canary-agent-3,agent,emea,\ncanary-agent-4,agent,emea,\ncanary-agent-5,agent,emea,\ncanary-idle,agent,emea,\n",
		"contracts.yaml": "- id: C-77\n  actor: canary-vendor\n  hours: 8;9;10;11\n  per_day: 2\n  from: 2024-01-01\n",
		"consents.csv":   "subject,withdrawn\ncanary-withdrawn,2024-10-02\n",
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg = configure(t, filepath.Join(dir, "data"), filepath.Join(dir, "log.ndjson"))
	cfg.PseudonymKey = config.NewSecret(key)
	cfg.Sources[1].Format = "native"
	cfg.Retention = 0
	cfg.Feeds = []config.Feed{
		{Name: "hr", Kind: vigil.FactPerson, File: []string{filepath.Join(dir, "people.csv")}},
		{Name: "vendors", Kind: vigil.FactContract, File: []string{filepath.Join(dir, "contracts.yaml")}},
		{Name: "allowed", Kind: vigil.FactConsent, File: []string{filepath.Join(dir, "consents.csv")}},
	}
	return cfg
}

// tags matches a page's markup, for reading its text.
var tags = regexp.MustCompile(`<[^>]*>`)

// pageText is what a person reads in a kept report.
func pageText(t *testing.T, dir string, k api.KeptReport) string {
	t.Helper()
	page := readFile(t, filepath.Join(dir, k.Dir, k.Files[0]))
	_, page, _ = strings.Cut(page, "</style>")
	return strings.Join(strings.Fields(tags.ReplaceAllString(page, " ")), " ")
}

// What the report says of a small world, made by way of the running service and in the
// folder itself.
func TestAuditReportOfASmallWorld(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cfg := smallWorld(t, dir)
	w := begin(t, cfg, app.Options{Quiet: true})
	until(t, "all events", func() bool { return w.status().accepted("files") == 28*8+2+1 })
	app.Tick(t, w.App, time.Date(2024, 11, 2, 0, 0, 0, 0, time.UTC))
	app.Judged(t, w.App)
	app.Snapshot(t, w.App)
	from, to := time.Date(2024, 10, 1, 0, 0, 0, 0, time.UTC), time.Date(2024, 11, 1, 0, 0, 0, 0, time.UTC)
	request := func() (api.KeptReport, *app.Reports) {
		t.Helper()
		reports, err := app.OpenReports(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		k, err := reports.Make(t.Context(), api.ReportAsk{From: from, To: to, By: "canary-officer"})
		if err != nil {
			t.Fatal(err)
		}
		return k, reports
	}
	one, remote := request()
	if err := remote.Close(); err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(dir, "data")
	text := pageText(t, data, one)
	for _, want := range []string{
		"By the directory 7 accounts have access; 6 of them used it in the period",
		"smaller groups together (2) 7 7 197 197", "1 account had no access in the", "1 account was used in the period after the person had left",
		"1 contract was in force. Of 1 account that a contract is for and that took something, 1 went outside of it.",
		"2 customers a day; hours 8 to 11 UTC 30 30 3 30 at other hours: 3 accesses; more customers a day than agreed: 1 day",
		"1 finding tells of reads of data of 1 customer after their consent had ended", "by the rule leaver", "by the rule outside-contract",
		"vigil's own audit log was verified from its first record to the last",
	} {
		if !strings.Contains(strings.ReplaceAll(text, "&#39;", "'"), want) {
			t.Errorf("the report does not say %q", want)
		}
	}
	if strings.Contains(text, "canary") {
		t.Error("the report names somebody")
	}
	if t.Failed() {
		t.Log(text)
	}
	now := time.Now().UTC()
	for range 2 { // the second time there is one
		if err := w.MonthlyReport(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	month, _ := app.LastMonth(now)
	if files, err := os.ReadDir(filepath.Join(data, "reports", month.Format("2006-01"))); err != nil || len(files) != 4 {
		t.Errorf("%d files of the month, %v", len(files), err)
	}
	w.end()
	two, local := request()
	defer local.Close()
	if one.ID != "2024-10-r1" || two.ID != "2024-10-r2" {
		t.Errorf("%s and %s", one.ID, two.ID)
	}
	if _, err := local.Make(t.Context(), api.ReportAsk{From: to, To: from}); !errors.Is(err, api.ErrRefused) {
		t.Errorf("a time that ends before it begins: %v", err)
	}
	all, err := local.Reports(t.Context())
	if err != nil || len(all) != 3 || all[1].ID != two.ID || all[2].ID != one.ID {
		t.Errorf("%+v, %v", all, err)
	}
	line, _, err := app.ReportKey(cfg)
	if err != nil {
		t.Fatal(err)
	}
	public, err := app.ParseReportKey(line)
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "copy")
	if err := app.ExportReport(cfg, two, out); err != nil {
		t.Fatal(err)
	}
	if err := app.ExportReport(cfg, two, out); err == nil {
		t.Error("a copy was written over another")
	}
	if v, err := app.VerifyReports(out, public); err != nil || len(v) != 1 || len(v[0].Problems) > 0 || !v[0].Trusted {
		t.Errorf("%+v, %v", v, err)
	}
	if v, err := app.VerifyReports(out, make32()); err != nil || len(v[0].Problems) != 1 || !strings.Contains(v[0].Problems[0], "not signed with the key that was given") {
		t.Errorf("another key: %+v, %v", v, err)
	}
	if info, err := os.Stat(filepath.Join(data, "report.key")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key's file: %v, %v", info, err)
	}
}

// make32 is a key that signed nothing.
func make32() []byte { return append([]byte{1}, make([]byte, 31)...) }
