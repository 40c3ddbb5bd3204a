package ledger_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/internal/api"
	"vigil/internal/ledger"
)

// A list that is read part by part gives each finding once, in the order of the whole,
// though graver ones come meanwhile; many of one weight are told apart by the rest.
func TestFindingsGoOnBehindAKey(t *testing.T) {
	t.Parallel()
	l := open(t, ledger.Config{Dir: t.TempDir()}, ledger.Options{})
	seq := uint64(0)
	keep := func(id string, harm float64, severity vigil.Severity, detected time.Time) {
		t.Helper()
		f := vigil.Finding{ID: id, Revision: 1, State: vigil.StateOpen, About: vigil.AboutActor, Actor: "a", Harm: harm, Severity: severity, Start: detected, End: detected, Detected: detected}
		accept(t, l, int(seq), 1)
		seq++
		if err := l.Apply(t.Context(), ledger.Applied{Seq: seq, Findings: []vigil.Finding{f}}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 23 {
		keep(fmt.Sprintf("f-%02d", i), []float64{.1, 1.0 / 3, 7}[i%3], []vigil.Severity{vigil.SeverityLow, vigil.SeverityHigh}[i%2], start.Add(time.Duration(i/6)*time.Hour))
	}
	whole, err := l.Findings(t.Context(), api.FindingFilter{})
	if err != nil || len(whole.Findings) != 23 || whole.Next != nil {
		t.Fatalf("%d findings, %v, %v", len(whole.Findings), whole.Next, err)
	}
	var want, got []string
	for _, f := range whole.Findings {
		want = append(want, f.ID)
	}
	f := api.FindingFilter{Limit: 5}
	for n := 0; n < 10; n++ {
		page, err := l.Findings(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range page.Findings {
			got = append(got, x.ID)
		}
		keep(fmt.Sprintf("g-%d", n), 100, vigil.SeverityCritical, start)
		if f.After = page.Next; f.After == nil {
			break
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-whole +parts):\n%s", diff)
	}
}
