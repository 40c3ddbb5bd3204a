//go:build !race

package traffic_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigil/internal/traffic"
)

func TestStageMakesEachBreach(t *testing.T) {
	t.Parallel()
	for i, threat := range append(traffic.Threats(), traffic.Threats()...) {
		happenings, name := traffic.Set(0), string(threat)
		if i >= len(traffic.Threats()) {
			happenings, name = traffic.Everything(), name+" amid everything"
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, err := traffic.New(traffic.Config{Events: 5_000, Actors: 60, Days: 28, Happenings: happenings})
			if err != nil {
				t.Fatal(err)
			}
			b, err := w.Stage(traffic.Stage{Threat: threat})
			if err != nil {
				t.Fatal(err)
			}
			again, err := w.Stage(traffic.Stage{Threat: threat})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(b, again); diff != "" {
				t.Errorf("staged twice, it differs:\n%s", diff)
			}
			start, end := w.Span()
			if len(b.Events) < 3 || b.Subjects < 10 || b.Start.Before(start) || !b.End.Before(end) {
				t.Errorf("%d events, %d customers, %s to %s", len(b.Events), b.Subjects, b.Start, b.End)
			}
			last := b.Start
			for _, e := range b.Events {
				if err := e.Validate(); err != nil {
					t.Fatalf("%s: %v", e.ID, err)
				}
				if e.Actor.ID != b.Actor || e.Time.Before(last) {
					t.Fatalf("%s is of %s at %s, after %s", e.ID, e.Actor.ID, e.Time, last)
				}
				last = e.Time
			}
			more, err := w.Stage(traffic.Stage{Threat: threat, Seed: 2, Actor: b.Actor, At: b.Start.Add(time.Hour), Intensity: 0.5})
			if err != nil {
				t.Fatal(err)
			}
			if more.Subjects >= b.Subjects {
				t.Errorf("half the intensity takes %d customers, the whole %d", more.Subjects, b.Subjects)
			}
			w.Inject(b.Events...)
			n := 0
			for e := range w.Events() {
				if e.Actor.Role != traffic.RoleCustomer {
					n++
				}
			}
			if extra := n - 5_000 - len(b.Events); extra < 0 || extra > 0 && happenings == 0 {
				t.Errorf("%d events with a breach of %d", n, len(b.Events))
			}
		})
	}
}

func TestStageRefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	w, err := traffic.New(traffic.Config{Events: 100, Actors: 20, Days: 2})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Stage(traffic.Stage{Threat: "theft"}); err == nil {
		t.Error("an unknown threat was staged")
	}
	if _, err := w.Stage(traffic.Stage{Threat: traffic.MassExport, Actor: "nobody"}); err == nil {
		t.Error("an unknown actor did it")
	}
}
