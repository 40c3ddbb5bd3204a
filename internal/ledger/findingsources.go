package ledger

import (
	"context"
	"database/sql"
	"fmt"

	"vigil"
)

// OpenOnSources returns the open findings about sources, worst first as Findings orders
// them, at most max. Damaged ones are left out and logged.
func (l *Ledger) OpenOnSources(ctx context.Context, max int) (out []vigil.Finding, err error) {
	err = l.read(ctx, func(tx *sql.Tx) error {
		out = nil
		// The condition is the index's own, word for word, or it would not be used.
		_, err := l.eachFinding(ctx, tx, func(f *vigil.Finding) { out = append(out, *f) }, `SELECT `+findingColumns+` FROM finding f INDEXED BY finding_open_source LEFT JOIN verdict v ON v.finding = f.id
			WHERE f.state = 'open' AND CASE WHEN json_valid(CAST(f.data AS TEXT)) THEN json_extract(CAST(f.data AS TEXT), '$.about') END = 'source'
			ORDER BY f.harm * coalesce(f.likely, 1) DESC, f.severity DESC, f.detected DESC, f.id LIMIT ?`, max)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read findings about sources: %w", err)
	}
	return out, nil
}
