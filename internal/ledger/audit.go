package ledger

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// AuditRecord is one thing that somebody did or saw.
type AuditRecord struct {
	// N numbers the records from 1 without holes; filled in by the ledger.
	N uint64
	// Time is when; the ledger's clock when it is zero.
	Time time.Time
	// Who did What with Object, such as "console", "look", "finding f-17".
	Who, What, Object string
	// Hash is SHA-256 over the record and the hash before; filled in by the
	// ledger.
	Hash []byte
}

// maxAuditText bounds each text of an audit record.
const maxAuditText = 4096

// hash chains the record to the one before. Every part carries its length, so
// that nothing can move from one into the next unseen.
func (r AuditRecord) hash(previous []byte) []byte {
	h := sha256.New()
	_, _ = h.Write(previous) // a hash never fails
	var b []byte
	b = binary.BigEndian.AppendUint64(b, r.N)
	b = binary.BigEndian.AppendUint64(b, uint64(nanos(r.Time)))
	for _, s := range []string{r.Who, r.What, r.Object} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
		b = append(b, s...)
	}
	_, _ = h.Write(b) // as above
	return h.Sum(nil)
}

// Audit appends a record, durable when it returns, and returns its hash. When it
// fails the deed itself must be refused. Records are never changed or removed,
// and each one's hash covers the one before: VerifyAudit finds what was altered,
// and a hash kept elsewhere also what was cut off or written anew.
func (l *Ledger) Audit(ctx context.Context, r AuditRecord) ([]byte, error) {
	err := l.write(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
		r, err = l.audit(ctx, tx, r)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("write audit record: %w", err)
	}
	return r.Hash, nil
}

// audit appends a record within a transaction and returns it as it stands there.
func (l *Ledger) audit(ctx context.Context, tx *sql.Tx, r AuditRecord) (AuditRecord, error) {
	if r.Time.IsZero() {
		r.Time = l.now()
	}
	r.Time = r.Time.UTC().Round(0)
	for _, s := range []*string{&r.Who, &r.What, &r.Object} {
		if len(*s) > maxAuditText {
			*s = (*s)[:maxAuditText]
		}
		*s = strings.ToValidUTF8(*s, "\uFFFD") // so that it can be handed on as text, and its hash still follows from it
	}
	var n int64
	var previous []byte
	err := tx.QueryRowContext(ctx, `SELECT n, hash FROM audit ORDER BY n DESC LIMIT 1`).Scan(&n, &previous)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return r, err
	}
	r.N = uint64(n) + 1
	r.Hash = r.hash(previous)
	_, err = tx.ExecContext(ctx, `INSERT INTO audit (n, time, who, what, object, hash) VALUES (?, ?, ?, ?, ?, ?)`,
		int64(r.N), nanos(r.Time), r.Who, r.What, r.Object, r.Hash)
	return r, err
}

// AuditHead returns the length of the audit log and its newest hash.
func (l *Ledger) AuditHead(ctx context.Context) (n uint64, hash []byte, err error) {
	err = l.read(ctx, func(tx *sql.Tx) error {
		var at int64
		err := tx.QueryRowContext(ctx, `SELECT n, hash FROM audit ORDER BY n DESC LIMIT 1`).Scan(&at, &hash)
		n = uint64(at)
		return err
	})
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, nil, fmt.Errorf("read head of the audit log: %w", err)
	}
	return n, hash, nil
}

// AuditLog returns up to max records after the given number, in order.
func (l *Ledger) AuditLog(ctx context.Context, after uint64, max int) ([]AuditRecord, error) {
	var out []AuditRecord
	err := l.read(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT n, time, who, what, object, hash FROM audit WHERE n > ? ORDER BY n LIMIT ?`, int64(after), max)
		if err != nil {
			return err
		}
		out, err = scanAudit(rows)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read audit log: %w", err)
	}
	return out, nil
}

// AuditMark is a place in the audit log that is known: how many records there are up to
// it, and the hash of the last of them. The zero AuditMark is the beginning.
type AuditMark struct {
	N    uint64
	Hash []byte
}

// VerifyAudit walks the whole audit log and returns its length and the newest
// hash. The error is a *CorruptError that names the first record that does not
// fit.
func (l *Ledger) VerifyAudit(ctx context.Context) (n uint64, hash []byte, err error) {
	m, err := l.VerifyAuditFrom(ctx, AuditMark{}, nil)
	return m.N, m.Hash, err
}

// VerifyAuditFrom walks the audit log from a mark on, whose own record must still be
// there as it was, and returns the mark of its end. visit, when given, gets each mark on
// the way; its error ends the walk. The error is a *CorruptError that names the first
// record that does not fit; then the mark is that of the one before.
func (l *Ledger) VerifyAuditFrom(ctx context.Context, at AuditMark, visit func(AuditMark) error) (AuditMark, error) {
	if at.N > 0 {
		was, err := l.AuditLog(ctx, at.N-1, 1)
		if err != nil {
			return at, err
		}
		if len(was) == 0 || was[0].N != at.N || !bytes.Equal(was[0].Hash, at.Hash) {
			return at, corruptAudit(at.N, errors.New("it is not the one that stood there before: the log was cut off, put back or written anew"))
		}
	}
	for {
		records, err := l.AuditLog(ctx, at.N, 1000)
		if err != nil || len(records) == 0 {
			return at, err
		}
		for _, r := range records {
			if r.N != at.N+1 || !bytes.Equal(r.Hash, r.hash(at.Hash)) {
				return at, corruptAudit(at.N+1, errors.New("the chain of hashes breaks here"))
			}
			at = AuditMark{N: r.N, Hash: r.Hash}
			if visit == nil {
				continue
			}
			if err := visit(at); err != nil {
				return at, err
			}
		}
	}
}

func corruptAudit(n uint64, err error) error {
	return &CorruptError{What: "audit", Name: "record " + strconv.FormatUint(n, 10), Err: err}
}

// AuditQuery asks for records of the audit log. Empty fields match everything.
type AuditQuery struct {
	// After and Before bound the numbers, both excluded; zero for no bound.
	After, Before uint64
	// Who is who did it, Object a part of the name of what it was done to.
	Who, Object string
	// What are patterns of SQL's LIKE of which one must match what was done, NotWhat such
	// of which none may.
	What, NotWhat []string
	// From and To bound the time, From inclusive and To exclusive; zero for no bound.
	From, To time.Time
	// Newest asks for the newest first, else the oldest.
	Newest bool
	// Limit bounds them.
	Limit int
}

// AuditFind returns records of the audit log in the order that is asked for.
func (l *Ledger) AuditFind(ctx context.Context, q AuditQuery) ([]AuditRecord, error) {
	where, args := []string{"n > ?"}, []any{int64(q.After)}
	and := func(clause string, arg ...any) { where, args = append(where, clause), append(args, arg...) }
	if q.Before > 0 {
		and("n < ?", int64(q.Before))
	}
	if q.Who != "" {
		and("who = ?", q.Who)
	}
	if q.Object != "" {
		and("instr(object, ?) > 0", q.Object)
	}
	if !q.From.IsZero() {
		and("time >= ?", nanos(q.From))
	}
	if !q.To.IsZero() {
		and("time < ?", nanos(q.To))
	}
	like := func(patterns []string) (string, []any) {
		var any []any
		for _, p := range patterns {
			any = append(any, p)
		}
		return "(" + strings.TrimSuffix(strings.Repeat("what LIKE ? OR ", len(patterns)), " OR ") + ")", any
	}
	if len(q.What) > 0 {
		clause, patterns := like(q.What)
		and(clause, patterns...)
	}
	if len(q.NotWhat) > 0 {
		clause, patterns := like(q.NotWhat)
		and("NOT "+clause, patterns...)
	}
	order := "n"
	if q.Newest {
		order = "n DESC"
	}
	var out []AuditRecord
	err := l.read(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT n, time, who, what, object, hash FROM audit WHERE `+strings.Join(where, " AND ")+` ORDER BY `+order+` LIMIT ?`, append(args, q.Limit)...)
		if err != nil {
			return err
		}
		out, err = scanAudit(rows)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("search the audit log: %w", err)
	}
	return out, nil
}

func scanAudit(rows *sql.Rows) (out []AuditRecord, err error) {
	defer rows.Close()
	for rows.Next() {
		var r AuditRecord
		var n, at int64
		if err := rows.Scan(&n, &at, &r.Who, &r.What, &r.Object, &r.Hash); err != nil {
			return nil, err
		}
		r.N, r.Time = uint64(n), fromNanos(at)
		out = append(out, r)
	}
	return out, rows.Err()
}
