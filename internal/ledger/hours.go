package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// HourlyEvents counts each source's events in hours that begin at the given times, in the
// same order. begin is when the oldest count that is kept lies, zero when there is none.
func (l *Ledger) HourlyEvents(ctx context.Context, hours []time.Time) (counts map[string][]int64, begin time.Time, err error) {
	counts = map[string][]int64{}
	err = l.read(ctx, func(tx *sql.Tx) error {
		var first sql.NullInt64
		if err := tx.QueryRowContext(ctx, `SELECT min(start) FROM rollup`).Scan(&first); err != nil {
			return err
		}
		if first.Valid {
			begin = minuteTime(first.Int64)
		}
		for i, hour := range hours {
			if err := hourOf(ctx, tx, hour, func(source string, n int64) {
				if counts[source] == nil {
					counts[source] = make([]int64, len(hours))
				}
				counts[source][i] = n
			}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("count events by hour: %w", err)
	}
	return counts, begin, nil
}

func hourOf(ctx context.Context, tx *sql.Tx, hour time.Time, use func(source string, n int64)) error {
	rows, err := tx.QueryContext(ctx, `SELECT k.source, sum(r.events) FROM rollup r JOIN series_key k ON k.id = r.key
		WHERE r.start >= ? AND r.start < ? GROUP BY k.source`, minute(hour), minute(hour.Add(time.Hour)))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var source string
		var n int64
		if err := rows.Scan(&source, &n); err != nil {
			return err
		}
		use(source, n)
	}
	return rows.Err()
}
