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

// countFinding adds a finding's opening or closing to the time series. It is called
// before the finding is kept, in the same transaction: what is kept says whether
// this revision opens or closes it.
func (l *Ledger) countFinding(ctx context.Context, tx *sql.Tx, f *vigil.Finding, version int64) error {
	var revision int
	var state string
	switch err := tx.QueryRowContext(ctx, `SELECT revision, state FROM finding WHERE id = ?`, f.ID).Scan(&revision, &state); {
	case errors.Is(err, sql.ErrNoRows):
		if err := l.addFinding(ctx, tx, f, f.Detected, 1, 0, version); err != nil {
			return err
		}
		state = string(vigil.StateOpen)
	case err != nil:
		return err
	case f.Revision < revision:
		return nil // older than what is kept
	case state == string(vigil.StateClosed) && f.State == vigil.StateOpen:
		return l.addFinding(ctx, tx, f, f.End, 1, 0, version)
	}
	if f.State == vigil.StateClosed && state != string(vigil.StateClosed) {
		return l.addFinding(ctx, tx, f, f.End, 0, 1, version)
	}
	return nil
}

func (l *Ledger) addFinding(ctx context.Context, tx *sql.Tx, f *vigil.Finding, at time.Time, opened, closed int, version int64) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO finding_rollup (start, severity, lane, about, actor_kind, opened, closed) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (start, severity, lane, about, actor_kind) DO UPDATE SET opened = opened + excluded.opened, closed = closed + excluded.closed`,
		minute(at), string(f.Severity), f.Lane, string(f.About), string(f.ActorKind), opened, closed)
	if err != nil {
		return err
	}
	return l.noteDirty(ctx, tx, []series.Point{{Start: at}}, version)
}

// FindingPoints returns the counts of the windows that begin in [from, to), by time
// and then by key.
func (l *Ledger) FindingPoints(ctx context.Context, from, to time.Time) ([]series.FindingPoint, error) {
	var points []series.FindingPoint
	err := l.read(ctx, func(tx *sql.Tx) (err error) {
		points, err = findingPoints(ctx, tx, `WHERE f.start >= ? AND f.start < ?`, minute(from.Add(series.Window-1)), minute(to.Add(series.Window-1)))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read counts of findings: %w", err)
	}
	return points, nil
}

func findingPoints(ctx context.Context, tx *sql.Tx, where string, args ...any) ([]series.FindingPoint, error) {
	rows, err := tx.QueryContext(ctx, `SELECT f.start, f.severity, f.lane, f.about, f.actor_kind, f.opened, f.closed FROM finding_rollup f `+
		where+` ORDER BY f.start, f.severity, f.lane, f.about, f.actor_kind`, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var points []series.FindingPoint
	for rows.Next() {
		var p series.FindingPoint
		var start int64
		if err := rows.Scan(&start, &p.Key.Severity, &p.Key.Lane, &p.Key.About, &p.Key.ActorKind, &p.Opened, &p.Closed); err != nil {
			return nil, err
		}
		p.Start = minuteTime(start)
		points = append(points, p)
	}
	return points, rows.Err()
}
