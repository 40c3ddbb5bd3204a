package detector_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"vigil"
	"vigil/detector"
)

// visitor is an event of somebody who comes once.
func visitor(name string, at time.Time) *vigil.Event {
	e := vigil.NewEvent()
	e.ID, e.Time, e.Source, e.Action = name, at, "desk", vigil.ActionRead
	e.Actor = vigil.Actor{ID: name, Kind: vigil.KindAnonymous}
	e.Store, e.Resource, e.Network, e.Shape = "desk", "messages", "192.0.2.0/24", "own"
	e.Subjects = []string{name}
	return e
}

// crowd is n visitors that come evenly from start to end.
func crowd(n int, start, end time.Time) []*vigil.Event {
	out := make([]*vigil.Event, n)
	for i := range out {
		out[i] = visitor(fmt.Sprint("visitor-", i), start.Add(end.Sub(start)/time.Duration(n)*time.Duration(i)))
	}
	return out
}

// restoredWith makes an engine of that configuration from another's state.
func restoredWith(tb testing.TB, from *detector.Engine, cfg detector.Config, score func(detector.Score)) *detector.Engine {
	tb.Helper()
	parts, err := from.Snapshot(true)
	if err != nil {
		tb.Fatal(err)
	}
	e, err := detector.New(cfg, detector.Options{Workers: 2, Score: score})
	if err != nil {
		tb.Fatal(err)
	}
	if err := e.Restore(parts); err != nil {
		tb.Fatal(err)
	}
	return e
}

func foldAll(tb testing.TB, e *detector.Engine, events []*vigil.Event) (found []vigil.Finding) {
	tb.Helper()
	for b := range slices.Chunk(clones(events), 4096) {
		f, err := e.Fold(entry(b))
		if err != nil {
			tb.Fatal(err)
		}
		found = append(found, f...)
	}
	return found
}
