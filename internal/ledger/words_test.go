package ledger_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/internal/api"
	"vigil/internal/ledger"
)

// What people said is counted as it is said, changed, taken back and forgotten with its
// findings.
func TestWordsAreCounted(t *testing.T) {
	t.Parallel()
	now := start
	l := open(t, ledger.Config{FindingRetention: 24 * time.Hour, Retention: time.Hour, RollupRetention: time.Hour}, ledger.Options{Now: func() time.Time { return now }})
	keep(t, l,
		vigil.Finding{ID: "f-1", Revision: 1, State: vigil.StateClosed, Lane: "day", Detected: start, Contributions: []vigil.Contribution{{Model: "volume"}, {Model: "hours"}}},
		vigil.Finding{ID: "f-2", Revision: 1, State: vigil.StateClosed, Lane: "rule", Detected: start.AddDate(0, 1, 0)},
	)
	say := func(id string, w vigil.Word) {
		t.Helper()
		if _, err := l.AcceptVerdict(t.Context(), vigil.Verdict{Finding: id, Word: w, By: "actor-1"}); err != nil {
			t.Fatal(err)
		}
	}
	counts := func(want ...api.WordCount) {
		t.Helper()
		got, err := l.WordCounts(t.Context())
		if diff := cmp.Diff(append([]api.WordCount{}, want...), got); err != nil || diff != "" {
			t.Error(err, diff)
		}
	}
	counts()
	say("f-1", vigil.WordUnknown)
	say("f-1", vigil.WordBreach)
	say("f-2", vigil.WordExpected)
	month, next := start.Format("2006-01"), start.AddDate(0, 1, 0).Format("2006-01")
	counts(
		api.WordCount{By: "lane", Name: "day", Bad: 1}, api.WordCount{By: "lane", Name: "rule", Expected: 1}, api.WordCount{By: "model", Name: "volume", Bad: 1},
		api.WordCount{By: "month", Name: month, Bad: 1}, api.WordCount{By: "month", Name: next, Expected: 1},
	)
	say("f-1", "")
	counts(api.WordCount{By: "lane", Name: "rule", Expected: 1}, api.WordCount{By: "month", Name: next, Expected: 1})
	now = now.AddDate(1, 0, 0)
	if _, err := l.Prune(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	counts()
}
