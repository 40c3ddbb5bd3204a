package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"vigil/internal/api"
)

// KeepReveal makes a reveal durable, with its audit record, in one transaction. was is the
// revision that it was changed from, 0 for a new one. The error wraps ErrStale when it is at
// another one: of many who change it at once one only succeeds.
func (l *Ledger) KeepReveal(ctx context.Context, r api.Reveal, was int, audit AuditRecord) error {
	data, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("keep reveal %q: %w", r.ID, err)
	}
	err = l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		var have int
		err := tx.QueryRowContext(ctx, `SELECT revision FROM reveal WHERE id = ?`, r.ID).Scan(&have)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if have != was {
			return ErrStale
		}
		if _, err := l.audit(ctx, tx, audit); err != nil {
			return fmt.Errorf("write audit record: %w", err)
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO reveal (id, casefile, revision, asked, data, sum) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (id) DO UPDATE SET revision = excluded.revision, data = excluded.data, sum = excluded.sum`,
			r.ID, r.Case, r.Revision, nanos(r.Asked), data, int64(findingSum(r.ID, data)))
		return err
	})
	if err != nil {
		return fmt.Errorf("keep reveal %q: %w", r.ID, err)
	}
	return nil
}

// Reveal returns one reveal. The error wraps api.ErrNotFound.
func (l *Ledger) Reveal(ctx context.Context, id string) (r api.Reveal, err error) {
	all, err := l.reveals(ctx, `WHERE id = ?`, id)
	if err != nil {
		return r, err
	}
	if len(all) == 0 {
		return r, fmt.Errorf("reveal %q: %w", id, api.ErrNotFound)
	}
	return all[0], nil
}

// RevealsOf lists the reveals of a case, the newest first, at most max.
func (l *Ledger) RevealsOf(ctx context.Context, casefile string, max int) ([]api.Reveal, error) {
	return l.reveals(ctx, `WHERE casefile = ? ORDER BY asked DESC, id LIMIT ?`, casefile, max)
}

// RevealsSince lists the reveals that were asked for since a time, the newest first, at
// most max.
func (l *Ledger) RevealsSince(ctx context.Context, since time.Time, max int) ([]api.Reveal, error) {
	return l.reveals(ctx, `WHERE asked >= ? ORDER BY asked DESC, id LIMIT ?`, nanos(since), max)
}

func (l *Ledger) reveals(ctx context.Context, where string, args ...any) (out []api.Reveal, err error) {
	err = l.read(ctx, func(tx *sql.Tx) error {
		return eachSaid(ctx, l, tx, "reveal", func(_ string, r api.Reveal) { out = append(out, r) },
			`SELECT id, data, sum FROM reveal `+where, args...)
	})
	if err != nil {
		return nil, fmt.Errorf("read reveals: %w", err)
	}
	return out, nil
}
