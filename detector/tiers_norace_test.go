//go:build !race

package detector_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/detector"
)

// TestWhoMadeRoomDoesNotComeBackClean lets a crowd push everybody out, and asks what
// is left of the evidence against the actor that had the most.
func TestWhoMadeRoomDoesNotComeBackClean(t *testing.T) {
	t.Parallel()
	d := stagedDesk()
	last := map[string]detector.Score{}
	base, err := detector.New(detector.Config{}, detector.Options{Workers: 2, Score: func(s detector.Score) { last[s.Event.Actor.ID] = s }})
	if err != nil {
		t.Fatal(err)
	}
	half := d.events[:len(d.events)*3/4]
	reported := map[string]bool{}
	for _, f := range foldAll(t, base, half) {
		reported[f.Actor] = true
	}
	who := ""
	for id, s := range last {
		if !reported[id] && (who == "" || s.Evidence > last[who].Evidence || s.Evidence == last[who].Evidence && id < who) {
			who = id
		}
	}
	if last[who].Evidence < 0.35 {
		t.Fatalf("the most evidence is %.2f; the test needs some", last[who].Evidence)
	}
	now := half[len(half)-1].Time
	flood := crowd(3000, now.Add(time.Minute), now.Add(10*time.Minute))
	again := *last[who].Event
	again.Time = now.Add(11 * time.Minute)
	again.Late = false
	later := visitor("later", now.Add(20*time.Minute))

	run := func(cfg detector.Config) (detector.Score, detector.Status) {
		var got detector.Score
		e := restoredWith(t, base, cfg, func(s detector.Score) {
			if s.Event.Actor.ID == who {
				got = s
			}
		})
		foldAll(t, e, flood)
		at := e.Status()
		foldAll(t, e, []*vigil.Event{&again, later})
		if got.Event == nil {
			t.Fatal("the actor's return was not judged")
		}
		return got, at
	}
	want, _ := run(detector.Config{})
	for name, cfg := range map[string]detector.Config{
		"cold": {MaxActors: 256, MaxCold: 256 * 100},
		"gone": {MaxActors: 256, MaxCold: 256},
	} {
		got, st := run(cfg)
		if math.Abs(got.Evidence-want.Evidence) > 0.3 {
			t.Errorf("%s: evidence %.2f on return, %.2f had it stayed", name, got.Evidence, want.Evidence)
		}
		if st.Hot > cfg.MaxActors || st.Cold > cfg.MaxCold || st.Cold < 200 || (name == "gone") != (st.Gone > 500) {
			t.Errorf("%s: %d hot, %d cold, %d gone", name, st.Hot, st.Cold, st.Gone)
		}
	}
}

// TestAFloodPushesOutItself holds that a flood of names changes nothing about who is
// found, on any number of workers and however the log is cut.
func TestAFloodPushesOutItself(t *testing.T) {
	t.Parallel()
	d := stagedDesk()
	start, end := d.events[0].Time, d.events[len(d.events)-1].Time
	flooded := append(clones(d.events), crowd(9_000, start.Add(end.Sub(start)/2), end)...)
	slices.SortStableFunc(flooded, func(a, b *vigil.Event) int { return a.Time.Compare(b.Time) })

	run := func(workers, batch int) []vigil.Finding {
		e, err := detector.New(detector.Config{MaxActors: 1024, MaxCold: 1024}, detector.Options{Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		found := judge(t, e, clones(flooded), always(batch))
		if st := e.Status(); st.Hot > 1024 || st.Cold > 1024 || st.Gone < 2500 {
			t.Errorf("%d hot, %d cold, %d gone", st.Hot, st.Cold, st.Gone)
		}
		return found
	}
	got := run(2, 4096)
	if diff := cmp.Diff(encode(t, got), encode(t, run(1, 777))); diff != "" {
		t.Errorf("one worker, other batches: findings differ (-want +got):\n%.2000s", diff)
	}
	hit := func(found []vigil.Finding, actor string, from, to time.Time) bool {
		return slices.ContainsFunc(found, func(f vigil.Finding) bool {
			return f.Actor == actor && !f.End.Before(from) && !f.Start.After(to)
		})
	}
	plain := judge(t, newEngine(t, 2), clones(d.events), always(4096))
	for _, b := range d.breaches {
		before, after := hit(plain, b.Actor, b.Start, b.End), hit(got, b.Actor, b.Start, b.End)
		t.Logf("%s by %s: found %v, in the flood %v", b.Threat, b.Actor, before, after)
		if before && !after {
			t.Errorf("%s by %s is lost in the flood", b.Threat, b.Actor)
		}
	}
}

// TestTiersAreRestored takes snapshots, whole ones and changes, while actors go
// from tier to tier.
func TestTiersAreRestored(t *testing.T) {
	t.Parallel()
	d := stagedDesk()
	events := d.events[:len(d.events)*3/10]
	start, end := events[0].Time, events[len(events)-1].Time
	events = append(clones(events), crowd(max(2_500, len(d.events)/6), start, end)...)
	slices.SortStableFunc(events, func(a, b *vigil.Event) int { return a.Time.Compare(b.Time) })
	cfg := detector.Config{MaxActors: 512, MaxCold: 1024}
	batch := len(events) / 5

	newOne := func() *detector.Engine {
		e, err := detector.New(cfg, detector.Options{Workers: 2})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	whole := newOne()
	want := judge(t, whole, clones(events), always(batch))

	e, parts := newOne(), map[string]detector.Part{}
	var got []vigil.Finding
	for b := range slices.Chunk(clones(events), batch) {
		found, err := e.Fold(entry(b))
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, found...)
		changed, err := e.Snapshot(len(parts) == 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range changed {
			parts[p.Name] = p
		}
		before := e.Status()
		e = newOne()
		have := make([]detector.Part, 0, len(parts))
		for _, p := range parts {
			have = append(have, p)
		}
		if err := e.Restore(have); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(before, e.Status()); diff != "" {
			t.Fatalf("status after restoring differs (-want +got):\n%s", diff)
		}
	}
	found, err := e.Finish()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(encode(t, want), encode(t, append(got, found...))); diff != "" {
		t.Errorf("findings differ (-want +got):\n%.2000s", diff)
	}
	if st := whole.Status(); st.Cold == 0 || st.Gone == 0 {
		t.Errorf("the test moved nobody down: %+v", st)
	}
}
