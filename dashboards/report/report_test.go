package report_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vigil/dashboards/internal/browser"
	"vigil/dashboards/internal/sample"
	"vigil/dashboards/report"
	"vigil/internal/api"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func full() report.Report {
	r := report.Report{
		Title: "Help desk, first week of November", Findings: sample.Every(), Timelines: map[string]api.Timeline{}, Generated: sample.Now(),
		Summary: report.Summary{Files: []string{"postgresql-2026-11-01.csv.zst", "postgresql-2026-11-02.csv"}, Events: 1_204_332, Quarantined: 17, Actors: 46,
			Reasons: map[string]int64{"too-long": 14, "truncated": 2, "time": 1}, Lanes: sample.Status().Lanes, Budget: 1,
			From: sample.Now().AddDate(0, 0, -21), To: sample.Now()},
	}
	for _, f := range r.Findings {
		r.Timelines[f.ID] = sample.Timeline(&f)
	}
	return r
}

func write(t *testing.T, r report.Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := report.HTML(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestReportIsDeterministicAndAsBefore(t *testing.T) {
	t.Parallel()
	got := write(t, full())
	if again := write(t, full()); again != got {
		t.Fatal("the same report gave other bytes")
	}
	// The style sheet has its own home: only the rest is compared.
	from, to := strings.Index(got, "<style>"), strings.Index(got, "</style>")
	got = got[:from] + got[to:]
	got = regexp.MustCompile(`sha256-[^ ]*; base`).ReplaceAllString(got, "sha256-SUM; base")
	path := filepath.Join("testdata", "report.html")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("report differs from %s (rewrite it with -update if this is meant):\n%s", path, diff)
	}
}

func TestReportStandsAlone(t *testing.T) {
	t.Parallel()
	got := write(t, full())
	if !strings.Contains(got, "style-src &#39;sha256-") {
		t.Error("the report has no policy of its own")
	}
	for _, bad := range []string{"<script", "<link", "src=", "http://", "https://", "url(", "@import", "href=\"/"} {
		if strings.Contains(got, bad) {
			t.Errorf("the report holds %q", bad)
		}
	}
}

func TestReportIDsAreUniqueEvenWhenFindingsAreNot(t *testing.T) {
	t.Parallel()
	r := full()
	r.Findings = append(r.Findings, r.Findings...)
	got := write(t, r)
	seen := map[string]bool{}
	for _, part := range strings.Split(got, ` id="`)[1:] {
		id, _, _ := strings.Cut(part, `"`)
		if seen[id] {
			t.Errorf("id %q stands twice", id)
		}
		seen[id] = true
	}
}

func TestReportIsBounded(t *testing.T) {
	t.Parallel()
	r := full()
	for len(r.Findings) < report.MaxFindings+37 {
		r.Findings = append(r.Findings, sample.Bot())
	}
	got := write(t, r)
	if !strings.Contains(got, "500 shown, 37 more left out") {
		t.Error("the report does not tell how many findings it leaves out")
	}
	if n := strings.Count(got, `class="card `); n != report.MaxFindings {
		t.Errorf("%d findings shown, want %d", n, report.MaxFindings)
	}
}

func TestReportOfNothing(t *testing.T) {
	t.Parallel()
	if got := write(t, report.Report{}); !strings.Contains(got, "Nothing looks like a breach.") {
		t.Error("an empty report does not say that nothing was found")
	}
}

func TestReportIsCleanInABrowser(t *testing.T) {
	t.Parallel()
	b := browser.Start(t)
	path := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(path, []byte(write(t, full())), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, look := range map[string]browser.Look{"light": {}, "dark": {Dark: true}, "phone": {Phone: true}} {
		p := b.Open(t, "file://"+path, look)
		p.Shoot("report-" + name)
		// The style sheet got past the report's own policy.
		if got := browser.Eval[string](p, `getComputedStyle(document.querySelector(".card")).position`); got != "relative" {
			t.Errorf("%s: the style sheet is not applied: position %q", name, got)
		}
		if n := browser.Eval[int](p, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); n > 0 {
			t.Errorf("%s: the report is %d px wider than its window", name, n)
		}
	}
}

func TestHostileTextsStayText(t *testing.T) {
	t.Parallel()
	tag, quoted := regexp.MustCompile(`<[^<>]*>`), regexp.MustCompile(`"[^"]*"`)
	shape := func(texts []string) []string {
		r := report.Report{Title: texts[3], Timelines: map[string]api.Timeline{}}
		for i := range 100 {
			f, _ := sample.Hostile(texts, 2*i)
			r.Findings = append(r.Findings, f)
		}
		r.Summary = report.Summary{Files: texts, Notes: texts, Reasons: map[string]int64{}, Events: 1, Quarantined: 9}
		for i, text := range texts {
			r.Summary.Reasons[text] = int64(i)
			r.Summary.Lanes = append(r.Summary.Lanes, api.Lane{Name: text, Why: text})
		}
		body := write(t, r)
		_, body, _ = strings.Cut(body, "</style>")
		tags := tag.FindAllString(body, -1)
		for i := range tags {
			tags[i] = quoted.ReplaceAllString(tags[i], `""`)
		}
		return tags
	}
	payloads := sample.Payloads()
	if diff := cmp.Diff(shape(sample.Harmless(len(payloads))), shape(payloads)); diff != "" {
		t.Errorf("a text changed the markup (-harmless +hostile):\n%.2000s", diff)
	}
}

func TestWriteErrorsComeBack(t *testing.T) {
	t.Parallel()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("SKIPPED: no /dev/full here: a full disk is NOT tested")
	}
	defer full.Close()
	if err := report.HTML(full, report.Report{}); err == nil {
		t.Error("a full disk went unnoticed")
	}
}
