package ledger_test

import (
	"fmt"
	"testing"

	"vigil"
	"vigil/internal/ledger"
)

func TestOpenFindingsAboutSources(t *testing.T) {
	t.Parallel()
	l := open(t, ledger.Config{Dir: t.TempDir()}, ledger.Options{})
	seq := uint64(0)
	keep := func(found ...vigil.Finding) {
		t.Helper()
		accept(t, l, int(seq), 1)
		seq++
		if err := l.Apply(t.Context(), ledger.Applied{Seq: seq, Findings: found}); err != nil {
			t.Fatal(err)
		}
	}
	var all []vigil.Finding
	for i, x := range []struct {
		about vigil.About
		state vigil.FindingState
	}{
		{vigil.AboutActor, vigil.StateOpen}, {vigil.AboutSource, vigil.StateOpen}, {vigil.AboutSource, vigil.StateClosed},
		{vigil.AboutSource, vigil.StateOpen}, {"", vigil.StateOpen}, {vigil.AboutSource, vigil.StateOpen},
	} {
		all = append(all, vigil.Finding{ID: fmt.Sprintf("f-%d", i), Revision: 1, About: x.about, State: x.state, Source: "desk", Harm: float64(i), Severity: vigil.SeverityHigh, Start: start, End: start, Detected: start})
	}
	keep(all...)
	ids := func(max int) (out []string) {
		t.Helper()
		found, err := l.OpenOnSources(t.Context(), max)
		if err != nil {
			t.Fatal(err)
		}
		for i := range found {
			out = append(out, found[i].ID)
		}
		return out
	}
	if got, want := fmt.Sprint(ids(10)), "[f-5 f-3 f-1]"; got != want {
		t.Errorf("open findings about sources: %s, want %s", got, want)
	}
	if got, want := fmt.Sprint(ids(2)), "[f-5 f-3]"; got != want {
		t.Errorf("the first two: %s, want %s", got, want)
	}
	closed := all[3]
	closed.Revision, closed.State = 2, vigil.StateClosed
	keep(closed)
	if got, want := fmt.Sprint(ids(10)), "[f-5 f-1]"; got != want {
		t.Errorf("after one closed: %s, want %s", got, want)
	}
}
