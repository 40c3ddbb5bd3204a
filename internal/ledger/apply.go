package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"strings"

	"vigil"
	"vigil/internal/series"
)

// Applied is what followed from judging one entry of the log, or a run of them.
type Applied struct {
	// Seq is the entry; From is the first of a run that ends with Seq, 0 when it
	// is Seq alone.
	Seq, From uint64
	// Findings are those that opened, grew or closed, in full.
	Findings []vigil.Finding
	// Outbox are the messages to send.
	Outbox []OutboxItem
	// Points are added to the totals of their windows.
	Points []series.Point
	// Events were judged, Late of them came late.
	Events, Late int64
}

// The names of the ledger's counters.
const (
	counterJudged  = "judged"
	counterLate    = "late"
	counterDamaged = "damaged"
	counterPruned  = "pruned events"
	counterDropped = "dropped windows"
	counterDead    = "dead messages"
)

func count(ctx context.Context, tx *sql.Tx, name string, n int64) error {
	if n == 0 {
		return nil
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO counter (name, n) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET n = n + excluded.n`, name, n)
	return err
}

// Apply makes durable, in one transaction, that the log is judged up to a.Seq
// and all that followed. The entries must be exactly the next ones, else the error
// wraps ErrOrder and nothing is changed; so what is applied counts once, however
// often the caller crashes and tries again.
func (l *Ledger) Apply(ctx context.Context, a Applied) error {
	l.applying.Lock()
	defer l.applying.Unlock()
	if a.From == 0 {
		a.From = a.Seq
	}
	if next := l.applied.Load() + 1; a.From != next || a.Seq < a.From || a.Seq > l.last.Load() {
		return fmt.Errorf("apply entries %d to %d of %d: %w: the next is %d", a.From, a.Seq, l.last.Load(), ErrOrder, next)
	}
	var events map[string]int64
	fresh := make(map[series.Key]int64)
	queued := false
	err := l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		var err error
		if events, err = waiting(ctx, tx, int64(a.From), int64(a.Seq)); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE meta SET value = ? WHERE name = 'applied'`, int64(a.Seq)); err != nil {
			return err
		}
		for i := range a.Findings {
			f := &a.Findings[i]
			if err := l.countFinding(ctx, tx, f, int64(a.Seq)); err != nil {
				return fmt.Errorf("count finding %q: %w", f.ID, err)
			}
			if err := l.putFinding(ctx, tx, f); err != nil {
				return fmt.Errorf("keep finding %q: %w", f.ID, err)
			}
		}
		for _, item := range a.Outbox {
			ok, err := l.enqueue(ctx, tx, item)
			if err != nil {
				return fmt.Errorf("queue message %q: %w", item.ID, err)
			}
			queued = queued || ok
		}
		if err := l.addPoints(ctx, tx, a.Points, int64(a.Seq), fresh); err != nil {
			return fmt.Errorf("add to time series: %w", err)
		}
		if err := count(ctx, tx, counterJudged, a.Events); err != nil {
			return err
		}
		return count(ctx, tx, counterLate, a.Late)
	})
	if err != nil {
		return fmt.Errorf("apply entry %d: %w", a.Seq, err)
	}
	l.rememberKeys(fresh)
	l.applied.Store(a.Seq)
	for source, n := range events {
		l.pending.add(source, -n)
	}
	l.progress.broadcast()
	change := Change{Judged: true}
	for i := range a.Findings {
		change.Findings = append(change.Findings, a.Findings[i].ID)
	}
	l.tell(change)
	if queued {
		l.mail.broadcast()
	}
	if l.cfg.Spool && len(a.Points)+len(a.Findings) > 0 {
		l.dirty.broadcast()
	}
	return nil
}

// Applied returns the number of the newest judged entry, 0 when there is none.
func (l *Ledger) Applied() uint64 { return l.applied.Load() }

// putFinding keeps the finding unless a newer revision of it is there.
func (l *Ledger) putFinding(ctx context.Context, tx *sql.Tx, f *vigil.Finding) error {
	data, err := json.Marshal(f)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO finding (id, revision, state, severity, harm, detected, updated, data, sum)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET revision = excluded.revision, state = excluded.state, severity = excluded.severity,
			harm = excluded.harm, detected = excluded.detected, updated = excluded.updated, data = excluded.data, sum = excluded.sum, likely = NULL
		WHERE excluded.revision >= revision`,
		f.ID, f.Revision, string(f.State), f.Severity.Rank(), f.Harm, nanos(f.Detected), nanos(l.now()), data, int64(findingSum(f.ID, data)))
	if err != nil {
		return err
	}
	return putLinks(ctx, tx, f)
}

func findingSum(id string, data []byte) uint32 {
	return crc32.Update(crc32.Checksum([]byte(id+"\x00"), castagnoli), castagnoli, data)
}

// pointsAtOnce is how many rows one statement writes: one statement a row costs
// four times as much.
const pointsAtOnce = 100

const (
	upsertPoints = `INSERT INTO rollup (start, key, events, rows, bytes, subjects, denied) VALUES `
	onPoint      = ` ON CONFLICT (start, key) DO UPDATE SET events = events + excluded.events, rows = rows + excluded.rows,
		bytes = bytes + excluded.bytes, subjects = subjects + excluded.subjects, denied = denied + excluded.denied`
	onePoint = `(?, ?, ?, ?, ?, ?, ?)`
)

// addPoints adds to the totals, and notes the windows that changed. Keys that
// are new go into fresh, to be remembered when the transaction has succeeded.
func (l *Ledger) addPoints(ctx context.Context, tx *sql.Tx, points []series.Point, version int64, fresh map[series.Key]int64) error {
	var many *sql.Stmt
	for len(points) > 0 {
		n := min(pointsAtOnce, len(points))
		args := make([]any, 0, 7*n)
		for _, p := range points[:n] {
			key, err := l.keyID(ctx, tx, p.Key, fresh)
			if err != nil {
				return err
			}
			args = append(args, minute(p.Start), key, p.Events, p.Rows, p.Bytes, p.Subjects, p.Denied)
		}
		if n < pointsAtOnce {
			query := upsertPoints + onePoint + strings.Repeat(", "+onePoint, n-1) + onPoint
			if _, err := tx.ExecContext(ctx, query, args...); err != nil {
				return err
			}
		} else {
			if many == nil {
				var err error
				many, err = tx.PrepareContext(ctx, upsertPoints+onePoint+strings.Repeat(", "+onePoint, pointsAtOnce-1)+onPoint)
				if err != nil {
					return err
				}
				defer many.Close()
			}
			if _, err := many.ExecContext(ctx, args...); err != nil {
				return err
			}
		}
		if err := l.noteDirty(ctx, tx, points[:n], version); err != nil {
			return err
		}
		points = points[n:]
	}
	return nil
}

// noteDirty puts the windows on the spool. A window's version only grows while it waits,
// so that what changes while it is being written stays on the spool.
func (l *Ledger) noteDirty(ctx context.Context, tx *sql.Tx, points []series.Point, version int64) error {
	if !l.cfg.Spool {
		return nil
	}
	var args []any
	last := int64(-1)
	for _, p := range points {
		if start := minute(p.Start); start != last {
			args, last = append(args, start, version), start
		}
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO dirty (start, version) VALUES (?, ?)`+strings.Repeat(", (?, ?)", len(args)/2-1)+
		` ON CONFLICT (start) DO UPDATE SET version = max(version + 1, excluded.version)`, args...)
	return err
}

func (l *Ledger) keyID(ctx context.Context, tx *sql.Tx, k series.Key, fresh map[series.Key]int64) (int64, error) {
	l.keysMu.Lock()
	id, ok := l.keys[k]
	l.keysMu.Unlock()
	if ok {
		return id, nil
	}
	if id, ok := fresh[k]; ok {
		return id, nil
	}
	res, err := tx.ExecContext(ctx, `INSERT INTO series_key (source, store, action, actor_kind, role, tenant) VALUES (?, ?, ?, ?, ?, ?)`,
		k.Source, k.Store, k.Action, k.ActorKind, k.Role, k.Tenant)
	if err != nil {
		return 0, err
	}
	if id, err = res.LastInsertId(); err != nil {
		return 0, err
	}
	fresh[k] = id
	return id, nil
}

func (l *Ledger) rememberKeys(fresh map[series.Key]int64) {
	l.keysMu.Lock()
	defer l.keysMu.Unlock()
	for k, id := range fresh {
		l.keys[k] = id
	}
}
