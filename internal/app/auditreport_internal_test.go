package app

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vigil/dashboards/audit"
	"vigil/internal/config"
	"vigil/internal/ledger"
)

// Where there is more than may be looked at, a sample is, and the report says so. What
// is damaged is told of and hides nothing else.
func TestAuditReportOfASample(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l, err := ledger.Open(t.Context(), ledger.Config{Dir: dir, Retention: forever, SegmentEvents: 200}, ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	fill(t, l, 4_000, 200)
	from := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	gather := func(limits auditLimits) (audit.Report, string) {
		t.Helper()
		a := &auditor{ledger: l, cfg: &config.Config{DataDir: dir}, logger: slog.New(slog.DiscardHandler), limits: limits}
		r := audit.Report{ID: "2026-10-r1", From: from, To: from.AddDate(0, 1, 0), Made: from.AddDate(0, 1, 1)}
		if err := a.gather(t.Context(), &r); err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := audit.HTML(&b, &r); err != nil {
			t.Fatal(err)
		}
		return r, b.String()
	}
	all, page := gather(auditLimits{})
	if all.Access.Sample.Partial() || all.Access.Sample.Held < 4_000 || strings.Contains(page, "in a sample of") {
		t.Errorf("of all: %+v", all.Access.Sample)
	}
	if _, again := gather(auditLimits{}); again != page {
		t.Error("the same data gave another page")
	}
	some, page := gather(auditLimits{events: 1_000, meterEvents: 500})
	if s := some.Access.Sample; !s.Partial() || s.Looked > 1_200 || !strings.Contains(page, "were counted in a sample of") || !strings.Contains(page, "Which fields arrive was measured in a sample of") {
		t.Errorf("of some: %+v", s)
	}
	if some.Access.Accesses == 0 || some.Access.Accesses >= all.Access.Accesses || some.Access.Used > all.Access.Used {
		t.Errorf("%d of %d accesses, %d of %d accounts", some.Access.Accesses, all.Access.Accesses, some.Access.Used, all.Access.Used)
	}
	segments, err := filepath.Glob(filepath.Join(dir, "evidence", "*.parquet"))
	if err != nil || len(segments) < 5 {
		t.Fatalf("%d segments, %v", len(segments), err)
	}
	if err := os.WriteFile(segments[0], []byte("no segment"), 0o600); err != nil {
		t.Fatal(err)
	}
	hurt, page := gather(auditLimits{})
	if hurt.Access.Accesses == 0 || hurt.Access.Accesses >= all.Access.Accesses || !strings.Contains(page, "parts of what is kept are damaged") {
		t.Errorf("damaged: %d of %d accesses; notes %q", hurt.Access.Accesses, all.Access.Accesses, hurt.Notes)
	}
}
