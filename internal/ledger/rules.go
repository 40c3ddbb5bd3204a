package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"

	"vigil"
)

// maxRulesKept bounds the changes of rules that are listed; the log has older ones as
// long as it goes back.
const maxRulesKept = 200

// AcceptRules makes a change of rules durable as the next entry of the log, and lists
// it from then on.
func (l *Ledger) AcceptRules(ctx context.Context, c vigil.RulesChange) (uint64, error) {
	if err := c.Check(); err != nil {
		return 0, fmt.Errorf("accept change of rules: %w", err)
	}
	data, err := json.Marshal(c)
	if err != nil {
		return 0, fmt.Errorf("accept change of rules: %w", err)
	}
	return l.acceptSaid(ctx, vigil.Control{Type: vigil.ControlRules, Data: data}, func(in *inserter) error {
		id := strconv.FormatUint(in.seq, 10)
		if err := in.exec(`INSERT INTO rules (seq, data, sum) VALUES (?, ?, ?)`, int64(in.seq), data, int64(findingSum(id, data))); err != nil {
			return err
		}
		return in.exec(`DELETE FROM rules WHERE seq NOT IN (SELECT seq FROM rules ORDER BY seq DESC LIMIT ?)`, maxRulesKept)
	})
}

// RulesChanges returns the newest changes of rules, at most max of some 200, the newest
// first. A damaged one is left out and logged.
func (l *Ledger) RulesChanges(ctx context.Context, max int) ([]vigil.RulesChange, error) {
	var out []vigil.RulesChange
	err := l.read(ctx, func(tx *sql.Tx) error {
		return eachSaid(ctx, l, tx, "change of rules", func(_ string, c vigil.RulesChange) { out = append(out, c) },
			`SELECT seq, data, sum FROM rules ORDER BY seq DESC LIMIT ?`, max)
	})
	if err != nil {
		return nil, fmt.Errorf("read changes of rules: %w", err)
	}
	return out, nil
}
