package app_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"vigil"
	"vigil/alerts/slack"
	"vigil/alerts/slack/slacktest"
	"vigil/internal/app"
	"vigil/internal/config"
)

// told are the cases that somebody was told.
type told struct {
	mu    sync.Mutex // guards cases
	cases map[string]int
}

func (o *told) add(id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.cases[id]++
}

func (o *told) of(id string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.cases[id]
}

// hook is the address of a webhook that notes the cases that it is told first.
func (o *told) hook(t *testing.T) string {
	return serveHTTP(t, func(_ http.ResponseWriter, r *http.Request) {
		var e struct {
			Type string
			Data struct{ Case struct{ ID string } }
		}
		if body, err := io.ReadAll(r.Body); err != nil || json.Unmarshal(body, &e) != nil {
			t.Error("the webhook's event can't be read")
		}
		o.add(e.Data.Case.ID)
	})
}

// Channels and routes come and go by reloads while findings come, and every other
// configuration can't be used: the one before stays in force, and each case is told by
// somebody. VIGIL_TORTURE=1 makes a thousand reloads of it.
func TestReloadsLoseNoAlert(t *testing.T) {
	t.Parallel()
	reloads := 30
	if os.Getenv("VIGIL_TORTURE") != "" {
		reloads = 1_000
	}
	dir := t.TempDir()
	all := &told{cases: map[string]int{}}
	a, b := all.hook(t), all.hook(t)
	workspace := slacktest.New(slackToken)
	server := httptest.NewServer(workspace)
	t.Cleanup(server.Close)
	path := filepath.Join(dir, "vigil.yaml")
	head := fmt.Sprintf("data_dir: %q\nlisten: 127.0.0.1:0\nsources: [{name: bot, push: {token: %s}}]\n", filepath.Join(dir, "data"), token)
	hook := func(name, url string) string {
		return fmt.Sprintf("{name: %s, webhook: {url: %q, secret: a-secret-of-24-characters, allow_private: true}}", name, url)
	}
	inSlack := fmt.Sprintf("slack: {token: %s, channel: %s, api_url: %q, no_pictures: true}\n", slackToken, slacktest.Channel, server.URL+"/api")
	one := "alerts: {channels: [" + hook("a", a) + "]}\n"
	good := []string{
		one,
		"alerts: {channels: [" + hook("a", a) + ", " + hook("b", b) + "], routes: [{match: {min_severity: critical}, notify: [b]}]}\n",
		inSlack + "alerts: {channels: [" + hook("a", a) + "], default: {notify: [slack]}, fallback: a}\n",
		"alerts: {channels: [" + hook("b", b) + "]}\n",
		inSlack + "alerts: {channels: [" + hook("b", b) + "], routes: [{match: {min_severity: high}, notify: [slack], continue: true}, {match: {}, notify: [b]}]}\n",
	}
	names := [][]string{{"a"}, {"a", "b"}, {"slack", "a"}, {"b"}, {"slack", "b"}}
	bad := []string{
		"alerts: {channels: [" + hook("c", b) + "], routes: [{notify: [nobody]}]}\n",
		"alerts: {chanels: []}\n",
		"alerts: {channels: [" + hook("c", "no address") + "]}\n",
		"slack: {token: xoxb-1}\n",
		"retention: 24h\n", // needs a restart
	}
	load := func(text string) (*config.Config, error) {
		if err := os.WriteFile(path, []byte(head+text), 0o600); err != nil {
			t.Fatal(err)
		}
		return config.Load(path, app.Known())
	}
	cfg, err := load(one)
	if err != nil {
		t.Fatal(err)
	}
	w := begin(t, cfg, app.Options{})
	listen := w.URL()

	var stop atomic.Bool
	found := 0
	var wg sync.WaitGroup
	turn := make(chan struct{}, 1)
	wg.Go(func() {
		for ; !stop.Load(); <-turn {
			batch := []vigil.Finding{decoy(found, vigil.SeverityCritical), decoy(found+1, vigil.SeverityCritical)}
			app.Find(t, w.App, batch...)
			found += len(batch)
		}
	})
	refused := 0
	for i := range reloads {
		select {
		case turn <- struct{}{}:
		default:
		}
		if i%2 == 0 {
			cfg, err := load(bad[i/2%len(bad)])
			if err == nil {
				err = w.Reload(t.Context(), cfg)
			}
			if err == nil {
				t.Fatalf("a bad configuration is in force: %s", bad[i/2%len(bad)])
			}
			if got := app.Channels(w.App); i > 0 && !slices.Equal(got, names[(i-1)/2%len(good)]) {
				t.Fatalf("after a bad configuration (%v) it is told by %v", err, got)
			}
			refused++
			continue
		}
		cfg, err := load(good[i/2%len(good)])
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Reload(t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
	}
	stop.Store(true)
	close(turn)
	wg.Wait()
	if cfg, err = load(one); err == nil {
		err = w.Reload(t.Context(), cfg)
	}
	if err != nil {
		t.Fatal(err)
	}
	if w.URL() != listen || errors.Is(err, app.ErrNeedsRestart) {
		t.Errorf("it is at %s now", w.URL())
	}
	until(t, "all findings are decided on", func() bool { return app.Undecided(t, w.App) == 0 })
	until(t, "what is to be told is told", func() bool { return app.Untold(t, w.App, "a") == 0 })
	for _, m := range workspace.Messages() {
		for _, block := range m.BlockIDs() {
			if id, _, ok := slack.CaseOf(block); ok {
				all.add(id)
			}
		}
	}
	cases := app.Cases(t, w.App)
	missed := 0
	for _, c := range cases {
		if all.of(c.ID) == 0 {
			missed++
			t.Logf("case %s was told by nobody, of %v", c.ID, c.Told)
		}
	}
	if len(cases) != found || missed > 0 {
		t.Errorf("%d findings in %d cases, %d of them told by nobody", found, len(cases), missed)
	}
	t.Logf("%d reloads, %d of them refused; %d cases, %d missed; %d messages in Slack", reloads, refused, len(cases), missed, len(workspace.Messages()))
	w.end()
}
