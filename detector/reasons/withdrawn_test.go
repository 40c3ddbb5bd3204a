package reasons_test

import (
	"testing"
	"time"

	"vigil"
	"vigil/detector/reasons"
)

func TestWithdrawnFor(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	b := reasons.New(reasons.Limits{})
	b.Apply(vigil.Facts{Feed: "consent", Kind: vigil.FactConsent, Consents: []vigil.Consent{
		{Subject: "c-1", Purpose: "training", Withdrawn: at.Add(-3 * time.Hour)},
		{Subject: "c-2", Erased: at.Add(-50 * time.Hour)},
		{Subject: "c-3", Withdrawn: at.Add(-9 * time.Hour), LegalHold: true},
		{Subject: "c-4", Withdrawn: at.Add(time.Hour)},
	}})
	for _, c := range []struct {
		name, purpose string
		subjects      []string
		want          time.Duration
	}{
		{"for another purpose", "support", []string{"c-1"}, 0},
		{"for the purpose", "training", []string{"c-1"}, 3 * time.Hour},
		{"the longest", "training", []string{"c-1", "c-2"}, 50 * time.Hour},
		{"under a hold", "", []string{"c-3"}, 0},
		{"not yet", "", []string{"c-4"}, 0},
		{"of nobody known", "", []string{"c-9"}, 0},
	} {
		e := vigil.NewEvent()
		e.Time, e.Action, e.Actor.ID, e.Purpose, e.Subjects = at, vigil.ActionRead, "a", c.purpose, c.subjects
		if got := b.WithdrawnFor(e); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
