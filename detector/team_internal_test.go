package detector

import (
	"fmt"
	"strings"
	"testing"

	"vigil"
	"vigil/detector/features"
	"vigil/models/volume"
)

// day is one member's, who read customers from one number to another.
func day(g *group, i, from, to int) memberDay {
	m := memberDay{group: g, actor: fmt.Sprint("agent-", i), seen: 9, mean: 5, variance: 6, events: 10}
	for c := from; c < to; c++ {
		m.subjects.Add(fmt.Sprint("cust-", c), features.ExactLimit)
	}
	return m
}

// weighed is the finding about a team of one day, through a saved state.
func weighed(t *testing.T, days func(g *group) []memberDay) vigil.Finding {
	t.Helper()
	s := newShared(newBudget(0), nil)
	s.join("human|agent|emea")
	g := s.groups["human|agent|emea"]
	g.Fitted = true
	d := delta{members: days(g)}
	saved, err := d.state()
	if err != nil {
		t.Fatal(err)
	}
	if d, err = saved.restore(s); err != nil {
		t.Fatal(err)
	}
	half := len(d.members) / 2
	s.take(&delta{members: d.members[:half]})
	c, err := s.circle()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.restoreCircle(&c); err != nil {
		t.Fatal(err)
	}
	s.take(&delta{members: d.members[half:]})
	team := s.teams[g.Key]
	rd := reading{Flow: flowTeam, Seen: 36, Expected: volume.Counts{Mean: 20, Var: 24}, P: 1e-7, E: 1e5}
	s.weighTeam(team, &team.day, &rd, 5, 20_000)
	if len(s.found) != 1 {
		t.Fatalf("%d findings", len(s.found))
	}
	return s.found[0]
}

// A finding about a team tells how many customers its members read, each once.
func TestATeamFindingCountsCustomers(t *testing.T) {
	t.Parallel()
	f := weighed(t, func(g *group) []memberDay {
		return []memberDay{day(g, 0, 0, 10), day(g, 1, 5, 15), day(g, 2, 10, 20), day(g, 3, 0, 20)}
	})
	if f.Subjects != 20 || !strings.Contains(f.Sentence, "data of 20 customers") {
		t.Errorf("%d customers: %s", f.Subjects, f.Sentence)
	}
	if f.Severity != vigil.SeverityLow {
		t.Errorf("severity %s: they read most of them every day", f.Severity)
	}
	// A great many are counted by a sketch.
	f = weighed(t, func(g *group) []memberDay {
		var all []memberDay
		for i := range 20 {
			all = append(all, day(g, i, 500*i, 500*i+1000))
		}
		return all
	})
	if f.Subjects < 10_300 || f.Subjects > 10_700 {
		t.Errorf("%d customers, want about 10,500", f.Subjects)
	}
	// Where nobody tells customers, none are counted.
	f = weighed(t, func(g *group) []memberDay {
		return []memberDay{day(g, 0, 0, 0), day(g, 1, 0, 0), day(g, 2, 0, 0)}
	})
	if f.Subjects != vigil.Unknown || strings.Contains(f.Sentence, "customer") {
		t.Errorf("%d customers: %s", f.Subjects, f.Sentence)
	}
}
