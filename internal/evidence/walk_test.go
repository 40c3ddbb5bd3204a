package evidence_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/internal/evidence"
)

// TestLongSegmentsAreWalkedRight asks a segment whose columns have several pages each for
// rows that lie alone, close together, at its ends and nowhere.
func TestLongSegmentsAreWalkedRight(t *testing.T) {
	t.Parallel()
	rows := traffic(90_000)
	for i := range rows {
		e := rows[i].Event
		switch { // none, and several, beside the one that each names
		case i%7 == 0:
			e.Subjects = nil
		case i%1_000 == 1:
			e.Subjects = append(e.Subjects, "rare", "rare-too")
		}
		if i%3 > 0 {
			e.Subjects = append(e.Subjects, "often")
		}
		if i == 0 || i == len(rows)-1 {
			e.Subjects = []string{"ends"}
		}
		if i%5 == 0 { // the bounds of a page are cut short
			e.Actor.ID = fmt.Sprintf("an-actor-of-a-long-name-%05d", i/50)
		}
		e.Session = fmt.Sprintf("s-%d", i) // many pages
		if i%11 == 0 {
			e.Destination = &vigil.Destination{Kind: "mail"}
		}
	}
	s, _ := open(t)
	seg, err := s.Write(t.Context(), "a.parquet", rows) // sorts them
	if err != nil {
		t.Fatal(err)
	}
	tenant := ""
	for name, q := range map[string]evidence.Query{
		"rare":          {Subject: "rare"},
		"either":        {Subjects: []string{"rare-too", "ends", "nobody"}},
		"often":         {Subject: "often", From: start.Add(time.Hour), To: start.Add(20 * time.Hour)},
		"ends":          {Subject: "ends"},
		"nobody":        {Subject: "nobody"},
		"one actor":     {Actor: "agent-40", Tenant: &tenant},
		"a long name":   {Actor: "an-actor-of-a-long-name-01000"},
		"the last":      {Actors: []string{"an-actor-of-a-long-name-01310", "agent-39"}},
		"two actors":    {Actors: []string{"agent-00", "agent-39"}, Resource: "contacts"},
		"actor's often": {Actor: "agent-21", Subject: "often"},
		"a session":     {Session: "s-61234"},
		"an hour":       {From: start.Add(7 * time.Hour), To: start.Add(8 * time.Hour), Outcome: vigil.OutcomeSuccess},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var want []evidence.Row
			for _, row := range rows {
				if q.Match(row.Event) {
					want = append(want, row)
				}
			}
			got, err := s.Find(t.Context(), seg, q)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%d rows where %d match (-want +got):\n%.1000s", len(got), len(want), diff)
			}
		})
	}
}
