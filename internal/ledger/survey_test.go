package ledger_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"vigil"
	"vigil/internal/api"
	"vigil/internal/ledger"
)

// sealedAndNot keeps n events, the first of them in segments and the rest in batches.
func sealedAndNot(t *testing.T, n, sealed int) *ledger.Ledger {
	t.Helper()
	l := open(t, ledger.Config{MaxPending: -1, SegmentEvents: 100, MaxBatches: 1_000}, ledger.Options{})
	for i := 0; i < n; i += 50 {
		if _, _, err := l.Accept(t.Context(), batch(i, 50)); err != nil {
			t.Fatal(err)
		}
		if i+50 == sealed {
			if err := l.Apply(t.Context(), ledger.Applied{From: 1, Seq: l.Last()}); err != nil {
				t.Fatal(err)
			}
			if _, err := l.SealAll(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	return l
}

func TestSurveySeesEachEventOnce(t *testing.T) {
	t.Parallel()
	l := sealedAndNot(t, 600, 400)
	all := traffic(0, 600)
	count := func(q ledger.Survey) (map[string]int, ledger.Surveyed) {
		seen := map[string]int{}
		s, err := l.Survey(t.Context(), q, func(events []*vigil.Event) {
			for _, e := range events {
				seen[e.Actor.ID+e.Time.String()]++
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		return seen, s
	}
	seen, s := count(ledger.Survey{Columns: []string{"actor", "time"}})
	if s.Events != 600 || s.Held != 600 || s.Looked != 600 || s.Sampled() || s.Damaged != 0 {
		t.Errorf("%+v", s)
	}
	for _, e := range all {
		if seen[e.Actor.ID+e.Time.String()] == 0 {
			t.Fatalf("event %s is not seen", e.ID)
		}
	}
	from, to := all[100].Time, all[500].Time
	want := 0
	for _, e := range all {
		if !e.Time.Before(from) && e.Time.Before(to) {
			want++
		}
	}
	if _, s := count(ledger.Survey{From: from, To: to}); s.Events != int64(want) {
		t.Errorf("%d events of a time, want %d", s.Events, want)
	}
	mine := 0
	for _, e := range all {
		if e.Actor.ID == all[3].Actor.ID {
			mine++
		}
	}
	if seen, s := count(ledger.Survey{Actors: []string{all[3].Actor.ID}}); s.Events != int64(mine) || len(seen) == 0 {
		t.Errorf("%d events of one, want %d", s.Events, mine)
	}
}

// A bounded survey looks at less and says so; the newest stay where they are asked for.
func TestASurveyIsBounded(t *testing.T) {
	t.Parallel()
	l := sealedAndNot(t, 600, 500)
	var oldest time.Time
	visit := func(events []*vigil.Event) {
		for _, e := range events {
			if oldest.IsZero() || e.Time.Before(oldest) {
				oldest = e.Time
			}
		}
	}
	s, err := l.Survey(t.Context(), ledger.Survey{Most: 250}, visit)
	if err != nil || !s.Sampled() || s.Held != 600 || s.Looked > 300 || s.Events == 0 || s.Events > 300 {
		t.Errorf("%+v, %v", s, err)
	}
	oldest = time.Time{}
	s, err = l.Survey(t.Context(), ledger.Survey{Most: 300, Newest: true}, visit)
	if err != nil || !s.Sampled() || oldest.Before(traffic(0, 600)[250].Time) || !s.Since.Equal(oldest) {
		t.Errorf("%+v since %s, %v", s, oldest, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Survey(ctx, ledger.Survey{}, visit); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestReportsAreNeverReplaced(t *testing.T) {
	t.Parallel()
	l := open(t, ledger.Config{}, ledger.Options{})
	from := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	r := api.KeptReport{ID: "2026-10-r1", From: from, To: from.AddDate(0, 1, 0), Revision: 1, Made: from.AddDate(0, 1, 1), Files: []string{"a"}, SHA256: "00"}
	if err := l.KeepReport(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	other := r
	other.SHA256 = "ff"
	if err := l.KeepReport(t.Context(), other); !errors.Is(err, ledger.ErrOrder) {
		t.Errorf("the same id again: %v", err)
	}
	other.ID = "2026-10-another"
	if err := l.KeepReport(t.Context(), other); !errors.Is(err, ledger.ErrOrder) {
		t.Errorf("the same revision again: %v", err)
	}
	other.ID, other.Revision = "2026-10-r2", 2
	if err := l.KeepReport(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	all, err := l.Reports(t.Context(), 10)
	if err != nil || len(all) != 2 || all[0].Revision != 2 || all[1].SHA256 != "00" || !slices.Equal(all[1].Files, []string{"a"}) {
		t.Errorf("%+v, %v", all, err)
	}
}

func TestControlsAndPartsOfASnapshot(t *testing.T) {
	t.Parallel()
	l := open(t, ledger.Config{}, ledger.Options{})
	for _, text := range []string{`{"n":1}`, `{"n":2}`, `{"n":3}`} {
		if _, err := l.AcceptControl(t.Context(), vigil.Control{Type: "test", Data: []byte(text)}); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	if err := l.EachControl(t.Context(), 1, func(at time.Time, c vigil.Control) error {
		if at.IsZero() {
			t.Error("no time")
		}
		got = append(got, string(c.Data))
		return nil
	}); err != nil || !slices.Equal(got, []string{`{"n":2}`, `{"n":3}`}) {
		t.Errorf("%q, %v", got, err)
	}
	if seq, parts, err := l.SnapshotParts(t.Context(), "a/"); err != nil || seq != 0 || parts != nil {
		t.Errorf("without a snapshot: %d, %v, %v", seq, parts, err)
	}
	if err := l.Apply(t.Context(), ledger.Applied{From: 1, Seq: 3}); err != nil {
		t.Fatal(err)
	}
	if err := l.SaveSnapshot(t.Context(), ledger.Snapshot{Seq: 3, All: true, Parts: []ledger.SnapshotPart{{Name: "a/1", Data: []byte("x")}, {Name: "b", Data: []byte("y")}}}); err != nil {
		t.Fatal(err)
	}
	if seq, parts, err := l.SnapshotParts(t.Context(), "a/"); err != nil || seq != 3 || len(parts) != 1 || string(parts[0].Data) != "x" {
		t.Errorf("%d, %v, %v", seq, parts, err)
	}
	if _, _, err := l.DailyEvents(t.Context(), start, start); err == nil {
		t.Error("no days can be told")
	}
}
