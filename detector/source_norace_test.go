//go:build !race

package detector_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"vigil"
)

// A source that falls silent is told of, unless a deploy or maintenance of what it
// tells of is announced for that time.
func TestAnAnnouncedOutageIsNoSilence(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	down := vigil.Period{From: start.AddDate(0, 0, 24).Add(10 * time.Hour), To: start.AddDate(0, 0, 24).Add(13*time.Hour + 40*time.Minute)}
	var events []*vigil.Event
	for minute := range 26 * 24 * 60 {
		at := start.Add(time.Duration(minute) * time.Minute)
		for i, source := range []string{"desk-log", "crm-log"} {
			if minute%3 != 0 || i == 0 && down.Holds(at) || i == 1 && minute%12 != 0 {
				continue
			}
			e := vigil.NewEvent()
			e.ID, e.Time, e.Source, e.Action = fmt.Sprint(source, minute), at, source, vigil.ActionRead
			e.Actor = vigil.Actor{ID: fmt.Sprint("bot-", minute%3), Kind: vigil.KindBot}
			e.Store, e.Resource, e.Subjects = []string{"desk", "crm"}[i], "messages", []string{fmt.Sprint("cust-", minute)}
			events = append(events, e)
		}
	}
	change := func(c vigil.Change) vigil.Facts {
		if c.Type == "" {
			c.Type = vigil.ChangeMaintenance
		}
		if c.Period == (vigil.Period{}) {
			c.Period = down
		}
		return vigil.Facts{Feed: "cab", Kind: vigil.FactChange, Changes: []vigil.Change{c}}
	}
	later := vigil.Period{From: down.From.AddDate(0, 0, 1), To: down.To.AddDate(0, 0, 1)}
	for name, c := range map[string]struct {
		facts  []vigil.Facts
		silent bool
	}{
		"nothing is announced":  {nil, true},
		"the store's":           {[]vigil.Facts{change(vigil.Change{Store: "desk"})}, false},
		"the source's, by name": {[]vigil.Facts{change(vigil.Change{Store: "desk-log", Type: vigil.ChangeDeploy})}, false},
		"somebody's work on it": {[]vigil.Facts{change(vigil.Change{Store: "desk", Who: vigil.Who{Actor: "dba"}})}, false},
		"another store's":       {[]vigil.Facts{change(vigil.Change{Store: "crm"})}, true},
		"of one resource":       {[]vigil.Facts{change(vigil.Change{Store: "desk", Resource: "messages"})}, true},
		"a day later":           {[]vigil.Facts{change(vigil.Change{Store: "desk", Period: later})}, true},
		"without an end":        {[]vigil.Facts{change(vigil.Change{Store: "desk", Period: vigil.Period{From: start}})}, true},
		"a campaign":            {[]vigil.Facts{change(vigil.Change{Store: "desk", Type: vigil.ChangeEvent})}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found := judge(t, told(t, 1, c.facts...), clones(events), always(4096))
			silent := slices.ContainsFunc(found, func(f vigil.Finding) bool { return f.Source == "desk-log" && f.About == vigil.AboutSource })
			if silent != c.silent {
				t.Errorf("told of as silent: %v, want %v", silent, c.silent)
			}
			for _, f := range found {
				if f.About == vigil.AboutSource && f.Source != "desk-log" {
					t.Errorf("%s", f.Sentence)
				}
			}
		})
	}
}
