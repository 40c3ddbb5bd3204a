//go:build !race

package traffic_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/internal/traffic"
)

// known is what feeds have told by a time: enough of a book to hold events against.
type known struct {
	people    map[string]vigil.Person
	contracts map[string]vigil.Contract
	erased    map[string]time.Time
	withdrawn map[string]vigil.Consent
	regions   map[string][]string
	assigned  map[string]vigil.Period // by actor and conversation
	jobs      map[string]bool
	purposes  []vigil.Purpose
	shifts    map[string][]vigil.Shift
}

func newKnown() *known {
	return &known{
		people: map[string]vigil.Person{}, contracts: map[string]vigil.Contract{}, erased: map[string]time.Time{}, withdrawn: map[string]vigil.Consent{},
		regions: map[string][]string{}, assigned: map[string]vigil.Period{}, jobs: map[string]bool{}, shifts: map[string][]vigil.Shift{},
	}
}

func (k *known) learn(f *vigil.Facts) {
	for _, p := range f.People {
		k.people[p.Actor] = p
	}
	for _, c := range f.Contracts {
		k.contracts[c.Actor] = c
	}
	for _, c := range f.Consents {
		if !c.Erased.IsZero() {
			k.erased[c.Subject] = c.Erased
		}
		if !c.Withdrawn.IsZero() && !c.LegalHold {
			k.withdrawn[c.Subject+c.Purpose] = c
		}
	}
	for _, c := range f.Customers {
		k.regions[c.Subject] = c.Regions
	}
	for _, a := range f.Assignments {
		if a.Resource != "" {
			k.jobs[a.Actor+a.Store+a.Resource] = true
		}
		if a.Conversation+a.Ticket != "" {
			k.assigned[a.Actor+"/"+a.Conversation+a.Ticket] = a.Period
		}
	}
	k.purposes = append(k.purposes, f.Purposes...)
	for _, s := range f.Shifts {
		k.shifts[s.Actor] = append(k.shifts[s.Actor], s)
	}
}

func (k *known) declared(e *vigil.Event) bool {
	return slices.ContainsFunc(k.purposes, func(p vigil.Purpose) bool { return p.Purpose == e.Purpose && p.Fits(&e.Actor) && p.Holds(e.Time) })
}

func checkFacts(t *testing.T, f *vigil.Facts) {
	t.Helper()
	var errs []error
	for i := range f.People {
		errs = append(errs, f.People[i].Check())
	}
	for i := range f.Assignments {
		errs = append(errs, f.Assignments[i].Check())
	}
	for i := range f.Shifts {
		errs = append(errs, f.Shifts[i].Check())
	}
	for i := range f.Changes {
		errs = append(errs, f.Changes[i].Check())
	}
	for i := range f.Consents {
		errs = append(errs, f.Consents[i].Check())
	}
	for i := range f.Contracts {
		errs = append(errs, f.Contracts[i].Check())
	}
	for i := range f.Customers {
		errs = append(errs, f.Customers[i].Check())
	}
	for i := range f.Purposes {
		errs = append(errs, f.Purposes[i].Check())
	}
	if len(errs) == 0 {
		t.Errorf("a piece of kind %s tells nothing", f.Kind)
	}
	for _, err := range errs {
		if err != nil {
			t.Errorf("%s: %v", f.Kind, err)
		}
	}
}

// What feeds tell agrees with the events: nobody reads after leaving or on leave,
// vendors and bots keep to their contracts, what is erased is not read.
func TestFactsAgreeWithEvents(t *testing.T) {
	t.Parallel()
	for _, cfg := range []traffic.Config{
		{Events: 60_000, Actors: 90, Days: 42, Seed: 5, Happenings: traffic.Everything()},
		{Events: 30_000, Actors: 40, Days: 21, Seed: 6},
	} {
		w, err := traffic.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		told := w.Facts()
		kinds := map[vigil.FactKind]int{}
		for i := range told {
			checkFacts(t, &told[i].Facts)
			kinds[told[i].Facts.Kind]++
			if i > 0 && told[i].At.Before(told[i-1].At) || told[i].At.Second() != 0 {
				t.Fatalf("told at %s after %s", told[i].At, told[i-1].At)
			}
		}
		for _, kind := range vigil.FactKinds() {
			if kinds[kind] == 0 && kind != vigil.FactHoney && (kind != vigil.FactChange || cfg.Happenings != 0) {
				t.Errorf("nothing is told of kind %s", kind)
			}
		}
		holdEvents(t, w, told, cfg.Seed)
	}
}

func holdEvents(t *testing.T, w *traffic.World, told []traffic.Told, seed uint64) {
	t.Helper()
	k, clerk := newKnown(), traffic.NewClerk(seed)
	wrong := map[string]int{}
	note := func(format string, args ...any) {
		text := fmt.Sprintf(format, args...)
		kind := strings.SplitN(text, ":", 2)[0]
		if wrong[kind]++; wrong[kind] < 4 {
			t.Error(text)
		}
	}
	var reads, without, shifted, worked int
	day, perDay, rows := -1, map[string]map[string]bool{}, map[string]int64{}
	start, _ := w.Span()
	for e := range w.Events() {
		// Leads are drawn when an event is seen; a drill sees a batch at a time.
		clerk.See(e)
		for _, x := range clerk.Due(e.Time.Add(1)) {
			k.learn(&x.Facts)
		}
		for len(told) > 0 && !told[0].At.After(e.Time) {
			k.learn(&told[0].Facts)
			told = told[1:]
		}
		if d := int(e.Time.Sub(start) / (24 * time.Hour)); d != day {
			day = d
			clear(perDay)
			clear(rows)
		}
		for _, s := range e.Subjects {
			if !k.erased[s].IsZero() {
				note("erased: %s reads %s", e.Actor.ID, s)
			}
			if _, ok := k.withdrawn[s+e.Purpose]; ok && e.Purpose != "" {
				note("withdrawn: %s reads %s for %s", e.Actor.ID, s, e.Purpose)
			}
			if !slices.Contains(k.regions[s], e.Country) {
				note("region: %s reads %s from %q, not %v", e.Actor.ID, s, e.Country, k.regions[s])
			}
		}
		if e.Purpose != "" && !k.declared(e) {
			note("purpose: %s reads for %q", e.Actor.ID, e.Purpose)
		}
		if e.Actor.Role == traffic.RoleCustomer {
			continue
		}
		p, ok := k.people[e.Actor.ID]
		if !ok || p.Role != e.Actor.Role || p.Team != e.Actor.Team {
			note("people: %s is not in the directory as it acts", e.Actor.ID)
		}
		if e.Time.Before(p.Started) || !p.Leaves.IsZero() && !e.Time.Before(p.Leaves) {
			note("employment: %s at %s, there from %s to %s", e.Actor.ID, e.Time, p.Started, p.Leaves)
		}
		if c, ok := k.contracts[e.Actor.ID]; ok {
			if perDay[e.Actor.ID] == nil {
				perDay[e.Actor.ID] = map[string]bool{}
			}
			for _, s := range e.Subjects {
				perDay[e.Actor.ID][s] = true
			}
			rows[e.Actor.ID] += max(0, e.Rows)
			if err := outside(&c, e, len(perDay[e.Actor.ID]), rows[e.Actor.ID]); err != "" {
				note("contract: %s: %s", e.Actor.ID, err)
			}
		}
		inside := false
		for _, s := range k.shifts[e.Actor.ID] {
			if s.Duty == vigil.DutyAbsent && s.Holds(e.Time) {
				note("absent: %s at %s", e.Actor.ID, e.Time)
			}
			inside = inside || s.Duty != vigil.DutyAbsent && s.Holds(e.Time)
		}
		if e.Actor.Team != "" {
			worked++
			if inside {
				shifted++
			}
		}
		if !e.Action.Discloses() || len(e.Subjects) == 0 || !traffic.Takes(&e.Actor) {
			continue
		}
		reads++
		period, ok := k.assigned[e.Actor.ID+"/"+e.Conversation]
		if !(ok && period.Holds(e.Time)) && !k.jobs[e.Actor.ID+e.Store+e.Resource] && (e.Purpose == "" || !k.declared(e)) {
			without++
		}
	}
	if share := float64(shifted) / float64(worked); share < 0.97 {
		t.Errorf("%.3f of the staff's events lie in a shift", share)
	}
	if share := float64(without) / float64(reads); share < 0.04 || share > 0.25 {
		t.Errorf("%.3f of %d reads have no assignment that was known in time", share, reads)
	} else {
		t.Logf("%.3f of %d reads have no assignment that was known in time", share, reads)
	}
}

// outside says how an event is outside a contract, empty when it isn't.
func outside(c *vigil.Contract, e *vigil.Event, customers int, rows int64) string {
	for _, f := range e.Fields {
		if !slices.Contains(c.Fields, f) {
			return "field " + f
		}
	}
	switch {
	case !slices.Contains(c.Resources, e.Resource):
		return "resource " + e.Resource
	case !slices.Contains(c.Stores, e.Store):
		return "store " + e.Store
	case !slices.Contains(c.Actions, e.Action):
		return "action " + string(e.Action)
	case !slices.Contains(c.Networks, vigil.NetworkOf(e.IP)):
		return "network " + e.IP + " of " + strings.Join(c.Networks, " ")
	case !c.Holds(e.Time):
		return "expired"
	case int64(customers) > c.PerDay:
		return fmt.Sprintf("%d customers, %d agreed", customers, c.PerDay)
	case rows > c.RowsPerDay:
		return fmt.Sprintf("%d rows, %d agreed", rows, c.RowsPerDay)
	}
	return ""
}

// Asking for the facts changes no event, and gives the same each time.
func TestFactsAreDeterministic(t *testing.T) {
	t.Parallel()
	cfg := traffic.Config{Events: 5_000, Actors: 30, Days: 14, Seed: 9, Happenings: traffic.Everything()}
	one, err := traffic.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	two, err := traffic.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(one.Facts(), two.Facts()); diff != "" {
		t.Errorf("the same world told something else:\n%.2000s", diff)
	}
	plain, err := traffic.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var a, b []*vigil.Event
	for e := range one.Events() {
		a = append(a, e)
	}
	for e := range plain.Events() {
		b = append(b, e)
	}
	if diff := cmp.Diff(a, b); diff != "" {
		t.Error("a world that was asked for its facts gives other events")
	}
}

func TestFactsAreWritten(t *testing.T) {
	t.Parallel()
	w, err := traffic.New(traffic.Config{Events: 3_000, Actors: 30, Days: 14, Seed: 9, Happenings: traffic.Everything()})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, form := range []string{"csv", "json"} {
		paths, err := traffic.WriteFacts(dir, form, w.Facts())
		if err != nil {
			t.Fatal(err)
		}
		if len(paths) != len(vigil.FactKinds())-1 {
			t.Errorf("%s: %v", form, paths)
		}
	}
	raw, err := os.ReadFile(filepath.Join(dir, "person.json"))
	if err != nil {
		t.Fatal(err)
	}
	var people []vigil.Person
	if err := json.Unmarshal(raw, &people); err != nil {
		t.Fatal(err)
	}
	if len(people) != 30 || !slices.ContainsFunc(people, func(p vigil.Person) bool { return !p.Leaves.IsZero() }) {
		t.Errorf("%d people, each once, leavers among them", len(people))
	}
	table, err := os.ReadFile(filepath.Join(dir, "contract.csv"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(table)), "\n")
	if !strings.HasPrefix(lines[0], "actions,actor,") || !strings.Contains(lines[1], "read|") && !strings.Contains(lines[1], "read,") {
		t.Errorf("contracts are written as\n%s\n%s", lines[0], lines[1])
	}
	if _, err := traffic.WriteFacts(dir, "xml", w.Facts()); err == nil {
		t.Error("an unknown form was taken")
	}
}
