package detector

import (
	"encoding/json"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"vigil"
	"vigil/detector/features"
	"vigil/internal/traffic"
)

// robbery is some weeks of a help desk, and a theft in it.
var robbery = sync.OnceValues(func() ([]*vigil.Event, traffic.Breach) {
	w, err := traffic.New(traffic.Config{Events: 30_000, Actors: 24, Days: 28, Seed: 7})
	if err != nil {
		panic(err)
	}
	b, err := w.Stage(traffic.Stage{Threat: traffic.VendorToken})
	if err != nil {
		panic(err)
	}
	w.Inject(b.Events...)
	var events []*vigil.Event
	for e := range w.Events() {
		events = append(events, e)
	}
	return events, b
})

// saying is what was said, and how long after the theft: a word about the finding, or
// that something is expected.
type saying struct {
	after  time.Duration
	word   vigil.Word
	except *vigil.Exception
}

// control is the record of a saying about a finding.
func (s saying) control(t *testing.T, finding *vigil.Finding) vigil.Control {
	t.Helper()
	c := vigil.Control{Type: vigil.ControlVerdict}
	var said any = vigil.Verdict{Finding: finding.ID, Word: s.word, By: "x", Actor: finding.Actor, Tenant: finding.Tenant}
	if s.except != nil {
		c.Type, said = vigil.ControlException, s.except
	}
	var err error
	if c.Data, err = json.Marshal(said); err != nil {
		t.Fatal(err)
	}
	return c
}

// course folds the traffic, with or without the theft, until some days after it, and
// what is said of it. It returns the engine, the thief, and the finding.
func course(t *testing.T, theft bool, until time.Duration, snapshot bool, said ...saying) (*Engine, *actor, vigil.Finding) {
	t.Helper()
	all, b := robbery()
	stolen := map[string]bool{}
	end := b.Events[len(b.Events)-1].Time
	for _, e := range b.Events {
		stolen[e.ID] = e.Time.After(end.Add(-6 * time.Hour)) // what was tried days before stays
	}
	e, err := New(Config{}, Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	var last vigil.Finding
	var batch []*vigil.Event
	fold := func(entry *vigil.Entry) {
		found, err := e.Fold(entry)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			if f.Actor == b.Actor && !f.End.Before(b.Events[0].Time) {
				last = f
			}
		}
	}
	for _, original := range all {
		if original.Time.After(end.Add(until)) {
			break
		}
		if len(said) > 0 && original.Time.After(end.Add(said[0].after)) || len(batch) >= 64 {
			fold(&vigil.Entry{Kind: vigil.EntryEvents, Source: "desk", Events: batch})
			batch = nil
		}
		for len(said) > 0 && original.Time.After(end.Add(said[0].after)) {
			fold(&vigil.Entry{Kind: vigil.EntryControl, Control: said[0].control(t, &last)})
			said = said[1:]
			if snapshot {
				e = again(t, e)
			}
		}
		if !theft && stolen[original.ID] {
			continue
		}
		event := *original
		batch = append(batch, &event)
	}
	fold(&vigil.Entry{Kind: vigil.EntryEvents, Source: "desk", Events: batch})
	_, a := e.known(b.Events[0].Actor.Tenant, b.Actor)
	if a == nil {
		t.Fatalf("%s is not known", b.Actor)
	}
	return e, a, last
}

// again is the engine after a restart.
func again(t *testing.T, e *Engine) *Engine {
	t.Helper()
	parts, err := e.Snapshot(true)
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := New(Config{}, e.opts)
	if err != nil {
		t.Fatal(err)
	}
	if err := fresh.Restore(parts); err != nil {
		t.Fatal(err)
	}
	return fresh
}

// believes are the p-values, in decades, that the actor's baselines give to amounts from
// usual to many times that, and that its peers' ranks give to scores; and how new the
// network of the theft is to it.
func believes(e *Engine, a *actor) []float64 {
	var out []float64
	g := a.group
	if g == nil {
		g = e.shared.everyone
	}
	for l := range features.Lanes - 1 {
		la := &a.Lane[l]
		for k := range features.Kind(features.Counts) {
			for _, n := range []float64{1, 5, 20, 80} {
				out = append(out, min(6, la.Counts[k].Predict(g.Prior[l][k], 1).Surprise(n)))
			}
		}
		for term := range terms {
			for _, raw := range []float64{1, 2, 4} {
				z := la.Level[term].Standard(raw, g.Spread[l][term])
				table := &g.table[l][term]
				out = append(out, -math.Log10(table.P(z, 0.5)))
			}
		}
	}
	return out
}

// farApart is how far two beliefs are from each other: on average, and at most.
func farApart(x, y []float64) (mean, most float64) {
	for i := range x {
		d := math.Abs(x[i] - y[i])
		mean += d / float64(len(x))
		most = max(most, d)
	}
	return mean, most
}

// A verdict on a finding of which nothing is held changes nothing.
func TestVerdictsOnWhatIsNotKnownChangeNothing(t *testing.T) {
	t.Parallel()
	e, err := New(Config{}, Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, data := range []string{`{"finding":"f-1","word":"breach","actor":"x"}`, `{`, ``, `{"id":"x-1"}`, strings.Repeat("[", 100)} {
		for _, kind := range []string{vigil.ControlVerdict, vigil.ControlException, "something new"} {
			found, err := e.Fold(&vigil.Entry{Kind: vigil.EntryControl, Control: vigil.Control{Type: kind, Data: []byte(data)}})
			if err != nil || len(found) > 0 {
				t.Errorf("%s %s: %v, %v", kind, data, found, err)
			}
		}
	}
}
