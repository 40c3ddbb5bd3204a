package app_test

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/internal/api"
	"vigil/internal/app"
	"vigil/internal/config"
)

// recorded is the recorded help desk, judged by the service, which goes on running.
func recorded(t *testing.T) *app.Demo {
	t.Helper()
	d, err := app.StartDemo(t.Context(), app.DemoOptions{Output: &buffer{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	if err := d.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	return d
}

// History that is judged again by the same setting gives what was live, to the second, and
// on any number of cores. Another budget gives other findings, and none of the
// confirmed breaches is lost by a wider one.
func TestBacktestOfTheRecording(t *testing.T) {
	t.Parallel()
	d := recorded(t)
	cfg := app.DemoConfig(d)
	breaches, others, err := d.Truth(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range breaches {
		if err := app.Judge(t, app.DemoApp(d), b.Finding.ID, vigil.WordBreach); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range others {
		if err := app.Judge(t, app.DemoApp(d), f.ID, vigil.WordExpected); err != nil {
			t.Fatal(err)
		}
	}
	app.Judged(t, app.DemoApp(d))

	began := time.Now()
	same, err := app.Backtest(t.Context(), cfg, app.BacktestOptions{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d events in %s", same.Events, time.Since(began).Round(time.Millisecond))
	n := len(breaches) + len(others)
	if same.Changed || same.All.Live < n || same.All.Same != same.All.Live || same.All.Differ() != 0 || len(same.Differences) != 0 {
		t.Errorf("the unchanged setting differs: %+v %+v", same.All, same.Differences)
	}
	if same.Breaches.Same != len(breaches) || same.Expected.Same != len(others) {
		t.Errorf("words: %+v %+v", same.Breaches, same.Expected)
	}
	calibrated(t, same.Models)
	many, err := app.Backtest(t.Context(), cfg, app.BacktestOptions{Workers: 3})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(same, many); diff != "" {
		t.Errorf("three workers differ from one:\n%s", diff)
	}

	more := 200.0
	wide, err := app.Backtest(t.Context(), cfg, app.BacktestOptions{Budget: &more})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("more: %+v breaches %+v", wide.All, wide.Breaches)
	if wide.All.New == 0 || wide.Breaches.Gone != 0 {
		t.Errorf("a wide budget: %+v %+v", wide.All, wide.Breaches)
	}
}

// calibrated looks at whether p-values outside the recording's breaches lie below a bound
// no more often than the bound says, within a factor of three, as far as that can be told.
func calibrated(t *testing.T, models []api.ReplayModel) {
	t.Helper()
	if len(models) < 5 {
		t.Errorf("%d models are counted", len(models))
	}
	for _, m := range models {
		for i, n := range m.Below {
			says := math.Pow(10, -float64(i)/api.ReplayModelSteps)
			if want := says * float64(m.Answers); want >= 10 && float64(n) > 3*want {
				t.Errorf("%s: %d of %d lie below %.2g", m.Model, n, m.Answers, says)
			}
		}
	}
}

func TestBacktestRefuses(t *testing.T) {
	t.Parallel()
	w := begin(t, configure(t, t.TempDir()), app.Options{})
	cfg := app.Conf(w.App)
	if _, err := app.Backtest(t.Context(), cfg, app.BacktestOptions{}); err == nil {
		t.Error("an empty log is judged again")
	}
	for name, opts := range map[string]app.BacktestOptions{
		"ends before it begins": {From: day(), To: day().Add(-time.Hour)},
		"a rule that is not":    {From: day(), To: day().Add(time.Hour), Without: []string{"nothing"}},
		"a rule's file that is not": {From: day(), To: day().Add(time.Hour), Other: func() *config.Config {
			other := *cfg
			other.Rules = []string{"/nowhere/rules.yaml"}
			return &other
		}()},
	} {
		if _, err := app.Backtest(t.Context(), cfg, opts); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := app.Backtest(ctx, cfg, app.BacktestOptions{From: day(), To: day().Add(time.Hour)}); err == nil {
		t.Error("a cancelled back-test succeeds")
	}
}
