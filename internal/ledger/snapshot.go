package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"maps"
	"slices"
	"strconv"

	"vigil/internal/evidence/columnar"
)

// Snapshot is the detector's state after an entry of the log.
type Snapshot struct {
	// Seq is the entry up to which the log is in it.
	Seq uint64
	// Parts are those that changed since the snapshot before. A part with nil
	// Data is there no more.
	Parts []SnapshotPart
	// All says that Parts is the whole state; parts of earlier snapshots that are
	// not in it are there no more.
	All bool
}

// SnapshotPart is a named piece of state.
type SnapshotPart struct {
	Name string
	Data []byte
}

// version names the bytes of one part: which snapshot wrote them, and their
// checksum in packed form.
type version struct {
	Seq uint64 `json:"s"`
	Sum uint32 `json:"c"`
}

// maxPartBatch bounds what one transaction writes of a snapshot, so that batches
// get in between.
const maxPartBatch = 4 << 20

// SaveSnapshot keeps a snapshot. Parts that are not given stay as the snapshot
// before has them. It counts only once it is complete: a crash on the way leaves
// the one before. Seq must be applied already, and newer than the last
// snapshot's.
func (l *Ledger) SaveSnapshot(ctx context.Context, s Snapshot) error {
	l.saving.Lock()
	defer l.saving.Unlock()
	if err := l.saveSnapshot(ctx, s); err != nil {
		return fmt.Errorf("save snapshot at entry %d: %w", s.Seq, err)
	}
	return nil
}

func (l *Ledger) saveSnapshot(ctx context.Context, s Snapshot) error {
	if s.Seq > l.applied.Load() {
		return fmt.Errorf("%w: the log is applied up to %d", ErrOrder, l.applied.Load())
	}
	if err := l.room(l.cfg.MinFree / 2); err != nil {
		return err
	}
	manifests, err := l.manifests(ctx)
	if err != nil {
		return err
	}
	manifest := make(map[string]version)
	if len(manifests) > 0 {
		last := manifests[0]
		// A whole state needs nothing of what was before, so damage there is no
		// hindrance.
		if last.err != nil && !s.All {
			return last.err
		}
		if last.seq >= s.Seq {
			return fmt.Errorf("%w: there is a snapshot at entry %d", ErrOrder, last.seq)
		}
		if !s.All {
			// A copy: what the older one refers to must be known to the end.
			manifest = maps.Clone(last.parts)
		}
	}
	for len(s.Parts) > 0 {
		n, size := 0, 0
		err := l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
			for n < len(s.Parts) && size < maxPartBatch {
				wrote, err := l.putPart(ctx, tx, s.Seq, s.Parts[n], manifest)
				if err != nil {
					return err
				}
				size += wrote
				n++
			}
			return nil
		})
		if err != nil {
			return err
		}
		s.Parts = s.Parts[n:]
	}
	return l.finishSnapshot(ctx, s.Seq, manifest, manifests)
}

func (l *Ledger) putPart(ctx context.Context, tx *sql.Tx, seq uint64, p SnapshotPart, manifest map[string]version) (int, error) {
	if p.Data == nil {
		delete(manifest, p.Name)
		return 0, nil
	}
	packed, err := l.codec.Pack(p.Data)
	if err != nil {
		return 0, fmt.Errorf("part %q: %w", p.Name, err)
	}
	if _, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO snapshot_part (name, seq, data) VALUES (?, ?, ?)`, p.Name, int64(seq), packed); err != nil {
		return 0, fmt.Errorf("part %q: %w", p.Name, err)
	}
	manifest[p.Name] = version{Seq: seq, Sum: crc32.Checksum(packed, castagnoli)}
	return len(packed), nil
}

// finishSnapshot makes the snapshot count and lets go of what none that is kept
// refers to.
func (l *Ledger) finishSnapshot(ctx context.Context, seq uint64, manifest map[string]version, older []manifestRow) error {
	list, err := json.Marshal(manifest)
	if err != nil {
		return err
	}
	packed, err := l.codec.Pack(list)
	if err != nil {
		return err
	}
	keep := map[string]map[uint64]bool{}
	refer := func(parts map[string]version) {
		for name, v := range parts {
			if keep[name] == nil {
				keep[name] = make(map[uint64]bool)
			}
			keep[name][v.Seq] = true
		}
	}
	refer(manifest)
	oldest := seq
	for i, m := range older {
		if i < l.cfg.Snapshots-1 && m.err == nil {
			refer(m.parts)
			oldest = m.seq
		}
	}
	return l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO snapshot (seq, time, manifest) VALUES (?, ?, ?)`,
			int64(seq), l.now().UnixNano(), packed); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM snapshot WHERE seq < ?`, int64(oldest)); err != nil {
			return err
		}
		return dropParts(ctx, tx, keep)
	})
}

// dropParts deletes the versions that are not in keep.
func dropParts(ctx context.Context, tx *sql.Tx, keep map[string]map[uint64]bool) error {
	rows, err := tx.QueryContext(ctx, `SELECT name, seq FROM snapshot_part`)
	if err != nil {
		return err
	}
	defer rows.Close()
	type part struct {
		name string
		seq  int64
	}
	var drop []part
	for rows.Next() {
		var p part
		if err := rows.Scan(&p.name, &p.seq); err != nil {
			return err
		}
		if !keep[p.name][uint64(p.seq)] {
			drop = append(drop, p)
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	rows.Close()
	for _, p := range drop {
		if _, err := tx.ExecContext(ctx, `DELETE FROM snapshot_part WHERE name = ? AND seq = ?`, p.name, p.seq); err != nil {
			return err
		}
	}
	return nil
}

// manifestRow is one kept snapshot; err is set when its manifest is damaged.
type manifestRow struct {
	seq   uint64
	parts map[string]version
	err   error
}

// manifests returns the kept snapshots, newest first.
func (l *Ledger) manifests(ctx context.Context) ([]manifestRow, error) {
	var out []manifestRow
	err := l.read(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT seq, manifest FROM snapshot ORDER BY seq DESC`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var m manifestRow
			var packed []byte
			if err := rows.Scan(&m.seq, &packed); err != nil {
				return err
			}
			list, err := l.codec.Unpack(packed)
			if err == nil {
				err = json.Unmarshal(list, &m.parts)
			}
			if err != nil {
				m.err = corruptSnapshot(m.seq, err)
			}
			out = append(out, m)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("read the list of snapshots: %w", err)
	}
	return out, nil
}

func corruptSnapshot(seq uint64, err error) error {
	return &CorruptError{What: "snapshot", Name: "at entry " + strconv.FormatUint(seq, 10), Err: err}
}

// LoadSnapshot returns the newest snapshot that is whole; ok is false when there
// is none, and then the log is to be judged from its beginning. A damaged snapshot
// gives way to the one before, and is forgotten. When all are damaged and the log
// no longer goes back to its beginning, the error is a *CorruptError: then only a
// copy of the folder helps, or beginning anew in an empty one.
func (l *Ledger) LoadSnapshot(ctx context.Context) (s Snapshot, ok bool, err error) {
	l.saving.Lock()
	defer l.saving.Unlock()
	manifests, err := l.manifests(ctx)
	if err != nil {
		return Snapshot{}, false, err
	}
	var damage error
	for _, m := range manifests {
		if m.err == nil {
			s, m.err = l.loadParts(ctx, m)
		}
		var corrupt *CorruptError
		switch {
		case m.err == nil:
			return s, true, nil
		case !errors.As(m.err, &corrupt):
			return Snapshot{}, false, m.err
		}
		damage = m.err
		l.log.Error("a snapshot is damaged; the one before is used", "seq", m.seq, "error", m.err)
		// What is saved next must build on what is loaded now.
		err := l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
			if _, err := tx.ExecContext(ctx, `DELETE FROM snapshot WHERE seq = ?`, int64(m.seq)); err != nil {
				return err
			}
			return count(ctx, tx, counterDamaged, 1)
		})
		if err != nil {
			return Snapshot{}, false, fmt.Errorf("forget damaged snapshot: %w", err)
		}
	}
	if damage == nil {
		return Snapshot{}, false, nil
	}
	cut, err := l.cut(ctx)
	if err != nil {
		return Snapshot{}, false, err
	}
	if cut > 0 {
		return Snapshot{}, false, fmt.Errorf("no snapshot is whole, and the log begins after entry %d: restore a copy of %q: %w", cut, l.cfg.Dir, damage)
	}
	l.log.Error("no snapshot is whole; the log is judged from its beginning")
	return Snapshot{}, false, nil
}

// OldestSnapshot returns the oldest snapshot that is whole, and ok false when there is
// none. It changes nothing.
func (l *Ledger) OldestSnapshot(ctx context.Context) (s Snapshot, ok bool, err error) {
	l.saving.Lock()
	defer l.saving.Unlock()
	manifests, err := l.manifests(ctx)
	if err != nil {
		return Snapshot{}, false, err
	}
	for _, m := range slices.Backward(manifests) {
		var corrupt *CorruptError
		if m.err == nil {
			s, m.err = l.loadParts(ctx, m)
		}
		switch {
		case m.err == nil:
			return s, true, nil
		case !errors.As(m.err, &corrupt):
			return Snapshot{}, false, m.err
		}
	}
	return Snapshot{}, false, nil
}

func (l *Ledger) loadParts(ctx context.Context, m manifestRow) (Snapshot, error) {
	s := Snapshot{Seq: m.seq, All: true}
	for _, name := range sortedKeys(m.parts) {
		v := m.parts[name]
		var packed []byte
		err := l.read(ctx, func(tx *sql.Tx) error {
			return tx.QueryRowContext(ctx, `SELECT data FROM snapshot_part WHERE name = ? AND seq = ?`, name, int64(v.Seq)).Scan(&packed)
		})
		if errors.Is(err, sql.ErrNoRows) {
			return Snapshot{}, corruptSnapshot(m.seq, fmt.Errorf("part %q is missing", name))
		}
		if err != nil {
			return Snapshot{}, fmt.Errorf("read part %q: %w", name, err)
		}
		if crc32.Checksum(packed, castagnoli) != v.Sum {
			return Snapshot{}, corruptSnapshot(m.seq, fmt.Errorf("part %q: %w", name, errChecksum))
		}
		data, err := l.codec.Unpack(packed)
		if errors.Is(err, columnar.ErrCorrupt) {
			return Snapshot{}, corruptSnapshot(m.seq, fmt.Errorf("part %q: %w", name, err))
		}
		if err != nil {
			return Snapshot{}, err
		}
		s.Parts = append(s.Parts, SnapshotPart{Name: name, Data: data})
	}
	return s, nil
}

// cut returns up to which entry retention has removed the log.
func (l *Ledger) cut(ctx context.Context) (uint64, error) {
	var cut int64
	err := l.read(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT value FROM meta WHERE name = 'cut'`).Scan(&cut)
	})
	if err != nil {
		return 0, fmt.Errorf("read where the log begins: %w", err)
	}
	return uint64(cut), nil
}
