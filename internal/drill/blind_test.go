package drill_test

import (
	"slices"
	"strings"
	"testing"

	"vigil"
	"vigil/internal/drill"
	"vigil/internal/traffic"
)

// deskConfig is the world of desk.
var deskConfig = traffic.Config{Events: 30_000, Actors: 42, Days: 42, Seed: 3}

func TestEachRowSaysWhatItNeeds(t *testing.T) {
	t.Parallel()
	rows := map[string]bool{}
	for _, s := range drill.Scenarios() {
		rows[s.Row()] = true
		need, ok := drill.NeedOf(s.Row())
		if !ok || len(need.Ways) == 0 {
			t.Errorf("%s does not say what it needs", s.ID)
			continue
		}
		full := false
		for _, w := range need.Ways {
			full = full || !w.Partly
			if w.By == "" {
				t.Errorf("%s has a way that does not say what shows", s.ID)
			}
			for _, f := range w.Fields {
				if !slices.Contains(drill.Fields(), f) {
					t.Errorf("%s needs the field %q, which is none", s.ID, f)
				}
			}
			for _, k := range w.Feeds {
				if !slices.Contains(vigil.FactKinds(), k) {
					t.Errorf("%s needs a feed of kind %q, which is none", s.ID, k)
				}
			}
		}
		if !full {
			t.Errorf("%s can never be seen whole", s.ID)
		}
	}
	if len(rows) != 30 || len(drill.Needs()) != 30 {
		t.Errorf("%d rows can be staged and %d say what they need, not 30", len(rows), len(drill.Needs()))
	}
}

// covered measures traffic of which something is taken out.
func covered(strip func(*vigil.Event)) *drill.Coverage {
	c := drill.NewCoverage()
	for _, e := range desk() {
		x := *e
		if strip != nil {
			strip(&x)
		}
		c.Add(&x)
	}
	return c
}

func sightOf(t *testing.T, c *drill.Coverage, feeds []vigil.FactKind, row string) drill.Verdict {
	t.Helper()
	for _, v := range drill.Meter(c, feeds) {
		if v.Row == row {
			return v
		}
	}
	t.Fatalf("the meter says nothing of %s", row)
	return drill.Verdict{}
}

func TestFeedsAreParsed(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{"all": 8, "none": 0, "": 0, "consent": 1, "person, contract": 2, "honey": 1} {
		if kinds, err := drill.ParseFeeds(text); err != nil || len(kinds) != want {
			t.Errorf("%q gives %v, %v", text, kinds, err)
		}
	}
	if _, err := drill.ParseFeeds("weather"); err == nil || !strings.Contains(err.Error(), "assignment") {
		t.Errorf("an unknown feed: %v", err)
	}
}
