package app

import (
	"slices"

	"vigil/internal/api"
)

// below tells what a budget left below the line, by the newest back-test of a larger one; of
// several larger ones the smallest is the nearest to the line. Nil where none is kept.
// counting is the one that counts it just now, empty for none.
func (b *backtests) below(budget float64) (found *api.Below, counting string, err error) {
	b.mu.Lock()
	if r := b.running; r != nil && slices.ContainsFunc(r.Ask.Budgets, func(n float64) bool { return n > budget }) {
		counting = r.ID
	}
	b.mu.Unlock()
	ids, err := b.ids()
	if err != nil {
		return nil, counting, err
	}
	for _, id := range ids {
		for _, t := range b.tries(id) {
			if t.Budget > budget && (found == nil || t.Budget < found.Budget) {
				found = &t
			}
		}
		if found != nil {
			break
		}
	}
	return found, counting, nil
}

// tries are the budgets that a back-test tried which is over, and what each would have
// brought. They are read once.
func (b *backtests) tries(id string) []api.Below {
	b.triedMu.Lock()
	defer b.triedMu.Unlock()
	if t, ok := b.tried[id]; ok {
		return t
	}
	r, err := b.read(id)
	if err != nil || r.State == api.ReplayRunning {
		return nil // what can't be read is told in the list of back-tests
	}
	out := []api.Below{}
	if r.State == api.ReplayDone && len(r.Ask.Without) == 0 && r.Ask.Proposal == "" {
		for i := range r.Reports {
			p := &r.Reports[i]
			out = append(out, api.Below{Replay: r.ID, Asked: r.Asked, From: p.From, To: p.To, Budget: p.Budget, New: p.All.New})
		}
	}
	if b.tried == nil || len(b.tried) >= 2*keptReplays {
		b.tried = map[string][]api.Below{}
	}
	b.tried[id] = out
	return out
}
