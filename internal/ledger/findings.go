package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"vigil"
	"vigil/internal/api"
)

// Findings returns a part of the queue, worst first: by harm, times how likely a
// breach it is where that is known (see Rate), then severity, then the newest. A finding that is damaged is left out and logged; Total counts
// it.
func (l *Ledger) Findings(ctx context.Context, f api.FindingFilter) (api.FindingPage, error) {
	if f.Limit <= 0 {
		f.Limit = 200
	}
	var page api.FindingPage
	where := ` WHERE severity >= ?1 AND (?2 = '' OR state = ?2) AND detected >= ?3 AND detected < ?4`
	to := f.DetectedTo
	if to.IsZero() {
		to = latest
	}
	args := []any{f.MinSeverity.Rank(), string(f.State), nanos(f.DetectedFrom), nanos(to)}
	err := l.read(ctx, func(tx *sql.Tx) error {
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM finding f`+where, args...).Scan(&page.Total); err != nil {
			return err
		}
		args := append(args, f.Limit+1, max(0, f.Offset)) // one more tells whether there are any
		from := ""
		if k := f.After; k != nil {
			from = ` AND (-harm * coalesce(likely, 1), -severity, -detected, f.id) > (?7, ?8, ?9, ?10)`
			args = append(args, -k.Weight, -k.Severity, -k.Detected, k.ID)
		}
		rows, err := tx.QueryContext(ctx, `SELECT harm * coalesce(likely, 1), severity, detected, `+findingColumns+` FROM finding f LEFT JOIN verdict v ON v.finding = f.id`+where+from+
			` ORDER BY harm * coalesce(likely, 1) DESC, severity DESC, detected DESC, f.id LIMIT ?5 OFFSET ?6`, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		var last api.FindingKey
		for n := 0; rows.Next(); n++ {
			if n == f.Limit {
				page.Next = &last
				break
			}
			finding, err := scanFinding(func(to ...any) error {
				if err := rows.Scan(append([]any{&last.Weight, &last.Severity, &last.Detected}, to...)...); err != nil {
					return err
				}
				last.ID = *to[0].(*string)
				return nil
			})
			var damage *CorruptError
			if errors.As(err, &damage) {
				l.log.Error("a finding is damaged and left out", "error", err)
				continue
			}
			if err != nil {
				return err
			}
			page.Findings = append(page.Findings, finding)
		}
		return rows.Err()
	})
	if err != nil {
		return api.FindingPage{}, fmt.Errorf("read findings: %w", err)
	}
	return page, nil
}

// Finding returns the newest revision of one finding; the error wraps
// api.ErrNotFound when there is none, and is a *CorruptError when it is damaged.
func (l *Ledger) Finding(ctx context.Context, id string) (vigil.Finding, error) {
	var f vigil.Finding
	err := l.read(ctx, func(tx *sql.Tx) error {
		var err error
		f, err = scanFinding(tx.QueryRowContext(ctx, `SELECT `+findingColumns+` FROM finding f LEFT JOIN verdict v ON v.finding = f.id WHERE f.id = ?`, id).Scan)
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return vigil.Finding{}, fmt.Errorf("finding %q: %w", id, api.ErrNotFound)
	}
	if err != nil {
		return vigil.Finding{}, fmt.Errorf("read finding %q: %w", id, err)
	}
	return f, nil
}

// findingColumns are what scanFinding reads: the finding, and the word about it.
const findingColumns = `f.id, f.data, f.sum, v.data, v.sum`

func scanFinding(scan func(...any) error) (vigil.Finding, error) {
	var f vigil.Finding
	var id string
	var data, said []byte
	var sum int64
	var saidSum sql.NullInt64
	if err := scan(&id, &data, &sum, &said, &saidSum); err != nil {
		return f, err
	}
	if int64(findingSum(id, data)) != sum {
		return f, &CorruptError{What: "finding", Name: strconv.Quote(id), Err: errChecksum}
	}
	if err := json.Unmarshal(data, &f); err != nil {
		return vigil.Finding{}, &CorruptError{What: "finding", Name: strconv.Quote(id), Err: err}
	}
	if said != nil {
		f.Verdict = new(vigil.Verdict)
		if err := readSaid("verdict", id, said, saidSum.Int64, f.Verdict); err != nil {
			return vigil.Finding{}, err
		}
	}
	return f, nil
}

// eachFinding visits the findings of a query that asks for findingColumns. Damaged ones are
// counted, left out and logged.
func (l *Ledger) eachFinding(ctx context.Context, tx *sql.Tx, visit func(*vigil.Finding), query string, args ...any) (damaged int, err error) {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		f, err := scanFinding(rows.Scan)
		var damage *CorruptError
		if errors.As(err, &damage) {
			l.log.Error("a finding is damaged and left out", "error", err)
			damaged++
			continue
		}
		if err != nil {
			return damaged, err
		}
		visit(&f)
	}
	return damaged, rows.Err()
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
