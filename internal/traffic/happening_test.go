//go:build !race

package traffic_test

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/internal/traffic"
)

// busy is a world that has room for every happening, quarter's end included.
var busy = traffic.Config{
	Events: 45_000, Actors: 70, Days: 35, Seed: 5, Start: time.Date(2026, 9, 7, 0, 0, 0, 0, time.UTC),
	Happenings: traffic.Everything(),
}

// play returns a world's events and its log.
func play(t *testing.T, cfg traffic.Config) ([]*vigil.Event, []traffic.Occurrence) {
	t.Helper()
	w, err := traffic.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	log := w.Happenings()
	return slices.Collect(w.Events()), log
}

// only keeps the occurrences of one happening, of which there must be some.
func only(t *testing.T, log []traffic.Occurrence, h traffic.Happening) []traffic.Occurrence {
	t.Helper()
	out := slices.DeleteFunc(slices.Clone(log), func(o traffic.Occurrence) bool { return o.Happening != h })
	if len(out) == 0 {
		t.Fatalf("no %s is logged", h)
	}
	return out
}

// within keeps an occurrence's events: of its actors, in its span.
func within(events []*vigil.Event, o traffic.Occurrence) []*vigil.Event {
	var out []*vigil.Event
	for _, e := range events {
		if !e.Time.Before(o.Start) && e.Time.Before(o.End) && slices.Contains(o.Actors, e.Actor.ID) {
			out = append(out, e)
		}
	}
	return out
}

// count counts the events that f holds of.
func count(events []*vigil.Event, f func(e *vigil.Event) bool) int {
	n := 0
	for _, e := range events {
		if f(e) {
			n++
		}
	}
	return n
}

func TestEverythingIsValidInOrderAndRepeatable(t *testing.T) {
	t.Parallel()
	events, log := play(t, busy)
	again, logAgain := play(t, busy)
	if diff := cmp.Diff(log, logAgain); diff != "" {
		t.Fatalf("the same configuration has another log:\n%s", diff)
	}
	if len(events) != len(again) {
		t.Fatalf("%d events, then %d", len(events), len(again))
	}
	for i, e := range events {
		if !reflect.DeepEqual(e, again[i]) {
			t.Fatalf("the same configuration differs:\n%s", cmp.Diff(e, again[i]))
		}
	}
	ids, owner, staff := map[string]bool{}, map[string]string{}, 0
	start, last := busy.Start, busy.Start.AddDate(0, 0, busy.Days)
	at := start
	for _, e := range events {
		if err := e.Validate(); err != nil {
			t.Fatalf("%s: %v", e.ID, err)
		}
		if e.Time.Before(at) || !e.Time.Before(last) {
			t.Fatalf("%s is at %s, after %s", e.ID, e.Time, at)
		}
		at = e.Time
		if ids[e.ID] {
			t.Fatalf("id %s comes twice", e.ID)
		}
		ids[e.ID] = true
		if e.Actor.Role != traffic.RoleCustomer {
			staff++
		}
		if e.SubjectCount != vigil.Unknown && e.SubjectCount < int64(len(e.Subjects)) || e.Limit != vigil.Unknown && e.Rows > e.Limit {
			t.Fatalf("%s: %d of %d subjects, %d rows within %d", e.ID, len(e.Subjects), e.SubjectCount, e.Rows, e.Limit)
		}
		if e.Conversation == "" {
			continue
		}
		whose := e.Principal
		if len(e.Subjects) > 0 {
			whose = e.Subjects[0]
		}
		if was, ok := owner[e.Conversation]; ok && was != whose {
			t.Fatalf("%s: conversation %s is of %s and %s", e.ID, e.Conversation, was, whose)
		}
		owner[e.Conversation] = whose
	}
	if staff < busy.Events || staff > busy.Events*115/100 {
		t.Errorf("%d events of the staff where %d were asked for", staff, busy.Events)
	}
	seen := traffic.Set(0)
	for _, o := range log {
		seen |= traffic.SetOf(o.Happening)
		if !o.Start.Before(o.End) || o.Note == "" {
			t.Errorf("%s lasts from %s to %s: %q", o.Happening, o.Start, o.End, o.Note)
		}
	}
	if seen != traffic.Everything() {
		t.Errorf("the log lacks %s", traffic.Everything()&^seen)
	}
}

func TestEachHappeningCanBeAlone(t *testing.T) {
	t.Parallel()
	for _, h := range traffic.Everything().List() {
		t.Run(h.String(), func(t *testing.T) {
			t.Parallel()
			cfg := busy
			cfg.Events, cfg.Actors, cfg.Happenings = 6_000, 40, traffic.SetOf(h)
			events, log := play(t, cfg)
			only(t, log, h)
			for _, o := range log {
				if o.Happening != h {
					t.Errorf("%s is logged", o.Happening)
				}
			}
			if len(events) < cfg.Events {
				t.Errorf("%d events where %d were asked for", len(events), cfg.Events)
			}
			cfg.Happenings = traffic.Everything().Without(h)
			w, err := traffic.New(cfg)
			if err != nil {
				t.Fatal(err)
			}
			if slices.ContainsFunc(w.Happenings(), func(o traffic.Occurrence) bool { return o.Happening == h }) {
				t.Error("it is logged where it was taken out")
			}
		})
	}
}

func TestHappeningsFitSmallWorlds(t *testing.T) {
	t.Parallel()
	for _, cfg := range []traffic.Config{
		{Events: 1, Actors: 20, Days: 1}, {Events: 300, Actors: 20, Days: 2}, {Events: 2_000, Actors: 25, Days: 7},
		{Events: 2_000, Actors: 25, Days: 14, Start: time.Date(2026, 1, 31, 22, 30, 0, 0, time.UTC)}, {Events: 3_000, Actors: 1_500, Days: 3},
	} {
		cfg.Happenings = traffic.Everything()
		cfg.Seed = uint64(cfg.Days)
		last := time.Time{}
		err := traffic.Generate(cfg, func(e *vigil.Event) {
			if err := e.Validate(); err != nil || e.Time.Before(last) {
				t.Fatalf("%+v: %s at %s after %s: %v", cfg, e.ID, e.Time, last, err)
			}
			last = e.Time
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestSets(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]traffic.Set{
		"": 0, "none": 0, "all": traffic.Everything(), "spike, vpn": traffic.SetOf(traffic.Spike, traffic.VPN),
		"all,-spike": traffic.Everything().Without(traffic.Spike), "spike,-all": 0,
	} {
		got, err := traffic.ParseSet(text)
		if err != nil || got != want {
			t.Errorf("%q is %s, %v", text, got, err)
		}
		if again, err := traffic.ParseSet(got.String()); err != nil || again != got {
			t.Errorf("%s is read as %s, %v", got, again, err)
		}
	}
	if _, err := traffic.ParseSet("spike,carnival"); err == nil || !strings.Contains(err.Error(), "month-end") {
		t.Errorf("carnival: %v", err)
	}
	if _, err := traffic.New(traffic.Config{Happenings: 1}); err == nil {
		t.Error("an unknown happening was taken")
	}
}

func TestCrowdIsSparseAndWhole(t *testing.T) {
	t.Parallel()
	cfg := traffic.Config{Events: 1_000, Actors: 20, Days: 2, Crowd: 5_000}
	visits := map[string]int{}
	err := traffic.Generate(cfg, func(e *vigil.Event) {
		if e.Actor.Role != traffic.RoleCustomer {
			return
		}
		if len(e.Subjects) > 0 && e.Subjects[0] != e.Actor.ID {
			t.Fatalf("%s reads %v", e.Actor.ID, e.Subjects)
		}
		visits[e.Actor.ID]++
	})
	if err != nil {
		t.Fatal(err)
	}
	often := 0
	for n := range maps.Values(visits) {
		if n > 1 {
			often++
		}
	}
	// Whose only visit begins in the last seconds may be cut off.
	if len(visits) < cfg.Crowd-5 || len(visits) > cfg.Crowd || often < cfg.Crowd/20 || often > cfg.Crowd/4 {
		t.Errorf("%d of %d came, %d of them often", len(visits), cfg.Crowd, often)
	}
	for _, bad := range []traffic.Config{{Crowd: -1}, {Crowd: 1 << 40}, {Crowd: 5, CrowdActive: 2}} {
		if _, err := traffic.New(bad); err == nil {
			t.Errorf("%+v was taken", bad)
		}
	}
}
