package ledger_test

import (
	"testing"

	"vigil"
	"vigil/internal/ledger"
)

// BenchmarkCaseQueue reads the queue among 100,000 cases: its head, what is deep in it,
// what has to be looked for, and what is not there.
func BenchmarkCaseQueue(b *testing.B) {
	l := queued(b, 100_000, ledger.Options{})
	deep := ""
	for range 200 {
		page, err := l.CaseQueue(b.Context(), ledger.QueueFilter{After: deep, Limit: 250})
		if err != nil {
			b.Fatal(err)
		}
		deep = page.Next
	}
	for name, f := range map[string]ledger.QueueFilter{
		"head": {Unresolved: true}, "deep": {After: deep}, "store": {Place: "store-3", Unresolved: true}, "nothing": {Place: "nowhere"},
		"nobody's": {Unowned: true, About: vigil.AboutNetwork, State: vigil.CaseAcknowledged}, "new": {NewTo: "actor-ann"},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := l.CaseQueue(b.Context(), f); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("news", func(b *testing.B) {
		for b.Loop() {
			if n, err := l.News(b.Context(), "actor-ann"); err != nil || n != ledger.MaxNews {
				b.Fatal(n, err)
			}
		}
	})
}
