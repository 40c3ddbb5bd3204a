package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"vigil"
)

// Unrate forgets how likely all findings are: what told it has changed.
func (l *Ledger) Unrate(ctx context.Context) error {
	err := l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE finding SET likely = NULL WHERE likely IS NOT NULL`)
		return err
	})
	if err != nil {
		return fmt.Errorf("forget how likely findings are: %w", err)
	}
	return nil
}

// Unrated returns findings of which it is not known how likely they are, at most max,
// in the order of their ids after the given one. Damaged ones are left out.
func (l *Ledger) Unrated(ctx context.Context, after string, max int) ([]vigil.Finding, error) {
	var out []vigil.Finding
	err := l.read(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT `+findingColumns+` FROM finding f LEFT JOIN verdict v ON v.finding = f.id
			WHERE f.likely IS NULL AND f.id > ? ORDER BY f.id LIMIT ?`, after, max)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			f, err := scanFinding(rows.Scan)
			var damage *CorruptError
			if errors.As(err, &damage) {
				continue // logged where it is listed
			}
			if err != nil {
				return err
			}
			out = append(out, f)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("read findings: %w", err)
	}
	return out, nil
}

// Rated is how likely a breach a revision of a finding is, 0 to 1.
type Rated struct {
	ID       string
	Revision int
	Likely   float64
}

// Rate notes how likely findings are, and orders the cases that they lead by it. A
// finding that has grown meanwhile stays unrated.
func (l *Ledger) Rate(ctx context.Context, all []Rated) error {
	err := l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for _, r := range all {
			res, err := tx.ExecContext(ctx, `UPDATE finding SET likely = ? WHERE id = ? AND revision = ?`, r.Likely, r.ID, r.Revision)
			if err != nil {
				return err
			}
			switch n, err := res.RowsAffected(); {
			case err != nil:
				return err
			case n == 0:
				continue
			}
			if _, err := tx.ExecContext(ctx, `UPDATE casefile SET expected = harm * ? WHERE lead = ?`, r.Likely, r.ID); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("note how likely findings are: %w", err)
	}
	return nil
}
