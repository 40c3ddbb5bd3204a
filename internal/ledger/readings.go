package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"vigil/internal/series"
)

// Note keeps what the program says of itself until it is written to the outside, one
// reading a minute and source: a later one replaces it. It keeps nothing when there is no
// outside to write to.
func (l *Ledger) Note(ctx context.Context, readings []series.Reading) error {
	if !l.cfg.Spool || len(readings) == 0 {
		return nil
	}
	err := l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for i := range readings {
			r := &readings[i]
			data, err := json.Marshal(r.Values)
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO reading (start, source, data) VALUES (?, ?, ?)`, minute(r.Start), r.Source, data); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("keep readings: %w", err)
	}
	l.dirty.broadcast()
	return nil
}

// readings returns the oldest that wait, at most max of them, and their numbers.
func readings(ctx context.Context, tx *sql.Tx, max int) (out []series.Reading, numbers []int64, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT n, start, source, data FROM reading ORDER BY start, source LIMIT ?`, max)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var n, start int64
		var r series.Reading
		var data []byte
		if err := rows.Scan(&n, &start, &r.Source, &data); err != nil {
			return nil, nil, err
		}
		// One that the disk has spoilt tells nothing, and must not hold the others back.
		if err := json.Unmarshal(data, &r.Values); err != nil {
			r.Values = nil
		}
		r.Start = minuteTime(start)
		out, numbers = append(out, r), append(numbers, n)
	}
	return out, numbers, rows.Err()
}
