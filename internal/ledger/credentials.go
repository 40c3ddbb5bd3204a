package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"vigil/internal/api"
	"vigil/internal/identity/record"
)

// credentialsDropped bounds how many that are over are dropped with one change.
const credentialsDropped = 100

// Credential returns a record of accounts, sessions, tokens or invitations. One that is
// over is not there: the error wraps api.ErrNotFound.
func (l *Ledger) Credential(ctx context.Context, kind record.Kind, key string) (record.Record, error) {
	out := record.Record{Kind: kind, Key: key}
	err := l.read(ctx, func(tx *sql.Tx) error {
		var ends, sum int64
		err := tx.QueryRowContext(ctx, `SELECT owner, ends, data, version, sum FROM credential WHERE kind = ? AND key = ? AND (ends = 0 OR ends > ?)`,
			string(kind), key, nanos(l.now())).Scan(&out.Owner, &ends, &out.Data, &out.Version, &sum)
		if errors.Is(err, sql.ErrNoRows) {
			return api.ErrNotFound
		}
		if err != nil {
			return err
		}
		out.Ends = fromNanos(ends)
		return sound(out, sum)
	})
	if err != nil {
		return out, fmt.Errorf("read %s: %w", kind, err)
	}
	return out, nil
}

// Credentials lists the records of an owner, of all for the empty one, by key, at most
// max. One that is damaged is left out and logged.
func (l *Ledger) Credentials(ctx context.Context, kind record.Kind, owner string, max int) ([]record.Record, error) {
	var out []record.Record
	err := l.read(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT key, owner, ends, data, version, sum FROM credential
			WHERE kind = ?1 AND (?2 = '' OR owner = ?2) AND (ends = 0 OR ends > ?3) ORDER BY key LIMIT ?4`, string(kind), owner, nanos(l.now()), max)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			r := record.Record{Kind: kind}
			var ends, sum int64
			if err := rows.Scan(&r.Key, &r.Owner, &ends, &r.Data, &r.Version, &sum); err != nil {
				return err
			}
			r.Ends = fromNanos(ends)
			if err := sound(r, sum); err != nil {
				l.log.Error("a record of who signs in is damaged and left out", "error", err)
				continue
			}
			out = append(out, r)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("read %ss: %w", kind, err)
	}
	return out, nil
}

// ChangeCredentials makes all changes or none. The error wraps record.ErrChanged where
// something else stood there than was expected. What is over is dropped along with it.
func (l *Ledger) ChangeCredentials(ctx context.Context, changes ...record.Change) error {
	err := l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for _, c := range changes {
			if err := change(ctx, tx, c, nanos(l.now())); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM credential WHERE rowid IN (SELECT rowid FROM credential WHERE ends > 0 AND ends <= ? LIMIT ?)`,
			nanos(l.now()), credentialsDropped)
		return err
	})
	if err != nil {
		return fmt.Errorf("keep who signs in: %w", err)
	}
	return nil
}

func change(ctx context.Context, tx *sql.Tx, c record.Change, now int64) error {
	r := c.Record
	var have int64
	err := tx.QueryRowContext(ctx, `SELECT version FROM credential WHERE kind = ? AND key = ? AND (ends = 0 OR ends > ?)`, string(r.Kind), r.Key, now).Scan(&have)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if c.Was != record.Any && c.Was != have {
		return fmt.Errorf("%s: %w", r.Kind, record.ErrChanged)
	}
	if c.Delete {
		_, err = tx.ExecContext(ctx, `DELETE FROM credential WHERE kind = ? AND key = ?`, string(r.Kind), r.Key)
		return err
	}
	ends := int64(0)
	if !r.Ends.IsZero() {
		ends = nanos(r.Ends)
	}
	r.Ends = fromNanos(ends)
	_, err = tx.ExecContext(ctx, `INSERT INTO credential (kind, key, owner, ends, data, version, sum) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (kind, key) DO UPDATE SET owner = excluded.owner, ends = excluded.ends, data = excluded.data, version = excluded.version, sum = excluded.sum`,
		string(r.Kind), r.Key, r.Owner, ends, r.Data, have+1, credentialSum(r))
	return err
}

// credentialSum covers whose a record is and when it ends too: a flipped bit must not let
// anybody in.
func credentialSum(r record.Record) int64 {
	return int64(findingSum(fmt.Sprintf("%s\x00%s\x00%s\x00%d", r.Kind, r.Key, r.Owner, nanos(r.Ends)), r.Data))
}

func sound(r record.Record, sum int64) error {
	if credentialSum(r) != sum {
		return &CorruptError{What: string(r.Kind), Name: r.Owner, Err: errors.New("it is not what was written")}
	}
	return nil
}
