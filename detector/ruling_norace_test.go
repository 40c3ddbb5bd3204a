//go:build !race

package detector_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/detector/rules"
)

// TestRulesGoOnAfterARestart takes the state in the midst of a flood and of failures.
func TestRulesGoOnAfterARestart(t *testing.T) {
	t.Parallel()
	set := func() []*rules.Rule {
		return []*rules.Rule{rule(t, "all", "discloses", "day"), rule(t, "bad", "rows % 0 == 1", "day"), rule(t, "few", `actor == "a-7"`, "actor")}
	}
	want := judge(t, ruled(t, set()...), flood(), always(1000))
	e := ruled(t, set()...)
	var got []vigil.Finding
	events := flood()
	for i := 0; len(events) > 0; i++ {
		n := min(61, len(events))
		found, err := e.Fold(entry(events[:n]))
		if err != nil {
			t.Fatal(err)
		}
		got, events = append(got, found...), events[n:]
		if i%5 != 4 {
			continue
		}
		parts, err := e.Snapshot(true)
		if err != nil {
			t.Fatal(err)
		}
		e = ruled(t, set()...)
		if err := e.Restore(parts); err != nil {
			t.Fatal(err)
		}
	}
	found, err := e.Finish()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(encode(t, want), encode(t, append(got, found...))); diff != "" {
		t.Errorf("findings differ (-want +got):\n%.2000s", diff)
	}
}
