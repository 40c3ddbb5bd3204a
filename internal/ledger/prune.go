package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"vigil"
)

// Pruned says what one call of Prune removed.
type Pruned struct {
	// Segments are gone, with Events in them.
	Segments int
	Events   int64
	// Findings that closed long ago are gone, and Points of time series.
	Findings, Points int64
	// Early counts the segments of these that had to go before their time, to
	// keep within MaxBytes.
	Early int
}

// The size of the database's unused part from which on it is given back to the
// disk, in pages, and how much at a time: sealing frees pages that the next
// batches use again, so only a lasting surplus is worth the writing.
const (
	vacuumFrom = 8192
	vacuumStep = 2048
)

// Prune removes what is past its retention: whole segments, counted from when
// they were taken in, and only such as are judged and older than the oldest
// snapshot that is kept, so that the log can always be judged again from there. Events
// in the time of a case that is not resolved stay for up to CaseHold longer.
// Closed findings and time series have retentions of their own. When more than
// MaxBytes is kept, the oldest segments go early. A crash on the way loses
// nothing else; the next start or Prune finishes it.
func (l *Ledger) Prune(ctx context.Context, now time.Time) (Pruned, error) {
	l.sealing.Lock()
	defer l.sealing.Unlock()
	p, err := l.prune(ctx, now)
	if err != nil {
		return p, fmt.Errorf("prune: %w", err)
	}
	if p.Early > 0 {
		l.log.Warn("events were let go before their retention ended: the store reached its size", "segments", p.Early)
	}
	return p, nil
}

func (l *Ledger) prune(ctx context.Context, now time.Time) (Pruned, error) {
	var p Pruned
	for {
		id, key, rows, size, early, err := l.prunable(ctx, now)
		if err != nil || id == 0 {
			if err != nil {
				return p, err
			}
			break
		}
		if err := l.doom(ctx, id, rows); err != nil {
			return p, err
		}
		l.segmentBytes.Add(-size)
		p.Segments++
		p.Events += rows
		if early {
			p.Early++
		}
		if err := l.forget(ctx, id, key); err != nil {
			l.log.Warn("a segment past its retention can't be deleted now", "segment", key, "error", err)
		}
	}
	err := l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		var err error
		if p.Findings, err = deleted(ctx, tx, `DELETE FROM finding WHERE state = 'closed' AND updated < ?`, now.Add(-l.cfg.FindingRetention).UnixNano()); err != nil {
			return err
		}
		if _, err = deleted(ctx, tx, `DELETE FROM verdict WHERE finding NOT IN (SELECT id FROM finding)`); err != nil {
			return err
		}
		if err := l.pruneCases(ctx, tx, now.Add(-l.cfg.FindingRetention)); err != nil {
			return err
		}
		until := minute(now.Add(-l.cfg.RollupRetention))
		if _, err = deleted(ctx, tx, `DELETE FROM dirty WHERE start < ?`, until); err != nil {
			return err
		}
		for _, query := range []string{
			`DELETE FROM finding_rollup WHERE start < ?`, `DELETE FROM case_rollup WHERE start < ?`, `DELETE FROM reading WHERE start < ?`,
		} {
			if _, err = deleted(ctx, tx, query, until); err != nil {
				return err
			}
		}
		p.Points, err = deleted(ctx, tx, `DELETE FROM rollup WHERE start < ?`, until)
		return err
	})
	if err != nil {
		return p, err
	}
	return p, l.vacuum(ctx)
}

// pruneCases removes the cases that are over for long, and what belongs to them: what was
// told and given up, the silences that ended. By the receipts of a case that is kept its
// cards are edited still.
func (l *Ledger) pruneCases(ctx context.Context, tx *sql.Tx, until time.Time) error {
	before := until.UnixNano()
	for _, q := range []struct {
		query string
		args  []any
	}{
		{`DELETE FROM casefile WHERE updated < ? AND open = 0 AND NOT EXISTS (
			SELECT 1 FROM case_finding c JOIN finding f ON f.id = c.finding WHERE c.casefile = casefile.id)`, []any{before}},
		{`DELETE FROM case_finding WHERE casefile NOT IN (SELECT id FROM casefile)`, nil},
		{`DELETE FROM case_event WHERE casefile NOT IN (SELECT id FROM casefile)`, nil},
		{`DELETE FROM notice WHERE casefile NOT IN (SELECT id FROM casefile)`, nil},
		{`DELETE FROM case_seen WHERE casefile <> '' AND casefile NOT IN (SELECT id FROM casefile)`, nil},
		{`DELETE FROM reveal WHERE casefile NOT IN (SELECT id FROM casefile)`, nil},
		{`DELETE FROM deed WHERE time < ?`, []any{before}},
		{`DELETE FROM outbox WHERE dead = 1 AND created < ?`, []any{before}},
		{`DELETE FROM receipt WHERE sent < ? AND thread NOT IN (SELECT 'case/' || id FROM casefile)`, []any{before}},
	} {
		if _, err := deleted(ctx, tx, q.query, q.args...); err != nil {
			return err
		}
	}
	return l.pruneSilences(ctx, tx, until)
}

func (l *Ledger) pruneSilences(ctx context.Context, tx *sql.Tx, until time.Time) error {
	all, err := l.silences(ctx, tx)
	if err != nil {
		return err
	}
	for i := range all {
		if s := &all[i]; s.To.Before(until) {
			if _, err := deleted(ctx, tx, `DELETE FROM silence WHERE id = ?`, s.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

func deleted(ctx context.Context, tx *sql.Tx, query string, args ...any) (int64, error) {
	res, err := tx.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// prunable returns the oldest segment when it may go, else id 0. Only the oldest
// part of the log can be cut: everything before and within the segment must be
// judged, sealed and covered by the oldest snapshot.
func (l *Ledger) prunable(ctx context.Context, now time.Time) (id int64, key string, rows, size int64, early bool, err error) {
	total, err := l.size(ctx)
	if err != nil {
		return 0, "", 0, 0, false, err
	}
	err = l.read(ctx, func(tx *sql.Tx) error {
		var lastSeq, accepted, first, last int64
		err := tx.QueryRowContext(ctx, `SELECT id, key, rows, size, last_seq, accepted, first, last FROM segment WHERE state = 'live' ORDER BY first_seq LIMIT 1`).
			Scan(&id, &key, &rows, &size, &lastSeq, &accepted, &first, &last)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		old := now.Sub(time.Unix(0, accepted)) >= l.cfg.Retention
		if age := now.Sub(time.Unix(0, accepted)); old && age < l.cfg.Retention+l.cfg.CaseHold {
			held, err := heldByCase(ctx, tx, first, last)
			if err != nil {
				return err
			}
			old = !held
		}
		early = !old && l.cfg.MaxBytes > 0 && total > l.cfg.MaxBytes/10*9
		var covered, unsealed sql.NullInt64
		if err := tx.QueryRowContext(ctx, `SELECT (SELECT min(seq) FROM snapshot),
			(SELECT min(seq) FROM entry WHERE segment = 0 AND events > 0 AND damaged = '')`).Scan(&covered, &unsealed); err != nil {
			return err
		}
		if !(old || early) || !covered.Valid || covered.Int64 < lastSeq || (unsealed.Valid && unsealed.Int64 < lastSeq) {
			id = 0
		}
		return nil
	})
	return id, key, rows, size, early, err
}

// heldByCase reports whether a case that is not resolved is about a time in which a
// segment has events: whoever works on it needs them.
func heldByCase(ctx context.Context, tx *sql.Tx, first, last int64) (held bool, err error) {
	err = tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM casefile WHERE state <> ? AND start <= ? AND last >= ?)`,
		string(vigil.CaseResolved), last, first).Scan(&held)
	return held, err
}

// doom cuts the log after the segment and gives the segment up. The file goes
// afterwards: a file that nobody knows is harmless, a row without one is not.
func (l *Ledger) doom(ctx context.Context, id, rows int64) error {
	return l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		var last int64
		if err := tx.QueryRowContext(ctx, `UPDATE segment SET state = ? WHERE id = ? RETURNING last_seq`, segmentDoomed, id).Scan(&last); err != nil {
			return err
		}
		for _, query := range []string{
			`DELETE FROM entry WHERE seq <= ?`, `DELETE FROM body WHERE seq <= ?`, `DELETE FROM seen WHERE seq <= ?`,
			`UPDATE meta SET value = ? WHERE name = 'cut'`,
		} {
			if _, err := tx.ExecContext(ctx, query, last); err != nil {
				return err
			}
		}
		return count(ctx, tx, counterPruned, rows)
	})
}

// vacuum gives unused pages back, some at a time.
func (l *Ledger) vacuum(ctx context.Context) error {
	for ctx.Err() == nil {
		var free, total int64
		if err := l.w.QueryRowContext(ctx, `SELECT (SELECT freelist_count FROM pragma_freelist_count), (SELECT page_count FROM pragma_page_count)`).Scan(&free, &total); err != nil {
			return fmt.Errorf("ask for unused pages: %w", err)
		}
		if free < vacuumFrom || free < total/4 {
			return nil
		}
		if _, err := l.w.ExecContext(ctx, fmt.Sprintf(`PRAGMA incremental_vacuum(%d)`, vacuumStep)); err != nil {
			return fmt.Errorf("give unused pages back: %w", l.classify(err))
		}
	}
	return ctx.Err()
}
