package app_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"vigil"
	"vigil/collectors"
	"vigil/internal/app"
	"vigil/internal/config"
)

func reload(t *testing.T, w *watched, cfg *config.Config) {
	t.Helper()
	if err := w.Reload(t.Context(), cfg); err != nil {
		t.Fatalf("reload: %v", err)
	}
}

// Configurations change again and again while events come by file and by push, one in
// three of them bad: each event counts once.
func TestReloadUnderLoad(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data, log := filepath.Join(dir, "data"), filepath.Join(dir, "access.log")
	configuration := func(i int) *config.Config {
		cfg := configure(t, data, log)
		cfg.Sources[1].Quota = float64(1_000_000 + i) // another collector each time
		switch i % 3 {
		case 1:
			cfg.Sources = append(cfg.Sources, config.Source{Name: fmt.Sprintf("more-%d", i), File: []string{filepath.Join(dir, "none.log")}})
		case 2:
			cfg.Actors = []config.ActorRule{{Match: "*", Team: fmt.Sprintf("team-%d", i)}}
		}
		return cfg
	}
	w := begin(t, configuration(0), app.Options{})
	begun := day() // a millisecond between events: however many are written, none is ahead of the clock
	var stop atomic.Bool
	var pushed, written atomic.Int64
	var wg sync.WaitGroup
	pace := make(chan struct{}, 1)
	wg.Go(func() {
		for n := 0; !stop.Load(); n++ {
			var b strings.Builder
			for i := range 10 {
				b.WriteString(line(begun.Add(time.Duration(n)*time.Millisecond), fmt.Sprintf("p-%d-%d", n, i), "bot", ""))
			}
			for {
				resp, _ := send(t, w.PushURL(), token, b.String(), false)
				if resp != nil && resp.StatusCode == http.StatusAccepted {
					break
				}
				if resp == nil || resp.StatusCode != http.StatusServiceUnavailable && resp.StatusCode != http.StatusTooManyRequests {
					t.Errorf("a push was refused: %v", resp)
					return
				}
			}
			pushed.Add(10)
			select {
			case pace <- struct{}{}:
			default:
			}
		}
		close(pace)
	})
	wg.Go(func() {
		for n := 0; !stop.Load(); n++ {
			appendFile(t, log, line(begun.Add(time.Duration(n)*time.Millisecond), fmt.Sprintf("f-%d", n), "ann", ""))
			written.Add(1)
			if n%100 == 99 {
				<-pace // no faster than it is pushed: the test is of reloading, not of speed
			}
		}
	})
	for i := range 30 {
		bad := configuration(i)
		bad.Sources = append(bad.Sources, config.Source{Name: "bad", File: []string{"x"}, Format: "no-such-format"})
		if err := w.Reload(t.Context(), bad); err == nil {
			t.Error("a configuration that can't be used is")
		}
		reload(t, w, configuration(i))
	}
	stop.Store(true)
	wg.Wait()
	count := func(name string) int64 {
		for _, s := range w.status().Sources {
			if s.Name == name {
				return s.Events
			}
		}
		return -1
	}
	defer func() {
		if t.Failed() {
			t.Logf("%d pushed, %d written; there are %d and %d\n%s", pushed.Load(), written.Load(), count("bot"), count("files"), w.logs.String()[max(0, len(w.logs.String())-3000):])
		}
	}()
	until(t, "all events came", func() bool { return count("bot") >= pushed.Load() && count("files") >= written.Load() })
	ids := map[string]int{}
	app.EachEvent(t, w.App, func(e *vigil.Event) { ids[e.Source+e.ID]++ })
	if int64(len(ids)) != pushed.Load()+written.Load() {
		t.Errorf("%d events are kept of %d pushed and %d written", len(ids), pushed.Load(), written.Load())
	}
	w.end()
}

// What a reload brings into force, and what it leaves.
func TestReload(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	w := begin(t, configure(t, data), app.Options{})
	url := w.PushURL()
	push := func(secret, id string) int {
		resp, _ := send(t, url, secret, line(day(), id, "ann", ""), false)
		return resp.StatusCode
	}
	if code := push(token, "a"); code != http.StatusAccepted {
		t.Fatalf("push: %d", code)
	}
	// A revoked token is refused at once, a new one taken; a new source is read.
	next := configure(t, data, filepath.Join(dir, "*.log"))
	next.Sources[0].Push.Token = config.NewSecret("another-token-for-tests")
	reload(t, w, next)
	if code := push(token, "b"); code != http.StatusUnauthorized {
		t.Errorf("a revoked token is answered %d", code)
	}
	if code := push("another-token-for-tests", "b"); code != http.StatusAccepted {
		t.Errorf("the new token is answered %d", code)
	}
	appendFile(t, filepath.Join(dir, "x.log"), line(day(), "c", "ann", ""))
	has := func(name string) bool {
		for _, s := range w.status().Sources {
			if s.Name == name && s.Events > 0 {
				return true
			}
		}
		return false
	}
	until(t, "the new source is read", func() bool { return has("files") })

	// What the ledger stands on needs a restart, and changes nothing.
	for name, change := range map[string]func(*config.Config){
		"data_dir":    func(c *config.Config) { c.DataDir = filepath.Join(dir, "elsewhere") },
		"listen":      func(c *config.Config) { c.Listen = "127.0.0.1:1" },
		"retention":   func(c *config.Config) { c.Retention = config.Duration(time.Hour) },
		"pseudonym_k": func(c *config.Config) { c.PseudonymKey = config.NewSecret("0123456789abcdef0123456789abcdef") },
	} {
		bad := *next
		change(&bad)
		bad.Budget = 77
		if err := w.Reload(t.Context(), &bad); !errors.Is(err, app.ErrNeedsRestart) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// The detector takes a new budget and new rules, and goes on from its state.
	before := w.status().Events
	rule := filepath.Join(dir, "own.yaml")
	if err := os.WriteFile(rule, []byte(ownRule), 0o600); err != nil {
		t.Fatal(err)
	}
	more := *next
	more.Budget, more.Rules = 5, []string{rule}
	reload(t, w, &more)
	if got := app.RulesRecords(t, w.App); len(got) != 2 || !strings.Contains(got[1], "own-rule") {
		t.Errorf("rules' records: %q", got)
	}
	until(t, "judging goes on", func() bool { return w.status().Events >= before })
	// The file of a rule has changed, and nothing else has.
	if err := os.WriteFile(rule, []byte(strings.ReplaceAll(ownRule, "own-rule", "other-rule")), 0o600); err != nil {
		t.Fatal(err)
	}
	reload(t, w, &more)
	if got := app.RulesRecords(t, w.App); len(got) != 3 || !strings.Contains(got[2], "other-rule") {
		t.Errorf("rules' records: %q", got)
	}
	if code := push("another-token-for-tests", "d"); code != http.StatusAccepted {
		t.Errorf("push: %d", code)
	}
	if audit := strings.Join(app.Audited(t, w.App), "\n"); !strings.Contains(audit, "configuration reloaded: changed: sources") {
		t.Error("the reload is not in the audit log")
	}
	w.end()
}

const ownRule = `id: own-rule
name: An export at night
about: Nobody of the support teams works at night.
severity: high
once: day
when: action == "export" and hour < 6
sentence: "{who} exported {customers|customer|customers} at night."
reason: "an export at {hour} o'clock UTC"
counterfactual: No finding after 06:00 UTC.
examples:
  - name: at night
    fires: true
    events: [{time: "2026-11-02T02:00:00Z", actor: ann, action: export, resource: tickets, rows: 500}]
  - name: by day
    fires: false
    events: [{time: "2026-11-02T12:00:00Z", actor: ann, action: export, resource: tickets, rows: 500}]
`

// A stop comes while configurations change: either one ends well, and nothing is left
// running.
func TestStopWhileReloading(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := begin(t, configure(t, filepath.Join(dir, "data")), app.Options{})
	begun := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := 0; ; i++ {
			cfg := configure(t, filepath.Join(dir, "data"))
			cfg.Budget, cfg.Ticks = float64(i%5+1), fmt.Sprintf("@every %ds", i%50+10)
			err := w.Reload(t.Context(), cfg)
			if i == 0 {
				close(begun)
			}
			if err != nil {
				return
			}
		}
	})
	<-begun
	w.end()
	wg.Wait()
	if err := w.Reload(t.Context(), configure(t, filepath.Join(dir, "data"))); err == nil {
		t.Error("it reloads when it has ended")
	}
}

// A collector that is no longer wanted hands over what it holds at its end.
func TestARemovedSourceHandsOver(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	with, without := configure(t, filepath.Join(dir, "data")), configure(t, filepath.Join(dir, "data"))
	with.Sources = append(with.Sources, config.Source{Name: "last", File: []string{filepath.Join(dir, "none.log")}})
	running := make(chan struct{})
	w := begin(t, with, app.Options{Collectors: map[string]collectors.Collector{"last": lastWord(running)}})
	<-running
	reload(t, w, without)
	n := 0
	app.EachEvent(t, w.App, func(e *vigil.Event) { n++ })
	if n != 1 {
		t.Errorf("%d events are kept, want the one that was handed over at the end", n)
	}
	w.end()
}

// lastWord hands over one event when it is told to end.
type lastWord chan struct{}

func (c lastWord) Run(ctx context.Context, _ []byte, sink collectors.Sink) error {
	close(c)
	<-ctx.Done()
	e := vigil.NewEvent()
	e.ID, e.Time, e.Action, e.Actor.ID = "1", day(), vigil.ActionRead, "ann"
	return sink.Accept(context.WithoutCancel(ctx), collectors.Batch{Source: "last", Events: []*vigil.Event{e}})
}
