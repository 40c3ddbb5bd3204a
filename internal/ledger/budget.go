package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"

	"vigil"
)

// maxBudgetsKept bounds the changes of the budget that are listed; the log has older ones
// as long as it goes back.
const maxBudgetsKept = 1_000

// AcceptBudget makes a change of the alert budget durable as the next entry of the log, and
// lists it from then on.
func (l *Ledger) AcceptBudget(ctx context.Context, b vigil.BudgetChange) (uint64, error) {
	if err := b.Check(); err != nil {
		return 0, fmt.Errorf("accept change of budget: %w", err)
	}
	data, err := json.Marshal(b)
	if err != nil {
		return 0, fmt.Errorf("accept change of budget: %w", err)
	}
	return l.acceptSaid(ctx, vigil.Control{Type: vigil.ControlBudget, Data: data}, func(in *inserter) error {
		id := strconv.FormatUint(in.seq, 10)
		if err := in.exec(`INSERT INTO budget (seq, data, sum) VALUES (?, ?, ?)`, int64(in.seq), data, int64(findingSum(id, data))); err != nil {
			return err
		}
		return in.exec(`DELETE FROM budget WHERE seq NOT IN (SELECT seq FROM budget ORDER BY seq DESC LIMIT ?)`, maxBudgetsKept)
	})
}

// BudgetAt is a change of the budget and the entry of the log from which on it holds.
type BudgetAt struct {
	vigil.BudgetChange
	Seq uint64
}

// BudgetChanges returns the newest changes of the budget, at most max of some 1,000, the
// newest first. A damaged one is left out and logged.
func (l *Ledger) BudgetChanges(ctx context.Context, max int) ([]BudgetAt, error) {
	var out []BudgetAt
	err := l.read(ctx, func(tx *sql.Tx) error {
		return eachSaid(ctx, l, tx, "change of budget", func(id string, b vigil.BudgetChange) {
			seq, _ := strconv.ParseUint(id, 10, 64) // the column holds integers alone
			out = append(out, BudgetAt{b, seq})
		}, `SELECT seq, data, sum FROM budget ORDER BY seq DESC LIMIT ?`, max)
	})
	if err != nil {
		return nil, fmt.Errorf("read changes of budget: %w", err)
	}
	return out, nil
}
