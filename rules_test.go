package vigil_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigil"
)

func TestRulesChangeSaysWhatDiffers(t *testing.T) {
	t.Parallel()
	a, b := strings.Repeat("aa", 32), strings.Repeat("bb", 32)
	mark := func(id, digest string) vigil.RuleMark { return vigil.RuleMark{ID: id, Digest: digest} }
	before := []vigil.RuleMark{mark("gone", a), mark("kept", a), mark("other", a), mark("silenced", a)}
	now := []vigil.RuleMark{{ID: "silenced", Digest: a, Off: true}, mark("other", b), mark("kept", a), mark("new", b)}
	got, differ := vigil.NewRulesChange(before, now)
	want := vigil.RulesChange{
		Rules: []vigil.RuleMark{mark("kept", a), mark("new", b), mark("other", b), {ID: "silenced", Digest: a, Off: true}},
		Added: []string{"new"}, Changed: []vigil.RuleMark{mark("other", a), mark("silenced", a)}, Removed: []vigil.RuleMark{mark("gone", a)},
	}
	if diff := cmp.Diff(want, got); diff != "" || !differ {
		t.Errorf("differ %v: %s", differ, diff)
	}
	if again, differ := vigil.NewRulesChange(got.Rules, now); differ {
		t.Errorf("the same rules differ: %+v", again)
	}
	if _, differ := vigil.NewRulesChange(nil, nil); differ {
		t.Error("no rules differ from none")
	}
}

func TestRulesChangeIsBounded(t *testing.T) {
	t.Parallel()
	at, digest := time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC), strings.Repeat("0f", 32)
	good := vigil.RulesChange{Time: at, Rules: []vigil.RuleMark{{ID: "a", Digest: digest}}}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	for name, c := range map[string]vigil.RulesChange{
		"is missing":     {Rules: good.Rules},
		"is no id":       {Time: at, Removed: []vigil.RuleMark{{ID: strings.Repeat("a", 65), Digest: digest}}},
		"none of SHA":    {Time: at, Changed: []vigil.RuleMark{{ID: "a", Digest: "0f"}}},
		"rules are name": {Time: at, Rules: make([]vigil.RuleMark, vigil.MaxRules+1)},
		"are added":      {Time: at, Added: make([]string, vigil.MaxRules+1)},
	} {
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v, want %q", err, name)
		}
	}
}
