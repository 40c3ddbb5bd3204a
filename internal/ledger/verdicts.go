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
		return in.exec(`INSERT INTO verdict (finding, data, sum) VALUES (?, ?, ?)
			ON CONFLICT (finding) DO UPDATE SET data = excluded.data, sum = excluded.sum`, v.Finding, data, int64(findingSum(v.Finding, data)))
	})
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
