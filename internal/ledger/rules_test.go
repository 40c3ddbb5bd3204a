package ledger_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/internal/ledger"
)

// A change of rules is an entry of the log and stays listed; a damaged one is left out.
func TestChangesOfRulesAreKept(t *testing.T) {
	t.Parallel()
	cfg := ledger.Config{Dir: t.TempDir()}
	l := open(t, cfg, ledger.Options{})
	if _, err := l.AcceptRules(t.Context(), vigil.RulesChange{Time: start, Rules: []vigil.RuleMark{{ID: "a", Digest: "no digest"}}}); err == nil {
		t.Error("a rule without a digest was taken")
	}
	var want []vigil.RulesChange
	for i, digest := range []string{"aa", "bb", "cc"} {
		c := vigil.RulesChange{
			Time: start.Add(time.Duration(i) * time.Hour), From: uint64(i + 1), Rules: []vigil.RuleMark{{ID: "a", Digest: strings.Repeat(digest, 32)}},
		}
		seq, err := l.AcceptRules(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		entries, err := l.Entries(t.Context(), seq-1, 1)
		if err != nil || len(entries) != 1 || entries[0].Control.Type != vigil.ControlRules || !strings.Contains(string(entries[0].Control.Data), digest) {
			t.Fatalf("the log has %+v, %v", entries, err)
		}
		want = append([]vigil.RulesChange{c}, want...)
	}
	l = reopen(t, l, cfg)
	got, err := l.RulesChanges(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want[:2], got); diff != "" {
		t.Error(diff)
	}
	flip(t, cfg.Dir, "rules", "data", "seq = 3")
	if got, err = l.RulesChanges(t.Context(), 10); err != nil || len(got) != 2 || got[0].From != 2 {
		t.Errorf("with a damaged one: %+v, %v", got, err)
	}
}
