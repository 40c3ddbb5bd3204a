package app

import (
	"testing"
	"time"

	"vigil"
	"vigil/internal/demo"
)

// A breach is found by whatever finding names who did it, while it went on.
func TestWhichFindingsTellOfABreach(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC)
	b := DemoBreach{Pseudonym: "actor-1f", Breach: demo.Breach{Start: at, End: at.Add(time.Hour)}}
	during := func(f vigil.Finding) vigil.Finding {
		f.Start, f.End = at.Add(-time.Hour), at.Add(time.Minute)
		return f
	}
	for name, c := range map[string]struct {
		finding vigil.Finding
		want    bool
	}{
		"its actor":              {during(vigil.Finding{About: vigil.AboutActor, Actor: "actor-1f"}), true},
		"another actor":          {during(vigil.Finding{About: vigil.AboutActor, Actor: "actor-2f"}), false},
		"its actor, before":      {vigil.Finding{About: vigil.AboutActor, Actor: "actor-1f", End: at.Add(-time.Second)}, false},
		"its actor, after":       {vigil.Finding{About: vigil.AboutActor, Actor: "actor-1f", Start: at.Add(2 * time.Hour), End: at.Add(3 * time.Hour)}, false},
		"a customer it read":     {during(vigil.Finding{About: vigil.AboutSubject, Subject: "subject-1f", Actors: []string{"actor-1f", "actor-2f"}}), true},
		"a customer of others":   {during(vigil.Finding{About: vigil.AboutSubject, Subject: "subject-1f", Actors: []string{"actor-2f"}}), false},
		"the network it used":    {during(vigil.Finding{About: vigil.AboutNetwork, Network: "203.0.113.0/24", Actors: []string{"actor-1f"}}), true},
		"its team":               {during(vigil.Finding{About: vigil.AboutTeam, Team: "emea", Actors: []string{"actor-0f", "actor-1f"}}), true},
		"the source, in silence": {during(vigil.Finding{About: vigil.AboutSource, Source: "desk", Actors: []string{"actor-1f"}}), false},
	} {
		if got := b.told(&c.finding); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
