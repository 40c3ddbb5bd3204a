package detector

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"
	"time"

	"vigil"
	"vigil/detector/features"
)

// monday is when the desk of these tests opens.
func monday() time.Time { return time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC) }

// deskOf folds so many days of a desk of eight, on the last of which p-0 reads ten times
// as much as ever.
func deskOf(t *testing.T, days int, opts Options) *Engine {
	t.Helper()
	opts.Workers = 1
	e, err := New(Config{Budget: 1e-9}, opts)
	if err != nil {
		t.Fatal(err)
	}
	for d := range days {
		var events []*vigil.Event
		reads := 20
		if d == days-1 {
			reads = 200
		}
		for i := range reads {
			for p := range 8 {
				if i >= 20 && p > 0 {
					continue
				}
				ev := vigil.NewEvent()
				ev.Time = monday().AddDate(0, 0, d).Add(8*time.Hour + time.Duration(i*8+p)*20*time.Second)
				ev.Source, ev.Action, ev.Outcome, ev.Resource = "desk", vigil.ActionRead, vigil.OutcomeSuccess, "messages"
				ev.Actor = vigil.Actor{ID: fmt.Sprint("p-", p), Kind: vigil.KindHuman, Role: "agent"}
				ev.Subjects = []string{fmt.Sprintf("c-%d-%d-%d", d, i, p)}
				events = append(events, ev)
			}
		}
		if _, err := e.Fold(&vigil.Entry{Kind: vigil.EntryEvents, Source: "desk", Events: events}); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 { // the day closes
		if _, err := e.Fold(&vigil.Entry{Kind: vigil.EntryTick, Tick: vigil.Tick{Watermark: monday().AddDate(0, 0, days+1)}}); err != nil {
			t.Fatal(err)
		}
	}
	return e
}

// What somebody said to be a breach teaches nothing where it is not found, nor after a
// restart; all else teaches as ever.
func TestUntaughtTeachesNothing(t *testing.T) {
	t.Parallel()
	const days = 12
	last := monday().AddDate(0, 0, days-1)
	untaught := Options{Untaught: []Untaught{{Actor: "p-0", From: last, To: last.AddDate(0, 0, 1)}}}
	perDay := func(e *Engine, who string) float64 {
		_, a := e.known("", who)
		if a == nil {
			t.Fatalf("%s is not known", who)
		}
		r := a.Lane[features.Day].Counts[features.Subjects]
		return float64(r.N) / float64(r.X)
	}
	taught, kept := deskOf(t, days, Options{}), deskOf(t, days, untaught)
	// What is far out is half believed anyway, so that it moves a baseline a little only.
	if a, b := perDay(taught, "p-0"), perDay(kept, "p-0"); a < 1.03*b {
		t.Errorf("the theft taught %.4g a day, kept out %.4g", a, b)
	}
	if a, b := perDay(kept, "p-0"), perDay(kept, "p-1"); math.Abs(a-b) > 0.01*b {
		t.Errorf("who was kept out stands at %.3g, others at %.3g", a, b)
	}
	if a, b := perDay(taught, "p-1"), perDay(kept, "p-1"); math.Abs(a-b) > 0.01*b {
		t.Errorf("others: %.4g and %.4g", a, b)
	}
	parts, err := kept.Snapshot(true)
	if err != nil {
		t.Fatal(err)
	}
	again, err := New(Config{}, untaught)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Restore(parts); err != nil {
		t.Fatal(err)
	}
	if _, a := again.known("", "p-0"); len(a.untaught) != 1 {
		t.Error("after a restart it would teach")
	}
}

// A budget that the log names holds from its place on, at once and after a restart,
// whatever the configuration says.
func TestTheLogNamesTheBudget(t *testing.T) {
	t.Parallel()
	e := deskOf(t, 10, Options{})
	line := func(e *Engine) float64 { return e.Status().Lanes[features.Day].Threshold }
	tight := line(e)
	say := func(data string) {
		t.Helper()
		if _, err := e.Fold(&vigil.Entry{Kind: vigil.EntryControl, Control: vigil.Control{Type: vigil.ControlBudget, Data: []byte(data)}}); err != nil {
			t.Fatal(err)
		}
	}
	data, err := json.Marshal(vigil.BudgetChange{Time: monday(), PerDay: 5})
	if err != nil {
		t.Fatal(err)
	}
	say(string(data))
	if got := e.Status().Budget; got != 5 || line(e) >= tight {
		t.Errorf("budget %g, line %g, before %g", got, line(e), tight)
	}
	parts, err := e.Snapshot(true)
	if err != nil {
		t.Fatal(err)
	}
	again, err := New(Config{Budget: 77}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Restore(parts); err != nil {
		t.Fatal(err)
	}
	if s := again.Status(); s.Budget != 5 {
		t.Errorf("after a restart the budget is %g", s.Budget)
	}
	for _, bad := range []string{"{", `{"per_day":3}`, `{"time":"2026-03-02T00:00:00Z","per_day":-1}`} {
		say(bad)
	}
	if s := e.Status(); s.Budget != 5 || s.Unread != 3 {
		t.Errorf("budget %g, %d unread", s.Budget, s.Unread)
	}
}
