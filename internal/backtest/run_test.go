package backtest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/detector"
	"vigil/internal/backtest"
)

// log is a recorded log in memory. It hands out copies, as a ledger does.
type log []vigil.Entry

func (l log) Entries(_ context.Context, after uint64, most int) ([]vigil.Entry, error) {
	var out []vigil.Entry
	for _, e := range l[min(int(after), len(l)):min(int(after)+most, len(l))] {
		events := e.Events
		e.Events = nil
		for _, ev := range events {
			c := *ev
			e.Events = append(e.Events, &c)
		}
		out = append(out, e)
	}
	return out, nil
}

func (l *log) add(e vigil.Entry) {
	e.Seq = uint64(len(*l) + 1)
	*l = append(*l, e)
}

func monday() time.Time { return time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC) }

// world is a desk of eight for 20 days. On day 14 one of them reads many customers after
// hours; wide is the budget under which that is found live, and found what was.
const wide = 20.0

func world(t *testing.T, word vigil.Word) (l log, live []vigil.Finding) {
	t.Helper()
	for d := range 20 {
		var events []*vigil.Event
		read := func(at time.Duration, who int, subject string) {
			ev := vigil.NewEvent()
			ev.Time, ev.Source, ev.Action, ev.Outcome = monday().AddDate(0, 0, d).Add(at), "desk", vigil.ActionRead, vigil.OutcomeSuccess
			ev.Actor, ev.Resource = vigil.Actor{ID: fmt.Sprint("p-", who), Kind: vigil.KindHuman, Role: "agent"}, "messages"
			ev.Subjects, ev.Rows = []string{subject}, int64(3+d%3)
			events = append(events, ev)
		}
		for i := range 20 {
			for p := range 8 {
				read(8*time.Hour+time.Duration(i*24+p)*time.Minute, p, fmt.Sprintf("c-%d-%d-%d", d, i, p))
			}
		}
		if d == 14 {
			for i := range 150 {
				read(18*time.Hour+time.Duration(i)*10*time.Second, 0, fmt.Sprintf("s-%d", i))
			}
		}
		l.add(vigil.Entry{Kind: vigil.EntryEvents, Source: "desk", Events: events})
		if d == 17 && word != "" {
			live = judged(t, l, wide)
			for i := range live {
				if f := &live[i]; f.Actor == "p-0" {
					data, err := json.Marshal(vigil.Verdict{
						Finding: f.ID, Word: word, By: "ann", Time: f.End, About: f.About, Actor: f.Actor, Start: f.Start, End: f.End,
					})
					if err != nil {
						t.Fatal(err)
					}
					l.add(vigil.Entry{Kind: vigil.EntryControl, Control: vigil.Control{Type: vigil.ControlVerdict, Data: data}})
				}
			}
		}
	}
	live = judged(t, l, wide)
	for i := range live {
		if word != "" && live[i].Actor == "p-0" {
			live[i].Verdict = &vigil.Verdict{Finding: live[i].ID, Word: word}
		}
	}
	return l, live
}

// judged is what a service with this budget tells of a log: the latest of each finding.
func judged(t *testing.T, l log, budget float64) (out []vigil.Finding) {
	t.Helper()
	e, err := detector.New(detector.Config{Budget: budget}, detector.Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]int{}
	entries, err := l.Entries(t.Context(), 0, len(l))
	if err != nil {
		t.Fatal(err)
	}
	for i := range entries {
		found, err := e.Fold(&entries[i])
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			if i, ok := at[f.ID]; ok {
				out[i] = f
				continue
			}
			at[f.ID] = len(out)
			out = append(out, f)
		}
	}
	return out
}

func task(l log, live []vigil.Finding, budget float64) backtest.Task {
	t := backtest.Task{
		From: monday(), To: monday().AddDate(0, 0, 30), Detector: detector.Config{Budget: budget}, Last: uint64(len(l)), Live: live, Workers: 1,
	}
	if budget != wide {
		t.OwnBudget, t.Changed = true, true
	}
	for _, f := range live {
		if f.Verdict != nil {
			t.Judged = append(t.Judged, f)
		}
	}
	return t
}

// The live setting differs in nothing, whatever people said meanwhile, with any number of
// workers; progress goes up to the end.
func TestTheLiveSettingDiffersInNothing(t *testing.T) {
	t.Parallel()
	l, live := world(t, vigil.WordBreach)
	task := task(l, live, wide)
	last := 0.0
	task.Progress = func(done float64) {
		if done < last || done > 1 {
			t.Errorf("progress %g after %g", done, last)
		}
		last = done
	}
	one, err := backtest.Run(t.Context(), l, task)
	if err != nil {
		t.Fatal(err)
	}
	if one.All.Live == 0 || one.All.Same != one.All.Live || one.All.Differ() != 0 || one.Breaches.Same == 0 || last != 1 {
		t.Errorf("%+v, breaches %+v, progress %g", one.All, one.Breaches, last)
	}
	task.Workers, task.Progress = 4, nil
	four, err := backtest.Run(t.Context(), l, task)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(one, four); diff != "" {
		t.Errorf("four workers differ from one:\n%s", diff)
	}
}

// Nothing under a verdict of breach trains: what another setting does not find is judged
// once more, teaching nothing. What was expected may teach.
func TestABreachThatIsNotFoundTeachesNothing(t *testing.T) {
	t.Parallel()
	for word, kept := range map[vigil.Word]bool{vigil.WordBreach: true, vigil.WordExpected: false} {
		l, live := world(t, word)
		r, err := backtest.Run(t.Context(), l, task(l, live, 1e-9))
		if err != nil {
			t.Fatal(err)
		}
		if r.All.Gone == 0 || r.Budget != 1e-9 {
			t.Errorf("%s: a tiny budget finds all the same: %+v", word, r.All)
		}
		if got := strings.Contains(strings.Join(r.Warnings, " "), "kept out of what it learns"); got != kept {
			t.Errorf("%s: kept out %v, warnings %q", word, got, r.Warnings)
		}
		lost := r.Breaches.Gone
		if word == vigil.WordExpected {
			lost = r.Expected.Gone
		}
		if lost == 0 {
			t.Errorf("%s: what was judged is not counted as gone: %+v %+v", word, r.Breaches, r.Expected)
		}
	}
}

func TestRunStops(t *testing.T) {
	t.Parallel()
	l, live := world(t, "")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	task := task(l, live, wide)
	if _, err := backtest.Run(ctx, l, task); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	task.From, task.To = task.To, task.From
	if _, err := backtest.Run(t.Context(), l, task); err == nil {
		t.Error("a time that ends before it begins is judged")
	}
}
