package ledger

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"

	"vigil/internal/evidence"
)

// The states of a segment's row.
const (
	// segmentWriting is a segment that was begun: after a crash it is deleted.
	segmentWriting = "writing"
	// segmentLive is one that holds its batches.
	segmentLive = "live"
	// segmentDoomed is one that is let go of and is to be deleted.
	segmentDoomed = "doomed"
)

// segmentRow is a live segment as the ledger knows it.
type segmentRow struct {
	evidence.Segment
	id                int64
	firstSeq, lastSeq uint64
	// damage is set when the row itself is damaged.
	damage error
}

const segmentColumns = `id, key, first_seq, last_seq, first, last, size, rows, sums, sum`

func scanSegment(scan func(...any) error) (segmentRow, error) {
	var s segmentRow
	var first, last, sum int64
	var sums []byte
	if err := scan(&s.id, &s.Key, &s.firstSeq, &s.lastSeq, &first, &last, &s.Size, &s.Rows, &sums, &sum); err != nil {
		return s, err
	}
	s.First, s.Last = fromNanos(first), fromNanos(last)
	for len(sums) >= 4 {
		s.Sums = append(s.Sums, binary.LittleEndian.Uint32(sums))
		sums = sums[4:]
	}
	if int64(s.checksum()) != sum {
		s.damage = fmt.Errorf("%w: the ledger's row of %q: %w", evidence.ErrCorrupt, s.Key, errChecksum)
	}
	return s, nil
}

func (s segmentRow) sums() []byte {
	b := make([]byte, 0, 4*len(s.Sums))
	for _, sum := range s.Sums {
		b = binary.LittleEndian.AppendUint32(b, sum)
	}
	return b
}

func (s segmentRow) checksum() uint32 {
	b := append([]byte(s.Key), 0)
	for _, v := range []uint64{s.firstSeq, s.lastSeq, uint64(nanos(s.First)), uint64(nanos(s.Last)), uint64(s.Size), uint64(s.Rows)} {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	return crc32.Update(crc32.Checksum(b, castagnoli), castagnoli, s.sums())
}

// liveSegments returns those that hold events in [from, to), oldest first.
func liveSegments(ctx context.Context, tx *sql.Tx, from, to int64) ([]segmentRow, error) {
	rows, err := tx.QueryContext(ctx, `SELECT `+segmentColumns+` FROM segment WHERE state = 'live' AND last >= ? AND first < ? ORDER BY first_seq`, from, to)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []segmentRow
	for rows.Next() {
		s, err := scanSegment(rows.Scan)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, rows.Err()
}

// segment returns a live segment; the error wraps sql.ErrNoRows when it is none.
func (l *Ledger) segment(ctx context.Context, id int64) (evidence.Segment, error) {
	var s segmentRow
	err := l.read(ctx, func(tx *sql.Tx) error {
		var err error
		s, err = scanSegment(tx.QueryRowContext(ctx, `SELECT `+segmentColumns+` FROM segment WHERE id = ? AND state = 'live'`, id).Scan)
		return err
	})
	if err != nil {
		return evidence.Segment{}, fmt.Errorf("read row of segment %d: %w", id, err)
	}
	if s.damage != nil {
		return evidence.Segment{}, &CorruptError{What: "segment", Name: strconv.Quote(s.Key), Err: s.damage}
	}
	return s.Segment, nil
}

// clearSegments deletes what a crash left between the ledger and the segments:
// files that were begun and never became part of the log, and those that were let
// go of. It also adds up the size of the rest.
func (l *Ledger) clearSegments(ctx context.Context) error {
	type orphan struct {
		id  int64
		key string
	}
	var orphans []orphan
	err := l.read(ctx, func(tx *sql.Tx) error {
		var size int64
		if err := tx.QueryRowContext(ctx, `SELECT coalesce(sum(size), 0) FROM segment WHERE state = 'live'`).Scan(&size); err != nil {
			return err
		}
		l.segmentBytes.Store(size)
		rows, err := tx.QueryContext(ctx, `SELECT id, key FROM segment WHERE state <> 'live'`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var o orphan
			if err := rows.Scan(&o.id, &o.key); err != nil {
				return err
			}
			orphans = append(orphans, o)
		}
		return rows.Err()
	})
	if err != nil {
		return fmt.Errorf("look for orphaned segments: %w", err)
	}
	for _, o := range orphans {
		if err := l.forget(ctx, o.id, o.key); err != nil {
			// An evidence store that can't be reached just now must not keep the log
			// from being written: the row stays and the next start tries again.
			l.log.Warn("an orphaned segment can't be deleted now", "segment", o.key, "error", err)
		}
	}
	return nil
}

// forget deletes a segment that is not live, the file first.
func (l *Ledger) forget(ctx context.Context, id int64, key string) error {
	if err := l.store.Delete(ctx, key); err != nil {
		return err
	}
	return l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `DELETE FROM segment WHERE id = ? AND state <> 'live'`, id)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n != 1 {
			return errors.Join(err, fmt.Errorf("segment %d is in use", id))
		}
		return nil
	})
}
