package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"vigil"
)

// Stats counts what the ledger holds and what became of what it was given.
type Stats struct {
	// Last is the newest entry, Applied the newest judged one, Cut the last one
	// that retention removed.
	Last, Applied, Cut uint64
	// Judged and Late count events as Apply was told; Pending are accepted and not
	// applied.
	Judged, Late, Pending int64
	// Quarantined counts all records set aside.
	Quarantined int64
	// Damaged counts entries and snapshots that could not be read back.
	Damaged int64
	// PrunedEvents are past their retention; DroppedWindows were never written to
	// the outside; DeadMessages were given up.
	PrunedEvents, DroppedWindows, DeadMessages int64
	// Waiting counts messages in the outbox, DirtyWindows windows on the spool.
	Waiting, DirtyWindows int64
	// Segments, and the Batches that are not sealed.
	Segments, Batches int64
	// Bytes is the size of everything; Free what is left on the disk.
	Bytes, Free int64
	// SnapshotSeq and SnapshotTime are of the newest snapshot.
	SnapshotSeq  uint64
	SnapshotTime time.Time
	Sources      []SourceStats
}

// SourceStats is one source's part.
type SourceStats struct {
	Name string
	// Events were fresh, Duplicates were offered again, Quarantined set aside.
	Events, Duplicates, Quarantined int64
	// LastEvent is the newest event time, LastAccepted when anything came in.
	LastEvent, LastAccepted time.Time
	// Reasons counts the quarantined by their code.
	Reasons map[string]int64
}

// Stats tells how the ledger stands.
func (l *Ledger) Stats(ctx context.Context) (Stats, error) {
	s := Stats{Last: l.last.Load(), Applied: l.applied.Load(), Pending: l.pending.total()}
	err := l.read(ctx, func(tx *sql.Tx) error {
		var snapSeq, snapTime sql.NullInt64
		counter := `coalesce((SELECT n FROM counter WHERE name = ?), 0)`
		err := tx.QueryRowContext(ctx, `SELECT (SELECT value FROM meta WHERE name = 'cut'), `+counter+`, `+counter+`, `+counter+`, `+counter+`, `+counter+`, `+counter+`,
			(SELECT coalesce(sum(n), 0) FROM quarantine_count), (SELECT count(*) FROM outbox WHERE dead = 0), (SELECT count(*) FROM (`+waitingWindows+`)),
			(SELECT count(*) FROM segment WHERE state = 'live'), (SELECT count(*) FROM entry INDEXED BY entry_unsealed WHERE segment = 0 AND events > 0),
			(SELECT max(seq) FROM snapshot), (SELECT time FROM snapshot ORDER BY seq DESC LIMIT 1)`,
			counterJudged, counterLate, counterDamaged, counterPruned, counterDropped, counterDead).
			Scan(&s.Cut, &s.Judged, &s.Late, &s.Damaged, &s.PrunedEvents, &s.DroppedWindows, &s.DeadMessages,
				&s.Quarantined, &s.Waiting, &s.DirtyWindows, &s.Segments, &s.Batches, &snapSeq, &snapTime)
		if err != nil {
			return err
		}
		s.SnapshotSeq, s.SnapshotTime = uint64(snapSeq.Int64), fromNanos(snapTime.Int64)
		s.Sources, err = sources(ctx, tx)
		return err
	})
	if err != nil {
		return Stats{}, fmt.Errorf("read counts: %w", err)
	}
	if s.Bytes, err = l.size(ctx); err != nil {
		return Stats{}, err
	}
	if s.Free, err = l.free(l.cfg.Dir); err != nil {
		return Stats{}, err
	}
	return s, nil
}

// JudgingLag is for how long the oldest entry that is not judged has waited, 0 when
// all are.
func (l *Ledger) JudgingLag(ctx context.Context) (time.Duration, error) {
	var at int64
	err := l.read(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT accepted FROM entry WHERE seq > (SELECT value FROM meta WHERE name = 'applied') ORDER BY seq LIMIT 1`).Scan(&at)
	})
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return 0, nil
	case err != nil:
		return 0, fmt.Errorf("read the oldest entry that waits: %w", err)
	}
	return max(l.now().Sub(fromNanos(at)), 0), nil
}

// CaseTally counts the cases in each state.
func (l *Ledger) CaseTally(ctx context.Context) (map[vigil.CaseState]int64, error) {
	out := map[vigil.CaseState]int64{}
	err := l.read(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT state, sum(n) FROM case_tally GROUP BY state`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var state vigil.CaseState
			var n int64
			if err := rows.Scan(&state, &n); err != nil {
				return err
			}
			out[state] = n
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("count cases: %w", err)
	}
	return out, nil
}

// LastAccepted is when the newest entry was made durable, zero for an empty log.
func (l *Ledger) LastAccepted(ctx context.Context) (time.Time, error) {
	var at sql.NullInt64
	err := l.read(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT accepted FROM entry WHERE seq = (SELECT max(seq) FROM entry)`).Scan(&at)
	})
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, fmt.Errorf("read the newest entry: %w", err)
	}
	return fromNanos(at.Int64), nil
}

func sources(ctx context.Context, tx *sql.Tx) ([]SourceStats, error) {
	rows, err := tx.QueryContext(ctx, `SELECT s.name, s.events, s.duplicates, s.last_event, s.last_accepted, coalesce(q.code, ''), coalesce(q.n, 0)
		FROM source s LEFT JOIN quarantine_count q ON q.source = s.name ORDER BY s.name, q.code`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []SourceStats
	for rows.Next() {
		var s SourceStats
		var event, accepted, n int64
		var code string
		if err := rows.Scan(&s.Name, &s.Events, &s.Duplicates, &event, &accepted, &code, &n); err != nil {
			return nil, err
		}
		if len(out) == 0 || out[len(out)-1].Name != s.Name {
			s.LastEvent, s.LastAccepted, s.Reasons = fromNanos(event), fromNanos(accepted), make(map[string]int64)
			out = append(out, s)
		}
		last := &out[len(out)-1]
		if n > 0 {
			last.Reasons[code] += n
			last.Quarantined += n
		}
	}
	return out, rows.Err()
}

// Quarantined returns the newest quarantined records, newest first, at most max
// of them.
func (l *Ledger) Quarantined(ctx context.Context, max int) ([]vigil.Quarantined, error) {
	var out []vigil.Quarantined
	err := l.read(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT source, file, line, offset, time, reason, code, size, hash FROM quarantine ORDER BY n DESC LIMIT ?`, max)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var q vigil.Quarantined
			var at, hash int64
			if err := rows.Scan(&q.Source, &q.File, &q.Line, &q.Offset, &at, &q.Reason, &q.Code, &q.Size, &hash); err != nil {
				return err
			}
			q.Time, q.Hash = fromNanos(at), uint64(hash)
			out = append(out, q)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("read quarantine: %w", err)
	}
	return out, nil
}
