package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"vigil"
	"vigil/internal/api"
)

// AcceptVerdict makes a verdict durable as the next entry of the log, and in the
// same transaction puts it in force: Findings show it from then on. One that is
// taken back is gone. The error wraps api.ErrNotFound when there is no such finding,
// and nothing is written then.
func (l *Ledger) AcceptVerdict(ctx context.Context, v vigil.Verdict) (uint64, error) {
	f, err := l.Finding(ctx, v.Finding)
	if err != nil {
		return 0, err
	}
	if v.Undone() && f.Verdict == nil {
		return 0, fmt.Errorf("finding %q has no verdict to take back: %w", v.Finding, api.ErrNotFound)
	}
	data, err := json.Marshal(v)
	if err != nil {
		return 0, fmt.Errorf("accept verdict: %w", err)
	}
	return l.acceptSaid(ctx, vigil.Control{Type: vigil.ControlVerdict, Data: data}, func(in *inserter) error {
		if v.Undone() {
			return in.exec(`DELETE FROM verdict WHERE finding = ?`, v.Finding)
		}
		return in.exec(`INSERT INTO verdict (finding, data, sum, word, lane, model, month) VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (finding) DO UPDATE SET data = excluded.data, sum = excluded.sum,
				word = excluded.word, lane = excluded.lane, model = excluded.model, month = excluded.month`,
			v.Finding, data, int64(findingSum(v.Finding, data)), string(v.Word), f.Lane, toldMost(&f), f.Detected.UTC().Format("2006-01"))
	})
}

// toldMost is the model that contributed most to a finding, empty where none did.
func toldMost(f *vigil.Finding) string {
	if len(f.Contributions) == 0 {
		return ""
	}
	return f.Contributions[0].Model
}

func (l *Ledger) acceptSaid(ctx context.Context, c vigil.Control, also func(in *inserter) error) (uint64, error) {
	r := &request{kind: vigil.EntryControl, body: encodeControl(c), also: also}
	if err := l.submit(ctx, r); err != nil {
		return 0, fmt.Errorf("accept %s: %w", c.Type, err)
	}
	return r.seq, nil
}

// Judged returns the findings about which something was said, the newest first, at
// most max. Damaged ones are left out and logged.
func (l *Ledger) Judged(ctx context.Context, max int) ([]vigil.Finding, error) {
	var out []vigil.Finding
	err := l.read(ctx, func(tx *sql.Tx) error {
		_, err := l.eachFinding(ctx, tx, func(f *vigil.Finding) { out = append(out, *f) }, `SELECT `+findingColumns+` FROM finding f JOIN verdict v ON v.finding = f.id
			ORDER BY f.detected DESC, f.id LIMIT ?`, max)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read verdicts: %w", err)
	}
	return out, nil
}

// WordCounts counts what people said: by what found it, by the model that told most, and by
// the month of its detection, sorted by that. It reads the counts alone, however many
// verdicts there are.
func (l *Ledger) WordCounts(ctx context.Context) ([]api.WordCount, error) {
	out := []api.WordCount{}
	err := l.read(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT sort, name,
				sum(CASE WHEN word IN (?1, ?2) THEN n ELSE 0 END), sum(CASE WHEN word = ?3 THEN n ELSE 0 END), sum(CASE WHEN word = ?4 THEN n ELSE 0 END)
			FROM word_tally WHERE name <> '' GROUP BY sort, name HAVING sum(n) > 0 ORDER BY sort, name`,
			string(vigil.WordBreach), string(vigil.WordMisuse), string(vigil.WordExpected), string(vigil.WordUnknown))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var c api.WordCount
			if err := rows.Scan(&c.By, &c.Name, &c.Bad, &c.Expected, &c.Unknown); err != nil {
				return err
			}
			out = append(out, c)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("count verdicts: %w", err)
	}
	return out, nil
}

// AcceptException makes an exception durable as the next entry of the log, and
// lists it from then on; one of the same ID is replaced.
func (l *Ledger) AcceptException(ctx context.Context, x vigil.Exception) (uint64, error) {
	data, err := json.Marshal(x)
	if err != nil {
		return 0, fmt.Errorf("accept exception: %w", err)
	}
	return l.acceptSaid(ctx, vigil.Control{Type: vigil.ControlException, Data: data}, func(in *inserter) error {
		return in.exec(`INSERT INTO exception (id, data, sum) VALUES (?, ?, ?)
			ON CONFLICT (id) DO UPDATE SET data = excluded.data, sum = excluded.sum`, x.ID, data, int64(findingSum(x.ID, data)))
	})
}

// Exceptions returns all that were made, ended ones too, in the order of their ids.
// A damaged one is left out and logged.
func (l *Ledger) Exceptions(ctx context.Context) ([]vigil.Exception, error) {
	var out []vigil.Exception
	err := l.read(ctx, func(tx *sql.Tx) error {
		return eachSaid(ctx, l, tx, "exception", func(_ string, x vigil.Exception) { out = append(out, x) },
			`SELECT id, data, sum FROM exception ORDER BY id`)
	})
	if err != nil {
		return nil, fmt.Errorf("read exceptions: %w", err)
	}
	return out, nil
}
