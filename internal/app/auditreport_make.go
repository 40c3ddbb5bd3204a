package app

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"vigil/dashboards/audit"
	"vigil/internal/api"
	"vigil/internal/config"
	"vigil/internal/ledger"
)

const (
	// reportsDir is the folder of kept reports below the data folder, reportPrefix what
	// the names of their files begin with.
	reportsDir   = "reports"
	reportPrefix = "vigil-audit-"
	// reportLimit bounds the making of one report.
	reportLimit = 2 * time.Hour
	// maxReportDays bounds a report's period, reportsListed the reports that are listed.
	maxReportDays = 366
	reportsListed = 1_000
)

// reporter makes audit reports, one at a time, and lists those that are kept. It is
// safe for concurrent use.
type reporter struct {
	ledger *ledger.Ledger
	conf   func() *config.Config
	// budget is the detector's, zero for none; by makes a pseudonym of a name.
	budget func() float64
	by     func(name string) string
	logger *slog.Logger
	now    func() time.Time
	// ending is over when what is being made is to be given up.
	ending context.Context
	limits auditLimits

	mu sync.Mutex // guards the three below
	// making is the id of the report in the making, failed why the last of an id was not
	// made.
	making string
	failed map[string]error
	// done is closed when the making is over.
	done chan struct{}
}

// periodID names a period in file names: a month, else its first and last day.
func periodID(from, to time.Time) string {
	from, to = from.UTC(), to.UTC()
	first := time.Date(from.Year(), from.Month(), 1, 0, 0, 0, 0, time.UTC)
	if from.Equal(first) && to.Equal(first.AddDate(0, 1, 0)) {
		return from.Format("2006-01")
	}
	form := time.DateOnly
	if !from.Equal(from.Truncate(24*time.Hour)) || !to.Equal(to.Truncate(24*time.Hour)) {
		form = "2006-01-02T1504"
	}
	return from.Format(form) + "_" + to.Format(form)
}

// checkPeriod says of which times there can be a report.
func checkPeriod(from, to, now time.Time) error {
	switch {
	case from.IsZero() || to.IsZero() || !to.After(from):
		return errors.New("the report's time ends before it begins")
	case to.Sub(from) > maxReportDays*24*time.Hour:
		return fmt.Errorf("the report's time is longer than %d days", maxReportDays)
	case !from.Equal(from.Truncate(time.Minute)) || !to.Equal(to.Truncate(time.Minute)):
		return errors.New("the report's time begins and ends with a full minute")
	case !from.Before(now):
		return errors.New("the report's time has not begun yet")
	}
	return nil
}

// begin takes the next revision of a period, for somebody. Once it returns, finish must be called.
func (r *reporter) begin(ctx context.Context, ask api.ReportAsk, by string) (api.KeptReport, error) {
	out := api.KeptReport{From: ask.From.UTC(), To: ask.To.UTC(), Made: r.now().UTC().Truncate(time.Second), Revision: 1}
	stats, err := r.ledger.Stats(ctx)
	if err != nil {
		return out, err
	}
	latest := out.Made
	if newest := newestEvent(stats.Sources); newest.After(latest) {
		latest = newest // a log that is ahead of this clock
	}
	if err := checkPeriod(out.From, out.To, latest); err != nil {
		return out, fmt.Errorf("%w: %w", api.ErrRefused, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.making != "" {
		return out, fmt.Errorf("%w: report %s is being made; ask again when it is there", api.ErrRefused, r.making)
	}
	period := periodID(out.From, out.To)
	out.Dir = filepath.Join(reportsDir, period)
	kept, err := r.ledger.Reports(ctx, reportsListed)
	if err != nil {
		return out, err
	}
	for _, k := range kept {
		if k.From.Equal(out.From) && k.To.Equal(out.To) {
			out.Revision = max(out.Revision, k.Revision+1)
		}
	}
	// What a crash left behind is not written over either.
	for ; r.taken(&out, period); out.Revision++ {
	}
	out.ID = fmt.Sprintf("%s-r%d", period, out.Revision)
	if _, err := r.ledger.Audit(ctx, ledger.AuditRecord{Time: r.now().UTC(), Who: by, What: "audit report made", Object: "report " + out.ID}); err != nil {
		return out, fmt.Errorf("%w: %w", api.ErrUnrecorded, err)
	}
	r.making, r.done = out.ID, make(chan struct{})
	return out, nil
}

func (r *reporter) taken(k *api.KeptReport, period string) bool {
	base := filepath.Join(r.conf().DataDir, k.Dir, fmt.Sprintf("%s%s-r%d", reportPrefix, period, k.Revision))
	for _, end := range []string{endPage, endPDF, endManifest, endSignature} {
		if _, err := os.Lstat(base + end); err == nil {
			return true
		}
	}
	return false
}

// finish makes the report that was begun, until ctx ends or the service does.
func (r *reporter) finish(ctx context.Context, k api.KeptReport) (out api.KeptReport, err error) {
	ctx, cancel := context.WithTimeout(ctx, reportLimit)
	defer cancel()
	defer context.AfterFunc(r.ending, cancel)()
	defer func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.failed == nil || len(r.failed) > 100 {
			r.failed = map[string]error{}
		}
		if err != nil {
			r.failed[k.ID] = err
		}
		r.making = ""
		close(r.done)
	}()
	return r.write(ctx, k)
}

// write gathers, signs and keeps a report.
func (r *reporter) write(ctx context.Context, k api.KeptReport) (api.KeptReport, error) {
	cfg := r.conf()
	key, err := signingKey(ctx, r.ledger, cfg.DataDir, r.now())
	if err != nil {
		return k, err
	}
	public := publicText(key.Public().(ed25519.PublicKey))
	report := audit.Report{ID: k.ID, Revision: k.Revision, From: k.From, To: k.To, Made: k.Made, Key: public}
	gatherer := &auditor{ledger: r.ledger, cfg: cfg, logger: r.logger, limits: r.limits}
	if r.budget != nil {
		gatherer.budget = r.budget()
	}
	if err := gatherer.gather(ctx, &report); err != nil {
		return k, err
	}
	var page, sheet bytes.Buffer
	if err := errors.Join(audit.HTML(&page, &report), audit.PDF(&sheet, &report)); err != nil {
		return k, err
	}
	base := reportPrefix + k.ID
	m := Manifest{
		Format: manifestFormat, ID: k.ID, From: k.From, To: k.To, Revision: k.Revision, Made: k.Made,
		AuditRecords: report.Watcher.Records, AuditHead: report.Watcher.Head, Key: public,
		Files: []ManifestFile{fileOf(base+endPage, page.Bytes()), fileOf(base+endPDF, sheet.Bytes())},
	}
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return k, fmt.Errorf("encode manifest: %w", err)
	}
	text = append(text, '\n')
	dir := filepath.Join(cfg.DataDir, k.Dir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return k, fmt.Errorf("keep report: %w", err)
	}
	for _, f := range []struct {
		end  string
		data []byte
	}{{endPage, page.Bytes()}, {endPDF, sheet.Bytes()}, {endManifest, text}, {endSignature, signatureText(ed25519.Sign(key, text))}} {
		if err := writeNew(filepath.Join(dir, base+f.end), f.data, 0o600); err != nil {
			return k, fmt.Errorf("keep report: %w", err)
		}
		k.Files = append(k.Files, base+f.end)
	}
	sum := sha256.Sum256(text)
	k.SHA256 = hex.EncodeToString(sum[:])
	// The audit log holds what the report was, whatever becomes of the folder.
	if _, err := r.ledger.Audit(ctx, ledger.AuditRecord{
		Time: r.now().UTC(), Who: "vigil", What: "audit report kept", Object: "report " + k.ID + ", manifest's SHA-256 " + k.SHA256,
	}); err != nil {
		return k, fmt.Errorf("%w: %w", api.ErrUnrecorded, err)
	}
	return k, r.ledger.KeepReport(ctx, k)
}

// signingKey is the key with which everything is signed that leaves vigil. It is made when
// there is none, and then that is in the audit log.
func signingKey(ctx context.Context, l *ledger.Ledger, dir string, now time.Time) (ed25519.PrivateKey, error) {
	key, fresh, err := loadReportKey(dir, true)
	if err != nil || !fresh {
		return key, err
	}
	public := publicText(key.Public().(ed25519.PublicKey))
	if _, err := l.Audit(ctx, ledger.AuditRecord{Time: now.UTC(), Who: "vigil", What: "key of reports made", Object: "public key " + public}); err != nil {
		return nil, fmt.Errorf("%w: %w", api.ErrUnrecorded, err)
	}
	return key, nil
}

func fileOf(name string, data []byte) ManifestFile {
	sum := sha256.Sum256(data)
	return ManifestFile{Name: name, Size: int64(len(data)), SHA256: hex.EncodeToString(sum[:])}
}

// BeginReport implements api.Reporter: the making goes on by itself.
func (r *reporter) BeginReport(ctx context.Context, ask api.ReportAsk) (string, error) {
	by := commandLine
	switch who := api.PersonOf(ctx); {
	case who.By != "" && (who.Way != api.WayLocal || ask.By == ""):
		by = who.By
	case ask.By != "":
		by = r.by(ask.By)
	}
	k, err := r.begin(ctx, ask, by)
	if err != nil {
		return "", err
	}
	go func(ctx context.Context) {
		if _, err := r.finish(ctx, k); err != nil {
			r.logger.Error("an audit report can't be made", "report", k.ID, "error", err.Error())
			return
		}
		r.logger.Info("an audit report is kept", "report", k.ID, "folder", k.Dir)
	}(context.WithoutCancel(ctx))
	return k.ID, nil
}

// Report implements api.Reporter.
func (r *reporter) Report(ctx context.Context, id string) (api.KeptReport, bool, error) {
	r.mu.Lock()
	making, failed := r.making == id, r.failed[id]
	r.mu.Unlock()
	if making {
		return api.KeptReport{}, false, nil
	}
	kept, err := r.ledger.Reports(ctx, reportsListed)
	if err != nil {
		return api.KeptReport{}, false, err
	}
	for _, k := range kept {
		if k.ID == id {
			return k, true, nil
		}
	}
	if failed != nil {
		return api.KeptReport{}, false, fmt.Errorf("%w: %w", api.ErrRefused, failed)
	}
	return api.KeptReport{}, false, fmt.Errorf("report %q: %w", id, api.ErrNotFound)
}

// Reports implements api.Reporter.
func (r *reporter) Reports(ctx context.Context) ([]api.KeptReport, error) {
	if _, err := r.ledger.Audit(ctx, ledger.AuditRecord{Time: r.now().UTC(), Who: cmp.Or(api.PersonOf(ctx).By, commandLine), What: "audit reports listed"}); err != nil {
		return nil, fmt.Errorf("%w: %w", api.ErrUnrecorded, err)
	}
	return r.ledger.Reports(ctx, reportsListed)
}

// ReportFile implements api.ReportFiles.
func (r *reporter) ReportFile(ctx context.Context, id, name string) ([]byte, error) {
	k, made, err := r.Report(ctx, id)
	if err != nil {
		return nil, err
	}
	if !made || !slices.Contains(k.Files, name) || name != filepath.Base(name) {
		return nil, fmt.Errorf("file %q of report %q: %w", name, id, api.ErrNotFound)
	}
	if _, err := r.ledger.Audit(ctx, ledger.AuditRecord{
		Time: r.now().UTC(), Who: cmp.Or(api.PersonOf(ctx).By, commandLine), What: "audit report read", Object: "report " + id + ", " + name,
	}); err != nil {
		return nil, fmt.Errorf("%w: %w", api.ErrUnrecorded, err)
	}
	data, err := readBounded(filepath.Join(r.conf().DataDir, k.Dir, name), maxReportFile)
	if err != nil {
		return nil, fmt.Errorf("read file %q of report %q: %w", name, id, err)
	}
	return data, nil
}

// wait returns when no report is being made any more, or ctx ends.
func (r *reporter) wait(ctx context.Context) error {
	r.mu.Lock()
	making, done := r.making != "", r.done
	r.mu.Unlock()
	if !making {
		return nil
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

var _ api.Reporter = (*reporter)(nil)

// AuditReport makes and keeps the audit report of [from, to), for the schedule.
func (a *App) AuditReport(ctx context.Context, from, to time.Time) (api.KeptReport, error) {
	k, err := a.reports.begin(ctx, api.ReportAsk{From: from, To: to}, "vigil")
	if err != nil {
		return k, err
	}
	return a.reports.finish(ctx, k)
}

// LastMonth is the whole month of the calendar (UTC) before now: what a monthly report
// is about.
func LastMonth(now time.Time) (from, to time.Time) {
	now = now.UTC()
	to = time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
	return to.AddDate(0, -1, 0), to
}

// MonthlyReport makes the report of the month before, unless there is one: the
// schedule may ask as often as it likes.
func (a *App) MonthlyReport(ctx context.Context) error {
	from, to := LastMonth(a.opts.Now())
	kept, err := a.ledger.Reports(ctx, reportsListed)
	if err != nil {
		return err
	}
	for _, k := range kept {
		if k.From.Equal(from) && k.To.Equal(to) {
			return nil
		}
	}
	_, err = a.AuditReport(ctx, from, to)
	return err
}

// ExportReport copies the files of a kept report into a folder, which is made. Files
// that are there stay: then nothing is copied.
func ExportReport(cfg *config.Config, k api.KeptReport, dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("copy report: %w", err)
	}
	for _, name := range k.Files {
		if strings.ContainsAny(name, `/\`) {
			return fmt.Errorf("copy report: %q is no name of a file", name)
		}
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			return fmt.Errorf("copy report: %s is there already: name another folder", filepath.Join(dir, name))
		}
	}
	for _, name := range k.Files {
		data, err := os.ReadFile(filepath.Join(cfg.DataDir, k.Dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("copy report: %s is missing in the data folder", filepath.Join(k.Dir, name))
		}
		if err != nil {
			return fmt.Errorf("copy report: %w", err)
		}
		if err := writeNew(filepath.Join(dir, name), data, 0o600); err != nil {
			return fmt.Errorf("copy report: %w", err)
		}
	}
	return nil
}
