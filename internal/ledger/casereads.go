package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"vigil"
)

// CasesOf returns the cases that findings belong to, by the finding's id. Those of none
// are left out; so are damaged ones, which is logged.
func (l *Ledger) CasesOf(ctx context.Context, findings []string) (map[string]vigil.Case, error) {
	out := make(map[string]vigil.Case, len(findings))
	err := l.read(ctx, func(tx *sql.Tx) error {
		clear(out)
		stmt, err := tx.PrepareContext(ctx, `SELECT `+caseColumns+` FROM casefile c JOIN case_finding f ON f.casefile = c.id WHERE f.finding = ?`)
		if err != nil {
			return err
		}
		defer stmt.Close()
		for _, id := range findings {
			c, err := scanCase(stmt.QueryRowContext(ctx, id).Scan)
			var damage *CorruptError
			switch {
			case errors.Is(err, sql.ErrNoRows):
			case errors.As(err, &damage):
				l.log.Error("a case is damaged and left out", "error", err)
			case err != nil:
				return err
			default:
				out[id] = c
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read cases of findings: %w", err)
	}
	return out, nil
}

// LastCaseEvents returns the latest max lines of a case's timeline, in order, and how many
// it has.
func (l *Ledger) LastCaseEvents(ctx context.Context, id string, max int) (out []vigil.CaseEvent, total int, err error) {
	var first int64
	err = l.read(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM case_event WHERE casefile = ?1),
			COALESCE((SELECT min(n) FROM (SELECT n FROM case_event WHERE casefile = ?1 ORDER BY n DESC LIMIT ?2)), 0)`, id, max).Scan(&total, &first)
	})
	if err != nil {
		return nil, 0, fmt.Errorf("read timeline of case %q: %w", id, err)
	}
	out, err = l.CaseEvents(ctx, id, first-1, max)
	return out, total, err
}

// CaseFindings visits the findings of a case, all of them and not only those that the case
// lists. Damaged ones are left out and logged.
func (l *Ledger) CaseFindings(ctx context.Context, id string, visit func(*vigil.Finding)) error {
	err := l.read(ctx, func(tx *sql.Tx) error {
		_, err := l.eachFinding(ctx, tx, visit, `SELECT `+findingColumns+` FROM case_finding c JOIN finding f ON f.id = c.finding
			LEFT JOIN verdict v ON v.finding = f.id WHERE c.casefile = ? ORDER BY f.id`, id)
		return err
	})
	if err != nil {
		return fmt.Errorf("read findings of case %q: %w", id, err)
	}
	return nil
}

// Earliest is the time of the earliest event that is kept, as far as the parts of the store
// tell it; zero when none is.
func (l *Ledger) Earliest(ctx context.Context) (time.Time, error) {
	var first sql.NullInt64
	err := l.read(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT min(first) FROM (SELECT min(first) AS first FROM segment WHERE state = 'live'
			UNION ALL SELECT min(first) FROM entry INDEXED BY entry_unsealed WHERE segment = 0 AND events > 0 AND damaged = '')`).Scan(&first)
	})
	if err != nil || !first.Valid {
		return time.Time{}, err
	}
	return fromNanos(first.Int64), nil
}

// CaseIDsAbout lists the cases about a topic (see vigil.Case) that overlap a time, the first
// first, at most max.
func (l *Ledger) CaseIDsAbout(ctx context.Context, topic string, from, to time.Time, max int) (ids []string, err error) {
	err = l.read(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT id FROM casefile WHERE topic = ? AND last >= ? AND start <= ? ORDER BY start, id LIMIT ?`, topic, nanos(from), nanos(to), max)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id string
			if err := rows.Scan(&id); err != nil {
				return err
			}
			ids = append(ids, id)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("look for cases about %q: %w", topic, err)
	}
	return ids, nil
}
