package app_test

import (
	"testing"

	"vigil"
	"vigil/internal/app"
)

// What a finding does not name is not asked for: the answer would be everything.
func TestNothingNamedShowsNothing(t *testing.T) {
	t.Parallel()
	for _, f := range []vigil.Finding{
		{About: vigil.AboutActor}, {About: vigil.AboutSubject}, {About: vigil.AboutNetwork}, {About: vigil.AboutTeam}, {About: vigil.AboutSource}, {},
	} {
		if app.Asks(&f) {
			t.Errorf("a finding about %q that names nothing asks for events", f.About)
		}
	}
	for _, f := range []vigil.Finding{
		{About: vigil.AboutActor, Actor: "a"}, {About: vigil.AboutSubject, Subject: "s"}, {About: vigil.AboutNetwork, Network: "n"},
		{About: vigil.AboutTeam, Team: "t", Actors: []string{"a"}}, {About: vigil.AboutSource, Source: "s"},
	} {
		if !app.Asks(&f) {
			t.Errorf("a finding about a %s asks for nothing", f.About)
		}
	}
}
