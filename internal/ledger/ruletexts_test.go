package ledger_test

import (
	"crypto/sha256"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vigil/internal/ledger"
)

// A rule's text is kept under its digest; a damaged one is left out.
func TestTextsOfRulesAreKept(t *testing.T) {
	t.Parallel()
	cfg := ledger.Config{Dir: t.TempDir()}
	l := open(t, cfg, ledger.Options{})
	digest := func(text string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(text))) }
	for range 2 {
		if err := l.KeepRuleTexts(t.Context(), []string{"id: a", "id: b"}); err != nil {
			t.Fatal(err)
		}
	}
	l = reopen(t, l, cfg)
	ask := []string{digest("id: a"), digest("id: b"), digest("id: c")}
	got, err := l.RuleTexts(t.Context(), ask)
	if diff := cmp.Diff(map[string]string{ask[0]: "id: a", ask[1]: "id: b"}, got); err != nil || diff != "" {
		t.Error(err, diff)
	}
	if got, err = l.RuleTexts(t.Context(), nil); err != nil || len(got) != 0 {
		t.Errorf("of none: %v, %v", got, err)
	}
	flip(t, cfg.Dir, "rule_text", "data", fmt.Sprintf("digest = '%s'", ask[0]))
	if got, err = l.RuleTexts(t.Context(), ask); err != nil || len(got) != 1 || got[ask[1]] == "" {
		t.Errorf("with a damaged one: %v, %v", got, err)
	}
}
