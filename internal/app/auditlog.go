package app

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"

	"vigil/internal/api"
	"vigil/internal/ledger"
)

// maxAuditPage bounds the records of the audit log that are read at once.
const maxAuditPage = 1_000

// auditLog shows the audit log to those who may see it.
type auditLog struct{ reader *reader }

// AuditStanding implements api.Auditor.
func (l *auditLog) AuditStanding(ctx context.Context) (api.AuditStanding, error) {
	a := l.reader.app
	out := a.audits.standing()
	out.Checkpoints = a.conf().AuditCheckpoints.File
	n, hash, err := a.ledger.AuditHead(ctx)
	out.Records, out.Head = n, hex.EncodeToString(hash)
	return out, err
}

// Audit implements api.Auditor.
func (l *auditLog) Audit(ctx context.Context, f api.AuditFilter) (api.AuditPage, error) {
	what, notWhat, err := patternsOf(f.Kind)
	if err != nil {
		return api.AuditPage{}, err
	}
	look := "audit log read"
	if f.Export {
		look = "audit log exported"
	}
	if err := l.reader.record(ctx, look, filterWords(&f)); err != nil {
		return api.AuditPage{}, err
	}
	limit := f.Limit
	if limit <= 0 {
		limit = 100
	}
	limit = min(limit, maxAuditPage)
	records, err := l.reader.app.ledger.AuditFind(ctx, ledger.AuditQuery{
		Who: f.Who, Object: f.Object, What: what, NotWhat: notWhat, From: f.From, To: f.To, Before: f.Before, After: f.After,
		Newest: !f.Oldest, Limit: limit + 1,
	})
	if err != nil {
		return api.AuditPage{}, err
	}
	page := api.AuditPage{More: len(records) > limit}
	for _, r := range records[:min(limit, len(records))] {
		page.Records = append(page.Records, api.AuditRecord{N: r.N, Time: r.Time, Who: r.Who, What: r.What, Object: r.Object, Hash: hex.EncodeToString(r.Hash)})
	}
	return page, nil
}

// filterWords say what was looked for in the audit log.
func filterWords(f *api.AuditFilter) string {
	var parts []string
	for _, p := range []struct{ name, value string }{{"kind", string(f.Kind)}, {"who", f.Who}, {"of", f.Object}} {
		if p.value != "" {
			parts = append(parts, p.name+" "+p.value)
		}
	}
	return strings.Join(parts, ", ")
}

// patterns are those by which the records of a kind are known: what they say begins or
// ends as all of their kind do.
func patterns() map[api.AuditKind][]string {
	return map[api.AuditKind][]string{
		api.AuditLooks:    {"%read", "%listed", "look", "%looked at", "%previewed", "kept off%", "%looked up%", "% seen", "%shown"},
		api.AuditReveals:  {"name %", "%request for a name%", "requests for names%", "own request%"},
		api.AuditSignIns:  {"%sign-in%", "%signed in%", "%signed out%", "%session%", "%token%", "%set up%", "%password%"},
		api.AuditSettings: {"configuration%", "rules%", "key of%", "%budget%", "%setting%"},
	}
}

// patternsOf are what must and must not match of a kind: deeds are what is of no other.
func patternsOf(k api.AuditKind) (what, notWhat []string, err error) {
	all := patterns()
	switch {
	case k == "":
		return nil, nil, nil
	case k == api.AuditDeeds:
		for _, kind := range api.AuditKinds() {
			notWhat = append(notWhat, all[kind]...)
		}
		return nil, notWhat, nil
	case all[k] != nil:
		return all[k], nil, nil
	}
	return nil, nil, fmt.Errorf("%w: %q is no kind of record", api.ErrRefused, string(k))
}

var _ api.Auditor = (*auditLog)(nil)
