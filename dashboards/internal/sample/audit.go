package sample

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"vigil/internal/api"
)

// Auditor shows an audit log of 250 records, every text of which is one of texts where
// there are some.
type Auditor struct {
	Texts    []string
	Standing api.AuditStanding

	mu    sync.Mutex
	asked []api.AuditFilter // guarded by mu
}

// Asked is what was asked of the log.
func (a *Auditor) Asked() []api.AuditFilter {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.asked)
}

// NewAuditor shows a log that holds.
func NewAuditor(texts []string) *Auditor {
	a := &Auditor{Texts: texts, Standing: api.AuditStanding{
		Records: 250, Head: strings.Repeat("9f3c", 16), Verified: 249, At: now.Add(-20 * time.Second), Whole: now.Add(-5 * time.Hour),
		Checkpoints: "/mnt/witness/checkpoints", Kept: 248, KeptAt: now.Add(-40 * time.Second),
	}}
	if texts != nil {
		a.Standing.Broken, a.Standing.Fault, a.Standing.Head = texts[3], texts[4], texts[5]
	}
	return a
}

func (a *Auditor) record(n uint64) api.AuditRecord {
	r := api.AuditRecord{
		N: n, Time: now.Add(time.Duration(n-250) * time.Minute), Who: "actor-3x9qv7r0ann1k", What: "case read", Object: "case c-7c1e09a4b2d35f60", Hash: fmt.Sprintf("%064x", n),
	}
	if n%5 == 0 {
		r.Who, r.What, r.Object = "vigil", "configuration reloaded", "changed: sources"
	}
	if t := a.Texts; t != nil {
		i := int(n)
		r.Who, r.What, r.Object, r.Hash = t[i%len(t)], t[(i+1)%len(t)], t[(i+2)%len(t)], t[(i+3)%len(t)]
	}
	return r
}

// AuditStanding implements api.Auditor.
func (a *Auditor) AuditStanding(context.Context) (api.AuditStanding, error) { return a.Standing, nil }

// Audit implements api.Auditor.
func (a *Auditor) Audit(_ context.Context, f api.AuditFilter) (out api.AuditPage, err error) {
	a.mu.Lock()
	a.asked = append(a.asked, f)
	a.mu.Unlock()
	for i := range uint64(250) {
		n := 250 - i
		if f.Oldest {
			n = i + 1
		}
		r := a.record(n)
		if n <= f.After || f.Before > 0 && n >= f.Before || f.Who != "" && r.Who != f.Who || !strings.Contains(r.Object, f.Object) || f.Kind == api.AuditSettings && n%5 != 0 {
			continue
		}
		if len(out.Records) == f.Limit {
			out.More = true
			break
		}
		out.Records = append(out.Records, r)
	}
	return out, nil
}

// Reports are two audit reports, one of them being made when asked for.
type Reports struct {
	Asked []api.ReportAsk
	Texts []string
}

// BeginReport implements api.Reporter.
func (r *Reports) BeginReport(_ context.Context, ask api.ReportAsk) (string, error) {
	if !ask.To.After(ask.From) {
		return "", fmt.Errorf("%w: the report's time ends before it begins", api.ErrRefused)
	}
	r.Asked = append(r.Asked, ask)
	return "2026-10-r2", nil
}

// Report implements api.Reporter.
func (r *Reports) Report(context.Context, string) (api.KeptReport, bool, error) {
	return api.KeptReport{}, false, api.ErrNotFound
}

// Reports implements api.Reporter.
func (r *Reports) Reports(context.Context) ([]api.KeptReport, error) {
	k := api.KeptReport{ID: "2026-10-r1", From: now.AddDate(0, -1, 0), To: now, Revision: 1, Made: now, Files: []string{
		"vigil-audit-2026-10-r1.html", "vigil-audit-2026-10-r1.pdf", "vigil-audit-2026-10-r1.json", "vigil-audit-2026-10-r1.sig",
	}}
	if r.Texts != nil {
		k.ID = r.Texts[0]
	}
	return []api.KeptReport{k}, nil
}

// ReportFile implements api.ReportFiles.
func (r *Reports) ReportFile(_ context.Context, id, name string) ([]byte, error) {
	if id != "2026-10-r1" || name != "vigil-audit-2026-10-r1.pdf" {
		return nil, api.ErrNotFound
	}
	return []byte("%PDF"), nil
}
