package app

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"vigil/internal/access"
	"vigil/internal/api"
	"vigil/internal/config"
)

// drilling is a service with nothing to read, and somebody who may drill.
func drilling(t *testing.T) (*App, context.Context) {
	t.Helper()
	cfg := config.DefaultConfig()
	cfg.DataDir, cfg.Listen, cfg.Digest = t.TempDir(), "127.0.0.1:0", "off"
	a, err := New(cfg, Options{Output: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	a.drills.actors, a.drills.days = 20, 12
	return a, api.WithPerson(t.Context(), api.Person{By: "actor-ann", Roles: access.Roles()})
}

// over waits until no drill runs.
func over(ctx context.Context, t *testing.T, a *App) api.Drills {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	mark := "from the beginning"
	for {
		_, next, err := a.news.Changed(ctx, mark, []api.Topic{api.TopicDrills})
		if err != nil {
			t.Fatal(err)
		}
		mark = next
		all, err := a.drills.Drills(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if all.Running == nil {
			return all
		}
	}
}

func TestADrillIsRunOnceAndKept(t *testing.T) {
	t.Parallel()
	a, ctx := drilling(t)
	ask := api.DrillAsk{On: api.DrillMadeUp, Scenarios: []string{"T01"}, Intensity: 1, Key: "press-1"}
	if err := a.drills.StartDrill(ctx, ask); err != nil {
		t.Fatal(err)
	}
	other := ask
	other.Key = "press-2"
	if err := a.drills.StartDrill(ctx, other); err != nil && !errors.Is(err, api.ErrRefused) {
		t.Errorf("a second one: %v", err)
	}
	if all := over(ctx, t, a); len(all.Kept) == 0 {
		t.Fatal("nothing is kept")
	}
	if err := a.drills.StartDrill(ctx, ask); err != nil { // the same press, delivered late
		t.Fatal(err)
	}
	all := over(ctx, t, a)
	last := all.Kept[len(all.Kept)-1]
	if len(last.Rows) != 1 || last.Rows[0].ID != "T01" || last.Rows[0].State == "" || last.By != "actor-ann" || last.Events < 10_000 || last.Failed != "" {
		t.Errorf("%+v", last)
	}
	records, err := a.ledger.AuditLog(ctx, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	begun := 0
	for _, r := range records {
		if r.What == "drill begun" && r.Who == "actor-ann" && strings.HasPrefix(r.Object, last.ID) {
			begun++
		}
	}
	if begun != 1 {
		t.Errorf("%d records of its beginning", begun)
	}
}

func TestADrillCanBeEnded(t *testing.T) {
	t.Parallel()
	a, ctx := drilling(t)
	a.drills.days = 60
	if err := a.drills.StartDrill(ctx, api.DrillAsk{On: api.DrillMadeUp, Intensity: 1, Key: "k"}); err != nil {
		t.Fatal(err)
	}
	all, err := a.drills.Drills(ctx)
	if err != nil || all.Running == nil {
		t.Fatalf("it does not run: %v", err)
	}
	if err := a.drills.StopDrill(ctx, "another"); err != nil {
		t.Fatal(err)
	}
	if err := a.drills.StopDrill(ctx, all.Running.ID); err != nil {
		t.Fatal(err)
	}
	if all := over(ctx, t, a); len(all.Kept) != 1 || !all.Kept[0].Stopped || all.Kept[0].Failed != "" {
		t.Errorf("%+v", all.Kept)
	}
}

func TestADrillEndsWithTheService(t *testing.T) {
	t.Parallel()
	a, ctx := drilling(t)
	a.drills.days = 60
	if err := a.drills.StartDrill(ctx, api.DrillAsk{On: api.DrillMadeUp, Intensity: 1, Key: "k"}); err != nil {
		t.Fatal(err)
	}
	// The clean-up of the test stops the service, and fails if it takes too long.
}

func TestADrillIsRefused(t *testing.T) {
	t.Parallel()
	a, ctx := drilling(t)
	for name, ask := range map[string]api.DrillAsk{
		"no such breach": {On: api.DrillMadeUp, Scenarios: []string{"T99"}, Intensity: 1},
		"nothing taken":  {On: api.DrillMadeUp, Intensity: 0},
		"no number":      {On: api.DrillMadeUp, Intensity: -1},
		"other traffic":  {On: "live", Intensity: 1},
		"no record yet":  {On: api.DrillRecorded, Intensity: 1},
	} {
		if err := a.drills.StartDrill(ctx, ask); !errors.Is(err, api.ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
