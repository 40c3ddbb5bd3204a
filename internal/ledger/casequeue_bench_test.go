package ledger_test

import (
	"testing"

	"vigil"
	"vigil/internal/api"
	"vigil/internal/ledger"
)

// BenchmarkCaseQueue reads the queue among 100,000 cases: its head, what is deep in it,
// what has to be looked for, and what is not there.
func BenchmarkCaseQueue(b *testing.B) {
	l := queued(b, 100_000, ledger.Options{})
	deep := ""
	for range 200 {
		page, err := l.CaseQueue(b.Context(), api.QueueFilter{After: deep, Limit: 250}, ledger.Viewer{})
		if err != nil {
			b.Fatal(err)
		}
		deep = page.Next
	}
	for name, f := range map[string]api.QueueFilter{
		"head": {Unresolved: true}, "deep": {After: deep}, "store": {Place: "store-3", Unresolved: true}, "nothing": {Place: "nowhere"},
		"nobody's": {Unowned: true, About: vigil.AboutNetwork, State: vigil.CaseAcknowledged}, "new": {New: true},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := l.CaseQueue(b.Context(), f, ledger.Viewer{By: "actor-ann"}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("no news of a kind", func(b *testing.B) {
		for b.Loop() {
			if n, err := l.News(b.Context(), api.QueueFilter{Place: "nowhere"}, ledger.Viewer{By: "actor-ann"}); err != nil || n != 0 {
				b.Fatal(n, err)
			}
		}
	})
	b.Run("news", func(b *testing.B) {
		for b.Loop() {
			if n, err := l.News(b.Context(), api.QueueFilter{}, ledger.Viewer{By: "actor-ann"}); err != nil || n != api.MaxNews {
				b.Fatal(n, err)
			}
		}
	})
}
