package audit_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"vigil"
	"vigil/dashboards/audit"
	"vigil/dashboards/internal/browser"
)

var update = flag.Bool("update", false, "write the golden files anew")

const hostile = `<script>alert(1)</script>` + "\x1b[31m\u202eevil\x00" + ` "><img src=x onerror=alert(1)> 你好`

func at(day, hour int) time.Time { return time.Date(2026, 10, day, hour, 0, 0, 0, time.UTC) }

// full is a report in which every part has something.
func full() *audit.Report {
	r := &audit.Report{
		ID: "2026-10-r1", Revision: 1, From: at(1, 0), To: at(32, 0), Made: at(32, 6), Key: "kD8N0c3Y0bqT7T1JmIuJp7wWmM2v3wCkPq0c0m8m8W4=",
		Notes: []string{"Accesses are kept since 5 October 2026 00:00 UTC only: what was before is missing here."},
	}
	r.Access = audit.Access{
		Directory: true, Known: 61, Used: 52, UsedKnown: 50, Accesses: 1_204_331, Unnamed: 80_112, Customers: 48_210, More: 12,
		Sample: audit.Sample{Looked: 20_000_000, Held: 41_000_000},
		Groups: []audit.Group{
			{Name: "agent, emea", With: 30, Used: 28, Accesses: 640_000, Customers: 30_110, Stores: []audit.StoreUse{{Store: "helpdesk", Used: 28, Accesses: 630_000, Customers: 30_000}, {Store: "other stores", Used: 2, Withheld: true}}},
			{Name: "smaller groups together (3)", With: 4, Used: 3, Withheld: true, Stores: []audit.StoreUse{{Store: "helpdesk", Used: 3, Withheld: true}}},
			{Name: "crm-sync (vendor)", Machine: true, With: 1, Used: 1, Accesses: 20_100, Customers: 11_000, Stores: []audit.StoreUse{{Store: "crm", Used: 1, Accesses: 20_100, Customers: 11_000}}},
		},
		Accounts: []audit.Account{
			{Actor: "actor-leftbehind1", Role: "agent", Team: "emea", Known: true, Used: true, Left: at(12, 0)},
			{Actor: hostile, Role: hostile, Team: hostile, Used: true},
			{Actor: "actor-unused0001", Role: "agent", Team: "apac", Known: true},
		},
	}
	for i := range 60 {
		r.Access.Accounts = append(r.Access.Accounts, audit.Account{Actor: fmt.Sprintf("actor-%012x", i*7919), Role: "agent", Team: "emea", Known: true, Used: true})
	}
	r.Dormant = audit.Dormant{
		Since: at(32, 0).Add(-90 * 24 * time.Hour), Watched: at(5, 0), Directory: true, Active: 52,
		Accounts: []audit.DormantAccount{{Actor: "actor-unused0001", Role: "agent", Team: "apac", Known: true}, {Actor: "actor-oldbatch01", Role: "service", Last: time.Date(2026, 6, 3, 4, 0, 0, 0, time.UTC)}},
		Leavers:  []audit.Leaver{{Actor: "actor-leftbehind1", Role: "agent", Team: "emea", Left: at(12, 0), First: at(13, 22), Last: at(14, 2)}},
	}
	r.Vendors = audit.Vendors{
		Told: true, Contracts: 2, Without: []string{"actor-unknownvendor"},
		Rows: []audit.Vendor{
			{Account: "actor-crmsync00001", Contract: "C-2026-11", Agreed: "stores crm, helpdesk; 400 customers a day; hours 6 to 20 UTC", Accesses: 20_100, Rows: 1_900_000, Customers: 11_000, MaxDay: 2_140,
				Outside: []audit.Outside{{What: "at other hours", Accesses: 412}, {What: "more customers a day than agreed", Days: 3}}},
			{Account: "actor-surveys00001", Contract: "C-2025-3", Agreed: "each access names its customer", Accesses: 900, Customers: 900, MaxDay: 41},
		},
	}
	withdrawn := audit.Finding{ID: "f-00000000000000c1", Severity: vigil.SeverityHigh, Scenario: "by the rule consent-withdrawn", Who: "actor-3f9c0011aabb", Detected: at(9, 10),
		Sentence: "Agent actor-3f9c0011aabb read 4 customers in 6 accesses after consent was withdrawn or erasure asked for."}
	r.Consent = audit.Consent{Told: true, Reads: 6, Customers: 4, Findings: []audit.Finding{withdrawn}}
	byDay := make([]int64, 31)
	for i := range byDay {
		byDay[i] = int64(30_000 + 9_000*(i%7))
	}
	byDay[11] = 0
	r.Coverage = audit.Coverage{
		Sources:  []audit.Source{{Name: "helpdesk-db", Events: 1_400_000, ByDay: byDay, Empty: 1, Last: at(31, 23), SetAside: 17}, {Name: "crm", ByDay: make([]int64, 31), Empty: 31}},
		Lapses:   []audit.Lapse{{Source: "helpdesk-db", Kind: "hole", Start: at(12, 0), End: at(13, 0), Missing: 31_002, Text: "Numbers are missing in the log of the database: look for a file that was deleted before it was read."}},
		Absences: []vigil.Period{{From: at(12, 3), To: at(12, 9)}},
		Silences: []audit.Finding{{ID: "f-00000000000000d4", Severity: vigil.SeverityMedium, Scenario: "by what a source tells", Who: "crm", Detected: at(2, 9), Sentence: "Source crm fell silent."}},
		Feeds:    []audit.Feed{{Name: "hr", Kind: "person", Records: 61}, {Name: "desk", Kind: "assignment", Records: 8_120, Trouble: "nothing new since 20 October 08:00 UTC, longer than usual"}},
		Missing:  []vigil.FactKind{vigil.FactShift, vigil.FactPurpose},
		Blind:    []audit.Blind{{"T01", "Mass export by a support agent", "seen", "how many customers and how much", ""}, {"T08", "Malicious connected application", "partly", "somebody new who reads much", "take in the audit log of the help desk"}, {"T15", "Snooping on family and colleagues", "blind", "", "feeds: give one of kind customer"}},
		Sample:   audit.Sample{Looked: 300_000, Held: 41_000_000},
	}
	r.Findings = audit.Findings{
		Total:      6,
		Severities: []audit.Outcomes{{Name: "Critical", Total: 1, Breach: 1}, {Name: "High", Total: 2, Misuse: 1, Unjudged: 1}, {Name: "Medium", Total: 3, Expected: 2, Unknown: 1}},
		Scenarios:  []audit.Outcomes{{Name: "by comparing days", Total: 4, Breach: 1, Expected: 2, Unknown: 1}, {Name: "by the rule consent-withdrawn", Total: 2, Misuse: 1, Unjudged: 1}},
		List: []audit.Finding{
			{ID: "f-00000000000000a1", Severity: vigil.SeverityCritical, Scenario: "by comparing days", Who: "actor-77aa0011ccdd", Detected: at(17, 3), Verdict: vigil.WordBreach,
				Sentence: "Agent actor-77aa0011ccdd read 2 140 customers in one night, where 41 are usual."},
			withdrawn,
			{ID: hostile, Severity: vigil.SeverityLow, Scenario: hostile, Who: hostile, Detected: at(18, 3), Verdict: vigil.WordExpected, Sentence: strings.Repeat(hostile+" ", 40)},
		},
		More: 3, ToVerdict: 5*time.Hour + 20*time.Minute, Judged: 5, ToAcknowledge: 14 * time.Minute, Acknowledged: 4,
		Cases:      &audit.Cases{Total: 5, New: 1, Acknowledged: 1, Resolved: 3, Held: 1, Aware: 1},
		Exceptions: []audit.Exception{{ID: "x-0011223344556677", Who: "actor-3f9c0011aabb", Scope: "network", Made: at(3, 9), To: at(45, 0), State: "holds", Note: "new office"}},
		Silences:   []audit.Silence{{ID: "s-0011223344556677", What: "source crm", Made: at(4, 9), To: at(8, 0), State: "over", Note: "the vendor moves its servers"}},
		Asked:      0.2, Spent: 4, Wrong: 2, Days: 31,
	}
	r.Watcher = audit.Watcher{
		Records: 4_210, Head: strings.Repeat("9f3c", 16),
		Deeds:    []audit.Deed{{What: "finding read", By: "console", Times: 812, Things: 6}, {What: "verdict: breach", By: "a person", Times: 1, Things: 1}},
		Settings: []audit.Change{{Time: at(6, 11), By: "vigil itself", What: "changed: sources"}},
		Rules:    []audit.Change{{Time: at(6, 11), By: "vigil itself", What: "from entry 812; added night-reads (0123456789ab)"}},
	}
	return r
}

func html(t *testing.T, r *audit.Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := audit.HTML(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func sheet(t *testing.T, r *audit.Report) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := audit.PDF(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; look at it and run the test with -update:\n%s", path, got)
	}
}

func TestGoldenPage(t *testing.T) {
	t.Parallel()
	page := html(t, full())
	// The style sheet has its own home: only the rest is compared.
	from, to := strings.Index(page, "<style>"), strings.Index(page, "</style>")
	page = regexp.MustCompile(`sha256-[^ ]*; base`).ReplaceAllString(page[:from]+page[to:], "sha256-SUM; base")
	golden(t, "audit.html", []byte(page))
}

// textOf reads a PDF back by another program's eyes.
func textOf(t *testing.T, pdf []byte) string {
	t.Helper()
	program, err := exec.LookPath("pdftotext")
	if err != nil {
		t.Skip("SKIPPED: no pdftotext on this machine: what the PDF says is NOT tested here (Debian: apt-get install poppler-utils)")
	}
	cmd := exec.CommandContext(t.Context(), program, "-layout", "-", "-")
	cmd.Stdin = bytes.NewReader(pdf)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestThePDFSaysWhatThePageSays(t *testing.T) {
	t.Parallel()
	text := textOf(t, sheet(t, full()))
	flat := strings.Join(strings.Fields(text), " ")
	for _, want := range []string{
		"Audit report, October 2026", "1,204,331", "By the directory 61 accounts have access; 50 of them used it",
		"actor-leftbehind1", "left 12 Oct 2026", "smaller groups together (3)", "C-2026-11", "at other hours: 412", "f-00000000000000a1", "breach", "once vigil itself did not listen",
		"holds, ends", "the vendor moves its servers", "not seen", "Half of the verdicts came within 5 h 20 min", "changed: sources",
		`\u4f60`, `\x1b`, `\u202e`, "Page 1 of 6",
	} {
		if !strings.Contains(flat, want) {
			t.Errorf("the PDF does not say %q", want)
		}
	}
	if strings.ContainsAny(text, "\x1b\u202e\x00") {
		t.Error("a control character is in the PDF's text")
	}
	if n := strings.Count(text, "Directory"); n < 3 {
		t.Errorf("the head of a table that goes on over a page is there %d times", n)
	}
	if t.Failed() {
		t.Log(text)
	}
}

// The same report gives the same bytes, whatever was written before it.
func TestTheSameBytes(t *testing.T) {
	t.Parallel()
	first, page := sheet(t, full()), html(t, full())
	sheet(t, &audit.Report{ID: "2026-09-r1", From: at(-29, 0), To: at(1, 0), Made: at(1, 6)})
	if !bytes.Equal(first, sheet(t, full())) {
		t.Error("two PDFs of one report differ")
	}
	if page != html(t, full()) {
		t.Error("two pages of one report differ")
	}
	pages := regexp.MustCompile(`/Type /Page\b`).FindAll(first, -1)
	if len(pages) < 5 || !bytes.HasPrefix(first, []byte("%PDF-")) || !bytes.Contains(first, []byte("/CreationDate (D:20261101060000")) {
		t.Errorf("%d pages, of %d bytes", len(pages), len(first))
	}
}

func TestNothingForeignRuns(t *testing.T) {
	t.Parallel()
	page := html(t, full())
	for _, bad := range []string{"<script", "<img", "onerror=alert(1)>", "\x1b", "\u202e", "\x00"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
	if n := strings.Count(page, "&lt;script&gt;"); n < 3 {
		t.Errorf("hostile names are shown %d times", n)
	}
}

// What fewer than five people did is in neither form, and how few they are is not told.
func TestFewPeopleAreNotTold(t *testing.T) {
	t.Parallel()
	r := &audit.Report{ID: "x", From: at(1, 0), To: at(2, 0), Made: at(2, 0)}
	r.Access = audit.Access{Used: 3, Accesses: 9, Groups: []audit.Group{{Name: "agents", Used: 3, Withheld: true, Accesses: 71_717, Customers: 61_616,
		Stores: []audit.StoreUse{{Store: "a", Used: 3, Withheld: true, Accesses: 51_515}, {Store: "b", Used: 2, Withheld: true, Accesses: 41_414}}}}}
	page := html(t, r)
	for _, bad := range []string{"71,717", "61,616", "51,515", "41,414", ">3<"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page says %s", bad)
		}
	}
	if !strings.Contains(page, "&lt;5") || !strings.Contains(page, "fewer than five accounts") {
		t.Error("that they are few is not told")
	}
}

// An empty report is a report: what is not known is said.
func TestNothingKnown(t *testing.T) {
	t.Parallel()
	r := &audit.Report{ID: "2026-10-r1", From: at(1, 0), To: at(32, 0), Made: at(32, 0)}
	page := html(t, r)
	for _, want := range []string{"No feed tells of a directory", "No feed tells of contracts", "No feed tells of consent", "Nothing was done or looked at", "0 findings were declared"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	sheet(t, r)
}

func TestABrokenChainIsNotPlayedDown(t *testing.T) {
	t.Parallel()
	r := full()
	r.Watcher.Broken = `audit "record 12" is damaged`
	page := html(t, r)
	if !strings.Contains(page, "audit log is NOT whole") || !strings.Contains(page, `<li class="bad"><strong>broken</strong>`) || strings.Contains(page, "<strong>whole</strong>") {
		t.Error("the page plays a broken audit log down")
	}
}

func TestPeriodNames(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		from, to time.Time
		want     string
	}{
		{at(1, 0), at(32, 0), "October 2026"},
		{at(1, 0), at(8, 0), "1 October 2026 to 7 October 2026"},
		{at(1, 5), at(1, 7), "Thu 1 Oct 2026, 05:00 to 07:00 UTC"},
	} {
		if got := audit.PeriodName(tt.from, tt.to); got != tt.want {
			t.Errorf("%s, want %s", got, tt.want)
		}
	}
}

// Writers that fail are told of.
func TestAFullDisk(t *testing.T) {
	t.Parallel()
	full := full()
	if err := audit.HTML(broken{}, full); !errors.Is(err, errBroken) {
		t.Errorf("HTML: %v", err)
	}
	if err := audit.PDF(broken{}, full); !errors.Is(err, errBroken) {
		t.Errorf("PDF: %v", err)
	}
}

var errBroken = errors.New("no room")

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errBroken }

// In a browser nothing is complained of, and nothing is wider than the page.
func TestInABrowser(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "audit.html")
	if err := os.WriteFile(path, []byte(html(t, full())), 0o600); err != nil {
		t.Fatal(err)
	}
	b := browser.Start(t)
	for i, look := range []browser.Look{{}, {Dark: true}, {Phone: true}} {
		p := b.Open(t, "file://"+path, look)
		if browser.Eval[bool](p, `document.documentElement.scrollWidth > document.documentElement.clientWidth + 1`) {
			t.Errorf("%+v: the page is wider than its window", look)
		}
		p.Shoot(fmt.Sprintf("audit-%d", i))
	}
}
