package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/maphash"

	"vigil"
	"vigil/internal/evidence/columnar"
)

// window remembers the hashes of the ids that came last: between size and twice
// size of them. The hash is keyed anew in each process, so nobody outside can
// make an id that collides with another's.
type window struct {
	seed          maphash.Seed
	size          int
	young, oldest map[uint64]struct{}
}

func newWindow(size int) *window {
	return &window{seed: maphash.MakeSeed(), size: size, young: make(map[uint64]struct{}), oldest: make(map[uint64]struct{})}
}

func (w *window) eventHash(e *vigil.Event) uint64 { return w.hash('e', e.Source, e.ID, 0, 0) }

func (w *window) quarantineHash(q vigil.Quarantined) uint64 {
	return w.hash('q', q.Source, q.File, uint64(q.Offset)^uint64(q.Line)<<40, q.Hash)
}

func (w *window) hash(kind byte, source, id string, a, b uint64) uint64 {
	var h maphash.Hash
	h.SetSeed(w.seed)
	_ = h.WriteByte(kind) // never fails
	maphash.WriteComparable(&h, len(source))
	_, _ = h.WriteString(source) // as above
	_, _ = h.WriteString(id)     // as above
	if a != 0 || b != 0 {
		maphash.WriteComparable(&h, [2]uint64{a, b})
	}
	return h.Sum64()
}

func (w *window) has(h uint64) bool {
	if _, ok := w.young[h]; ok {
		return true
	}
	_, ok := w.oldest[h]
	return ok
}

func (w *window) add(h uint64) {
	if len(w.young) >= w.size {
		w.oldest, w.young = w.young, make(map[uint64]struct{}, w.size)
	}
	w.young[h] = struct{}{}
}

// loadWindow reads the newest ids back, the sealed ones first.
func (l *Ledger) loadWindow(ctx context.Context) error {
	w := newWindow(l.cfg.Window)
	err := l.read(ctx, func(tx *sql.Tx) error {
		from, err := rememberedFrom(ctx, tx, int64(l.cfg.Window))
		if err != nil {
			return err
		}
		if err := l.loadIDs(ctx, tx, w, `SELECT seq, data FROM seen WHERE seq >= ? ORDER BY seq`, from); err != nil {
			return err
		}
		if err := l.loadIDs(ctx, tx, w, `SELECT e.seq, b.data FROM entry e JOIN body b ON b.seq = e.seq
			WHERE e.segment = 0 AND e.events > 0 ORDER BY e.seq`); err != nil {
			return err
		}
		return l.loadQuarantineWindow(ctx, tx, w)
	})
	if err != nil {
		return fmt.Errorf("read back the newest ids: %w", err)
	}
	l.window = w
	return nil
}

func (l *Ledger) loadIDs(ctx context.Context, tx *sql.Tx, w *window, query string, args ...any) error {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var seq int64
		var data sql.RawBytes
		if err := rows.Scan(&seq, &data); err != nil {
			return err
		}
		events, err := l.codec.Decode(data, columnar.Identity)
		if errors.Is(err, columnar.ErrCorrupt) {
			// The applier meets the damage too, and says so. Here it only means that
			// a repeat of these very events would not be recognised.
			l.log.Warn("ids of a damaged batch are not remembered", "seq", seq, "error", err)
			continue
		}
		if err != nil {
			return err
		}
		for _, e := range events {
			w.add(w.eventHash(e))
		}
	}
	return rows.Err()
}

// rememberedFrom finds the row of seen from which on n ids stand.
func rememberedFrom(ctx context.Context, tx *sql.Tx, n int64) (int64, error) {
	rows, err := tx.QueryContext(ctx, `SELECT seq, events FROM seen ORDER BY seq DESC`)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	from := int64(0)
	for rows.Next() && n > 0 {
		var events int64
		if err := rows.Scan(&from, &events); err != nil {
			return 0, err
		}
		n -= events
	}
	return from, rows.Err()
}

func (l *Ledger) loadQuarantineWindow(ctx context.Context, tx *sql.Tx, w *window) error {
	rows, err := tx.QueryContext(ctx, `SELECT source, file, line, offset, hash FROM quarantine ORDER BY n`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var q vigil.Quarantined
		var hash int64
		if err := rows.Scan(&q.Source, &q.File, &q.Line, &q.Offset, &hash); err != nil {
			return err
		}
		q.Hash = uint64(hash)
		w.add(w.quarantineHash(q))
	}
	return rows.Err()
}
