package detector_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vigil/detector"
)

// What is told of an actor is the same after a restart, and telling it changes nothing.
func TestProfileOfAnActor(t *testing.T) {
	t.Parallel()
	d := stagedDesk()
	e := newEngine(t, 2)
	found, err := e.Fold(entry(d.events))
	if err != nil {
		t.Fatal(err)
	}
	parts, err := e.Snapshot(true)
	if err != nil {
		t.Fatal(err)
	}
	again := newEngine(t, 2)
	if err := again.Restore(parts); err != nil {
		t.Fatal(err)
	}
	told, crossed, held := 0, 0, 0
	for _, f := range latest(found) {
		if f.Actor == "" {
			continue
		}
		p, ok := e.Profile(f.Tenant, f.Actor)
		if !ok {
			t.Errorf("nothing is known of %s, of whom there is a finding", f.Actor)
			continue
		}
		told++
		q, _ := again.Profile(f.Tenant, f.Actor)
		if diff := cmp.Diff(p, q); diff != "" {
			t.Errorf("after a restart (-before +after):\n%.1500s", diff)
		}
		if p.Short {
			continue
		}
		if len(p.Expected) != detector.HoursOfWeek || slices.Max(p.Expected) <= 0 || slices.Min(p.Expected) < 0 {
			t.Errorf("expected of %s: %v", f.Actor, p.Expected)
		}
		for _, l := range p.Levels {
			if day := sum(p.Expected) / 7; l.Observation == "events" && (day < l.Own/3 || day > 3*l.Own) {
				t.Errorf("%s does %.3g accesses on a usual day, by the hours of the week %.3g", f.Actor, l.Own, day)
			}
		}
		if p.Peers.Members > 0 {
			held++
			if p.Peers.Members < 5 {
				t.Errorf("%s is held against %d peers: of so few, figures tell of one", f.Actor, p.Peers.Members)
			}
		}
		for _, path := range p.Paths {
			if len(path.Steps) > 32 {
				t.Errorf("%d steps are kept", len(path.Steps))
			}
			for i, s := range path.Steps {
				if i > 0 && s.Time.Before(path.Steps[i-1].Time) {
					t.Error("the path goes back in time")
				}
				if path.Ready && path.Line > 0 && s.Evidence >= path.Line {
					crossed++
				}
			}
		}
	}
	if told < 3 || crossed == 0 || held == 0 {
		t.Errorf("of %d actors told, %d had evidence over its line and %d had peers: nothing is tested", told, crossed, held)
	}
	if _, ok := e.Profile("", "nobody-of-that-name"); ok {
		t.Error("somebody is known who never came")
	}
	want := encode(t, judge(t, newEngine(t, 2), d.events, always(1<<30)))
	last, err := e.Finish()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, encode(t, append(found, last...))); diff != "" {
		t.Errorf("asking changed the findings (-want +got):\n%.1500s", diff)
	}
}

func sum(of []float64) (total float64) {
	for _, f := range of {
		total += f
	}
	return total
}
