package detector_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/detector"
)

// withheld are copies of events that do not say the role and team of their actor,
// and of its kind what kind makes of it.
func withheld(events []*vigil.Event, kind func(vigil.ActorKind) vigil.ActorKind) []*vigil.Event {
	out := clones(events)
	for _, e := range out {
		e.Actor.Kind, e.Actor.Role, e.Actor.Team = kind(e.Actor.Kind), "", ""
	}
	return out
}

func noKind(vigil.ActorKind) vigil.ActorKind    { return "" }
func allHuman(vigil.ActorKind) vigil.ActorKind  { return vigil.KindHuman }
func ownKind(k vigil.ActorKind) vigil.ActorKind { return k }

// foldBatches folds events and leaves the engine open.
func foldBatches(tb testing.TB, e *detector.Engine, events []*vigil.Event) {
	tb.Helper()
	for b := range slices.Chunk(events, 4096) {
		if _, err := e.Fold(entry(b)); err != nil {
			tb.Fatal(err)
		}
	}
}

// TestLearnedGroupsDoNotDependOnWorkersOrRestarts withholds who is what, and cuts
// the same log in several ways.
func TestLearnedGroupsDoNotDependOnWorkersOrRestarts(t *testing.T) {
	t.Parallel()
	d := stagedDesk()
	run := func(workers, batch int, restart bool) (string, map[string]string) {
		e := newEngine(t, workers)
		var all []vigil.Finding
		events := withheld(d.events, noKind)
		for i := 0; i < len(events); i += batch {
			found, err := e.Fold(entry(events[i:min(i+batch, len(events))]))
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, found...)
			if restart && i/batch%3 == 2 {
				e = restoredWith(t, e, detector.Config{}, nil)
			}
		}
		learned := e.Learned()
		found, err := e.Finish()
		if err != nil {
			t.Fatal(err)
		}
		return encode(t, append(all, found...)), learned
	}
	want, learned := run(1, 4096, false)
	if n := len(slices.Compact(slices.Sorted(maps.Values(learned)))); n < 2 {
		t.Fatalf("%d learned groups: nothing is tested", n)
	}
	for name, r := range map[string]struct {
		workers, batch int
		restart        bool
	}{"four workers": {4, 4096, false}, "other batches": {2, 1777, false}, "restarts": {2, 2500, true}} {
		got, groups := run(r.workers, r.batch, r.restart)
		if diff := cmp.Diff(learned, groups); diff != "" {
			t.Errorf("%s: groups differ (-want +got):\n%s", name, diff)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: findings differ (-want +got):\n%.2000s", name, diff)
		}
	}
}
