package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"vigil/internal/api"
)

const (
	// onceKept is for how long what came of a write is kept.
	onceKept = 24 * time.Hour
	// maxOnce bounds how many are kept: the oldest go first.
	maxOnce = 2_000
)

// Answered implements api.Once. A damaged one is as none: the write is tried again, and the
// deed itself knows whether it was done.
func (l *Ledger) Answered(ctx context.Context, key string) (d api.DoneOnce, ok bool, err error) {
	var sum int64
	err = l.read(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT print, revision, answer, sum FROM done_once WHERE key = ? AND time >= ?`,
			key, l.now().Add(-onceKept).UnixNano()).Scan(&d.Print, &d.Revision, &d.Answer, &sum)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return d, false, nil
	}
	if err != nil {
		return d, false, fmt.Errorf("read what was done once: %w", err)
	}
	return d, int64(findingSum(key+d.Print, d.Answer)) == sum, nil
}

// KeepAnswer implements api.Once.
func (l *Ledger) KeepAnswer(ctx context.Context, key string, d api.DoneOnce) error {
	err := l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		now := l.now()
		_, err := tx.ExecContext(ctx, `INSERT INTO done_once (key, time, print, revision, answer, sum) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (key) DO UPDATE SET time = excluded.time, print = excluded.print, revision = excluded.revision, answer = excluded.answer, sum = excluded.sum`,
			key, now.UnixNano(), d.Print, d.Revision, notNil(d.Answer), int64(findingSum(key+d.Print, d.Answer)))
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM done_once WHERE time < ?1
			OR time < (SELECT time FROM done_once ORDER BY time DESC LIMIT 1 OFFSET ?2)`, now.Add(-onceKept).UnixNano(), maxOnce-1)
		return err
	})
	if err != nil {
		return fmt.Errorf("keep what was done once: %w", err)
	}
	return nil
}

var _ api.Once = (*Ledger)(nil)
