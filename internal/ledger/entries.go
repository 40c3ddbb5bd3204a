package ledger

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
	"time"

	"vigil"
	"vigil/internal/evidence"
	"vigil/internal/evidence/columnar"
)

// castagnoli is read only.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// meta is an entry's row without its body.
type meta struct {
	seq         uint64
	kind        vigil.EntryKind
	source      string
	accepted    int64
	events      int
	first, last int64
	segment     int64
	damaged     string
	sum         int64
}

// checksum covers what never changes of the row, and the body by its own
// checksum.
func (m meta) checksum(body uint32) uint32 {
	b := make([]byte, 0, 64+len(m.source))
	for _, v := range []uint64{m.seq, uint64(m.accepted), uint64(m.events), uint64(m.first), uint64(m.last), uint64(body)} {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	b = append(b, m.kind...)
	b = append(b, 0)
	b = append(b, m.source...)
	return crc32.Checksum(b, castagnoli)
}

const metaColumns = `e.seq, e.kind, e.source, e.accepted, e.events, e.first, e.last, e.segment, e.damaged, e.sum`

func (m *meta) targets() []any {
	return []any{&m.seq, &m.kind, &m.source, &m.accepted, &m.events, &m.first, &m.last, &m.segment, &m.damaged, &m.sum}
}

func positionSum(source string, position []byte) uint32 {
	return crc32.Update(crc32.Checksum([]byte(source+"\x00"), castagnoli), castagnoli, position)
}

func encodeTick(t vigil.Tick) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(t.Watermark.Unix()))
	return binary.LittleEndian.AppendUint32(b, uint32(t.Watermark.Nanosecond()))
}

func decodeTick(b []byte) (vigil.Tick, error) {
	if len(b) != 12 {
		return vigil.Tick{}, errors.New("a tick of the wrong size")
	}
	nanos := binary.LittleEndian.Uint32(b[8:])
	return vigil.Tick{Watermark: time.Unix(int64(binary.LittleEndian.Uint64(b)), int64(nanos)).UTC()}, nil
}

func encodeControl(c vigil.Control) []byte {
	b := binary.AppendUvarint(nil, uint64(len(c.Type)))
	b = append(b, c.Type...)
	return append(b, c.Data...)
}

func decodeControl(b []byte) (vigil.Control, error) {
	n, used := binary.Uvarint(b)
	if used <= 0 || n > uint64(len(b)-used) {
		return vigil.Control{}, errors.New("a control record of the wrong size")
	}
	c := vigil.Control{Type: string(b[used : used+int(n)])}
	if data := b[used+int(n):]; len(data) > 0 {
		c.Data = append([]byte(nil), data...)
	}
	return c, nil
}

// maxRead bounds what one call of Entries returns, in events.
const maxRead = 50_000

// EventsAfter counts the events of the log after an entry.
func (l *Ledger) EventsAfter(ctx context.Context, after uint64) (n int64, err error) {
	err = l.read(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT coalesce(sum(events), 0) FROM entry WHERE seq > ?`, int64(after)).Scan(&n)
	})
	if err != nil {
		return 0, fmt.Errorf("count events of the log: %w", err)
	}
	return n, nil
}

// Entries returns the log after an entry, in order, at most max entries and
// about 50,000 events; none when there is nothing newer. The events belong to the
// caller. A damaged entry ends the list before it; when it is the first, the error
// is a *CorruptError, and SetAside lets the log go on without it. When entries
// just after the given one are past their retention, the error wraps ErrCut.
func (l *Ledger) Entries(ctx context.Context, after uint64, max int) ([]vigil.Entry, error) {
	metas, bodies, err := l.loadEntries(ctx, after, max)
	if err != nil {
		return nil, fmt.Errorf("read log after %d: %w", after, err)
	}
	entries := make([]vigil.Entry, 0, len(metas))
	for i, m := range metas {
		e, err := l.entry(ctx, m, bodies[i])
		var damage *CorruptError
		if errors.As(err, &damage) && len(entries) > 0 {
			break
		}
		if err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	return entries, nil
}

func (l *Ledger) loadEntries(ctx context.Context, after uint64, max int) (metas []meta, bodies [][]byte, err error) {
	// A reader can see a commit before its writer has learnt that it succeeded.
	// What is not yet counted is not yet shown, else Apply would be asked for an
	// entry that it does not know.
	last := l.last.Load()
	err = l.read(ctx, func(tx *sql.Tx) error {
		var cut uint64
		if err := tx.QueryRowContext(ctx, `SELECT value FROM meta WHERE name = 'cut'`).Scan(&cut); err != nil {
			return err
		}
		if after < cut {
			return fmt.Errorf("%w: it begins after entry %d", ErrCut, cut)
		}
		rows, err := tx.QueryContext(ctx, `SELECT `+metaColumns+`, b.data FROM entry e LEFT JOIN body b ON b.seq = e.seq
			WHERE e.seq > ? AND e.seq <= ? ORDER BY e.seq LIMIT ?`, int64(after), int64(last), max)
		if err != nil {
			return err
		}
		defer rows.Close()
		for events := 0; rows.Next(); {
			var m meta
			var body []byte
			if err := rows.Scan(append(m.targets(), &body)...); err != nil {
				return err
			}
			if m.seq != after+uint64(len(metas))+1 {
				return corruptEntry(after+uint64(len(metas))+1, errors.New("its row is missing"))
			}
			if events += m.events; events > maxRead && len(metas) > 0 {
				break
			}
			metas, bodies = append(metas, m), append(bodies, body)
		}
		return rows.Err()
	})
	return metas, bodies, err
}

func corruptEntry(seq uint64, err error) error {
	return &CorruptError{What: "entry", Name: strconv.FormatUint(seq, 10), Seq: seq, Err: err}
}

// entry makes the entry of its row.
func (l *Ledger) entry(ctx context.Context, m meta, body []byte) (vigil.Entry, error) {
	e := vigil.Entry{Seq: m.seq, Kind: m.kind, Source: m.source, Accepted: time.Unix(0, m.accepted).UTC()}
	if m.damaged != "" {
		// It was set aside: its place in the log stays, empty.
		if e.Kind != vigil.EntryEvents {
			e.Kind, e.Source = vigil.EntryEvents, ""
		}
		return e, nil
	}
	if m.segment != 0 {
		events, err := l.sealed(ctx, m)
		e.Events = events
		return e, err
	}
	if err := m.check(body); err != nil {
		return e, err
	}
	var err error
	switch m.kind {
	case vigil.EntryEvents:
		e.Events, err = l.codec.Decode(body, columnar.All)
	case vigil.EntryTick:
		e.Tick, err = decodeTick(body)
	case vigil.EntryControl:
		e.Control, err = decodeControl(body)
	default:
		err = fmt.Errorf("its kind %q is not known", m.kind)
	}
	if err != nil {
		return e, corruptEntry(m.seq, err)
	}
	return e, nil
}

// check compares the row and its body with the checksum that was taken when it
// was accepted.
func (m meta) check(body []byte) error {
	if int64(m.checksum(crc32.Checksum(body, castagnoli))) != m.sum {
		return corruptEntry(m.seq, errChecksum)
	}
	return nil
}

// replay holds the segment that is being read back in order, so that it is
// decoded once and not once an entry.
type replay struct {
	segment int64
	batches map[uint64][]*vigil.Event
}

// sealed returns the events of an entry that is in a segment. They are handed
// out once; asking again reads the segment again.
func (l *Ledger) sealed(ctx context.Context, m meta) ([]*vigil.Event, error) {
	l.replayMu.Lock()
	defer l.replayMu.Unlock()
	if l.replay.segment != m.segment || l.replay.batches[m.seq] == nil {
		l.replay = replay{}
		seg, err := l.segment(ctx, m.segment)
		if err != nil {
			return nil, corruptEntry(m.seq, err)
		}
		rows, err := l.store.Read(ctx, seg)
		if errors.Is(err, evidence.ErrCorrupt) {
			return nil, corruptEntry(m.seq, err)
		}
		if err != nil {
			return nil, err
		}
		batches := make(map[uint64][]*vigil.Event)
		for _, row := range rows {
			batches[row.Seq] = append(batches[row.Seq], row.Event)
		}
		l.replay = replay{segment: m.segment, batches: batches}
	}
	events := l.replay.batches[m.seq]
	if len(events) != m.events {
		return nil, corruptEntry(m.seq, fmt.Errorf("its segment holds %d events of it, %d are expected", len(events), m.events))
	}
	delete(l.replay.batches, m.seq)
	if len(l.replay.batches) == 0 {
		l.replay = replay{}
	}
	return events, nil
}

// SetAside marks a damaged entry, so that the log goes on without it: from now on
// Entries gives it empty. It is counted, and the reason is kept. An entry that can
// be read is not set aside.
func (l *Ledger) SetAside(ctx context.Context, seq uint64, reason string) error {
	metas, bodies, err := l.loadEntries(ctx, seq-1, 1)
	if err == nil && len(metas) == 1 {
		_, err = l.entry(ctx, metas[0], bodies[0])
	}
	var damage *CorruptError
	if !errors.As(err, &damage) {
		if err != nil {
			return fmt.Errorf("set entry %d aside: %w", seq, err)
		}
		return fmt.Errorf("set entry %d aside: it is not damaged", seq)
	}
	if reason == "" {
		reason = damage.Error()
	}
	err = l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE entry SET damaged = ? WHERE seq = ? AND damaged = ''`, reason, int64(seq))
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n > 0 {
			return errors.Join(err, count(ctx, tx, counterDamaged, 1))
		}
		// The row itself is gone: an empty one stands in for it.
		if _, err := tx.ExecContext(ctx, `INSERT INTO entry (seq, kind, source, accepted, events, first, last, sum, damaged)
			VALUES (?, ?, '', 0, 0, 0, 0, 0, ?) ON CONFLICT (seq) DO NOTHING`, int64(seq), string(vigil.EntryEvents), reason); err != nil {
			return err
		}
		return count(ctx, tx, counterDamaged, 1)
	})
	if err != nil {
		return fmt.Errorf("set entry %d aside: %w", seq, err)
	}
	l.log.Error("a damaged entry of the log is set aside", "seq", seq, "error", reason)
	return nil
}

// Last returns the number of the newest durable entry, 0 for an empty log.
func (l *Ledger) Last() uint64 { return l.last.Load() }

// Wait returns nil once the log goes beyond the entry after.
func (l *Ledger) Wait(ctx context.Context, after uint64) error {
	return l.until(ctx, l.accepted, func() (bool, error) { return l.last.Load() > after, nil })
}

// Position returns what was committed last for the source, nil when nothing was.
func (l *Ledger) Position(ctx context.Context, source string) ([]byte, error) {
	var position []byte
	var sum int64
	err := l.read(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT position, sum FROM source WHERE name = ?`, source).Scan(&position, &sum)
	})
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read position of %q: %w", source, err)
	case position != nil && int64(positionSum(source, position)) != sum:
		return nil, &CorruptError{What: "position", Name: strconv.Quote(source), Err: errChecksum}
	}
	return position, nil
}
