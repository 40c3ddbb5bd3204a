package console_test

import (
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"vigil/dashboards/console"
	"vigil/dashboards/internal/sample"
)

func TestAuditPages(t *testing.T) {
	t.Parallel()
	a := sample.NewAuditor(nil)
	h := serving(t, console.Config{}, console.Services{Reader: sample.NewReader(), Auditor: a})
	link := func(body, rel string) string {
		m := regexp.MustCompile(`rel="` + rel + `" href="([^"]+)"`).FindStringSubmatch(body)
		if m == nil {
			return ""
		}
		return strings.ReplaceAll(m[1], "&amp;", "&")
	}
	page := get(t, h, "/audit").body
	for _, want := range []string{"The chain holds.", "1 newer record is verified within a minute", "5 h ago", "record 248", `<td class="n">250</td>`, `<td class="n">151</td>`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if link(page, "prev") != "" {
		t.Error("something is newer than the newest")
	}
	// To the end and back again.
	second := get(t, h, link(page, "next")).body
	third := get(t, h, link(second, "next")).body
	if !strings.Contains(third, `<td class="n">1</td>`) || link(third, "next") != "" {
		t.Error("the third page is not the last")
	}
	back := get(t, h, link(third, "prev")).body
	if !strings.Contains(back, `<td class="n">51</td>`) || !strings.Contains(back, `<td class="n">150</td>`) {
		t.Error("there is no way back")
	}
	if only := get(t, h, "/audit?who=vigil&kind=settings&of=sources&from=2026-11-01&to=2026-11-02").body; strings.Contains(only, "case read") || !strings.Contains(only, "configuration reloaded") || !strings.Contains(only, "to=2026-11-02") {
		t.Error("a filter does not filter, or is forgotten")
	}
	export := get(t, h, "/audit/export?who=vigil")
	if asked := a.Asked(); !asked[len(asked)-1].Export || asked[0].Export {
		t.Errorf("an export can't be told from a look: %+v", asked)
	}
	if lines := strings.Split(strings.TrimSpace(export.body), "\n"); len(lines) != 50 || !strings.HasPrefix(lines[0], `{"n":5,`) || !strings.HasPrefix(export.head.Get("Content-Disposition"), "attachment") {
		t.Errorf("%d lines are exported: %.100s", len(lines), export.body)
	}
	for _, query := range []string{"kind=x", "before=-1", "after=x", "from=yesterday", "to=2026-13-01", "from=9999-01-01", "to=0001-01-01", "from=2026-11-03&to=2026-11-01", "who=" + strings.Repeat("a", 201)} {
		if got := get(t, h, "/audit?"+query); got.code != 400 {
			t.Errorf("%s: status %d", query, got.code)
		}
	}
	a.Standing.Broken = "audit record 7: the chain of hashes breaks here"
	if page := get(t, h, "/audit").body; !strings.Contains(page, "The chain does not hold.") || !strings.Contains(page, "record 7") {
		t.Error("a chain that broke does not show")
	}
}

func TestReportsPage(t *testing.T) {
	t.Parallel()
	r := &sample.Reports{}
	h := serving(t, console.Config{}, console.Services{Reader: sample.NewReader(), Reporter: r, ReportFiles: r})
	page := get(t, h, "/reports").body
	for _, want := range []string{"2026-10-r1", "/reports/2026-10-r1/vigil-audit-2026-10-r1.pdf", `value="2026-10-01"`, `value="2026-10-31"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	form := formOf(page)
	form.Set("from", "2026-10-01")
	form.Set("to", "2026-10-31")
	if got := send(t, h, "/reports", form); got.code != 303 || len(r.Asked) != 1 || r.Asked[0].To.Sub(r.Asked[0].From) != 31*24*time.Hour {
		t.Errorf("status %d, %+v", got.code, r.Asked)
	}
	form.Set("to", "2026-09-30")
	if got := send(t, h, "/reports", form); got.code != 422 || !strings.Contains(got.body, "ends before it begins") {
		t.Errorf("status %d", got.code)
	}
	if got := send(t, h, "/reports", url.Values{"form": form["form"], "from": {"x"}}); got.code != 422 {
		t.Errorf("status %d", got.code)
	}
	form.Set("to", "9999-12-31")
	if got := send(t, h, "/reports", form); got.code != 422 || len(r.Asked) != 1 {
		t.Errorf("a report up to the year 9999: status %d, %+v", got.code, r.Asked)
	}
	if got := get(t, h, "/reports/2026-10-r1/vigil-audit-2026-10-r1.pdf"); got.code != 200 || got.body != "%PDF" || !strings.HasPrefix(got.head.Get("Content-Disposition"), "attachment") {
		t.Errorf("status %d", got.code)
	}
	for _, path := range []string{"/reports/none/x.pdf", "/reports/2026-10-r1/other.pdf", "/reports/2026-10-r1/%2e%2e%2freport.key"} {
		if got := get(t, h, path); got.code != 404 {
			t.Errorf("%s: status %d", path, got.code)
		}
	}
}
