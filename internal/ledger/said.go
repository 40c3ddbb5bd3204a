package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"strconv"
)

// readSaid reads what somebody said out of its row.
func readSaid(what, id string, data []byte, sum int64, into any) error {
	if int64(findingSum(id, data)) != sum {
		return &CorruptError{What: what, Name: strconv.Quote(id), Err: errChecksum}
	}
	if err := json.Unmarshal(data, into); err != nil {
		return &CorruptError{What: what, Name: strconv.Quote(id), Err: err}
	}
	return nil
}

// eachSaid gives what rows of an id, data and its checksum say, in their order. what names
// it. A damaged row is left out and logged.
func eachSaid[T any](ctx context.Context, l *Ledger, tx *sql.Tx, what string, use func(id string, x T), query string, args ...any) error {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var data []byte
		var sum int64
		if err := rows.Scan(&id, &data, &sum); err != nil {
			return err
		}
		var x T
		if err := readSaid(what, id, data, sum, &x); err != nil {
			l.log.Error("a row is damaged and left out", "of", what, "error", err)
			continue
		}
		use(id, x)
	}
	return rows.Err()
}
