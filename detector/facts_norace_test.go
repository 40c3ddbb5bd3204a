//go:build !race

package detector_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"vigil/detector"

	"vigil"

	"github.com/google/go-cmp/cmp"
)

// More work than ever is no finding where each piece of it is known to be the actor's,
// and a bad one where none is.
func TestReasonsMakeTheUnusualJustified(t *testing.T) {
	t.Parallel()
	const many = 170
	events, assigned := office(many)
	bare := about(latest(judge(t, newEngine(t, 2), clones(events), always(4096))), "agent-03")
	if len(bare) == 0 {
		t.Fatal("without feeds nothing is found: nothing is tested")
	}
	if f := bare[0]; f.ReasonsLooked != nil || f.ReasonsMissing != nil || strings.Contains(f.Sentence, "was found for") {
		t.Errorf("without feeds reasons are spoken of: %+v", f)
	}
	without := latest(judge(t, told(t, 2, assigned), clones(events), always(4096)))
	found := about(without, "agent-03")
	if len(found) != 1 {
		t.Fatalf("%d findings about the actor whom nobody sent", len(found))
	}
	f := found[0]
	if !slices.Equal(f.ReasonsLooked, []string{"assignment"}) || f.Unreasoned < many/2 || f.Unreasoned > many ||
		!slices.Equal(f.ReasonsMissing, []string{"shift", "change", "purpose"}) {
		t.Errorf("looked %v, none for %d, missing %v", f.ReasonsLooked, f.Unreasoned, f.ReasonsMissing)
	}
	if want := fmt.Sprintf("No assignment was found for %d of %d customers.", f.Unreasoned, f.Subjects); !strings.HasSuffix(f.Sentence, want) {
		t.Errorf("%q does not end with %q", f.Sentence, want)
	}
	if f.Evidence < bare[0].Evidence {
		t.Errorf("evidence %.1f with the feed, %.1f without", f.Evidence, bare[0].Evidence)
	}
	for i := range many {
		assigned.Assignments = append(assigned.Assignments, vigil.Assignment{Who: vigil.Who{Actor: "agent-03"}, Subject: fmt.Sprint("extra-", i)})
	}
	for _, f := range about(latest(judge(t, told(t, 2, assigned), clones(events), always(4096))), "agent-03") {
		t.Errorf("found though all of it was assigned: %s", f.Sentence)
	}
}

// A feed never makes a justified read suspicious: whatever kinds of feed there are,
// an office of which each read is assigned brings nothing.
func TestFeedsMakeNobodySuspicious(t *testing.T) {
	t.Parallel()
	events, assigned := office(0)
	people := vigil.Facts{Feed: "hr", Kind: vigil.FactPerson}
	for a := range 12 {
		people.People = append(people.People, vigil.Person{Actor: fmt.Sprintf("agent-%02d", a), Role: "support", Team: "emea"})
	}
	all := []vigil.Facts{
		assigned, people,
		{Feed: "rota", Kind: vigil.FactShift, Shifts: []vigil.Shift{{Who: vigil.Who{Role: "support"}, Duty: vigil.DutyShift}}},
		{Feed: "cab", Kind: vigil.FactChange, Changes: []vigil.Change{{ID: "c", Type: vigil.ChangeDeploy, Who: vigil.Who{Role: "engineer"}}}},
		{Feed: "dpo", Kind: vigil.FactPurpose, Purposes: []vigil.Purpose{{Who: vigil.Who{Role: "qa"}, Purpose: "qa"}}},
		{Feed: "bait", Kind: vigil.FactHoney, Honey: []vigil.Honey{{Subject: "nobody"}}},
	}
	for _, n := range []int{0, len(all) - 1} {
		for _, f := range latest(judge(t, told(t, 2, all[:n+1]...), clones(events), always(4096))) {
			t.Errorf("with %d feeds: %s", n+1, f.Sentence)
		}
	}
}

// Facts that come between events, and a restart after each piece, change nothing.
func TestRestoredFactsGoOnAlike(t *testing.T) {
	t.Parallel()
	d := stagedDesk()
	facts := deskFacts(d.events)
	run := func(restart bool) string {
		e := newEngine(t, 2)
		parts := map[string]detector.Part{}
		var all []vigil.Finding
		for i, piece := range slices.Collect(slices.Chunk(clones(d.events), len(d.events)/6+1)) {
			if i < len(facts) {
				tell(t, e, facts[i])
			}
			found, err := e.Fold(entry(piece))
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, found...)
			if !restart {
				continue
			}
			changed, err := e.Snapshot(i == 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range changed {
				parts[p.Name] = p
			}
			var have []detector.Part
			for _, p := range parts {
				have = append(have, p)
			}
			e = newEngine(t, 2)
			if err := e.Restore(have); err != nil {
				t.Fatal(err)
			}
		}
		found, err := e.Finish()
		if err != nil {
			t.Fatal(err)
		}
		return encode(t, append(all, found...))
	}
	if diff := cmp.Diff(run(false), run(true)); diff != "" {
		t.Errorf("findings differ (-want +got):\n%.2000s", diff)
	}
}
