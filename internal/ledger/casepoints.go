package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"vigil"
	"vigil/internal/series"
)

// countCase adds to the time series what a change makes of a case. It is called before
// the case is kept, in the same transaction: what is kept says what it was.
func (l *Ledger) countCase(ctx context.Context, tx *sql.Tx, c *vigil.Case) error {
	var was vigil.CaseState
	var acknowledged bool
	err := tx.QueryRowContext(ctx, `SELECT state, CASE WHEN json_valid(CAST(data AS TEXT))
		THEN json_extract(CAST(data AS TEXT), '$.acknowledged') IS NOT NULL ELSE 0 END FROM casefile WHERE id = ?`, c.ID).Scan(&was, &acknowledged)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		if err := l.addCase(ctx, tx, c, c.Opened, series.CasePoint{Opened: 1}); err != nil {
			return err
		}
	case err != nil:
		return err
	}
	if c.Acknowledged != nil && !acknowledged {
		// A clock that was put back made no one faster than at once.
		waited := max(c.Acknowledged.Time.Sub(c.Opened), 0)
		if err := l.addCase(ctx, tx, c, c.Acknowledged.Time, series.CasePoint{Acknowledged: 1, Waited: int64(waited / time.Second)}); err != nil {
			return err
		}
	}
	if c.State == vigil.CaseResolved && was != vigil.CaseResolved {
		return l.addCase(ctx, tx, c, l.now(), series.CasePoint{Resolved: 1})
	}
	return nil
}

func (l *Ledger) addCase(ctx context.Context, tx *sql.Tx, c *vigil.Case, at time.Time, p series.CasePoint) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO case_rollup (start, severity, about, opened, acknowledged, resolved, waited) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (start, severity, about) DO UPDATE SET opened = opened + excluded.opened, acknowledged = acknowledged + excluded.acknowledged,
			resolved = resolved + excluded.resolved, waited = waited + excluded.waited`,
		minute(at), string(c.Severity), string(c.About), p.Opened, p.Acknowledged, p.Resolved, p.Waited)
	if err != nil {
		return err
	}
	return l.noteDirty(ctx, tx, []series.Point{{Start: at}}, 0)
}

// CasePoints returns the counts of the windows that begin in [from, to), by time and
// then by key.
func (l *Ledger) CasePoints(ctx context.Context, from, to time.Time) ([]series.CasePoint, error) {
	var points []series.CasePoint
	err := l.read(ctx, func(tx *sql.Tx) (err error) {
		points, err = casePoints(ctx, tx, `WHERE c.start >= ? AND c.start < ?`, minute(from.Add(series.Window-1)), minute(to.Add(series.Window-1)))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read counts of cases: %w", err)
	}
	return points, nil
}

func casePoints(ctx context.Context, tx *sql.Tx, where string, args ...any) ([]series.CasePoint, error) {
	rows, err := tx.QueryContext(ctx, `SELECT c.start, c.severity, c.about, c.opened, c.acknowledged, c.resolved, c.waited FROM case_rollup c `+
		where+` ORDER BY c.start, c.severity, c.about`, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var points []series.CasePoint
	for rows.Next() {
		var p series.CasePoint
		var start int64
		if err := rows.Scan(&start, &p.Key.Severity, &p.Key.About, &p.Opened, &p.Acknowledged, &p.Resolved, &p.Waited); err != nil {
			return nil, err
		}
		p.Start = minuteTime(start)
		points = append(points, p)
	}
	return points, rows.Err()
}
