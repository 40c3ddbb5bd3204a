package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"vigil/internal/series"
)

// minute numbers the windows of time series: minutes since 1970.
func minute(t time.Time) int64 { return t.Unix() / int64(series.Window/time.Second) }

func minuteTime(n int64) time.Time { return time.Unix(n*int64(series.Window/time.Second), 0).UTC() }

// nanos is a time as it is kept, 0 for the zero time.
func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func fromNanos(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}

func (l *Ledger) loadKeys(ctx context.Context) error {
	err := l.read(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT id, source, store, action, actor_kind, role, tenant FROM series_key`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id int64
			var k series.Key
			if err := rows.Scan(&id, &k.Source, &k.Store, &k.Action, &k.ActorKind, &k.Role, &k.Tenant); err != nil {
				return err
			}
			l.keys[k] = id
		}
		return rows.Err()
	})
	if err != nil {
		return fmt.Errorf("read the series' keys: %w", err)
	}
	return nil
}

// SeriesKeys returns the keys of all series that were ever kept, in a fixed
// order: from them the bounds of tag values are restored at a start.
func (l *Ledger) SeriesKeys() []series.Key {
	l.keysMu.Lock()
	defer l.keysMu.Unlock()
	keys := make([]series.Key, 0, len(l.keys))
	for k := range l.keys {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, series.Key.Compare)
	return keys
}

const pointColumns = `r.start, r.events, r.rows, r.bytes, r.subjects, r.denied, k.source, k.store, k.action, k.actor_kind, k.role, k.tenant`

func scanPoint(rows *sql.Rows) (series.Point, error) {
	var p series.Point
	var start int64
	err := rows.Scan(&start, &p.Events, &p.Rows, &p.Bytes, &p.Subjects, &p.Denied,
		&p.Key.Source, &p.Key.Store, &p.Key.Action, &p.Key.ActorKind, &p.Key.Role, &p.Key.Tenant)
	p.Start = minuteTime(start)
	return p, err
}

// Points returns the totals of the windows that begin in [from, to), by time and
// then by key, at most max of them (zero: 100,000).
func (l *Ledger) Points(ctx context.Context, from, to time.Time, max int) ([]series.Point, error) {
	if max <= 0 {
		max = 100_000
	}
	var points []series.Point
	err := l.read(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT `+pointColumns+` FROM rollup r JOIN series_key k ON k.id = r.key
			WHERE r.start >= ? AND r.start < ? ORDER BY r.start, r.key LIMIT ?`, minute(from.Add(series.Window-1)), minute(to.Add(series.Window-1)), max)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			p, err := scanPoint(rows)
			if err != nil {
				return err
			}
			points = append(points, p)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("read time series: %w", err)
	}
	slices.SortStableFunc(points, func(a, b series.Point) int {
		if c := a.Start.Compare(b.Start); c != 0 {
			return c
		}
		return a.Key.Compare(b.Key)
	})
	return points, nil
}

// written is the token of one call of DirtyPoints: the windows and the version
// that each had, and the numbers of readings.
type written struct {
	windows  []dirtyWindow
	readings []int64
}

type dirtyWindow struct{ start, version int64 }

var _ series.Spool = (*Ledger)(nil)

// DirtyPoints implements series.Spool.
func (l *Ledger) DirtyPoints(ctx context.Context, max int) (series.Dirty, error) {
	var d series.Dirty
	err := l.read(ctx, func(tx *sql.Tx) error {
		var token written
		var err error
		if d.Readings, token.readings, err = readings(ctx, tx, max); err != nil {
			return err
		}
		token.windows, err = dirtyWindows(ctx, tx, max)
		d.Token = token
		if err != nil || len(token.windows) == 0 {
			return err
		}
		last := token.windows[len(token.windows)-1].start
		rows, err := tx.QueryContext(ctx, `SELECT `+pointColumns+` FROM dirty d JOIN rollup r ON r.start = d.start
			JOIN series_key k ON k.id = r.key WHERE d.start <= ? ORDER BY r.start, r.key`, last)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			p, err := scanPoint(rows)
			if err != nil {
				return err
			}
			d.Points = append(d.Points, p)
		}
		if err := rows.Err(); err != nil {
			return err
		}
		if d.Findings, err = findingPoints(ctx, tx, `JOIN dirty d ON d.start = f.start WHERE f.start <= ?`, last); err != nil {
			return err
		}
		d.Cases, err = casePoints(ctx, tx, `JOIN dirty d ON d.start = c.start WHERE c.start <= ?`, last)
		return err
	})
	if err != nil {
		return series.Dirty{}, fmt.Errorf("read points that wait: %w", err)
	}
	return d, nil
}

// dirtyWindows are the oldest windows that wait, at least one, with about max points.
func dirtyWindows(ctx context.Context, tx *sql.Tx, max int) ([]dirtyWindow, error) {
	rows, err := tx.QueryContext(ctx, `SELECT start, version, (SELECT count(*) FROM rollup r WHERE r.start = d.start) +
		(SELECT count(*) FROM finding_rollup f WHERE f.start = d.start) +
		(SELECT count(*) FROM case_rollup c WHERE c.start = d.start) FROM dirty d ORDER BY start LIMIT ?`, max)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var windows []dirtyWindow
	for points := 0; points < max && rows.Next(); {
		var w dirtyWindow
		var n int
		if err := rows.Scan(&w.start, &w.version, &n); err != nil {
			return nil, err
		}
		windows = append(windows, w)
		points += n
	}
	return windows, rows.Err()
}

// MarkWritten implements series.Spool.
func (l *Ledger) MarkWritten(ctx context.Context, token series.Token) error {
	done, ok := token.(written)
	if !ok {
		return fmt.Errorf("mark points as written: a token of type %T", token)
	}
	err := l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		stmt, err := tx.PrepareContext(ctx, `DELETE FROM dirty WHERE start = ? AND version = ?`)
		if err != nil {
			return err
		}
		defer stmt.Close()
		for _, w := range done.windows {
			if _, err := stmt.ExecContext(ctx, w.start, w.version); err != nil {
				return err
			}
		}
		for _, n := range done.readings {
			if _, err := tx.ExecContext(ctx, `DELETE FROM reading WHERE n = ?`, n); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("mark points as written: %w", err)
	}
	return nil
}

// waitingWindows are the minutes of which something waits to be written.
const waitingWindows = `SELECT start FROM dirty UNION SELECT start FROM reading`

// DropDirty implements series.Spool.
func (l *Ledger) DropDirty(ctx context.Context, keep int) (int64, error) {
	var waiting int64
	if err := l.read(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT count(*) FROM (`+waitingWindows+`)`).Scan(&waiting)
	}); err != nil {
		return 0, fmt.Errorf("count windows that wait: %w", err)
	}
	if waiting <= int64(keep) {
		return 0, nil
	}
	var dropped int64
	err := l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		var last int64
		if err := tx.QueryRowContext(ctx, waitingWindows+` ORDER BY start LIMIT 1 OFFSET ?`, waiting-int64(keep)-1).Scan(&last); err != nil {
			return err
		}
		for _, query := range []string{`DELETE FROM dirty WHERE start <= ?`, `DELETE FROM reading WHERE start <= ?`} {
			if _, err := tx.ExecContext(ctx, query, last); err != nil {
				return err
			}
		}
		dropped = waiting - int64(keep)
		return count(ctx, tx, counterDropped, dropped)
	})
	if err != nil {
		return 0, fmt.Errorf("drop windows that wait: %w", err)
	}
	return dropped, nil
}

// WaitDirty implements series.Spool.
func (l *Ledger) WaitDirty(ctx context.Context) error {
	return l.until(ctx, l.dirty, func() (bool, error) {
		var one int
		err := l.read(ctx, func(tx *sql.Tx) error {
			return tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM dirty) + EXISTS (SELECT 1 FROM reading)`).Scan(&one)
		})
		return one > 0, err
	})
}
