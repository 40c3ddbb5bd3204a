package console_test

import (
	"strings"
	"testing"

	"vigil"
	"vigil/dashboards/console"
	"vigil/dashboards/internal/sample"
)

func TestVerdictAndTriageAreShown(t *testing.T) {
	t.Parallel()
	f := sample.Vendor()
	f.Verdict = &vigil.Verdict{Finding: f.ID, Word: vigil.WordBreach, By: "actor-7", Note: "seen by <two>", Time: sample.Now()}
	f.Triage = &vigil.Triage{Known: true, P: .87, Why: "for it: a new network"}
	h := handler(t, console.Config{}, sample.NewReader(f))
	page := get(t, h, "/findings/"+f.ID).body
	for _, want := range []string{"<strong>Verdict</strong>a breach", "actor-7", "seen by &lt;two&gt;", "for it: a new network", "87"} {
		if !strings.Contains(page, want) {
			t.Errorf("the finding's page lacks %q", want)
		}
	}
	if list := get(t, h, "/").body; !strings.Contains(list, "verdict: a breach") || !strings.Contains(list, "with a chance of 87") {
		t.Error("the queue does not tell of the verdict or how likely it is")
	}
}
