package ledger_test

import (
	"fmt"
	"testing"
	"time"

	"vigil"
	"vigil/internal/ledger"
)

// Findings that share who, whose, or what was news are related; worst first, each with why.
func TestRelatedFindings(t *testing.T) {
	t.Parallel()
	l := open(t, ledger.Config{}, ledger.Options{})
	day := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	finding := func(id, actor string, harm float64, more func(*vigil.Finding)) vigil.Finding {
		f := vigil.Finding{ID: id, Revision: 1, State: vigil.StateOpen, Severity: vigil.SeverityHigh, About: vigil.AboutActor, Actor: actor, Harm: harm, Start: day, End: day, Detected: day, Subjects: vigil.Unknown, Rows: vigil.Unknown}
		if more != nil {
			more(&f)
		}
		return f
	}
	many := make([]string, 21)
	for i := range many {
		many[i] = fmt.Sprintf("s-%02d", i)
	}
	novel := func(observation, label string) func(*vigil.Finding) {
		return func(f *vigil.Finding) {
			f.Networks = []string{"10.0.0.0/24"}
			f.Contributions = []vigil.Contribution{{Model: "novelty", Observation: observation, SeenLabel: label}}
		}
	}
	findingLog{t, l}.apply(
		finding("f-1", "a", 5, func(f *vigil.Finding) {
			f.SubjectIDs = []string{"s-01", "s-02"}
			novel("network", "198.51.100.0/24")(f)
		}),
		finding("f-2", "a", 1, nil),
		finding("f-3", "b", 9, novel("network", "198.51.100.0/24")),
		finding("f-4", "c", 3, func(f *vigil.Finding) { f.SubjectIDs = []string{"s-02"} }),
		finding("f-5", "d", 8, func(f *vigil.Finding) { f.SubjectIDs = many }),                  // read everybody
		finding("f-6", "e", 7, func(f *vigil.Finding) { f.Networks = []string{"10.0.0.0/24"} }), // the office
		finding("f-7", "", 2, func(f *vigil.Finding) { f.About, f.Team, f.Actors = vigil.AboutTeam, "emea", []string{"x", "a"} }),
	)
	got, left, err := l.Related(t.Context(), "f-1", 10)
	if err != nil || left != 0 {
		t.Fatal(left, err)
	}
	var said string
	for _, r := range got {
		said += r.Finding.ID
		for _, tie := range r.Ties {
			said += " " + string(tie.Relation) + "=" + tie.Name
		}
		said += "\n"
	}
	if want := "f-3 network=198.51.100.0/24\nf-4 subject=s-02\nf-7 actor=a\nf-2 actor=a\n"; said != want {
		t.Errorf("got\n%s, want\n%s", said, want)
	}
	if got, left, err := l.Related(t.Context(), "f-1", 1); err != nil || len(got) != 1 || left != 3 {
		t.Errorf("of four, %d are told and %d left, %v", len(got), left, err)
	}
	if got, _, err := l.Related(t.Context(), "f-none", 10); err != nil || len(got) != 0 {
		t.Errorf("of nothing: %v, %v", got, err)
	}
	if all, total, err := l.FindingsOf(t.Context(), "a", 2); err != nil || total != 3 || len(all) != 2 {
		t.Errorf("of three, %d of %d, %v", len(all), total, err)
	}
}
