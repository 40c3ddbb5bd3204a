package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"vigil/internal/api"
)

// KeepReport writes down that a report is kept. The error wraps ErrOrder when one of the
// same id is kept already: none is ever replaced.
func (l *Ledger) KeepReport(ctx context.Context, r api.KeptReport) error {
	data, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("keep report %q: %w", r.ID, err)
	}
	err = l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `INSERT INTO report (id, first, last, revision, made, hash, data, sum) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT DO NOTHING`, r.ID, nanos(r.From), nanos(r.To), r.Revision, nanos(r.Made), r.SHA256, data, int64(findingSum(r.ID, data)))
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n != 1 {
			return errors.Join(err, fmt.Errorf("%w: it is kept already", ErrOrder))
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("keep report %q: %w", r.ID, err)
	}
	return nil
}

// Reports lists the reports that are kept, the newest period and revision first, at
// most max. A row that is damaged is left out and logged.
func (l *Ledger) Reports(ctx context.Context, max int) ([]api.KeptReport, error) {
	var out []api.KeptReport
	err := l.read(ctx, func(tx *sql.Tx) error {
		return eachSaid(ctx, l, tx, "report", func(_ string, r api.KeptReport) { out = append(out, r) },
			`SELECT id, data, sum FROM report ORDER BY first DESC, last DESC, revision DESC LIMIT ?`, max)
	})
	if err != nil {
		return nil, fmt.Errorf("read reports: %w", err)
	}
	return out, nil
}
