package ledger

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"vigil"
	"vigil/internal/evidence"
	"vigil/internal/evidence/columnar"
)

// Sealed says what one call of Seal did.
type Sealed struct {
	// Segments were written, from Batches with Events.
	Segments, Batches int
	Events            int64
}

// Seal turns judged batches that are older than SealAfter into segments, as many
// as are due: when there are enough events for a segment, more than MaxBatches
// batches, or one older than SealMaxAge. A segment is durable before its batches
// go, and they go in one transaction with its coming: a crash anywhere leaves each
// event in exactly one of the two. Seal may be called at any time; calls wait for
// each other.
func (l *Ledger) Seal(ctx context.Context, now time.Time) (Sealed, error) {
	l.sealing.Lock()
	defer l.sealing.Unlock()
	var total Sealed
	for {
		batches, err := l.sealable(ctx, now)
		if err != nil {
			return total, fmt.Errorf("look for batches to seal: %w", err)
		}
		if len(batches) == 0 {
			return total, nil
		}
		n, err := l.sealOne(ctx, batches)
		if err != nil {
			return total, fmt.Errorf("seal entries %d to %d: %w", batches[0].seq, batches[len(batches)-1].seq, err)
		}
		total.Segments++
		total.Batches += len(batches)
		total.Events += n
	}
}

// SealAll seals every judged batch, whatever its age: before a hand-over to
// other tools, and in tests.
func (l *Ledger) SealAll(ctx context.Context) (Sealed, error) {
	return l.Seal(ctx, l.now().Add(l.cfg.SealAfter+l.cfg.SealMaxAge+time.Second))
}

// sealable returns the batches for the next segment, oldest first, or none.
func (l *Ledger) sealable(ctx context.Context, now time.Time) ([]meta, error) {
	var waiting []meta
	err := l.read(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT `+metaColumns+` FROM entry e INDEXED BY entry_unsealed
			WHERE e.segment = 0 AND e.events > 0 AND e.damaged = '' AND e.seq <= ? ORDER BY e.seq LIMIT ?`,
			int64(l.applied.Load()), l.cfg.MaxBatches+1)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var m meta
			if err := rows.Scan(m.targets()...); err != nil {
				return err
			}
			waiting = append(waiting, m)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, err
	}
	// So many that their number alone makes them due, however young.
	crowded := len(waiting) > l.cfg.MaxBatches
	events, full := 0, false
	var out []meta
	for _, m := range waiting {
		if len(out) == l.cfg.MaxBatches || len(out) > 0 && events+m.events > l.cfg.SegmentEvents {
			full = true
			break
		}
		if !crowded && m.age(now) < l.cfg.SealAfter {
			break
		}
		out = append(out, m)
		events += m.events
	}
	if crowded || full || events >= l.cfg.SegmentEvents || len(out) > 0 && out[0].age(now) >= l.cfg.SealMaxAge {
		return out, nil
	}
	return nil, nil
}

func (m meta) age(now time.Time) time.Duration { return now.Sub(time.Unix(0, m.accepted)) }

// sealOne makes one segment. It returns the number of its events.
func (l *Ledger) sealOne(ctx context.Context, batches []meta) (int64, error) {
	if err := l.room(l.cfg.MinFree / 2); err != nil {
		return 0, err
	}
	rows, good, ids, err := l.loadBatches(ctx, batches)
	if err != nil || len(good) == 0 {
		return 0, err
	}
	first, last := good[0].seq, good[len(good)-1].seq
	// Two starts of the same seal never share a file: what the first left behind
	// can be deleted without a look at the second.
	key := fmt.Sprintf("events-%012d-%012d-%s.parquet", first, last, rand.Text()[:8])
	id, err := l.beginSegment(ctx, key, first, last)
	if err != nil {
		return 0, err
	}
	seg, err := l.store.Write(ctx, key, rows)
	if err == nil {
		err = l.swap(ctx, segmentRow{Segment: seg, id: id, firstSeq: first, lastSeq: last}, good, ids)
	}
	if err != nil {
		// Cancelled or not, what was begun is to be taken back. A commit that
		// failed may still have happened: then the segment is live and stays.
		if ferr := l.abandon(context.WithoutCancel(ctx), id, key); ferr != nil {
			l.log.Warn("a segment that failed can't be deleted now", "segment", key, "error", ferr)
		}
		return 0, err
	}
	l.segmentBytes.Add(seg.Size)
	return seg.Rows, nil
}

// abandon gives a segment up that did not become live.
func (l *Ledger) abandon(ctx context.Context, id int64, key string) error {
	var state string
	err := l.read(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT state FROM segment WHERE id = ?`, id).Scan(&state)
	})
	if err != nil || state == segmentLive {
		return err
	}
	return l.forget(ctx, id, key)
}

// loadBatches reads the batches. A damaged one is set aside and left out. ids
// holds the ids of all in the form in which they are remembered.
func (l *Ledger) loadBatches(ctx context.Context, batches []meta) (rows []evidence.Row, good []meta, ids []byte, err error) {
	var thin []*vigil.Event
	for _, m := range batches {
		var body []byte
		err := l.read(ctx, func(tx *sql.Tx) error {
			return tx.QueryRowContext(ctx, `SELECT data FROM body WHERE seq = ?`, int64(m.seq)).Scan(&body)
		})
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return nil, nil, nil, err
		}
		var events []*vigil.Event
		if err = m.check(body); err == nil {
			events, err = l.codec.Decode(body, columnar.All)
		}
		if err != nil {
			if err := l.SetAside(ctx, m.seq, err.Error()); err != nil {
				return nil, nil, nil, err
			}
			continue
		}
		for i, e := range events {
			rows = append(rows, evidence.Row{Seq: m.seq, Offset: uint32(i), Event: e})
			thin = append(thin, &vigil.Event{Source: e.Source, ID: e.ID})
		}
		good = append(good, m)
	}
	ids, err = l.codec.Encode(thin)
	return rows, good, ids, err
}

func (l *Ledger) beginSegment(ctx context.Context, key string, first, last uint64) (id int64, err error) {
	err = l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `INSERT INTO segment (key, state, first_seq, last_seq) VALUES (?, ?, ?, ?)`,
			key, segmentWriting, int64(first), int64(last))
		if err != nil {
			return err
		}
		id, err = res.LastInsertId()
		return err
	})
	return id, err
}

// swap lets the segment take its batches' place.
func (l *Ledger) swap(ctx context.Context, s segmentRow, batches []meta, ids []byte) error {
	accepted := int64(0)
	return l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for _, m := range batches {
			accepted = max(accepted, m.accepted)
			res, err := tx.ExecContext(ctx, `UPDATE entry SET segment = ? WHERE seq = ? AND segment = 0`, s.id, int64(m.seq))
			if err != nil {
				return err
			}
			if n, err := res.RowsAffected(); err != nil || n != 1 {
				return errors.Join(err, fmt.Errorf("entry %d is sealed already", m.seq))
			}
			if _, err := tx.ExecContext(ctx, `DELETE FROM body WHERE seq = ?`, int64(m.seq)); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, `UPDATE segment SET state = ?, accepted = ?, first = ?, last = ?, size = ?, rows = ?, sums = ?, sum = ? WHERE id = ?`,
			segmentLive, accepted, nanos(s.First), nanos(s.Last), s.Size, s.Rows, s.sums(), int64(s.checksum()), s.id); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO seen (seq, events, data) VALUES (?, ?, ?)`, int64(s.lastSeq), s.Rows, ids); err != nil {
			return err
		}
		from, err := rememberedFrom(ctx, tx, int64(l.cfg.Window))
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM seen WHERE seq < ?`, from)
		return err
	})
}
