//go:build !race

package reasons_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/detector/reasons"
)

// dump is all that a book knows.
func dump(b *reasons.Book) (all []vigil.Facts) {
	for _, k := range vigil.FactKinds() {
		all = append(all, b.Facts(k)...)
	}
	return all
}

// A book that was restored answers like the one that was kept, however often it was
// kept and whatever changed between.
func TestRestoredBookIsTheSame(t *testing.T) {
	t.Parallel()
	b, events := large(t)
	parts := map[string]reasons.Part{}
	keep := func(all bool) int {
		changed, err := b.State(all)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range changed {
			parts[p.Name] = p
		}
		return len(changed)
	}
	whole := keep(true)
	if n := keep(false); n != 1 {
		t.Errorf("%d parts changed while nothing did", n)
	}
	b.Apply(vigil.Facts{Feed: "bait", Kind: vigil.FactHoney, Whole: true})
	b.Apply(honey(vigil.Honey{Subject: "subject-0000000000017"}))
	if n := keep(false); n < 2 || n >= whole/4 {
		t.Errorf("%d of %d parts changed with one kind", n, whole)
	}
	var have []reasons.Part
	for _, p := range parts {
		have = append(have, p)
	}
	again := reasons.New(reasons.Limits{})
	if err := again.Restore(have); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(dump(b), dump(again)); diff != "" {
		t.Fatalf("%.1000s", diff)
	}
	for _, e := range events {
		if x, y := b.Check(e), again.Check(e); x != y {
			t.Fatalf("%+v: %+v and %+v", e, x, y)
		}
	}
	if diff := cmp.Diff(b.Told(), again.Told()); diff != "" {
		t.Error(diff)
	}
	if err := reasons.New(reasons.Limits{}).Restore([]reasons.Part{{Name: "honey/0", Data: []byte("[")}}); err == nil {
		t.Error("a damaged part is taken")
	}
}

// What an empty feed told stays told.
func TestAnEmptyFeedIsRemembered(t *testing.T) {
	t.Parallel()
	b := book(t, assignment())
	parts, err := b.State(true)
	if err != nil {
		t.Fatal(err)
	}
	again := reasons.New(reasons.Limits{})
	if err := again.Restore(parts); err != nil {
		t.Fatal(err)
	}
	if got := again.Check(read()); got.Looked != reasons.Assigned {
		t.Errorf("looked for %v", got.Looked.Words())
	}
	if again.Empty() || !reasons.New(reasons.Limits{}).Empty() {
		t.Error("which book is empty?")
	}
}

// The order in which facts come does not show, and taking some back leaves what would
// stand without them.
func TestApplyForgetsNothingAndKeepsNothing(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	var all []vigil.Assignment
	for i := range 400 {
		all = append(all, vigil.Assignment{
			Who: vigil.Who{Actor: fmt.Sprint("a", r.IntN(5))}, Subject: fmt.Sprint("c", r.IntN(8)), Ticket: fmt.Sprint("t", i%9), Period: during(-r.IntN(9)-1, r.IntN(9)),
		})
	}
	for round := range 20 {
		r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		kept := all[:r.IntN(len(all))]
		want := book(t, assignment(kept...))
		got := book(t, assignment(all...))
		var gone []string
		held := map[string]bool{}
		for i := range kept {
			held[kept[i].Key()] = true
		}
		for i := range all {
			if !held[all[i].Key()] {
				gone = append(gone, all[i].Key())
			}
		}
		got.Apply(vigil.Facts{Feed: "desk", Kind: vigil.FactAssignment, Removed: gone})
		for i := range 200 {
			e := read(by(vigil.Actor{ID: fmt.Sprint("a", r.IntN(5)), Kind: vigil.KindHuman}), of(fmt.Sprint("c", r.IntN(8))), when(at(r.IntN(20)-10)))
			if i%2 == 0 {
				e.Ticket = fmt.Sprint("t", r.IntN(9))
			}
			if x, y := want.Check(e), got.Check(e); x != y {
				t.Fatalf("round %d: %+v: %v and %v", round, e, x.Found.Words(), y.Found.Words())
			}
		}
	}
}

func TestBookIsBounded(t *testing.T) {
	t.Parallel()
	b := reasons.New(reasons.Limits{Assignments: 100})
	for i := range 1_000 {
		a := vigil.Assignment{Who: ana, Subject: fmt.Sprint("c", i), Period: during(-2000+i, -1999+i)}
		if i%2 == 0 {
			a.To = time.Time{}
		}
		b.Apply(assignment(a))
	}
	c := b.Counts()
	if c.Held[vigil.FactAssignment] > 100 || c.Dropped < 900 {
		t.Errorf("%+v", c)
	}
	// What ended made room, what goes on stayed.
	for _, f := range b.Facts(vigil.FactAssignment) {
		for _, a := range f.Assignments {
			if !a.To.IsZero() && a.To.Before(at(-1020)) {
				t.Errorf("one that ended %s was kept", a.To)
			}
		}
	}
	b.Apply(vigil.Facts{Kind: "later"})
	b.Apply(assignment(vigil.Assignment{Who: ana}))
	if c := b.Counts(); c.Refused != 2 {
		t.Errorf("%d refused", c.Refused)
	}
}

func TestQuotasAreGivenAndTakenBack(t *testing.T) {
	t.Parallel()
	b := book(t, declared(vigil.Purpose{Who: ana, Purpose: "qa", PerDay: 5}, vigil.Purpose{Who: ana, Purpose: "training", PerDay: 7}),
		contract(vigil.Contract{Who: acme, PerDay: 9, RowsPerDay: 11}))
	if got := b.Check(read()).Bounds; got != (reasons.Bounds{Declared: 12}) {
		t.Errorf("%+v", got)
	}
	if got := b.Check(read(purpose("qa"))).Bounds; got != (reasons.Bounds{Declared: 5}) {
		t.Errorf("%+v", got)
	}
	c := b.Check(read(by(acmeBot)))
	if c.Bounds != (reasons.Bounds{Customers: 9, Rows: 11}) {
		t.Errorf("%+v", c.Bounds)
	}
	if c.ExceedContract(); c.Against != reasons.OutsideVolume || c.Found != 0 || !c.Unjustified() {
		t.Errorf("%+v", c)
	}
	c = b.Check(read())
	if c.ExceedDeclared(true); c.Against != reasons.NotDeclared || c.Found != 0 || !c.Unjustified() {
		t.Errorf("%+v", c)
	}
	c = b.Check(read())
	if c.ExceedDeclared(false); c.Against != 0 || c.Found != 0 || !c.Unjustified() {
		t.Errorf("%+v", c)
	}
}

func TestAbsence(t *testing.T) {
	t.Parallel()
	b := book(t, shift(
		vigil.Shift{Who: ana, Duty: vigil.DutyAbsent, Period: during(-240, -120)}, vigil.Shift{Who: ana, Duty: vigil.DutyAbsent, Period: during(-180, -96)},
		vigil.Shift{Who: ana, Duty: vigil.DutyShift, Period: during(-48, 0)}, vigil.Shift{Who: vigil.Who{Actor: "bob"}, Duty: vigil.DutyAbsent}))
	days := func(from, to int) float64 { return b.Absence(read(), at(from).UnixNano(), at(to).UnixNano()) }
	for _, c := range []struct {
		from, to int
		want     float64
	}{{-300, 0, 6}, {-240, -216, 1}, {-100, 0, 4.0 / 24}, {-96, 0, 0}, {0, -300, 0}} {
		if got := days(c.from, c.to); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("from %d to %d: %v days, want %v", c.from, c.to, got, c.want)
		}
	}
}

func TestAnnounced(t *testing.T) {
	t.Parallel()
	b := book(t, change(
		vigil.Change{ID: "a", Type: vigil.ChangeMaintenance, Store: "chat", Period: during(-3, -1)},
		vigil.Change{ID: "b", Type: vigil.ChangeDeploy, Who: ana, Store: "chat", Period: during(-2, 1)},
		vigil.Change{ID: "c", Type: vigil.ChangeChange, Store: "chat", Period: during(1, 9)},
		vigil.Change{ID: "d", Type: vigil.ChangeDeploy, Store: "chat", Resource: "messages", Period: during(1, 9)},
		vigil.Change{ID: "e", Type: vigil.ChangeDeploy, Store: "chat", Period: vigil.Period{From: at(5)}},
		vigil.Change{ID: "f", Type: vigil.ChangeDeploy, Period: during(5, 6)},
		vigil.Change{ID: "g", Type: vigil.ChangeDeploy, Store: "crm", Period: during(5, 6)}))
	for _, c := range []struct {
		store    string
		from, to int
		want     float64
	}{
		{"chat", -3, 1, 1}, {"chat", 0, 2, 0.625}, {"chat", -5, -3, 0.125}, {"chat", 2, 9, 0}, {"chat", 1, -1, 0}, {"crm", 5, 6, 1}, {"desk", 5, 6, 0},
	} {
		if got := b.Announced(c.store, at(c.from).UnixNano(), at(c.to).UnixNano()); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%s from %d to %d: %v, want %v", c.store, c.from, c.to, got, c.want)
		}
	}
}

func TestIdentifyKnowsBetter(t *testing.T) {
	t.Parallel()
	b := book(t, person(vigil.Person{Actor: "ana", Team: "apac", Kind: vigil.KindAdmin}, vigil.Person{Actor: "bob", Tenant: "x", Role: "lead"}))
	e := read()
	if !b.Identify(e) || e.Actor != (vigil.Actor{ID: "ana", Kind: vigil.KindAdmin, Role: "agent", Team: "apac"}) {
		t.Errorf("%+v", e.Actor)
	}
	if e = read(by(vigil.Actor{ID: "bob", Tenant: "y"})); b.Identify(e) {
		t.Errorf("another tenant's: %+v", e.Actor)
	}
}

func TestCheckTakesNoMemory(t *testing.T) {
	b, events := large(t)
	i := 0
	if n := testing.AllocsPerRun(1000, func() {
		b.Check(events[i%len(events)])
		i++
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
