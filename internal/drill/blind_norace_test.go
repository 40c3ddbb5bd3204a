//go:build !race

package drill_test

import (
	"slices"
	"strings"
	"testing"

	"vigil"
	"vigil/internal/drill"
	"vigil/internal/traffic"
)

// What the meter calls seen is found, and what it calls blind is not.
func TestMeterTellsTheTruth(t *testing.T) {
	t.Parallel()
	all, err := drill.ParseFeeds("all")
	if err != nil {
		t.Fatal(err)
	}
	noPlace := func(e *vigil.Event) { e.Country, e.Network, e.IP, e.ASN = "", "", "", "" }
	cases := []struct {
		name  string
		strip func(*vigil.Event)
		feeds []vigil.FactKind
		rows  map[string]drill.Sight
	}{
		{"all that there is", nil, all, map[string]drill.Sight{"T09": drill.Seen, "T15": drill.Seen, "T17": drill.Seen, "T19": drill.Seen}},
		{"no customers, no feeds", noCustomers, nil, map[string]drill.Sight{"T14": drill.Blind, "T15": drill.Blind, "T17": drill.Blind}},
		{"no places, no feeds", noPlace, nil, map[string]drill.Sight{"T15": drill.Blind, "T19": drill.Blind}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var ids []string
			for id := range c.rows {
				ids = append(ids, id)
			}
			slices.Sort(ids)
			list := slices.DeleteFunc(named(t, ids...), func(s drill.Scenario) bool { return s.ID != s.Row() })
			result, err := drill.Run(t.Context(), func(uint64) drill.Source { return source(desk(), nil) }, true, drill.Stripped(drill.Options{
				Scenarios: list, Feeds: c.feeds, Facts: func(uint64) ([]traffic.Told, error) { return drill.CompanyFacts(deskConfig) },
			}, c.strip))
			if err != nil {
				t.Fatal(err)
			}
			cover := covered(c.strip)
			for _, f := range result.Scenarios {
				want := c.rows[f.ID]
				if v := sightOf(t, cover, c.feeds, f.Row); v.Sight != want {
					t.Errorf("the meter says of %s that it is %s, not %s", f.ID, v.Sight, want)
				}
				if f.Of != 1 || (f.Found == 1) != (want == drill.Seen) {
					t.Errorf("%s is called %s and found in %d of %d", f.ID, want, f.Found, f.Of)
				}
			}
		})
	}
}

func noCustomers(e *vigil.Event) {
	e.Subjects, e.SubjectCount, e.Principal, e.Step = nil, vigil.Unknown, "", vigil.StepUnknown
}

// What each field is worth: without it the meter names it, and what would bring it.
func TestMeterNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	all, err := drill.ParseFeeds("all")
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name, row string
		strip     func(*vigil.Event)
		feeds     []vigil.FactKind
		want      drill.Sight
		mend      string
	}{
		{"whole", "T09", nil, nil, drill.Seen, ""},
		{"no customers", "T14", noCustomers, all, drill.Blind, "mapping of sources"},
		{"no conversation", "T09", func(e *vigil.Event) { e.Conversation = "" }, nil, drill.Partial, "names the conversation"},
		{"conversations of a small source only", "T09", func(e *vigil.Event) {
			if e.Source == "helpdesk" {
				e.Conversation = ""
			}
		}, nil, drill.Partial, "names the conversation"},
		{"no session", "T06", func(e *vigil.Event) { e.Session = "" }, nil, drill.Partial, "log the session of sources"},
		{"no network", "T13", func(e *vigil.Event) { e.Network, e.IP = "", "" }, nil, drill.Blind, "log the client's address"},
		{"no feed of consent", "T17", nil, nil, drill.Blind, "feeds: give one of kind consent"},
		{"consent, and no purpose", "T17", func(e *vigil.Event) { e.Purpose = "" }, []vigil.FactKind{vigil.FactConsent}, drill.Partial, "purpose"},
		{"a feed of contracts", "T11", nil, []vigil.FactKind{vigil.FactContract}, drill.Seen, ""},
		{"no feed of contracts", "T11", nil, nil, drill.Partial, "feeds: give one of kind contract"},
	}
	for _, c := range cases {
		v := sightOf(t, covered(c.strip), c.feeds, c.row)
		if v.Sight != c.want || !strings.Contains(v.Mend, c.mend) || (c.want == drill.Seen) != (v.Mend == "") {
			t.Errorf("%s: %s is %s, mended by %q; want %s and %q", c.name, c.row, v.Sight, v.Mend, c.want, c.mend)
		}
	}
	if v := drill.Meter(drill.NewCoverage(), nil); len(v) != 30 || slices.ContainsFunc(v, func(v drill.Verdict) bool { return v.Sight == drill.Seen }) {
		t.Error("in no traffic something is seen")
	}
}
