package app_test

import (
	"slices"
	"strings"
	"testing"

	"vigil/internal/api"
	"vigil/internal/app"
)

// previews lists the back-tests that nobody asked for, the newest first.
func previews(t *testing.T, w *watched) (out []api.Replay) {
	t.Helper()
	all, err := app.Replayer(w.App).Replays(as(t, "ann"))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range all {
		if r.By == "vigil" {
			out = append(out, r)
		}
	}
	return out
}

// The page of tuning finds a preview of other budgets and of what is proposed, made by the
// schedule: once for the same setting and history, beside what people asked for.
func TestPreviewsAreMadeBySchedule(t *testing.T) {
	t.Parallel()
	cfg := configure(t, t.TempDir())
	cfg.Budget = 4
	w := begin(t, cfg, app.Options{})
	make := func() {
		t.Helper()
		if err := app.Preview(t, w.App); err != nil {
			t.Fatal(err)
		}
	}
	make()
	if got := previews(t, w); len(got) != 0 || view(t, w).Left != "" {
		t.Errorf("of no history: %+v, %q", got, view(t, w).Left)
	}
	if resp, text := send(t, w.PushURL(), token, breach(day()), false); resp.StatusCode != 202 {
		t.Fatalf("push: %d %s", resp.StatusCode, text)
	}
	until(t, "a finding", func() bool { return len(w.findings()) > 0 })
	own := replayed(t, w, api.ReplayAsk{Budgets: []float64{1, 2}})
	make()
	make()
	got := previews(t, w)
	if len(got) != 1 || got[0].State != api.ReplayDone || !slices.Equal(got[0].Ask.Budgets, []float64{1, 2, 4, 8, 16, 40}) {
		t.Fatalf("made %+v", got)
	}

	// What is proposed is tried before anything else; only what it takes the place of goes.
	p, err := app.Tuner(w.App).Propose(as(t, "ann"), api.Proposing{PerDay: perDay(1), Why: "x", Seen: api.AnyRevision})
	if err != nil {
		t.Fatal(err)
	}
	make()
	if got = previews(t, w); len(got) != 2 || got[0].Ask.Proposal != p.ID {
		t.Errorf("with a proposal: %+v", got)
	}
	if err := app.Tuner(w.App).Answer(as(t, "bea"), api.Answering{ID: p.ID, Confirm: true}); err != nil {
		t.Fatal(err)
	}
	app.Judged(t, w.App)
	make()
	if got = previews(t, w); len(got) != 2 || got[0].Ask.Budgets[2] != 1 {
		t.Errorf("with another budget: %+v", got)
	}
	if _, err := app.Replayer(w.App).Replay(as(t, "ann"), own.ID); err != nil {
		t.Errorf("what somebody asked for: %v", err)
	}
	w.end()
}

// What a preview reads is bounded: it tries fewer budgets, or none, and says so.
func TestAPreviewReadsNoMoreThanAllowed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cfg := configure(t, dir)
	w := begin(t, cfg, app.Options{})
	events := breach(day())
	if resp, text := send(t, w.PushURL(), token, events, false); resp.StatusCode != 202 {
		t.Fatalf("push: %d %s", resp.StatusCode, text)
	}
	until(t, "a finding", func() bool { return len(w.findings()) > 0 })
	n := int64(strings.Count(events, "\n"))
	for _, c := range []struct {
		most    int64
		budgets int
	}{{n, 0}, {3*n + 1, 3}} {
		bounded := *cfg
		bounded.PreviewAccesses = c.most
		reload(t, w, &bounded)
		if err := app.Preview(t, w.App); err != nil {
			t.Fatal(err)
		}
		got, left := previews(t, w), view(t, w).Left
		if c.budgets == 0 && (len(got) != 0 || !strings.Contains(left, "preview_accesses")) {
			t.Errorf("%d accesses: %+v, %q", c.most, got, left)
		}
		if c.budgets > 0 && (len(got) != 1 || len(got[0].Ask.Budgets) != c.budgets || left != "") {
			t.Errorf("%d accesses: %+v, %q", c.most, got, left)
		}
	}
	w.end()
}
