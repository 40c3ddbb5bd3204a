package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Verify reads everything that is kept and returns what is damaged, each as an
// error; none when all is well. It takes as long as reading it all takes, and
// changes nothing. The second result is set when the reading itself failed.
func (l *Ledger) Verify(ctx context.Context) ([]error, error) {
	var found []error
	if err := l.read(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `PRAGMA quick_check(20)`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var line string
			if err := rows.Scan(&line); err != nil {
				return err
			}
			if line != "ok" {
				found = append(found, &CorruptError{What: "database", Name: "ledger.db", Err: errors.New(line)})
			}
		}
		return rows.Err()
	}); err != nil {
		return found, fmt.Errorf("check database: %w", err)
	}
	for _, step := range []func(context.Context, func(error)) error{l.verifyLog, l.verifyFindings, l.verifySnapshots, l.verifyAudit} {
		if err := step(ctx, func(err error) { found = append(found, err) }); err != nil {
			return found, err
		}
	}
	return found, nil
}

func (l *Ledger) verifyLog(ctx context.Context, report func(error)) error {
	seq, err := l.cut(ctx)
	if err != nil {
		return err
	}
	for seq < l.last.Load() {
		entries, err := l.Entries(ctx, seq, 256)
		var damage *CorruptError
		switch {
		case errors.As(err, &damage):
			report(damage)
			seq++
		case err != nil:
			return err
		default:
			seq += uint64(len(entries))
		}
	}
	return nil
}

func (l *Ledger) verifyFindings(ctx context.Context, report func(error)) error {
	err := l.read(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT `+findingColumns+` FROM finding f LEFT JOIN verdict v ON v.finding = f.id`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			_, err := scanFinding(rows.Scan)
			var damage *CorruptError
			if errors.As(err, &damage) {
				report(damage)
			} else if err != nil {
				return err
			}
		}
		return rows.Err()
	})
	if err != nil {
		return fmt.Errorf("check findings: %w", err)
	}
	return nil
}

func (l *Ledger) verifySnapshots(ctx context.Context, report func(error)) error {
	manifests, err := l.manifests(ctx)
	if err != nil {
		return err
	}
	for _, m := range manifests {
		err := m.err
		if err == nil {
			_, err = l.loadParts(ctx, m)
		}
		var damage *CorruptError
		if errors.As(err, &damage) {
			report(damage)
		} else if err != nil {
			return err
		}
	}
	return nil
}

func (l *Ledger) verifyAudit(ctx context.Context, report func(error)) error {
	_, _, err := l.VerifyAudit(ctx)
	var damage *CorruptError
	if errors.As(err, &damage) {
		report(damage)
		return nil
	}
	return err
}
