package app_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vigil"
	"vigil/internal/api"
	"vigil/internal/app"
)

// Below twenty verdicts of each kind triage says that it does not know; from then on
// it orders the queue by harm times how likely, and a verdict taken back is unlearnt.
func TestTriageOrdersTheQueueOnceItKnows(t *testing.T) {
	t.Parallel()
	cfg := configure(t, t.TempDir())
	at := time.Date(2026, 11, 3, 10, 0, 0, 0, time.UTC)
	var findings []vigil.Finding
	finding := func(id string, harm float64, bad bool) {
		c := vigil.Contribution{Model: "volume", Observation: "subjects", Span: "day", Frame: "self", P: 1e-3, Share: 1}
		if bad {
			c = vigil.Contribution{Model: "novelty", Observation: "network", Span: "day", Frame: "everyone", SeenLabel: "203.0.113.0/24", P: 1e-5, Share: 1}
		}
		findings = append(findings, vigil.Finding{
			ID: id, Revision: 1, State: vigil.StateClosed, About: vigil.AboutActor, Actor: "actor-1", Start: at, End: at, Detected: at,
			Harm: harm, Severity: vigil.SeverityHigh, Lane: "day", Contributions: []vigil.Contribution{c},
		})
	}
	for i := range 44 {
		finding(fmt.Sprintf("f-%02d", i), 1, i%2 == 0)
	}
	finding("f-mild-but-likely", 50, true)
	finding("f-grave-but-unlikely", 60, false)
	app.Keep(t, cfg.DataDir, findings...)
	begin(t, cfg, app.Options{})
	d, err := app.OpenDesk(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	say := func(i int, undo bool) {
		word := vigil.WordExpected
		if i%2 == 0 {
			word = vigil.WordMisuse
		}
		if undo {
			word = ""
		}
		if _, err := d.Decide(t.Context(), api.Saying{Finding: fmt.Sprintf("f-%02d", i), Word: word, By: fmt.Sprint("analyst ", i%3)}); err != nil {
			t.Fatal(err)
		}
	}
	first := func() vigil.Finding {
		page, err := d.Findings(t.Context(), api.FindingFilter{Limit: 100})
		if err != nil || page.Next != nil || len(page.Findings) != len(findings) {
			t.Fatalf("listed are %d, more: %v, %v", len(page.Findings), page.Next != nil, err)
		}
		return page.Findings[0]
	}
	for i := range 39 {
		say(i, false)
	}
	if f := first(); f.ID != "f-grave-but-unlikely" || f.Triage == nil || f.Triage.Known || !strings.Contains(f.Triage.Why, "20 of expected (19 so far)") {
		t.Errorf("with 39 verdicts the first is %s, triage %+v", f.ID, f.Triage)
	}
	say(39, false)
	if f := first(); f.ID != "f-mild-but-likely" || !f.Triage.Known || f.Triage.P < 0.8 || !strings.Contains(f.Triage.Why, "new network") {
		t.Errorf("with 40 verdicts the first is %s, triage %+v", f.ID, f.Triage)
	}
	say(39, true)
	if f := first(); f.ID != "f-grave-but-unlikely" || f.Triage.Known {
		t.Errorf("with one taken back the first is %s, triage %+v", f.ID, f.Triage)
	}
}

func TestWhatIsNoExampleIsRefusedByItsLine(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "examples.ndjson")
	for text, want := range map[string]string{
		"{\"finding\":{\"id\":\"f-1\"},\"breach\":true,\"staging\":\"\"}\n{}\n": ":2: this is no finding of a drill: it has no id",
		"{\"id\":\"f-1\"}\n": ":1: this is no finding of a drill: json: unknown field",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := app.Triage(t.Context(), nil, []string{path}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, not %q", err, want)
		}
		if _, err := app.LearnExamples(t.TempDir(), []string{path}); err == nil {
			t.Error("it was learnt")
		}
	}
}
