package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

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
