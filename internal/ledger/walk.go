package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"vigil"
)

// DailyEvents counts each source's events by the days (24 hours from from on) of
// [from, to), at most 1,000 of them. begin is the oldest count that is kept, zero for
// none.
func (l *Ledger) DailyEvents(ctx context.Context, from, to time.Time) (counts map[string][]int64, begin time.Time, err error) {
	days := int((to.Sub(from) + 24*time.Hour - 1) / (24 * time.Hour))
	if days < 1 || days > 1_000 {
		return nil, begin, fmt.Errorf("count events by day: %d days are asked for, 1 to 1,000 can be told", days)
	}
	counts = map[string][]int64{}
	err = l.read(ctx, func(tx *sql.Tx) error {
		var first sql.NullInt64
		if err := tx.QueryRowContext(ctx, `SELECT min(start) FROM rollup`).Scan(&first); err != nil {
			return err
		}
		if first.Valid {
			begin = minuteTime(first.Int64)
		}
		rows, err := tx.QueryContext(ctx, `SELECT k.source, (r.start - ?1) / 1440, sum(r.events) FROM rollup r JOIN series_key k ON k.id = r.key
			WHERE r.start >= ?1 AND r.start < ?2 GROUP BY 1, 2`, minute(from), minute(to))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var source string
			var day int
			var n int64
			if err := rows.Scan(&source, &day, &n); err != nil {
				return err
			}
			if counts[source] == nil {
				counts[source] = make([]int64, days)
			}
			counts[source][min(max(day, 0), days-1)] += n
		}
		return rows.Err()
	})
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("count events by day: %w", err)
	}
	return counts, begin, nil
}

// EachFinding visits the newest revision of every finding that was declared in
// [from, to), in the order of that, with the word about it. Damaged ones are counted
// and left out.
func (l *Ledger) EachFinding(ctx context.Context, from, to time.Time, visit func(*vigil.Finding)) (damaged int, err error) {
	err = l.read(ctx, func(tx *sql.Tx) error {
		damaged, err = l.eachFinding(ctx, tx, visit, `SELECT `+findingColumns+` FROM finding f LEFT JOIN verdict v ON v.finding = f.id
			WHERE f.detected >= ? AND f.detected < ? ORDER BY f.detected, f.id`, nanos(from), nanos(to))
		return err
	})
	if err != nil {
		return damaged, fmt.Errorf("read findings: %w", err)
	}
	return damaged, nil
}

// EachControl visits the control records after an entry, in order; those of the whole
// log that is left for zero. Damaged ones are left out and logged.
func (l *Ledger) EachControl(ctx context.Context, after uint64, visit func(accepted time.Time, c vigil.Control) error) error {
	err := l.read(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT `+metaColumns+`, b.data FROM entry e JOIN body b ON b.seq = e.seq
			WHERE e.kind = ? AND e.seq > ? AND e.damaged = '' ORDER BY e.seq`, string(vigil.EntryControl), int64(after))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var m meta
			var body sql.RawBytes
			if err := rows.Scan(append(m.targets(), &body)...); err != nil {
				return err
			}
			c, err := decodeControl(body)
			if sum := m.check(body); sum != nil || err != nil {
				l.log.Error("a control record is damaged and left out", "seq", m.seq, "error", errors.Join(sum, err))
				continue
			}
			if err := visit(fromNanos(m.accepted), c); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	if err != nil {
		return fmt.Errorf("read control records: %w", err)
	}
	return nil
}

// SnapshotParts returns the parts of the newest snapshot whose names begin with one of
// the prefixes, and up to which entry the log is in it; zero without a snapshot. A
// damaged snapshot is the error: see LoadSnapshot for what is older.
func (l *Ledger) SnapshotParts(ctx context.Context, prefixes ...string) (seq uint64, parts []SnapshotPart, err error) {
	l.saving.Lock() // or a part could be replaced meanwhile
	defer l.saving.Unlock()
	manifests, err := l.manifests(ctx)
	if err != nil || len(manifests) == 0 {
		return 0, nil, err
	}
	m := manifests[0]
	if m.err != nil {
		return 0, nil, m.err
	}
	few := manifestRow{seq: m.seq, parts: map[string]version{}}
	for name, v := range m.parts {
		for _, p := range prefixes {
			if strings.HasPrefix(name, p) {
				few.parts[name] = v
			}
		}
	}
	s, err := l.loadParts(ctx, few)
	return m.seq, s.Parts, err
}
