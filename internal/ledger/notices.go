package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"vigil"
)

// putNotice adds a revision of a notification. ErrStale says that it is not the next one.
func (l *Ledger) putNotice(ctx context.Context, tx *sql.Tx, n *vigil.Notice) error {
	var have int
	if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(revision), 0) FROM notice WHERE casefile = ?`, n.Case).Scan(&have); err != nil {
		return err
	}
	if n.Revision != have+1 {
		return ErrStale
	}
	data, err := json.Marshal(n)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO notice (casefile, revision, data, sum) VALUES (?, ?, ?, ?)`,
		n.Case, n.Revision, data, int64(findingSum(n.Case, data)))
	return err
}

// Notice returns the newest revision of a case's notification: the zero revision, with
// nothing written, where there is none. A damaged one is the error.
func (l *Ledger) Notice(ctx context.Context, id string) (vigil.Notice, error) {
	n := vigil.Notice{Case: id}
	err := l.read(ctx, func(tx *sql.Tx) error {
		return scanNotice(id, tx.QueryRowContext(ctx, `SELECT data, sum FROM notice WHERE casefile = ? ORDER BY revision DESC LIMIT 1`, id).Scan, &n)
	})
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return vigil.Notice{Case: id}, fmt.Errorf("read notification of case %q: %w", id, err)
	}
	return n, nil
}

// Notices visits every revision of a case's notification, the first one first.
func (l *Ledger) Notices(ctx context.Context, id string, visit func(*vigil.Notice) error) error {
	err := l.read(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT data, sum FROM notice WHERE casefile = ? ORDER BY revision`, id)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var n vigil.Notice
			if err := scanNotice(id, rows.Scan, &n); err != nil {
				return err
			}
			if err := visit(&n); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	if err != nil {
		return fmt.Errorf("read notifications of case %q: %w", id, err)
	}
	return nil
}

func scanNotice(id string, scan func(...any) error, n *vigil.Notice) error {
	var data []byte
	var sum int64
	if err := scan(&data, &sum); err != nil {
		return err
	}
	return readSaid("notification", id, data, sum, n)
}
