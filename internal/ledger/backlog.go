package ledger

import (
	"context"
	"database/sql"
	"sync"
)

// backlog counts the events that are accepted and not applied yet, by source, so that a
// source which floods waits for itself and not the others for it.
type backlog struct {
	mu    sync.Mutex // guards all below
	all   int64
	bySrc map[string]int64
}

// ownShare is the part of MaxPending that one source may fill alone.
const ownShare = 2

func (b *backlog) add(source string, n int64) {
	if n == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all += n
	if b.bySrc == nil {
		b.bySrc = map[string]int64{}
	}
	if b.bySrc[source] += n; b.bySrc[source] <= 0 {
		delete(b.bySrc, source)
	}
}

func (b *backlog) total() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all
}

// room reports whether a source may add to it. A source that has nothing waiting may
// always, as long as there is room at all.
func (b *backlog) room(source string, most int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all <= most && b.bySrc[source] <= most/ownShare
}

// waiting counts the entries' events from one entry to another, by source.
func waiting(ctx context.Context, q interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}, from, to int64,
) (map[string]int64, error) {
	rows, err := q.QueryContext(ctx, `SELECT source, sum(events) FROM entry WHERE seq BETWEEN ? AND ? AND events > 0 GROUP BY source`, from, to)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[string]int64{}
	for rows.Next() {
		var source string
		var n int64
		if err := rows.Scan(&source, &n); err != nil {
			return nil, err
		}
		out[source] = n
	}
	return out, rows.Err()
}
