package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Declared counts the findings of a lane that were declared since two times.
type Declared struct {
	Lane string
	// Late counts those since the later of the two, All those since the earlier.
	Late, All int64
}

// Declared counts the findings that were declared before a time, by lane, since two times
// of which the second is the later one.
func (l *Ledger) Declared(ctx context.Context, since, late, until time.Time) (out []Declared, err error) {
	err = l.read(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT lane, sum(CASE WHEN start >= ?2 THEN opened ELSE 0 END), sum(opened) FROM finding_rollup
			WHERE start >= ?1 AND start < ?3 GROUP BY lane HAVING sum(opened) > 0 ORDER BY lane`, minute(since), minute(late), minute(until))
		if err != nil {
			return err
		}
		defer rows.Close()
		out = nil
		for rows.Next() {
			var d Declared
			if err := rows.Scan(&d.Lane, &d.Late, &d.All); err != nil {
				return err
			}
			out = append(out, d)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("count declared findings: %w", err)
	}
	return out, nil
}
