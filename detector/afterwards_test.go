package detector_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/detector"
)

// changesTold is a change of long ago, so that changes are looked for.
var changesTold = vigil.Facts{Feed: "itsm", Kind: vigil.FactChange, Changes: []vigil.Change{{
	ID: "CHG-0", Type: vigil.ChangeChange, Who: vigil.Who{Actor: "root"}, Period: vigil.Period{From: monday.AddDate(0, 0, -9), To: monday.AddDate(0, 0, -8)},
}}}

// impersonation is that root signs in as a customer.
func impersonation(at time.Time) *vigil.Event {
	e := access(at, "root", vigil.ActionImpersonate, "c-1")
	e.Actor.Kind = vigil.KindAdmin
	return e
}

// changeOf is a change of somebody's, told by the feed of changes.
func changeOf(id, typ, actor string, from, to time.Time) vigil.Facts {
	return vigil.Facts{Feed: "itsm", Kind: vigil.FactChange, Changes: []vigil.Change{{ID: id, Type: typ, Who: vigil.Who{Actor: actor}, Period: vigil.Period{From: from, To: to}}}}
}

// A break-glass access without a reason is told; the ticket that is written for it
// afterwards closes the finding, and says so. One that covers only a part does not, nor
// does one of somebody else, nor one that comes when the finding is forgotten.
func TestTicketAfterwardsExplains(t *testing.T) {
	t.Parallel()
	const id = "impersonation-without-reason"
	at := monday
	for name, c := range map[string]struct {
		later     []vigil.Facts
		after     time.Duration // of event time, from the last access on
		explained bool
	}{
		"nothing":                     {nil, time.Hour, false},
		"a break-glass ticket":        {[]vigil.Facts{changeOf("BG-1", vigil.ChangeBreakGlass, "root", at.Add(-time.Minute), at.Add(3*time.Hour))}, time.Hour, true},
		"an incident, a day later":    {[]vigil.Facts{changeOf("INC-1", vigil.ChangeIncident, "root", at, at.Add(3*time.Hour))}, 24 * time.Hour, true},
		"an assignment":               {[]vigil.Facts{{Feed: "desk", Kind: vigil.FactAssignment, Assignments: []vigil.Assignment{{Who: vigil.Who{Actor: "root"}, Ticket: "T-1", Subject: "c-1"}}}}, time.Hour, true},
		"one for each":                {[]vigil.Facts{changeOf("A", vigil.ChangeChange, "root", at, at.Add(time.Minute)), changeOf("B", vigil.ChangeChange, "root", at.Add(2*time.Hour), at.Add(3*time.Hour))}, time.Hour, true},
		"for the first access only":   {[]vigil.Facts{changeOf("A", vigil.ChangeChange, "root", at, at.Add(time.Minute))}, time.Hour, false},
		"somebody else's":             {[]vigil.Facts{changeOf("A", vigil.ChangeChange, "ann", at, at.Add(3*time.Hour))}, time.Hour, false},
		"nobody's, which none named":  {[]vigil.Facts{changeOf("A", vigil.ChangeChange, "", at, at.Add(3*time.Hour))}, time.Hour, false},
		"a campaign":                  {[]vigil.Facts{changeOf("A", vigil.ChangeEvent, "root", at, at.Add(3*time.Hour))}, time.Hour, false},
		"when the finding is old":     {[]vigil.Facts{changeOf("A", vigil.ChangeChange, "root", at, at.Add(3*time.Hour))}, 9 * 24 * time.Hour, false},
		"a shift, which is no reason": {[]vigil.Facts{{Feed: "rota", Kind: vigil.FactShift, Shifts: []vigil.Shift{{Who: vigil.Who{Actor: "root"}, Duty: vigil.DutyShift}}}}, time.Hour, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := told(t, 2, changesTold)
			var all []vigil.Finding
			fold := func(entries ...*vigil.Entry) {
				t.Helper()
				for _, en := range entries {
					found, err := e.Fold(en)
					if err != nil {
						t.Fatal(err)
					}
					all = append(all, of(found, id)...)
				}
			}
			fold(entry([]*vigil.Event{impersonation(at), impersonation(at.Add(2 * time.Hour))}))
			for h := time.Minute * 30; h <= c.after; h += 30 * time.Minute {
				fold(entry([]*vigil.Event{access(at.Add(2*time.Hour+h), "bob", vigil.ActionRead)}))
			}
			if len(all) == 0 || all[0].State != vigil.StateOpen {
				t.Fatalf("no finding before: %+v", all)
			}
			// A snapshot in between changes nothing.
			e = restored(t, e)
			for _, f := range c.later {
				fold(control(t, vigil.ControlFacts, f))
			}
			last := all[len(all)-1]
			if got := strings.Contains(last.Sentence, "told afterwards"); got != c.explained {
				t.Errorf("explained %v, want %v: %s", got, c.explained, last.Sentence)
			}
			if c.explained && (last.State != vigil.StateClosed || last.Unreasoned != 0) {
				t.Errorf("it is %s, %d without a reason", last.State, last.Unreasoned)
			}
			if !slices.IsSortedFunc(all, func(a, b vigil.Finding) int { return a.Revision - b.Revision }) {
				t.Error("revisions are out of order")
			}
		})
	}
}

// restored is an engine that goes on from another's snapshot.
func restored(t *testing.T, e *detector.Engine) *detector.Engine {
	t.Helper()
	parts, err := e.Snapshot(true)
	if err != nil {
		t.Fatal(err)
	}
	next := newEngine(t, 2)
	if err := next.Restore(parts); err != nil {
		t.Fatal(err)
	}
	return next
}

// What is explained opens again by an access that no ticket covers; and what else speaks
// against an access stays said, whatever tickets there are.
func TestExplanationCoversWhatItCovers(t *testing.T) {
	t.Parallel()
	left := vigil.Facts{Feed: "hr", Kind: vigil.FactPerson, People: []vigil.Person{{Actor: "root", Kind: vigil.KindAdmin, Leaves: monday.Add(5 * time.Hour)}}}
	e := ruled(t, rule(t, "any", `action == "impersonate" and (left or unjustified)`, "actor"))
	tell(t, e, changesTold, left)
	var got []string
	fold := func(entries ...*vigil.Entry) {
		t.Helper()
		for _, en := range entries {
			found, err := e.Fold(en)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range of(found, "any") {
				got = append(got, fmt.Sprintf("%s %v", f.State, strings.Contains(f.Sentence, "told afterwards")))
			}
		}
	}
	tick := func(at time.Time) *vigil.Entry { return entry([]*vigil.Event{access(at, "bob", vigil.ActionRead)}) }
	change := func(id string, h int) *vigil.Entry {
		from := monday.Add(time.Duration(h) * time.Hour)
		return control(t, vigil.ControlFacts, changeOf(id, vigil.ChangeIncident, "root", from, from.Add(time.Minute)))
	}
	fold(entry([]*vigil.Event{impersonation(monday)}), tick(monday.Add(time.Hour)), change("A", 0), change("A", 0))
	fold(entry([]*vigil.Event{impersonation(monday.Add(2 * time.Hour))}), tick(monday.Add(3*time.Hour)), change("B", 2))
	fold(entry([]*vigil.Event{impersonation(monday.Add(6 * time.Hour))}), tick(monday.Add(7*time.Hour)), change("C", 6))
	if diff := cmp.Diff([]string{"open false", "closed true", "open false", "closed true", "open false"}, got); diff != "" {
		t.Error(diff)
	}
}

// A finding with more accesses than are remembered stays as it is.
func TestManyAccessesStayUnexplained(t *testing.T) {
	t.Parallel()
	e := told(t, 2, changesTold)
	var events []*vigil.Event
	for i := range 40 {
		events = append(events, impersonation(monday.Add(time.Duration(i)*time.Minute)))
	}
	if _, err := e.Fold(entry(events)); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Fold(entry([]*vigil.Event{access(monday.Add(time.Hour), "bob", vigil.ActionRead)})); err != nil {
		t.Fatal(err)
	}
	found, err := e.Fold(control(t, vigil.ControlFacts, changeOf("A", vigil.ChangeIncident, "root", monday, monday.Add(2*time.Hour))))
	if err != nil || len(found) != 0 {
		t.Errorf("%d findings, %v", len(found), err)
	}
}
